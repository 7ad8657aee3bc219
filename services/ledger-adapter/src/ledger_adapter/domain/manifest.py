"""The manifest of a remittance: what its postings must count and add up to before anything is journalled."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import RemittanceSummary
from chassis.domain import Aggregate, Conflict, Event, Refusal


class ManifestState(StrEnum):
    """COLLECTING until every claim payment and adjustment is posted; DIFFERS where they are not the payment announced."""

    COLLECTING = "collecting"
    MET = "met"
    DIFFERS = "differs"


class ManifestChanged(Conflict):
    """A remittance was accepted twice with other content."""


class NothingToReopen(Refusal):
    """Only a manifest that differs is judged again."""


def manifest_id(remittance_id: UUID) -> UUID:
    """The manifest of a remittance."""
    return derive("remittance-manifest", remittance_id)


class RemittanceManifest(Aggregate):
    """Expected, then Met by exactly its postings, or Differs: then no journal entry is made and a person is told.

    `attempts` counts how often it was judged to differ.
    """

    def start(self) -> None:
        self.state = ManifestState.COLLECTING
        self.posting_count = 0
        self.payment = Money(0)
        self.attempts = 0
        self.content_hash = ""
        self.entity = ""
        self.effective_date: date | None = None

    class Expected(Event):
        """`payment` is `total_paid` less the `adjustment_count` provider-level adjustments: what reaches the bank."""

        TOPIC = "ledger.remittance-manifest.expected"
        remittance_id: UUID
        entity: Public[str]
        payer: Public[str]
        effective_date: Public[date]
        claim_count: int
        total_paid: Money
        payment: Money
        content_hash: Public[str]
        adjustment_count: int = 0

        def apply(self, manifest: RemittanceManifest) -> None:
            manifest.posting_count = self.claim_count + self.adjustment_count
            manifest.payment = self.payment
            manifest.content_hash = self.content_hash
            manifest.entity = self.entity
            manifest.effective_date = self.effective_date

    class Met(Event):
        """`journal_id` is empty where the postings move no account."""

        TOPIC = "ledger.remittance-manifest.met"
        remittance_id: UUID
        journal_id: UUID | None

        def apply(self, manifest: RemittanceManifest) -> None:
            manifest.state = ManifestState.MET

    class Differed(Event):
        TOPIC = "ledger.remittance-manifest.differed"
        remittance_id: UUID
        residual: Money

        def apply(self, manifest: RemittanceManifest) -> None:
            manifest.state = ManifestState.DIFFERS
            manifest.attempts += 1

    class Reopened(Event):
        """A person mended the cause, so that its postings are judged again."""

        TOPIC = "ledger.remittance-manifest.reopened"
        remittance_id: UUID
        reason: Public[str]

        def apply(self, manifest: RemittanceManifest) -> None:
            manifest.state = ManifestState.COLLECTING

    def expect(self, summary: RemittanceSummary) -> None:
        """
        Raises:
            ManifestChanged: the remittance is expected already, with other content.
        """
        if self.exists:
            if self.content_hash != summary.content_hash:
                raise ManifestChanged(f"remittance {summary.remittance_id} was accepted before with other content")
            return
        self.trigger_event(
            self.Expected,
            remittance_id=summary.remittance_id,
            entity=summary.entity,
            payer=summary.payer_id,
            effective_date=summary.effective_date,
            claim_count=summary.claim_count,
            total_paid=summary.total_paid,
            payment=summary.payment,
            content_hash=summary.content_hash,
            adjustment_count=len(summary.provider_adjustments),
        )

    def meet(self, remittance_id: UUID, journal_id: UUID | None) -> None:
        assert self.state is ManifestState.COLLECTING, "a manifest is met once"
        self.trigger_event(self.Met, remittance_id=remittance_id, journal_id=journal_id)

    def differ(self, remittance_id: UUID, residual: Money) -> None:
        assert self.state is ManifestState.COLLECTING, "a manifest is decided once"
        self.trigger_event(self.Differed, remittance_id=remittance_id, residual=residual)

    def reopen(self, remittance_id: UUID, reason: str) -> None:
        """Lets the postings be judged again.

        Raises:
            NothingToReopen: it does not differ.
        """
        if self.state is not ManifestState.DIFFERS:
            raise NothingToReopen(f"the manifest of remittance {remittance_id} is {self.state}, it does not differ")
        self.trigger_event(self.Reopened, remittance_id=remittance_id, reason=reason)
