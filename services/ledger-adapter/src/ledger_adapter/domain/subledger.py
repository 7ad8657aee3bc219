"""The subledger: one posting per financial fact, kept with its lines for ever."""

from __future__ import annotations

import hashlib
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.codes import AccountRole
from canonical.envelope import PublicEvent
from canonical.ids import derive
from canonical.journal import LedgerLine
from canonical.money import Money
from canonical.remittance import ProviderAdjustment
from chassis.domain import Aggregate, Conflict, Event

from ledger_adapter.domain.posting_rules import (
    NOWHERE,
    REVISED_CODE,
    RULES_VERSION,
    Place,
    assert_balanced,
    estimate_in,
)

NO_CASH = Money(0)


class GroupKind(StrEnum):
    """What one journal entry is made of."""

    CHARGES = "charges"
    REMITTANCE = "remittance"
    DEPOSIT = "deposit"
    UNIDENTIFIED_DEPOSIT = "unidentified-deposit"
    PATIENT_PAYMENT = "patient-payment"
    APPLICATION = "application"
    PAYOUT = "payout"
    CLAIM_MATCH = "claim-match"
    DENIAL_RELEASE = "denial-release"
    DENIAL_WRITE_OFF = "denial-write-off"
    ESTIMATE_RELEASE = "estimate-release"
    REFUND = "refund"
    DISPUTE = "dispute"
    RETURN = "return"
    PATIENT_WRITE_OFF = "patient-write-off"
    PATIENT_TRANSFER = "patient-transfer"
    PRICE_CONCESSION = "price-concession"
    PAYER_OVERPAYMENT = "payer-overpayment"
    CREDIT_BALANCES = "credit-balances"

    @property
    def is_of_many(self) -> bool:
        """Whether an entry is made of several postings; every other one is one posting, which is its group."""
        return self in (GroupKind.CHARGES, GroupKind.REMITTANCE, GroupKind.CREDIT_BALANCES)


class FactChanged(Conflict):
    """The same fact came with other content; what was booked stays, and a person is told."""


def charge_posting_id(encounter_id: UUID, posting: int, revision: int = 0) -> UUID:
    """The posting of one posting of an encounter's charges, or of one revision of it."""
    place = ("posting", "charges", encounter_id, posting)
    return derive(*place, revision) if revision else derive(*place)


def claim_payment_posting_id(remittance_id: UUID, position: int) -> UUID:
    """The posting of one claim payment, whether we know the claim or not: the same cash is booked one way only."""
    return derive("posting", "claim-payment", remittance_id, position)


def provider_adjustment_posting_id(remittance_id: UUID, ordinal: int) -> UUID:
    """The posting of one provider-level adjustment of a remittance, by its ordinal from 0."""
    return derive("posting", "provider-adjustment", remittance_id, ordinal)


def single_posting_id(kind: GroupKind, *parts: object) -> UUID:
    """The posting of a fact that is a journal entry by itself."""
    return derive("posting", kind.value, *parts)


def content_hash_of(fact: PublicEvent | ProviderAdjustment) -> str:
    """A short hash of a fact's content, to tell a repetition from a contradiction."""
    return hashlib.sha256(fact.model_dump_json().encode()).hexdigest()[:32]


class PostedLine(CanonicalModel):
    """One line as it is kept: what its posting has in common with all of its lines stands on the posting.

    `payer_class` is given only where it is another than the posting's: what the next payer owes.
    """

    account: AccountRole
    amount: Money
    party: Public[str] = ""
    department: Public[str] = ""
    rule: Public[str]
    payer_class: Public[str] = ""
    cost_center: Public[str] = ""
    location: Public[str] = ""

    @property
    def place(self) -> Place:
        return Place(self.department, self.cost_center, self.location)


class SubledgerPosting(Aggregate):
    """The lines of one fact. Its id follows from the fact; it is drafted once and never changes.

    `decided` are those lines of a payer's decision that a reversal of it mirrors, `charged` those of charges that a
    revision of them mirrors.
    """

    def start(self) -> None:
        self.content_hash = ""
        self.entity = ""
        self.estimate = Money(0)
        self.place = NOWHERE
        self.claim_id: UUID | None = None
        self.payer_class = ""
        self._decided: tuple[PostedLine, ...] = ()
        self._charged: tuple[PostedLine, ...] = ()

    class Drafted(Event):
        """`group_kind` and `group_id` say which journal entry takes it up; `item_id` is what a clearing account is
        cleared by: the remittance, payment or payout; `deposit_id` is what unidentified receipts are cleared by, where the
        fact clears these too. `remittance_position` is the claim payment's and `adjustment` the
        ordinal of a provider-level adjustment, each -1 where the fact is no such thing. `unchanged` are the lines of charges
        that stay booked where a revision changes none of them, and books nothing itself."""

        TOPIC = "ledger.subledger-posting.drafted"
        group_kind: GroupKind
        group_id: UUID
        item_id: UUID
        remittance_position: int = -1
        adjustment: int = -1
        entity: Public[str]
        effective_date: Public[date]
        cash: Money
        payer_class: Public[str] = ""
        claim_id: UUID | None = None
        encounter_id: UUID | None = None
        patient_id: UUID | None = None
        lines: tuple[PostedLine, ...]
        rules_version: Public[str]
        source_event_id: UUID
        content_hash: Public[str]
        unchanged: tuple[PostedLine, ...] = ()
        deposit_id: UUID | None = None

        def apply(self, posting: SubledgerPosting) -> None:
            posting.content_hash = self.content_hash
            posting.entity = self.entity
            standing = self.unchanged or tuple(line for line in self.lines if line.rule != REVISED_CODE)
            posting.estimate = estimate_in(standing)
            posting.place = _only_place(standing)
            posting.claim_id = self.claim_id
            posting.payer_class = self.payer_class
            posting._decided = _less_release(self.lines)
            posting._charged = standing if self.group_kind is GroupKind.CHARGES else ()

    @property
    def decided(self) -> tuple[PostedLine, ...]:
        """Each with the payer class that it was booked under."""
        return self._classed(self._decided)

    @property
    def charged(self) -> tuple[PostedLine, ...]:
        """Each with the payer class that it was booked under."""
        return self._classed(self._charged)

    def _classed(self, lines: tuple[PostedLine, ...]) -> tuple[PostedLine, ...]:
        return tuple(
            line if line.payer_class else line.model_copy(update={"payer_class": self.payer_class}) for line in lines
        )

    def refuse_other_content(self, content_hash: str) -> None:
        """
        Raises:
            FactChanged: this posting was drafted from other content.
        """
        if self.exists and self.content_hash != content_hash:
            raise FactChanged(f"posting {self.id} was drafted from other content; what is booked stays")

    def draft(
        self,
        *,
        group_kind: GroupKind,
        group_id: UUID,
        item_id: UUID,
        entity: str,
        effective_date: date,
        lines: tuple[LedgerLine, ...],
        source_event_id: UUID,
        content_hash: str,
        cash: Money = NO_CASH,
        remittance_position: int = -1,
        adjustment: int = -1,
        rules_version: str = RULES_VERSION,
        unchanged: tuple[PostedLine, ...] = (),
        deposit_id: UUID | None = None,
    ) -> None:
        """Records the lines, once. `cash` is what the fact counts towards its remittance's total."""
        assert not self.exists, "a posting is drafted once"
        assert_balanced(lines)
        self.trigger_event(
            self.Drafted,
            group_kind=group_kind,
            group_id=group_id,
            item_id=item_id,
            remittance_position=remittance_position,
            adjustment=adjustment,
            entity=entity,
            effective_date=effective_date,
            cash=cash,
            **_in_common(lines),
            lines=tuple(_posted(line, lines[0].payer_class) for line in lines),
            rules_version=rules_version,
            source_event_id=source_event_id,
            content_hash=content_hash,
            unchanged=unchanged,
            deposit_id=deposit_id,
        )


def _posted(line: LedgerLine, payer_class: str) -> PostedLine:
    return PostedLine.trusted(
        account=line.account,
        amount=line.amount,
        party=line.party,
        department=line.department,
        rule=line.rule,
        payer_class="" if line.payer_class == payer_class else line.payer_class,
        cost_center=line.cost_center,
        location=line.location,
    )


def _in_common(lines: tuple[LedgerLine, ...]) -> dict[str, object]:
    """The dimensions that one fact gives to every line of it."""
    if not lines:
        return {}
    first = lines[0]
    return {
        "payer_class": first.payer_class,
        "claim_id": first.claim_id,
        "encounter_id": first.encounter_id,
        "patient_id": first.patient_id,
    }


def _less_release(lines: tuple[PostedLine, ...]) -> tuple[PostedLine, ...]:
    """What a reversal takes back: everything but the release of the estimate, the pair that stands first if any."""
    return lines[2:] if lines and lines[0].account is AccountRole.AR_ALLOWANCE else lines


def _only_place(lines: tuple[PostedLine, ...]) -> Place:
    """Where the revenue of the lines was earned, as far as it is one place."""
    found = {line.place for line in lines if line.account is AccountRole.GROSS_REVENUE}
    return Place(
        _only({place.department for place in found}),
        _only({place.cost_center for place in found}),
        _only({place.location for place in found}),
    )


def _only(codes: set[str]) -> str:
    return next(iter(codes)) if len(codes) == 1 else ""
