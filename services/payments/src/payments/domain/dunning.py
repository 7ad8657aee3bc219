"""How firmly a patient is asked to pay: it follows from what is open, since when, what was sent before, and what stops the asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from canonical.money import Money

from payments.domain.cash_spread import NOTHING


class DunningStep(StrEnum):
    """From nothing to ask for, to the last word before a collection agency has it; `held` where something stops all of it."""

    NOTHING_DUE = "nothing-due"
    HELD = "held"
    STATEMENT_1 = "statement-1"
    STATEMENT_2 = "statement-2"
    STATEMENT_3 = "statement-3"
    FINAL_NOTICE = "final-notice"
    PRE_COLLECTION = "pre-collection"


class Stop(StrEnum):
    """What stops the asking: the payer of the card disputes it, a plan is kept, somebody asked for charity and nobody has decided, or
    an insurance has not decided."""

    DISPUTE = "dispute"
    PLAN = "plan"
    CHARITY_PENDING = "charity-pending"
    PENDING_INSURANCE = "pending-insurance"


LEAST: Final = Money(500)
EVERY_STOP: Final = frozenset(Stop)


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """From which age on, in days, a step is due, from which balance on, and what stops it."""

    step: DunningStep
    after_days: int
    least: Money = LEAST
    stopped_by: frozenset[Stop] = EVERY_STOP


@dataclass(frozen=True, slots=True)
class DunningPolicy:
    """The steps in the order of their days; there is at least one."""

    steps: tuple[PolicyStep, ...]


DEFAULT_POLICY: Final = DunningPolicy(
    tuple(
        PolicyStep(step, days)
        for step, days in (
            (DunningStep.STATEMENT_1, 0),
            (DunningStep.STATEMENT_2, 30),
            (DunningStep.STATEMENT_3, 60),
            (DunningStep.FINAL_NOTICE, 90),
            (DunningStep.PRE_COLLECTION, 120),
        )
    )
)


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """What is open of one visit, since when it could be asked for, and what stops that now."""

    amount: Money
    since: date
    stops: frozenset[Stop] = frozenset()


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement that went to the patient, by the step it asked with."""

    on: date
    step: DunningStep


@dataclass(frozen=True, slots=True)
class Dunning:
    """`step` is how a statement of this day asks; `due` how the days alone would, whatever was sent. `asked` may be asked for,
    `held` not now; `days` is how long the oldest part that may be asked for is open."""

    step: DunningStep
    asked: Money
    held: Money
    days: int
    stops: frozenset[Stop]
    next_in_days: int | None
    due: DunningStep = DunningStep.NOTHING_DUE


def dunning(
    visits: Iterable[OpenVisit], as_of: date, policy: DunningPolicy = DEFAULT_POLICY, sent: Iterable[Sent] = ()
) -> Dunning:
    """Where an account stands on a day. A credit of one visit lowers what is asked for the others, the oldest first.

    No step is skipped: each is due once the one before was sent, and as many days after it as the policy has between the two.
    """
    entries = sorted(visits, key=lambda visit: visit.since)
    credit = -Money.total(visit.amount for visit in entries if visit.amount < NOTHING)
    asked, held, oldest = NOTHING, NOTHING, as_of
    stops: frozenset[Stop] = frozenset()
    for visit in entries:
        amount = visit.amount - min(credit, max(visit.amount, NOTHING))
        if visit.amount <= NOTHING or visit.since > as_of:
            continue
        credit -= visit.amount - amount
        stopping = visit.stops & _begun(policy, (as_of - visit.since).days).stopped_by
        if stopping and amount:
            held, stops = held + amount, stops | stopping
        elif amount:
            asked, oldest = asked + amount, min(oldest, visit.since)
    days = (as_of - oldest).days
    ladder = [each for each in policy.steps if asked and asked >= each.least]
    if not ladder or ladder[0].after_days > days:
        return Dunning(DunningStep.HELD if held else DunningStep.NOTHING_DUE, asked, held, days, stops, None)
    told = [each for each in sent if oldest <= each.on <= as_of]
    due = max(number for number, each in enumerate(ladder) if each.after_days <= days)
    step, following = _reached(ladder, due, days, told, as_of)
    return Dunning(ladder[step].step, asked, held, days, stops, following, ladder[due].step)


def _begun(policy: DunningPolicy, days: int) -> PolicyStep:
    """The step that a visit has come to by its days alone; the first one before any."""
    begun = [each for each in policy.steps if each.after_days <= days]
    return begun[-1] if begun else policy.steps[0]


def _reached(
    ladder: Sequence[PolicyStep], due: int, days: int, told: Sequence[Sent], as_of: date
) -> tuple[int, int | None]:
    """The number of the step to ask with, and in how many days the next one may be."""
    numbers = {each.step: number for number, each in enumerate(ladder)}
    known = [(numbers[each.step], each.on) for each in told if each.step in numbers]
    if not known:
        return 0, ladder[1].after_days - ladder[0].after_days if len(ladder) > 1 else None
    last = max(number for number, _ in known)
    if last + 1 == len(ladder):
        return last, None
    first_sent = min(on for number, on in known if number == last)
    waits = max(
        ladder[last + 1].after_days - ladder[last].after_days - (as_of - first_sent).days,
        ladder[last + 1].after_days - days,
    )
    if waits > 0 or due <= last:
        return last, max(waits, 0)
    coming = ladder[last + 2].after_days - ladder[last + 1].after_days if last + 2 < len(ladder) else None
    return last + 1, coming
