"""What one payer decision means: how its adjustments divide the charge, and whether it is a denial."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial
from canonical.codes import AdjustmentGroup, ClaimPaymentStatus
from canonical.money import Money
from canonical.remittance import ClaimAdjustment

SEQUESTRATION_REASON = "253"
PRIOR_PAYER_REASON = "23"

Place = tuple[UUID, int]
"""Where a decision stands: the remittance, and the claim's ordinal in it."""


NOTED: dict[str, str] = {
    ClaimPaymentStatus.NOT_OURS_FORWARDED.value: "forwarded",
    ClaimPaymentStatus.PREDETERMINATION.value: "predetermination",
}
"""What CLP02 says of a claim payment that moves no money, in our words."""


class DecisionKind(StrEnum):
    """`unmatched` takes back what a person had matched; the others are as the payer sent them."""

    DECISION = "decision"
    REVERSAL = "reversal"
    CORRECTION = "correction"
    UNMATCHED = "unmatched"


class Shares(CanonicalModel):
    """Where the unpaid part of a charge went: `charge == paid + contractual + denied + patient + other`.

    `contractual` is CO with a reason on the payer's list, `denied` every other CO and all PI, `patient` PR. CO-253 is
    sequestration, which nobody denied: it is in `other`, as are OA and CR.
    """

    contractual: Money
    denied: Money
    patient: Money
    other: Money

    @classmethod
    def total(cls, shares: Iterable[Shares]) -> Shares:
        """The sum of at least one."""
        parts = list(shares)
        return cls.trusted(**{name: Money.total(getattr(each, name) for each in parts) for name in cls.model_fields})

    def negated(self) -> Shares:
        return Shares.trusted(
            contractual=-self.contractual, denied=-self.denied, patient=-self.patient, other=-self.other
        )


class LineConfidence(StrEnum):
    """By what a decided line was matched to a submitted one, the surest first."""

    CONTROL_NUMBER = "control-number"
    CODE_MODIFIERS_CHARGE = "code-modifiers-charge"
    CODE_CHARGE = "code-charge"
    CODE = "code"
    NONE = "none"


class DecidedLine(CanonicalModel):
    """What a payer decided of one line: `charge - sum(adjustments) == paid`.

    `line` is the submitted line, counted from 1, or 0 where none was found. Its adjustments stand in the decision: those of
    the claim come first, then so many for each line, in order.
    """

    line: int
    confidence: LineConfidence
    charge: Money
    paid: Money
    adjustment_count: int
    remark_codes: tuple[Financial[str], ...] = ()

    def negated(self) -> DecidedLine:
        return self.model_copy(update={"charge": -self.charge, "paid": -self.paid})


class PayerDecision(CanonicalModel):
    """One claim payment of one remittance, as far as a claim keeps it.

    `adjustments` are those of the claim and of its lines, in file order. `payer_status` is CLP02, `payer_control_number`
    CLP07; `span_start` and `span_length` say where it stands in the raw message, in bytes.
    """

    remittance_id: UUID
    position: int
    effective_date: Financial[date]
    payer_status: Financial[str]
    charge: Money
    paid: Money
    patient_responsibility: Money
    adjustments: tuple[ClaimAdjustment, ...]
    payer_control_number: Financial[str] = ""
    span_start: int = 0
    span_length: int = 0
    lines: tuple[DecidedLine, ...] = ()
    remark_codes: tuple[Financial[str], ...] = ()
    earlier_control_number: Financial[str] = ""

    @property
    def place(self) -> Place:
        return (self.remittance_id, self.position)

    def says_the_same_as(self, other: PayerDecision) -> bool:
        """Equal in money, status and numbers: another copy of a remittance may be laid out differently."""
        layout = {name: getattr(self, name) for name in _LAYOUT}
        return self == other.model_copy(update=layout)

    @property
    def claim_adjustments(self) -> tuple[ClaimAdjustment, ...]:
        """The adjustments of the claim as a whole."""
        of_lines = sum(line.adjustment_count for line in self.lines)
        return self.adjustments[: len(self.adjustments) - of_lines]

    def line_adjustments(self) -> list[tuple[DecidedLine, tuple[ClaimAdjustment, ...]]]:
        """Each line with its own adjustments."""
        start = len(self.claim_adjustments)
        found = []
        for line in self.lines:
            found.append((line, self.adjustments[start : start + line.adjustment_count]))
            start += line.adjustment_count
        return found

    def negated(self) -> PayerDecision:
        """The same with every amount negated."""
        return self.model_copy(
            update={
                "charge": -self.charge,
                "paid": -self.paid,
                "patient_responsibility": -self.patient_responsibility,
                "adjustments": negated(self.adjustments),
                "lines": tuple(line.negated() for line in self.lines),
            }
        )

    def taken_back_by(self, reversal: PayerDecision) -> PayerDecision:
        """The reversal with this one's reasons, lines and patient's share, negated, whatever its own are."""
        mirror = self.negated()
        return reversal.model_copy(update={name: getattr(mirror, name) for name in _REASONS})


def together(decisions: Sequence[PayerDecision]) -> PayerDecision:
    """Several decisions of one claim as one that says all of them; its place and numbers are those of the first."""
    first, *others = decisions
    if not others:
        return first
    of_claim = tuple(each for decision in decisions for each in decision.claim_adjustments)
    of_lines = tuple(each for decision in decisions for _, taken in decision.line_adjustments() for each in taken)
    return first.model_copy(
        update={
            "charge": Money.total(each.charge for each in decisions),
            "paid": Money.total(each.paid for each in decisions),
            "patient_responsibility": Money.total(each.patient_responsibility for each in decisions),
            "adjustments": of_claim + of_lines,
            "lines": tuple(line for decision in decisions for line in decision.lines),
        }
    )


_REASONS = ("adjustments", "lines", "patient_responsibility")
_LAYOUT = ("span_start", "span_length", "lines", "remark_codes", "earlier_control_number")


def negated(adjustments: Iterable[ClaimAdjustment]) -> tuple[ClaimAdjustment, ...]:
    return tuple(
        ClaimAdjustment.trusted(group=each.group, reason=each.reason, amount=-each.amount) for each in adjustments
    )


def place_of(remittance_id: UUID | None, position: int) -> Place | None:
    """The place of a decision in a remittance, where there is one."""
    return None if remittance_id is None else (remittance_id, position)


def shares_of(adjustments: Iterable[ClaimAdjustment], contractual_reasons: Collection[str]) -> Shares:
    """Divides adjustments by what they mean to us. CO alone is no write-off: its reason must be on the payer's list.

    What raises a payment denies nothing: where CO or PI with one reason comes to less than zero, the payer paid above
    the charge by contract (CO-94).

    Source: X12 005010X221A1, segment CAS.
    """
    contractual = patient = other = 0
    denying: dict[tuple[AdjustmentGroup, str], int] = {}
    for adjustment in adjustments:
        minor = adjustment.amount.minor
        match adjustment.group:
            case AdjustmentGroup.CONTRACTUAL if adjustment.reason == SEQUESTRATION_REASON:
                other += minor
            case AdjustmentGroup.CONTRACTUAL if adjustment.reason in contractual_reasons:
                contractual += minor
            case AdjustmentGroup.CONTRACTUAL | AdjustmentGroup.PAYER_INITIATED:
                key = (adjustment.group, adjustment.reason)
                denying[key] = denying.get(key, 0) + minor
            case AdjustmentGroup.PATIENT:
                patient += minor
            case AdjustmentGroup.OTHER | AdjustmentGroup.CORRECTION:
                other += minor
    denied = sum(minor for minor in denying.values() if minor > 0)
    contractual += sum(denying.values()) - denied
    return Shares.trusted(
        contractual=Money(contractual), denied=Money(denied), patient=Money(patient), other=Money(other)
    )


def is_denial(paid: Money, shares: Shares) -> bool:
    """Nothing was paid, and something was taken off that is neither contractual nor the patient's."""
    return paid.minor == 0 and shares.denied.minor > 0
