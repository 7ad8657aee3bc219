"""Whether a reversal (CLP02 22) is proved: it must take back decisions we hold, to the cent and under their own groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from canonical.codes import AdjustmentGroup
from canonical.money import Money

from claims.domain.adjudication import PayerDecision, together

COMBINED_MAX = 10
"""Of so many decisions every combination is looked at; of more only all together."""


class ReversalVerdict(StrEnum):
    """What a reversal turned out to be; the order is that in which the verdicts on several decisions are preferred."""

    PROVED = "proved"
    STYLE_4010 = "reversal-4010-style"
    WRONG_SIGN = "reversal-wrong-sign"
    WRONG_GROUP = "reversal-wrong-group"
    MISSING_ADJUSTMENTS = "reversal-missing-adjustments"
    PARTIAL = "reversal-partial"
    DIFFERS = "reversal-differs"
    UNKNOWN_ORIGINAL = "reversal-unknown-original"


@dataclass(frozen=True, slots=True)
class ReversalProof:
    """The verdict, and the decisions that it was reached on: those taken back where it is proved."""

    verdict: ReversalVerdict
    originals: tuple[PayerDecision, ...] = ()

    @property
    def is_proved(self) -> bool:
        return self.verdict is ReversalVerdict.PROVED

    @property
    def original(self) -> PayerDecision | None:
        """The first of the originals."""
        return self.originals[0] if self.originals else None


_RANK = {verdict: rank for rank, verdict in enumerate(ReversalVerdict)}


def prove_reversal(reversal: PayerDecision, standing: Iterable[PayerDecision]) -> ReversalProof:
    """Compares a reversal with each decision that stands, then with several together; it takes the oldest back.

    Several are meant only where a payer's number says so: else the one decision that it takes back may still come.

    Source: X12 005010X221A1, section 1.10.2.8: every amount is negated, under the original group codes.
    """
    oldest_first = _by_age(standing)
    proofs = [ReversalProof(_verdict(reversal, each), (each,)) for each in oldest_first if _resembles(reversal, each)]
    best = min(proofs, key=lambda proof: _RANK[proof.verdict], default=ReversalProof(ReversalVerdict.UNKNOWN_ORIGINAL))
    if best.is_proved:
        return best
    several = next((each for each in _negated_together(reversal, oldest_first) if _names(reversal, each)), ())
    if several:
        return ReversalProof(ReversalVerdict.PROVED, several)
    is_told = _RANK[best.verdict] <= _RANK[ReversalVerdict.PARTIAL]
    parts = () if is_told else parts_taken_of(reversal, oldest_first)
    return ReversalProof(ReversalVerdict.PARTIAL, parts) if len(parts) > 1 else best


def originals_for_person(reversal: PayerDecision, standing: Iterable[PayerDecision]) -> tuple[PayerDecision, ...]:
    """What a reversal takes back where a person says that it is of this claim: what it negates in charge and payment.

    That is the oldest such decision, or several that are negated to the cent, or all together.
    """
    oldest_first = _by_age(standing)
    for each in oldest_first:
        if _negates_totals(reversal, each):
            return (each,)
    several = next(_negated_together(reversal, oldest_first), ())
    if several or len(oldest_first) < 2:
        return several
    return tuple(oldest_first) if _negates_totals(reversal, together(oldest_first)) else ()


def parts_taken_of(reversal: PayerDecision, standing: Iterable[PayerDecision]) -> tuple[PayerDecision, ...]:
    """The decisions that a reversal takes a part of, as few as have all of it.

    One of them under the reversal's own number before any other, then the oldest.
    """
    oldest_first = _by_age(standing)
    number = reversal.payer_control_number
    own_first = sorted(oldest_first, key=lambda each: each.payer_control_number != number)
    if (one := next((each for each in own_first if _is_part_of(reversal, each)), None)) is not None:
        return (one,)
    if len(oldest_first) < 2 or not _is_part_of(reversal, together(oldest_first)):
        return ()
    return next(each for each in _several_of(oldest_first) if _is_part_of(reversal, together(each)))


def _by_age(standing: Iterable[PayerDecision]) -> list[PayerDecision]:
    return sorted(standing, key=lambda decision: decision.effective_date)


def _negated_together(
    reversal: PayerDecision, decisions: Sequence[PayerDecision]
) -> Iterator[tuple[PayerDecision, ...]]:
    """Two or more of the decisions that the reversal negates to the cent, the fewest first."""
    for several in _several_of(decisions):
        covers = sum(each.charge.minor for each in several) == -reversal.charge.minor
        if covers and _negates(reversal, together(several)):
            yield several


def _several_of(decisions: Sequence[PayerDecision]) -> Iterator[tuple[PayerDecision, ...]]:
    """Two or more of them in every combination, the fewest first and all of them last."""
    sizes = range(2, len(decisions) + 1) if len(decisions) <= COMBINED_MAX else (len(decisions),)
    return (several for size in sizes for several in combinations(decisions, size))


def _names(reversal: PayerDecision, originals: Iterable[PayerDecision]) -> bool:
    """Whether the reversal has a number of one of them, or of what they were split from, or names none."""
    own = {reversal.payer_control_number, reversal.earlier_control_number} - {""}
    theirs = {number for each in originals for number in (each.payer_control_number, each.earlier_control_number)}
    return not own or not own.isdisjoint(theirs)


def _negates_totals(reversal: PayerDecision, original: PayerDecision) -> bool:
    return (reversal.charge, reversal.paid) == (-original.charge, -original.paid)


def _negates(reversal: PayerDecision, original: PayerDecision) -> bool:
    """Also at another level of detail: one sum for two lines, or the other way."""
    return _negates_totals(reversal, original) and _sums(reversal) == _sums(original.negated())


def _is_part_of(reversal: PayerDecision, original: PayerDecision) -> bool:
    """Whether nothing is taken back that the original does not have, and the amounts taken back add up."""
    taken, had = _sums(reversal.negated()), _sums(original)
    amounts = [(-reversal.charge.minor, original.charge.minor), (-reversal.paid.minor, original.paid.minor)]
    amounts += [(minor, had[key]) for key, minor in taken.items()]
    adds_up = reversal.charge - Money.total(each.amount for each in reversal.adjustments) == reversal.paid
    return adds_up and bool(reversal.charge) and all(min(0, whole) <= part <= max(0, whole) for part, whole in amounts)


def _resembles(reversal: PayerDecision, original: PayerDecision) -> bool:
    same_number = reversal.payer_control_number == original.payer_control_number != ""
    same_payment = bool(original.paid) and abs(reversal.paid) == abs(original.paid)
    return same_number or same_payment or abs(reversal.charge) == abs(original.charge)


def _verdict(reversal: PayerDecision, original: PayerDecision) -> ReversalVerdict:
    if _negates(reversal, original):
        return ReversalVerdict.PROVED
    sent, owed = _adjustments(reversal), _negated_adjustments(original)
    totals = _negates_totals(reversal, original)
    if any(group is AdjustmentGroup.CORRECTION for group, _, _ in sent):
        return ReversalVerdict.STYLE_4010
    if _without_signs(reversal, sent) == _without_signs(original, owed):
        return ReversalVerdict.WRONG_SIGN
    if totals and _without_groups(sent) == _without_groups(owed):
        return ReversalVerdict.WRONG_GROUP
    if reversal.paid == -original.paid and sent < owed:
        return ReversalVerdict.MISSING_ADJUSTMENTS
    return ReversalVerdict.PARTIAL if _is_part_of(reversal, original) else ReversalVerdict.DIFFERS


_Adjustments = Counter[tuple[AdjustmentGroup, str, int]]


def _sums(decision: PayerDecision) -> Counter[tuple[AdjustmentGroup, str]]:
    """Cents by group and reason, equal where they differ by zeros alone."""
    sums: Counter[tuple[AdjustmentGroup, str]] = Counter()
    for each in decision.adjustments:
        sums[each.group, each.reason] += each.amount.minor
    return sums


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
