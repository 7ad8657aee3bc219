"""What a payer's contract allows, against what its decisions allowed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from canonical.codes import AdjustmentGroup
from canonical.encounter import ChargeLine
from canonical.master_data import FeeScheduleRow
from canonical.money import Money
from canonical.remittance import ClaimAdjustment

from claims.domain.adjudication import SEQUESTRATION_REASON, PayerDecision
from claims.domain.claim_content import ClaimContent
from claims.domain.denial_reasons import is_denying

MILLIONTH = 1_000_000


class FeeSchedules:
    """The rows of master data, found by payer and procedure."""

    def __init__(self, rows: Iterable[FeeScheduleRow]) -> None:
        self._rows: dict[tuple[str, str], list[FeeScheduleRow]] = {}
        for row in rows:
            self._rows.setdefault((row.payer, row.code), []).append(row)
        self._payers = {payer for payer, _ in self._rows}

    def knows(self, payer: str) -> bool:
        return payer in self._payers

    def allowed(self, payer: str, line: ChargeLine, plan: str = "") -> Money | None:
        """What the contract allows for the line on its service date, or None where it says nothing of it.

        The row with the most of the line's modifiers counts, and among those one of the plan before one of all plans.
        """
        have = set(line.modifiers)
        rows = [
            row
            for row in self._rows.get((payer, line.procedure_code), ())
            if row.holds_on(line.service_date) and row.plan in ("", plan) and have.issuperset(row.modifiers)
        ]
        if not rows:
            return None
        best = max(rows, key=lambda row: (len(row.modifiers), row.plan == plan))
        return best.allowed.share_half_even(int(line.units * MILLIONTH), MILLIONTH)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of the lines that were decided and that the contract speaks of: `allowed` is paid, left to the patient, or sequestered.

    What was denied is no underpayment: it is worked as a denial.
    """

    expected: Money
    allowed: Money
    denied: Money

    @property
    def shortfall(self) -> Money:
        return self.expected - self.allowed - self.denied


def compare(
    content: ClaimContent,
    decisions: Sequence[PayerDecision],
    schedules: FeeSchedules,
    contractual_reasons: Collection[str],
) -> Comparison | None:
    """The decisions that stand against the contract; None where it says nothing of what they decided.

    A payer may decide a claim in parts, so that lines are compared over all of its decisions. A decision without lines, or
    with adjustments of the claim as a whole, can be compared only where the contract speaks of every line.
    """
    fees = [schedules.allowed(content.payer, line, content.plan) for line in content.lines]
    whole = None not in fees
    lines: dict[int, _Part] = {}
    rest = _Part()
    for decision in decisions:
        for decided, adjustments in decision.line_adjustments():
            if decided.line and fees[decided.line - 1] is not None:
                part = lines.setdefault(decided.line - 1, _Part())
                part.take(decided.paid + _allowing(adjustments), _denying(adjustments, contractual_reasons))
        if whole:
            rest.take(_allowed_beside_lines(decision), _denying(decision.claim_adjustments, contractual_reasons))
    in_one = whole and any(not decision.lines for decision in decisions)
    if not lines and not in_one:
        return None
    expected = {index: fee for index, fee in enumerate(fees) if fee is not None and (in_one or index in lines)}
    denied = Money.total(part.denied_of(expected[index]) for index, part in lines.items()) + rest.denied
    allowed = Money.total(part.allowed for part in lines.values()) + rest.allowed
    return Comparison(Money.total(expected.values()), allowed, denied)


@dataclass(slots=True)
class _Part:
    """What was allowed and denied of one line, or beside the lines."""

    allowed: Money = field(default_factory=Money.zero)
    denied: Money = field(default_factory=Money.zero)

    def take(self, allowed: Money, denied: Money) -> None:
        self.allowed += allowed
        self.denied += denied

    def denied_of(self, expected: Money) -> Money:
        """Of a denied charge, only what the contract would have allowed counts, lest it hide what other lines lack."""
        return max(Money.zero(), min(self.denied, expected - self.allowed))


def _allowed_beside_lines(decision: PayerDecision) -> Money:
    """What a decision without lines allowed; of one with lines, what the claim as a whole was lowered by."""
    of_claim = decision.claim_adjustments
    if not decision.lines:
        return decision.paid + _allowing(of_claim)
    return _allowing(of_claim) - Money.total(each.amount for each in of_claim)


def _allowing(adjustments: Iterable[ClaimAdjustment]) -> Money:
    """What the payer allowed and did not pay itself: the patient's part (PR) and sequestration (CO-253)."""
    return Money.total(
        each.amount
        for each in adjustments
        if each.group is AdjustmentGroup.PATIENT
        or (each.group is AdjustmentGroup.CONTRACTUAL and each.reason == SEQUESTRATION_REASON)
    )


def _denying(adjustments: Iterable[ClaimAdjustment], contractual_reasons: Collection[str]) -> Money:
    return Money.total(each.amount for each in adjustments if is_denying(each, contractual_reasons))
