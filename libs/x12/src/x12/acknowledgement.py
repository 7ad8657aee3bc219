"""What comes back for an 837: TA1 for the interchange, 999 for its sets, 277CA for its claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from canonical.money import Money

from x12.envelope import TransactionSet
from x12.remittance import Person, person_of

REJECTED_CATEGORIES = frozenset(["A3", "A4", "A6", "A7", "A8"])
ACCEPTED_CATEGORIES = frozenset(["A0", "A1", "A2", "A5"])
ACTION_ACCEPTED = "WQ"
ACTION_REJECTED = "U"


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
    """One STC segment; a segment with several composites gives several codes. Its free text (STC12) is left where it is."""

    codes: tuple[tuple[str, str, str], ...]
    date: date | None
    action: str
    amount_minor: int | None

    @property
    def category(self) -> str:
        """The claim status category code of the first composite, for example A1 or A7."""
        return self.codes[0][0]

    @property
    def amount(self) -> Money | None:
        return None if self.amount_minor is None else Money(self.amount_minor)

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
    """A SVC loop of a claim's status."""

    procedure: list[str]
    charge_minor: int | None
    line_control_number: str = ""
    statuses: list[ClaimStatus] = field(default_factory=list)


@dataclass(slots=True)
class LevelAcknowledgement:
    """Statuses and totals at information source, receiver or provider level. `level` is HL03: 20, 21 or 19."""

    level: str
    position: int
    name: str
    identifier: str
    reference: str
    statuses: list[ClaimStatus] = field(default_factory=list)
    quantities: list[tuple[str, str]] = field(default_factory=list)
    amounts: list[tuple[str, int | None]] = field(default_factory=list)


@dataclass(slots=True)
class ClaimAcknowledgement:
    """One claim of a 277CA: `patient_control_number` is the TRN02 that we sent. Expect several per claim.

    `offset` and `length` are its bytes, from the patient's HL (or from TRN, for a second claim of the same patient).
    `name` is the patient's NM1 segment: PHI.
    """

    index: int
    position: int
    offset: int
    length: int
    patient_control_number: str
    provider_identifier: str
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
