"""What a payer changes about decisions that it has sent: the reversal of what stood, and the correction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from canonical.codes import AdjustmentGroup
from canonical.master_data import Payer
from canonical.money import Money

from sandbox.world.adjudication import Decision, LineDecision, PayerRules, contracted, denial
from sandbox.world.received_claims import Adjustment, ReceivedLine

REVERSAL = "22"
REPRICED_BY_PERCENT = 10
MEDICAL_NECESSITY = "50"


class Change(StrEnum):
    """Why a payer takes back a decision: it pays less, it gives in to an appeal, it no longer pays at all."""

    REPRICED = "repriced"
    OVERTURNED = "overturned"
    RETRACTED = "retracted"


class Layout(StrEnum):
    """Where reversal and correction stand."""

    ONE_FILE = "one-file"
    TWO_FILES = "two-files"
    CORRECTION_FIRST = "correction-first"


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """What is to be changed at the next settlement; `is_deferred` puts off the recovery of what was paid too much."""

    change: Change
    layout: Layout = Layout.ONE_FILE
    is_deferred: bool = False


def reversal_of(decision: Decision) -> Decision:
    """Every amount negated, under the group codes of the original.

    Source: X12 RFI 1147 (TR3 1.10.2.8).
    """
    lines = tuple(
        LineDecision(_negated_line(each.line), -each.paid, Money(0), _negated(each.adjustments))
        for each in decision.lines
    )
    claim = replace(decision.claim, charge=-decision.claim.charge, lines=tuple(each.line for each in lines))
    return Decision(claim, REVERSAL, lines, _negated(decision.claim_adjustments))


def _negated_line(line: ReceivedLine) -> ReceivedLine:
    return replace(line, charge=-line.charge)


def _negated(adjustments: tuple[Adjustment, ...]) -> tuple[Adjustment, ...]:
    return tuple(replace(each, amount=-each.amount) for each in adjustments)


def corrected(decision: Decision, change: Change, payer: Payer, seed: int, rules: PayerRules) -> Decision:
    """The decision that takes the place of one that is reversed."""
    if change is Change.RETRACTED:
        return denial(decision.claim, MEDICAL_NECESSITY)
    if change is Change.OVERTURNED or not decision.paid:
        return contracted(decision.claim, payer, seed, rules)
    return _repriced(decision)


def _repriced(decision: Decision) -> Decision:
    """A tenth of each line's payment less, or of the claim's where the claim itself is adjusted."""
    if decision.claim_adjustments:
        less = decision.paid.share_half_even(REPRICED_BY_PERCENT, 100)
        return replace(decision, claim_adjustments=decision.claim_adjustments + _contractual(less))
    return replace(decision, lines=tuple(map(_repriced_line, decision.lines)))


def _repriced_line(line: LineDecision) -> LineDecision:
    less = line.paid.share_half_even(REPRICED_BY_PERCENT, 100)
    return replace(
        line, paid=line.paid - less, allowed=line.allowed - less, adjustments=line.adjustments + _contractual(less)
    )


def _contractual(amount: Money) -> tuple[Adjustment, ...]:
    return (Adjustment(AdjustmentGroup.CONTRACTUAL, "45", amount),) if amount else ()


def split(decision: Decision) -> tuple[Decision, Decision]:
    """The first line alone, and the rest: two claims to the payer, each with its own sums.

    Raises:
        ValueError: there is one line only.
    """
    if len(decision.lines) < 2:
        raise ValueError("a claim of one line cannot be split")
    first, rest = decision.lines[:1], decision.lines[1:]
    return _part(decision, first, decision.claim_adjustments), _part(decision, rest, ())


def _part(decision: Decision, lines: tuple[LineDecision, ...], adjustments: tuple[Adjustment, ...]) -> Decision:
    own = tuple(each.line for each in lines)
    claim = replace(decision.claim, charge=Money.total(line.charge for line in own), lines=own)
    return Decision(claim, decision.status, lines, adjustments)


def without_payment(decision: Decision, status: str, reason: str) -> Decision:
    """What is said of a claim without deciding it: nothing paid, everything under one OA reason (CLP02 23 or 25)."""
    lines = tuple(
        LineDecision(each.line, Money(0), Money(0), (Adjustment(AdjustmentGroup.OTHER, reason, each.line.charge),))
        for each in decision.lines
    )
    whole = () if lines else (Adjustment(AdjustmentGroup.OTHER, reason, decision.claim.charge),)
    return Decision(decision.claim, status, lines, whole)
