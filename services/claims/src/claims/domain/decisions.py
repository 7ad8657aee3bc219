"""The decisions of payers that a claim holds: which stand, which were taken back, and what follows from all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from canonical.codes import ClaimPaymentStatus
from canonical.money import Money

from claims.domain.adjudication import DecisionKind, PayerDecision, Place, Shares, together

FORWARDED = frozenset(
    {
        ClaimPaymentStatus.PRIMARY_FORWARDED.value,
        ClaimPaymentStatus.SECONDARY_FORWARDED.value,
        ClaimPaymentStatus.TERTIARY_FORWARDED.value,
    }
)


@dataclass(frozen=True, slots=True)
class Booked:
    """One decision as it was booked. `reverses` is what it takes back; `pair` joins a correction and what it corrects.

    `match` is 0 where the remittance brought it straight here, or the number of the match that did. A `partial` reversal
    takes a part of one decision back, or of several together, and stands beside them with its negative amounts.
    """

    decision: PayerDecision
    shares: Shares
    kind: DecisionKind
    denied: bool
    match: int = 0
    reverses: tuple[Place, ...] = ()
    pair: Place | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class LineSum:
    """What was decided on one submitted line, over all parts of a split claim."""

    charge: Money
    paid: Money


class Decisions:
    """Values in the order in which they were booked, and those of them that stand; a change gives a new one."""

    __slots__ = ("booked", "standing")

    def __init__(self, booked: Mapping[Place, Booked], standing: tuple[Booked, ...]) -> None:
        self.booked = booked
        self.standing = standing

    def after(self, change: Booked) -> Decisions:
        """With one more, or without the one that `change` unmatches."""
        place = change.decision.place
        if change.kind is DecisionKind.UNMATCHED:
            left = {key: each for key, each in self.booked.items() if key != place}
            return Decisions(left, _standing(left))
        more = {**self.booked, place: change}
        if change.kind is DecisionKind.REVERSAL:
            return Decisions(more, _standing(more))
        return Decisions(more, (*self.standing, change))

    @property
    def standing_decisions(self) -> tuple[PayerDecision, ...]:
        return tuple(each.decision for each in self.standing)

    @property
    def units(self) -> tuple[tuple[Booked, ...], ...]:
        """Each decision that stands, with the reversals of parts of it; one of several decisions joins them.

        There is no telling how a part of several divides between them.
        """
        units = [[each] for each in self.standing if not each.partial]
        for part in self.standing:
            if part.partial:
                joined = [unit for unit in units if any(each.decision.place in part.reverses for each in unit)]
                joined[0].extend(each for unit in joined[1:] for each in unit)
                joined[0].append(part)
                units = [unit for unit in units if not any(unit is other for other in joined[1:])]
        return tuple(map(tuple, units))

    @property
    def left_standing(self) -> tuple[PayerDecision, ...]:
        """Each decision that stands, or several that a part was taken of, less what was taken back."""
        return tuple(together([each.decision for each in unit]) for unit in self.units)

    def unit_of(self, place: Place) -> tuple[Booked, ...]:
        """The decision at this place, which stands first in its unit, with those joined to it and the parts taken back."""
        return next(unit for unit in self.units if unit[0].decision.place == place)

    @property
    def is_taken_back(self) -> bool:
        """Whether any was."""
        return any(each.kind is DecisionKind.REVERSAL for each in self.booked.values())

    @property
    def is_crossed_over(self) -> bool:
        """Whether the payer passed the claim on to the next one by itself."""
        return any(each.decision.payer_status in FORWARDED for each in self.standing)

    @property
    def payer_control_number(self) -> str:
        """CLP07 of the latest decision that told one; one that was taken back, or took back, only where none stands."""
        return _number_told_last(self.standing) or _number_told_last(self.booked.values())

    @property
    def numbers(self) -> frozenset[str]:
        """CLP07 of all of them."""
        return frozenset(each.decision.payer_control_number for each in self.booked.values())

    def reversal_of(self, place: Place) -> Place | None:
        """Where the decision at this place was taken back, or a part of it."""
        return next((key for key, each in self.booked.items() if place in each.reverses), None)

    def uncorrected(self) -> Place | None:
        """The oldest decision that was taken back and has no correction yet."""
        paired = {each.pair for each in self.booked.values() if each.pair}
        for reversal in self.booked.values():
            for place in () if reversal.pair else reversal.reverses:
                if place not in paired and not self.booked[place].partial:
                    return place
        return None

    def early_correction_of(self, original: Place, charge: Money) -> Place | None:
        """A decision on the same charge that came before the original was taken back, and corrects nothing else."""
        paired = {each.pair for each in self.booked.values() if each.pair}
        places = list(self.booked)
        later = places[places.index(original) + 1 :]
        for place in reversed(later):
            each = self.booked[place]
            same = each in self.standing and each.decision.charge == charge
            if same and each.pair is None and place not in paired:
                return place
        return None

    def by_line(self, lines: int) -> tuple[LineSum, ...]:
        """What the decisions that stand say of each of so many submitted lines; what matches none is left out."""
        charged, paid = [0] * (lines + 1), [0] * (lines + 1)
        for each in self.standing:
            for line in each.decision.lines:
                charged[line.line] += line.charge.minor
                paid[line.line] += line.paid.minor
        return tuple(LineSum(Money(charged[number]), Money(paid[number])) for number in range(1, lines + 1))

    def charge_beyond(self, total: Money) -> Money:
        """By how much the decisions that stand cover more than the claim charges."""
        excess = sum(each.decision.charge.minor for each in self.standing) - total.minor
        return Money(max(0, excess), total.currency)

    def released_denials(self, total: Money) -> Money:
        """What of the denied amounts is denied no more, because later decisions cover the same charges."""
        if len(self.standing) < 2:
            return Money.zero(total.currency)
        denied = sum(each.shares.denied.minor for each in self.standing)
        return Money(max(0, min(self.charge_beyond(total).minor, denied)), total.currency)

    def over_adjudicated(self, total: Money) -> Money:
        """By how much the decisions cover the charge twice, where no denial explains it."""
        return self.charge_beyond(total) - self.released_denials(total)

    def overpaid(self, total: Money) -> Money:
        """What the payer has paid for charges that the decisions cover twice, by the latest of those that stand."""
        excess = self.over_adjudicated(total).minor
        covered = paid = 0
        for each in reversed(self.standing):
            if covered >= excess:
                break
            covered, paid = covered + each.decision.charge.minor, paid + each.decision.paid.minor
        return Money(max(0, min(excess, paid)), total.currency)

    def twins_of(self, decision: PayerDecision) -> list[Place]:
        """Others that stand with the same payer's number, status and amounts: perhaps one payment told twice.

        Pay, reverse and pay again gives such twins too, so that this is a suspicion and never a reason to drop one.
        """
        return [
            each.decision.place
            for each in self.standing
            if each.decision.place != decision.place and _key(each.decision) == _key(decision)
        ]


NO_DECISIONS = Decisions({}, ())


def _standing(booked: Mapping[Place, Booked]) -> tuple[Booked, ...]:
    taken_back = {place for each in booked.values() if not each.partial for place in each.reverses}
    return tuple(
        each
        for place, each in booked.items()
        if (each.partial or each.kind is not DecisionKind.REVERSAL) and place not in taken_back
    )


def _key(decision: PayerDecision) -> tuple[str, str, Money, Money]:
    return (decision.payer_control_number, decision.payer_status, decision.charge, decision.paid)


def _number_told_last(decisions: Iterable[Booked]) -> str:
    told = [each.decision for each in decisions if each.decision.payer_control_number]
    latest = max(told, key=lambda decision: decision.effective_date, default=None)
    return latest.payer_control_number if latest else ""
