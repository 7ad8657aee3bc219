"""A patient's statement in plain words: what each amount means, without a word of the trade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from canonical.money import Money

from payments.domain.cash_spread import NOTHING
from payments.domain.dunning import DunningStep, Stop
from payments.domain.statement import Statement, StatementLine, Visit

TITLE = "Your statement"
_NOT_NOW = (DunningStep.HELD, DunningStep.NOTHING_DUE)
_FIRMLY: Final[Mapping[DunningStep, str]] = {
    DunningStep.STATEMENT_2: "This is our second statement.",
    DunningStep.STATEMENT_3: "This is our third statement. Please call us if you cannot pay all of it: we can agree on a plan.",
    DunningStep.FINAL_NOTICE: "This is our final notice. Please call us if you cannot pay all of it: we can agree on a plan.",
    DunningStep.PRE_COLLECTION: "We will hand this over to a collection agency unless you pay or call us.",
}
_STOPPED: Final[Mapping[Stop, str]] = {
    Stop.DISPUTE: "One of your payments is disputed. We do not ask you to pay until that is decided.",
    Stop.PLAN: "You keep a plan with us. We ask for nothing beyond it.",
    Stop.CHARITY_PENDING: "You asked us for financial assistance. We do not ask you to pay until we have decided.",
    Stop.PENDING_INSURANCE: "Some visits wait for your other insurance. Do not pay what is open of them yet.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One amount and what it is; `is_sum` where it is what the amounts before it come to."""

    words: str
    amount: Money
    is_sum: bool = False


def said_of(visit: Visit) -> list[Said]:
    """From what was charged to what is open, as a sum that a person can follow; what is zero is left out."""
    billing = visit.billing
    payers, waiting = _listed(billing.payers), _listed(billing.waiting_for)
    before = [
        Said(f"Your insurance paid ({payers})", -billing.insurance_paid),
        Said("Taken off by an agreement with your insurance", -billing.adjusted),
        Said(f"Waiting for an answer of your other insurance ({waiting})", -billing.waiting),
    ]
    after = [
        Said(
            "Moved here from another account" if visit.transferred > NOTHING else "Moved to another account",
            visit.transferred,
        ),
        Said("We do not ask you for this part", -visit.given_up),
        Said("You paid", -visit.paid),
    ]
    ending = Said(
        "A credit for your other visits" if visit.open < NOTHING else "You still owe", visit.open, is_sum=True
    )
    return [
        Said("We charged", billing.charged),
        *(said for said in before if said.amount),
        Said("Your share", billing.share, is_sum=True),
        *(said for said in after if said.amount),
        ending,
    ]


def headings_of(statement: Statement) -> Mapping[UUID, str]:
    """What each visit is called; those of one day are numbered, so that a line says of which it is."""
    of_day: dict[date, list[UUID]] = {}
    for visit in statement.visits:
        of_day.setdefault(visit.on, []).append(visit.encounter_id)
    return {
        encounter_id: f"Visit on {day(on)}" + (f", {number} of {len(visits)}" if len(visits) > 1 else "")
        for on, visits in of_day.items()
        for number, encounter_id in enumerate(visits, 1)
    }


def lines_of(statement: Statement) -> list[tuple[StatementLine, str]]:
    """Each line with what it says, and of which visit it is."""
    headings = headings_of(statement)
    said = []
    for line in statement.lines:
        heading = headings.get(line.encounter_id) if line.encounter_id else None
        said.append((line, f"{line.explanation} ({heading})" if heading else line.explanation))
    return said


def to_pay(statement: Statement) -> str:
    """The one sentence that says what to do."""
    plan = statement.plan
    if plan is not None and plan.missed:
        return f"Please pay {dollars(plan.missed_amount)} of your plan, which was due."
    if plan is not None and plan.next_due is not None and statement.balance > NOTHING:
        return f"Please pay {dollars(plan.next_due.amount)} by {day(plan.next_due.due_on)}, as we agreed."
    if statement.asking.step in _NOT_NOW and statement.balance > NOTHING:
        return "You do not have to pay now."
    if statement.balance > NOTHING:
        return f"Please pay {dollars(statement.asking.asked)}."
    return "You have nothing to pay."


def notes_on(statement: Statement) -> list[str]:
    """What a person should know beside what they owe."""
    notes = [_FIRMLY[statement.asking.step]] if statement.asking.step in _FIRMLY else []
    notes += [_STOPPED[stop] for stop in sorted(statement.asking.stops)]
    if statement.unapplied > NOTHING:
        notes.append(
            f"We hold {dollars(statement.unapplied)} of yours that pays nothing yet. It pays what you owe next, or you can ask "
            "for it back."
        )
    if statement.unapplied < NOTHING:
        notes.append(
            f"{dollars(-statement.unapplied)} more was given back to you than you had paid. Please call us about it."
        )
    if any(visit.billing.waiting and not visit.open for visit in statement.visits):
        notes.append("Some visits wait for your other insurance. There is nothing to do about them.")
    return notes


def dollars(amount: Money) -> str:
    """As a person writes it: $1,234.50, with a minus sign in front where it is below zero."""
    whole, cents = divmod(abs(amount).minor, 100)
    sign = "\N{MINUS SIGN}" if amount < NOTHING else ""
    return f"{sign}${whole:,}.{cents:02d}"


def day(on: date) -> str:
    return f"{on:%B} {on.day}, {on.year}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names)
