"""Whether a reversal (CLP02 22) is proved: it must take back one decision we hold, to the cent and under its own groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from canonical.codes import AdjustmentGroup

from claims.domain.adjudication import PayerDecision


class ReversalVerdict(StrEnum):
    """What a reversal turned out to be; the order is that in which the verdicts on several decisions are preferred."""

    PROVED = "proved"
    STYLE_4010 = "reversal-4010-style"
    WRONG_SIGN = "reversal-wrong-sign"
    WRONG_GROUP = "reversal-wrong-group"
    MISSING_ADJUSTMENTS = "reversal-missing-adjustments"
    DIFFERS = "reversal-differs"
    UNKNOWN_ORIGINAL = "reversal-unknown-original"


@dataclass(frozen=True, slots=True)
class ReversalProof:
    """The verdict, and the decision that it was reached on: the one taken back where it is proved."""

    verdict: ReversalVerdict
    original: PayerDecision | None = None

    @property
    def is_proved(self) -> bool:
        return self.verdict is ReversalVerdict.PROVED


_RANK = {verdict: rank for rank, verdict in enumerate(ReversalVerdict)}


def prove_reversal(reversal: PayerDecision, standing: Iterable[PayerDecision]) -> ReversalProof:
    """Compares a reversal with the decisions that stand; of several that it negates it takes the oldest back.

    Source: X12 005010X221A1, section 1.10.2.8: every amount is negated, under the original group codes.
    """
    oldest_first = sorted(standing, key=lambda decision: decision.effective_date)
    proofs = [ReversalProof(_verdict(reversal, each), each) for each in oldest_first if _resembles(reversal, each)]
    unknown = ReversalProof(ReversalVerdict.UNKNOWN_ORIGINAL)
    return min(proofs, key=lambda proof: _RANK[proof.verdict], default=unknown)


def negates_totals(reversal: PayerDecision, original: PayerDecision) -> bool:
    """Whether charge and payment are negated, whatever the adjustments say."""
    return (reversal.charge, reversal.paid) == (-original.charge, -original.paid)


def _resembles(reversal: PayerDecision, original: PayerDecision) -> bool:
    same_number = reversal.payer_control_number == original.payer_control_number != ""
    same_payment = bool(original.paid) and abs(reversal.paid) == abs(original.paid)
    return same_number or same_payment or abs(reversal.charge) == abs(original.charge)


def _verdict(reversal: PayerDecision, original: PayerDecision) -> ReversalVerdict:
    sent, owed = _adjustments(reversal), _negated_adjustments(original)
    totals = negates_totals(reversal, original)
    if totals and sent == owed:
        return ReversalVerdict.PROVED
    if any(group is AdjustmentGroup.CORRECTION for group, _, _ in sent):
        return ReversalVerdict.STYLE_4010
    if _without_signs(reversal, sent) == _without_signs(original, owed):
        return ReversalVerdict.WRONG_SIGN
    if totals and _without_groups(sent) == _without_groups(owed):
        return ReversalVerdict.WRONG_GROUP
    if reversal.paid == -original.paid and sent < owed:
        return ReversalVerdict.MISSING_ADJUSTMENTS
    return ReversalVerdict.DIFFERS


_Adjustments = Counter[tuple[AdjustmentGroup, str, int]]


def _adjustments(decision: PayerDecision) -> _Adjustments:
    """Those of the claim and its lines together; an amount of zero takes nothing off and is no adjustment."""
    return Counter((each.group, each.reason, each.amount.minor) for each in decision.adjustments if each.amount)


def _negated_adjustments(decision: PayerDecision) -> _Adjustments:
    return Counter((each.group, each.reason, -each.amount.minor) for each in decision.adjustments if each.amount)


def _without_signs(decision: PayerDecision, adjustments: _Adjustments) -> tuple[int, int, _Adjustments]:
    unsigned: _Adjustments = Counter()
    for (group, reason, minor), count in adjustments.items():
        unsigned[group, reason, abs(minor)] += count
    return (abs(decision.charge.minor), abs(decision.paid.minor), unsigned)


def _without_groups(adjustments: _Adjustments) -> Counter[tuple[str, int]]:
    ungrouped: Counter[tuple[str, int]] = Counter()
    for (_, reason, minor), count in adjustments.items():
        ungrouped[reason, minor] += count
    return ungrouped
