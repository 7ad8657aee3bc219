"""What the ledger adapter books of charges: when they are posted, and when a posting is revised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.envelope import Envelope
from canonical.events.claims import ClaimRevised
from canonical.events.intake import ChargesRevised, EncounterCharged, PostedCharges
from canonical.journal import LedgerLine
from canonical.master_data import KnownMasterData, Payer, UnknownMasterData
from chassis.domain import NotYet, Refusal
from chassis.eventstore import Work

from ledger_adapter.application.single_entries import intend_single, of_estimate_release, posting_of
from ledger_adapter.domain.charge_batches import charge_batches_id
from ledger_adapter.domain.fact_lines import (
    CostCenterOf,
    lines_for_charges,
    lines_for_revised_claim,
    lines_for_revision,
)
from ledger_adapter.domain.subledger import GroupKind, PostedLine, SubledgerPosting, charge_posting_id


class UnknownPayer(Refusal):
    """Master data does not know this payer on the service date, so nobody can say what its contract takes off."""


@dataclass(frozen=True)
class Charging:
    """Drafts the postings of charges by the rules and by master data of the service date."""

    master: KnownMasterData

    def when_encounter_charged_draft_posting(self, work: Work, event: EncounterCharged, envelope: Envelope) -> None:
        """J01 and J03; the posting waits for the batch of its entity and day."""
        posting, content = posting_of(work, charge_posting_id(event.encounter_id, event.posting), event)
        if not posting.exists:
            lines = lines_for_charges(event, self._expected_percent(event), self._cost_centers(event))
            self._draft(posting, event, event.service_to, lines, envelope, content)

    def when_charges_revised_mirror_and_draft(self, work: Work, event: ChargesRevised, envelope: Envelope) -> None:
        """J02, dated on the day of the revision; it waits for the posting of what it revises.

        A revision that changes no amount books nothing, and what was booked stands for the next one.
        """
        posting, content = posting_of(work, _revised_id(event, event.revision), event)
        if posting.exists:
            return
        before = posted(work, _revised_id(event, event.revision - 1))
        expected, cost_centers = self._expected_percent(event), self._cost_centers(event)
        lines = lines_for_revision(event, expected, before.charged, cost_centers)
        unchanged = () if lines else before.charged
        self._draft(posting, event, event.revised_on, lines, envelope, content, unchanged)

    def when_claim_revised_release_estimate(self, work: Work, event: ClaimRevised, envelope: Envelope) -> None:
        """J05 of what a revision changed of the estimate, where the claim's first decision has released it already."""
        if event.decided:
            intend_single(work, event, envelope, of_estimate_release(event), lambda: _estimate_changed(work, event))

    def payer(self, code: str, day: date) -> Payer:
        """
        Raises:
            UnknownPayer: see there.
        """
        try:
            return self.master.payer(code, day)
        except UnknownMasterData as unknown:
            raise UnknownPayer(f"{unknown}; add it to master data and try again") from unknown

    def _expected_percent(self, event: PostedCharges) -> int:
        return self.payer(event.payer, event.service_from).expected_contractual_percent if event.payer else 0

    def _cost_centers(self, event: PostedCharges) -> CostCenterOf:
        """By master data of the day of service; a department that it does not know has none."""

        def cost_center_of(department: str) -> str:
            try:
                return self.master.department(department, event.service_from).cost_center if department else ""
            except UnknownMasterData:
                return ""

        return cost_center_of

    def _draft(
        self,
        posting: SubledgerPosting,
        event: PostedCharges,
        day: date,
        lines: tuple[LedgerLine, ...],
        envelope: Envelope,
        content: str,
        unchanged: tuple[PostedLine, ...] = (),
    ) -> None:
        effective_date = max(day, self._books_open_from(event.entity, day))
        posting.draft(
            group_kind=GroupKind.CHARGES,
            group_id=charge_batches_id(event.entity, effective_date),
            item_id=event.encounter_id,
            entity=event.entity,
            effective_date=effective_date,
            lines=lines,
            source_event_id=envelope.id,
            content_hash=content,
            unchanged=unchanged,
        )

    def _books_open_from(self, entity: str, day: date) -> date:
        """Late charges of a closed period are booked on the first open day; they keep their day of service."""
        try:
            return self.master.entity(entity, day).books_open_from
        except UnknownMasterData:
            return day


def posted(work: Work, posting_id: UUID) -> SubledgerPosting:
    """
    Raises:
        NotYet: the charges have not been posted.
    """
    found = work.get(SubledgerPosting, posting_id)
    if found is None:
        raise NotYet(posting_id, "the charges before this have not been posted yet")
    return found


def ids_of_revision(event: ChargesRevised) -> tuple[UUID, ...]:
    return (_revised_id(event, event.revision), _revised_id(event, event.revision - 1))


def ids_of_revised_claim(event: ClaimRevised) -> tuple[UUID, ...]:
    if not event.decided:
        return ()
    return (*of_estimate_release(event).ids, _revised_id(event, event.revision), _revised_id(event, event.revision - 1))


def _revised_id(event: ChargesRevised | ClaimRevised, revision: int) -> UUID:
    return charge_posting_id(event.encounter_id, event.posting, revision)


def _estimate_changed(work: Work, event: ClaimRevised) -> tuple[LedgerLine, ...]:
    now = posted(work, _revised_id(event, event.revision))
    before = posted(work, _revised_id(event, event.revision - 1))
    return lines_for_revised_claim(event, now.estimate - before.estimate)
