"""What comes back for an 837: TA1 for the interchange, 999 for its sets, 277CA for its claims; and the 277 that answers a 276."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from enum import StrEnum

from canonical.money import Money

from x12.envelope import TransactionSet
from x12.remittance import Person, person_of

REJECTED_CATEGORIES = frozenset(["A3", "A4", "A6", "A7", "A8"])
ACCEPTED_CATEGORIES = frozenset(["A0", "A1", "A2", "A5"])
ACTION_ACCEPTED = "WQ"
ACTION_REJECTED = "U"
ACCEPTED_QUANTITIES = frozenset(["90", "QA"])
REJECTED_QUANTITIES = frozenset(["AA", "QC"])
ACCEPTED_AMOUNT, REJECTED_AMOUNT = "YU", "YY"


class Reporter(StrEnum):
    """Who speaks in a 277 (NM101 of 2100A). What a clearinghouse accepted, no payer has accepted yet."""

    PAYER = "payer"
    CLEARINGHOUSE = "clearinghouse"
    UNKNOWN = ""


_COUNT_DIGITS_MAX = 9
REPORTER_OF_ENTITY = {"PR": Reporter.PAYER, "AY": Reporter.CLEARINGHOUSE}


class Outcome(StrEnum):
    """What an acknowledgement says of the thing it acknowledges. Accepted is not paid; rejected is not denied."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"
    PARTIALLY_ACCEPTED = "partially_accepted"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


OUTCOME_OF_CODE = {
    "A": Outcome.ACCEPTED,
    "E": Outcome.ACCEPTED_WITH_ERRORS,
    "P": Outcome.PARTIALLY_ACCEPTED,
    "R": Outcome.REJECTED,
    "M": Outcome.REJECTED,
    "W": Outcome.REJECTED,
    "X": Outcome.REJECTED,
}


@dataclass(frozen=True, slots=True)
class InterchangeAcknowledgement:
    """A TA1 segment. `control_number` is the ISA13 that is acknowledged, `note_code` TA105 (000 is no error)."""

    control_number: str
    date: str
    time: str
    code: str
    note_code: str

    @property
    def outcome(self) -> Outcome:
        return OUTCOME_OF_CODE.get(self.code, Outcome.UNDECIDED)


@dataclass(frozen=True, slots=True)
class ElementError:
    """An IK4 segment. `bad_value` is a copy of the faulty data: PHI."""

    position: str
    reference_number: str
    code: str
    bad_value: str


@dataclass(slots=True)
class SegmentError:
    """An IK3 segment. `position` counts from ST = 1 of the acknowledged set; `contexts` are CTX pairs such as CLM01 and our number."""

    segment: str
    position: str
    loop: str
    code: str
    contexts: list[tuple[str, str]] = field(default_factory=list)
    elements: list[ElementError] = field(default_factory=list)


@dataclass(slots=True)
class SetAcknowledgement:
    """An AK2 loop: one of our transaction sets. `errors_omitted` counts segment errors past the bound."""

    type: str
    control_number: str
    code: str = ""
    error_codes: list[str] = field(default_factory=list)
    errors: list[SegmentError] = field(default_factory=list)
    errors_omitted: int = 0
    version: str = ""

    @property
    def outcome(self) -> Outcome:
        return OUTCOME_OF_CODE.get(self.code, Outcome.UNDECIDED)


@dataclass(slots=True)
class GroupAcknowledgement:
    """A 999 (or 997): what became of one of our groups. A set that is not listed shares the group's outcome."""

    transaction_set: TransactionSet
    functional_id: str = ""
    control_number: str = ""
    version: str = ""
    code: str = ""
    sets_included: int = 0
    sets_received: int = 0
    sets_accepted: int = 0
    error_codes: list[str] = field(default_factory=list)
    sets: list[SetAcknowledgement] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        return OUTCOME_OF_CODE.get(self.code, Outcome.UNDECIDED)


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """One STC segment; a segment with several composites gives several codes. Its free text (STC12) is left where it is.

    `amount_minor` is STC04, the charge. The rest is in answers to a 276 alone: STC05 paid, STC06 when it was decided,
    STC08 and STC09 date and number of the payment.
    """

    codes: tuple[tuple[str, str, str], ...]
    date: datetime.date | None
    action: str
    amount_minor: int | None
    paid_minor: int | None = None
    decided_on: datetime.date | None = None
    paid_on: datetime.date | None = None
    payment_number: str = ""

    @property
    def category(self) -> str:
        """The claim status category code of the first composite, for example A1 or A7."""
        return self.codes[0][0]

    @property
    def amount(self) -> Money | None:
        return None if self.amount_minor is None else Money(self.amount_minor)

    @property
    def paid(self) -> Money | None:
        return None if self.paid_minor is None else Money(self.paid_minor)

    @property
    def outcome(self) -> Outcome:
        """By STC03 where it is given, else by category; undecided when they contradict each other."""
        by_action = {ACTION_ACCEPTED: Outcome.ACCEPTED, ACTION_REJECTED: Outcome.REJECTED}.get(self.action)
        categories = {category for category, _, _ in self.codes}
        by_category = (
            Outcome.REJECTED
            if categories & REJECTED_CATEGORIES
            else Outcome.ACCEPTED
            if categories & ACCEPTED_CATEGORIES
            else None
        )
        if by_action and by_category and by_action != by_category:
            return Outcome.UNDECIDED
        return by_action or by_category or Outcome.UNDECIDED


@dataclass(slots=True)
class LineStatus:
    """A SVC loop of a claim's status. `paid_minor` is SVC03, in answers to a 276 alone."""

    procedure: list[str]
    charge_minor: int | None
    paid_minor: int | None = None
    line_control_number: str = ""
    service_dates: str = ""
    statuses: list[ClaimStatus] = field(default_factory=list)


@dataclass(slots=True)
class LevelAcknowledgement:
    """Statuses and totals at information source, receiver or provider level. `level` is HL03: 20, 21 or 19.

    `entity` is NM101, `reference` TRN02: at receiver level the BHT03 of what we sent.
    """

    level: str
    position: int
    name: str
    identifier: str
    reference: str
    entity: str = ""
    statuses: list[ClaimStatus] = field(default_factory=list)
    quantities: list[tuple[str, str]] = field(default_factory=list)
    amounts: list[tuple[str, int | None]] = field(default_factory=list)

    @property
    def accepted_count(self) -> int | None:
        return self._count(ACCEPTED_QUANTITIES)

    @property
    def rejected_count(self) -> int | None:
        return self._count(REJECTED_QUANTITIES)

    @property
    def accepted_amount(self) -> Money | None:
        return self._amount(ACCEPTED_AMOUNT)

    @property
    def rejected_amount(self) -> Money | None:
        return self._amount(REJECTED_AMOUNT)

    def _count(self, qualifiers: frozenset[str]) -> int | None:
        """A count that is not one, or is not there, is None."""
        text = next((value for qualifier, value in self.quantities if qualifier in qualifiers), "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _COUNT_DIGITS_MAX else None

    def _amount(self, qualifier: str) -> Money | None:
        minor = next((amount for code, amount in self.amounts if code == qualifier), None)
        return None if minor is None else Money(minor)


@dataclass(slots=True)
class ClaimAcknowledgement:
    """One claim of a 277CA, or of a 277 that answers a 276. Expect several per claim.

    `patient_control_number` is TRN02 of a 277CA, REF*EJ of an answer, whose TRN02 is `inquiry_reference`, the trace of our
    question. `submission_reference` is TRN02 of the receiver's level: the BHT03 of what we sent. `offset` and `length` are its bytes, from the patient's HL (or from TRN, for a second claim of the same patient).
    `name` is the patient's NM1 segment: PHI.
    """

    index: int
    position: int
    offset: int
    length: int
    patient_control_number: str
    provider_identifier: str
    reporter: Reporter = Reporter.UNKNOWN
    submission_reference: str = ""
    inquiry_reference: str = ""
    payer_control_number: str = ""
    clearinghouse_number: str = ""
    service_dates: str = ""
    statuses: list[ClaimStatus] = field(default_factory=list)
    lines: list[LineStatus] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    name: list[str] = field(default_factory=list)

    @property
    def patient(self) -> Person | None:
        """PHI."""
        return person_of(self.name) if self.name else None

    @property
    def outcome(self) -> Outcome:
        """Rejected if any status of the claim rejects; accepted if all accept; undecided otherwise."""
        outcomes = {status.outcome for status in self.statuses}
        if Outcome.REJECTED in outcomes:
            return Outcome.REJECTED
        return Outcome.ACCEPTED if outcomes == {Outcome.ACCEPTED} else Outcome.UNDECIDED


AcknowledgementEvent = GroupAcknowledgement | LevelAcknowledgement | ClaimAcknowledgement
