"""What patients' accounts and the books of their money must be at the end of a story, reckoned from the story alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.codes import AccountRole
from payments.domain.payment import payment_id_of
from payments.domain.write_off_rules import WriteOffKind
from sandbox.world.expected_books import Books
from sandbox.world.expected_patient_books import (
    GatewayEnd,
    PatientMoney,
    book_patient,
    patient_side,
    shares_of_patients,
)
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.remittances import Remittance
from sandbox.world.scenario import Scenario

from .patients import PatientsStory

GIVEN_UP_AS = {
    WriteOffKind.CHARITY: AccountRole.CHARITY_CARE,
    WriteOffKind.BAD_DEBT: AccountRole.BAD_DEBT,
    WriteOffKind.SMALL_BALANCE: AccountRole.SMALL_BALANCE,
}


@dataclass(frozen=True)
class ExpectedPatients:
    """The books of patients' money by entity, account and party, and each account that can have cash or owe."""

    books: Mapping[tuple[str, str, str], int]
    accounts: Mapping[UUID, PatientMoney]


def expected_patients(
    story: PatientsStory, revised: Scenario, posted: Iterable[Remittance], unidentified: Mapping[str, int], day: date
) -> ExpectedPatients:
    """`revised` is the scenario once everything was said, `unidentified` what the bank has that nobody explains."""
    reckoning = _Reckoning(story, revised, posted)
    books = reckoning.end.books(story.entities)
    for account_id, money in reckoning.accounts.items():
        book_patient(books, reckoning.entity_of[account_id], money)
    for entity, minor in reckoning.nobodys.items():
        books[entity, AccountRole.UNAPPLIED_PATIENT, ""] -= minor
    for (account_id, kind), minor in reckoning.stands.items():
        books[reckoning.entity_of[account_id], GIVEN_UP_AS[kind], ""] += minor
    _bank(books, story, unidentified, day)
    return ExpectedPatients(patient_side(books), reckoning.accounts)


class _Reckoning:
    """Cash by account and payment, then what of write-offs stands, then what is owed."""

    def __init__(self, story: PatientsStory, revised: Scenario, posted: Iterable[Remittance]) -> None:
        self.end = GatewayEnd(story.outside.gateway, story.outside.later, story.cancelled)
        self.entity_of = {account_id: entity for (entity, _), account_id in story.accounts.items()}
        self.nobodys: Counter[str] = Counter()
        self.stands: Counter[tuple[UUID, WriteOffKind]] = Counter()
        shares = shares_of_patients(revised, posted)
        cash = self._cash(story)
        self.accounts = {
            account_id: PatientMoney(shares[patient], [*cash[account_id].values()])
            for patient, account_id in story.accounts.items()
        }
        for (account_id, kind), granted in story.given_up.items():
            self.stands[account_id, kind] = standing(self.accounts[account_id], kind, granted)
            self.accounts[account_id].owed -= self.stands[account_id, kind]

    def _cash(self, story: PatientsStory) -> dict[UUID, Counter[UUID]]:
        cash: dict[UUID, Counter[UUID]] = {account_id: Counter() for account_id in self.entity_of}
        for intent in story.intents():
            owner = story.owner_of(intent)
            if owner is None:
                self.nobodys[intent.metadata.get("entity", story.entities[intent.account])] += self.end.cash_of(intent)
            else:
                cash[owner][payment_id_of(intent.id)] = self.end.cash_of(intent)
        for payment_id, giver, taker, amount in story.moved:
            cash[giver][payment_id] -= amount.minor
            cash[taker][payment_id] += amount.minor
        return cash


def standing(money: PatientMoney, kind: WriteOffKind, granted: int) -> int:
    """What of a write-off stands: a bad debt that is paid after all is none."""
    if kind is not WriteOffKind.BAD_DEBT:
        return granted
    paid_after_all = PatientMoney(money.owed, money.cash).applied - max(money.owed - granted, 0)
    return granted - min(max(paid_after_all, 0), granted)


def _bank(books: Books, story: PatientsStory, unidentified: Mapping[str, int], day: date) -> None:
    """All that arrived is cash; what explains itself by nothing is owed to somebody unknown."""
    known = sandbox_master_data()
    for account, amount in story.outside.bank.credited.items():
        books[known.entity_by_bank_account(account, day).code, AccountRole.CASH, ""] += amount.minor
    for entity, minor in unidentified.items():
        books[entity, AccountRole.UNIDENTIFIED_RECEIPTS, ""] -= minor
