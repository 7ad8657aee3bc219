"""A patient's accounts and their lines, and whether the lines make up the balances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canonical.money import Money

GIVEN_UP = ("charity", "small-balance", "bad-debt", "price-concession")
TAKEN_BACK = ("refund", "return", "dispute", "transfer")


@dataclass(frozen=True, slots=True)
class Account:
    """A patient's account at one entity; `balance` is responsibility less what was written off and applied cash."""

    account_id: str
    entity: str
    patient_id: str
    responsibility: Money
    written_off: Money
    applied: Money
    unapplied: Money
    balance: Money

    def in_words(self) -> list[str]:
        """What its sums mean where they are not plainly a debt of the patient."""
        told = []
        if self.balance < Money(0):
            told.append(f"{self.entity}: a credit balance, {-self.balance} of cash is the patient's after a reversal.")
        if self.written_off:
            told.append(f"{self.entity}: {self.written_off} of what was owed is written off.")
        if self.unapplied > Money(0):
            told.append(f"{self.entity}: {self.unapplied} of cash pays nothing yet, and waits for what comes later.")
        if self.unapplied < Money(0):
            told.append(
                f"{self.entity}: {-self.unapplied} more went back to the payer than was paid; it is owed again."
            )
        return told


@dataclass(frozen=True, slots=True)
class Activity:
    """One line: positive raises what is owed. An `application` moves cash that a `payment` line has counted already.

    What is taken back (a refund, say) is cash that leaves the account; what is given up (charity, say) is owed no more.
    """

    account_id: str
    kind: str
    amount: Money
    effective_date: str
    source_id: str
    claim_id: str
    encounter_id: str


@dataclass(frozen=True, slots=True)
class Statement:
    """All accounts of one person, or one account. `merged_patient_ids` are other patients who are the same person."""

    accounts: tuple[Account, ...]
    balance: Money
    activity: tuple[Activity, ...]
    person_id: str = ""
    merged_patient_ids: tuple[str, ...] = ()

    @property
    def of_whom(self) -> str:
        """Whose balance it is, where more than one patient is the person."""
        if not self.merged_patient_ids:
            return ""
        return f"Of {self.person_id} and, merged into one person with them, {', '.join(self.merged_patient_ids)}."

    @property
    def adds_up(self) -> bool:
        """Whether the lines make up each account, and the accounts the whole."""
        whole = Money.total(account.balance for account in self.accounts) == self.balance
        return whole and all(_is_made_up(account, self.activity) for account in self.accounts)

    def as_data(self) -> dict[str, object]:
        return {
            "balance": str(self.balance),
            "adds_up": self.adds_up,
            "person_id": self.person_id,
            "merged_patient_ids": list(self.merged_patient_ids),
            "accounts": [_data(account) for account in self.accounts],
            "activity": [_data(line) for line in self.activity],
        }


def _is_made_up(account: Account, activity: Sequence[Activity]) -> bool:
    own = [line for line in activity if line.account_id == account.account_id]
    owed = _sum(own, "responsibility")
    given_up = -_sum(own, *GIVEN_UP)
    cash = -_sum(own, "payment", *TAKEN_BACK)
    made = (owed, given_up, cash, owed - given_up - account.applied)
    return made == (
        account.responsibility,
        account.written_off,
        account.applied + account.unapplied,
        account.balance,
    )


def _sum(lines: Sequence[Activity], *kinds: str) -> Money:
    return Money.total(line.amount for line in lines if line.kind in kinds)


def _data(fact: Account | Activity) -> dict[str, object]:
    values = {name: getattr(fact, name) for name in type(fact).__slots__}
    return {name: str(value) if isinstance(value, Money) else value for name, value in values.items()}
