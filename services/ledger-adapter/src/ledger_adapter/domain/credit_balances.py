"""Receivables that are owed the other way: who has a credit balance at the end of a period, and the lines that show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from canonical.codes import AccountRole
from canonical.ids import derive
from canonical.journal import LedgerLine
from canonical.money import Money

from ledger_adapter.domain.posting_rules import Dimensions, Fact, booked, patient_party
from ledger_adapter.domain.subledger import GroupKind, single_posting_id

PRESENTED, REVERSED = "presented", "reversed"


@dataclass(frozen=True, slots=True, order=True)
class Debtor:
    """Who a receivable is kept for: a payer for one encounter, or the entity's patient party for one patient.

    `subject` is the encounter or the patient, and empty for what a payer owes or is owed as a whole.
    """

    party: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class CreditBalance:
    """What is owed to a debtor, above zero."""

    debtor: Debtor
    amount: Money


def credit_balances(receivables: Mapping[Debtor, int]) -> tuple[CreditBalance, ...]:
    """The credit balances among receivables in minor units, in the order of their debtors.

    A debit of a payer as a whole, such as an overpayment that is owed back to it already, uses up its credits one by one.
    """
    found = []
    debits = {debtor.party: minor for debtor, minor in receivables.items() if not debtor.subject and minor > 0}
    for debtor, minor in sorted(receivables.items()):
        if minor >= 0:
            continue
        used = min(debits.get(debtor.party, 0), -minor)
        if used:
            debits[debtor.party] -= used
        if used < -minor:
            found.append(CreditBalance(debtor, Money(-minor - used)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Presentation:
    """One side of showing the credit balances of an entity's period: on its last day, or taken back on the day after."""

    entity: str
    period_end: date
    step: str

    @property
    def day(self) -> date:
        return self.period_end if self.step == PRESENTED else self.period_end + timedelta(days=1)

    @property
    def group_id(self) -> UUID:
        return derive("credit-balances", self.entity, self.period_end, self.step)

    def posting_id(self, debtor: Debtor) -> UUID:
        return single_posting_id(GroupKind.CREDIT_BALANCES, self.group_id, debtor.party, debtor.subject)

    def lines(self, credit: CreditBalance) -> tuple[LedgerLine, ...]:
        """J25: out of the receivable into what is owed; taken back, the mirror."""
        debtor = credit.debtor
        subject = UUID(debtor.subject) if debtor.subject else None
        amount = credit.amount if self.step == PRESENTED else -credit.amount
        if debtor.party == patient_party(self.entity):
            return booked(Fact.PATIENT_CREDIT_PRESENTED, amount, Dimensions(self.entity, patient_id=subject))
        dimensions = Dimensions(self.entity, payer=debtor.party, encounter_id=subject)
        return booked(Fact.PAYER_CREDIT_PRESENTED, amount, dimensions)


def sides_of(entity: str, period_end: date) -> tuple[Presentation, Presentation]:
    """Shown at the end of the period, and taken back on the first day of the next one."""
    return Presentation(entity, period_end, PRESENTED), Presentation(entity, period_end, REVERSED)


def is_of_patients(account: str) -> bool:
    return account == AccountRole.AR_PATIENT.value


def total_of(found: Iterable[CreditBalance]) -> Money:
    return Money.total(credit.amount for credit in found)
