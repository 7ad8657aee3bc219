"""How firmly a patient is asked to pay: it follows from what is open, since when, and what stops the asking."""

from __future__ import annotations

from collections.abc import Iterable
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
    """What stops the asking: the payer of the card disputes it, a plan is kept, or an insurance has not decided."""

    DISPUTE = "dispute"
    PLAN = "plan"
    PENDING_INSURANCE = "pending-insurance"


@dataclass(frozen=True, slots=True)
class DunningPolicy:
    """After how many days each step begins, in their order; less than `least` is not asked for."""

    after_days: tuple[tuple[DunningStep, int], ...]
    least: Money


DEFAULT_POLICY: Final = DunningPolicy(
    (
        (DunningStep.STATEMENT_1, 0),
        (DunningStep.STATEMENT_2, 30),
        (DunningStep.STATEMENT_3, 60),
        (DunningStep.FINAL_NOTICE, 90),
        (DunningStep.PRE_COLLECTION, 120),
    ),
    Money(500),
)


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """What is open of one visit, since when it could be asked for, and what stops that now."""

    amount: Money
    since: date
    stops: frozenset[Stop] = frozenset()


@dataclass(frozen=True, slots=True)
class Dunning:
    """`asked` may be asked for, `held` not now; `days` is how long the oldest part that may be asked for is open."""

    step: DunningStep
    asked: Money
    held: Money
    days: int
    stops: frozenset[Stop]
    next_in_days: int | None


def dunning(visits: Iterable[OpenVisit], as_of: date, policy: DunningPolicy = DEFAULT_POLICY) -> Dunning:
    """Where an account stands on a day. A credit of one visit lowers what is asked for the others, the oldest first."""
    entries = sorted(visits, key=lambda visit: visit.since)
    credit = -Money.total(visit.amount for visit in entries if visit.amount < NOTHING)
    asked, held, days = NOTHING, NOTHING, -1
    stops: frozenset[Stop] = frozenset()
    for visit in entries:
        amount = visit.amount - min(credit, max(visit.amount, NOTHING))
        if visit.amount <= NOTHING or visit.since > as_of:
            continue
        credit -= visit.amount - amount
        if visit.stops and amount:
            held, stops = held + amount, stops | visit.stops
        elif amount:
            asked, days = asked + amount, max(days, (as_of - visit.since).days)
    if not asked or asked < policy.least:
        return Dunning(DunningStep.HELD if held else DunningStep.NOTHING_DUE, asked, held, max(days, 0), stops, None)
    step, following = _step(days, policy)
    return Dunning(step, asked, held, days, stops, following)


def _step(days: int, policy: DunningPolicy) -> tuple[DunningStep, int | None]:
    begun = [step for step, after in policy.after_days if after <= days]
    coming = [after - days for _, after in policy.after_days if after > days]
    return (begun[-1] if begun else DunningStep.NOTHING_DUE), (coming[0] if coming else None)
