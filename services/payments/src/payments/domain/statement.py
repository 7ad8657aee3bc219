"""A patient's statement as data: each visit from its charges to what is open, how old that is, and every line behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from canonical.money import Money

from payments.domain.cash_spread import NOTHING
from payments.domain.dunning import Dunning
from payments.domain.payer_words import PayerWord
from payments.domain.payment_plan import PlanStanding

AGES: Final = ((30, "up to 30 days"), (60, "31 to 60 days"), (90, "61 to 90 days"), (120, "91 to 120 days"))
OLDEST: Final = "more than 120 days"


@dataclass(frozen=True, slots=True)
class Billing:
    """What became of a visit's charges before the patient: `charged == insurance_paid + adjusted + waiting + share`.

    `waiting` is with a further insurance. `payers` have decided, in their order.
    """

    charged: Money
    insurance_paid: Money
    adjusted: Money
    waiting: Money
    share: Money
    payers: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit, and who answers for it: `open == billing.share + transferred - given_up - paid`; below zero it is a credit for the others."""

    encounter_id: UUID
    on: date
    since: date
    billing: Billing
    transferred: Money
    given_up: Money
    paid: Money
    guarantor_id: UUID | None = None

    @property
    def open(self) -> Money:
        return self.billing.share + self.transferred - self.given_up - self.paid


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One fact of the account; positive raises what is owed. `encounter_id` is empty where it is of no one visit."""

    on: date
    kind: str
    amount: Money
    encounter_id: UUID | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Statement:
    """`balance` is what is open of all visits; `unapplied` is cash of the patient's that pays nothing yet.

    The lines add up to `balance - unapplied`, and the ages to `balance` where that is above zero. `asking` says what of it is
    asked for, and how firmly.
    """

    account_id: UUID
    entity: str
    patient_id: UUID
    as_of: date
    visits: tuple[Visit, ...]
    lines: tuple[StatementLine, ...]
    balance: Money
    unapplied: Money
    asking: Dunning
    plan: PlanStanding | None = None

    @property
    def ages(self) -> tuple[tuple[str, Money], ...]:
        """What is open by its age, credits taken off the oldest first."""
        return ages_of([(visit.since, visit.open) for visit in self.visits], self.as_of)

    @property
    def guarantors(self) -> tuple[UUID, ...]:
        """Who answers for its visits, where the source said so."""
        return tuple(dict.fromkeys(visit.guarantor_id for visit in self.visits if visit.guarantor_id))

    @property
    def adds_up(self) -> bool:
        """Whether lines, visits and ages each make up what is said to be owed."""
        by_lines = Money.total(line.amount for line in self.lines) == self.balance - self.unapplied
        by_visits = Money.total(visit.open for visit in self.visits) == self.balance
        by_ages = Money.total(amount for _, amount in self.ages) == max(self.balance, NOTHING)
        return by_lines and by_visits and by_ages


def billing_of(words: Iterable[PayerWord], share: Money) -> Billing:
    """What became of the charges of one claim, or of several of one visit, by what its payers said.

    Without a word of a payer the whole was the patient's. What no payer pays, passes on or leaves to the patient was taken
    off by agreement.
    """
    said = sorted(words, key=lambda word: word.sequence)
    if not said:
        return Billing(share, NOTHING, NOTHING, NOTHING, share)
    charged = Money.total(word.charge for word in said if word.sequence == 1)
    paid = Money.total(word.paid for word in said)
    waiting, waiting_for = _waiting(said)
    return Billing(
        charged=charged,
        insurance_paid=paid,
        adjusted=charged - paid - waiting - share,
        waiting=waiting,
        share=share,
        payers=tuple(dict.fromkeys(word.payer for word in said)),
        waiting_for=waiting_for,
    )


def together(billings: Sequence[Billing]) -> Billing:
    """The claims of one visit as one."""
    return Billing(
        charged=Money.total(each.charged for each in billings),
        insurance_paid=Money.total(each.insurance_paid for each in billings),
        adjusted=Money.total(each.adjusted for each in billings),
        waiting=Money.total(each.waiting for each in billings),
        share=Money.total(each.share for each in billings),
        payers=tuple(dict.fromkeys(payer for each in billings for payer in each.payers)),
        waiting_for=tuple(dict.fromkeys(payer for each in billings for payer in each.waiting_for)),
    )


def ages_of(open_since: Iterable[tuple[date, Money]], as_of: date) -> tuple[tuple[str, Money], ...]:
    """What is owed by how many days it has been, every age named; a credit lowers the oldest first."""
    entries = sorted(open_since)
    credit = -Money.total(amount for _, amount in entries if amount < NOTHING)
    sums = {name: NOTHING for _, name in AGES} | {OLDEST: NOTHING}
    for since, amount in entries:
        if amount > NOTHING:
            used = min(credit, amount)
            credit -= used
            days = (as_of - since).days
            name = next((name for most, name in AGES if days <= most), OLDEST)
            sums[name] += amount - used
    return tuple(sums.items())


def _waiting(said: Sequence[PayerWord]) -> tuple[Money, tuple[str, ...]]:
    """What a payer passed on to the next one, which has not decided; and who that is."""
    decided: dict[int, Money] = {}
    passed_on: dict[int, Money] = {}
    names: dict[int, str] = {}
    for word in said:
        decided[word.sequence] = decided.get(word.sequence, NOTHING) + word.charge
        if word.next_payer:
            passed_on[word.sequence] = passed_on.get(word.sequence, NOTHING) + word.left
            names[word.sequence] = word.next_payer
    open_at = [n for n, amount in passed_on.items() if amount and not decided.get(n + 1, NOTHING)]
    return Money.total(passed_on[n] for n in open_at), tuple(names[n] for n in open_at)
