"""Cash or a share of what is owed, moved by a person from one patient's account to another's of the same entity."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal


class TransferChanged(Conflict):
    """The same transfer was made before, of another amount or between other accounts."""


class NoTransfer(Refusal):
    """A transfer is above zero, between two accounts of one entity, and of no more than is there."""


class Moved(StrEnum):
    """What a transfer moves."""

    CASH = "cash"
    SHARE = "share"


class AccountTransfer(Aggregate):
    """Made once. `source` is the payment whose cash moves, or the claim or encounter whose share does."""

    def start(self) -> None:
        self.made: tuple[Moved, UUID, UUID, UUID, Money] | None = None

    class Made(Event):
        """`reason` is a code or a short text without names of patients."""

        TOPIC = "payments.account-transfer.made"
        moved: Moved
        source: UUID
        entity: Public[str]
        from_account_id: UUID
        to_account_id: UUID
        from_patient_id: UUID
        to_patient_id: UUID
        amount: Money
        reason: Public[str]
        made_by: Public[str]
        effective_date: Financial[date]

        def apply(self, transfer: AccountTransfer) -> None:
            transfer.made = (self.moved, self.source, self.from_account_id, self.to_account_id, self.amount)

    def is_known(self, moved: Moved, source: UUID, from_id: UUID, to_id: UUID, amount: Money) -> bool:
        """Whether it was made already.

        Raises:
            TransferChanged: it was made otherwise.
        """
        if self.made is None:
            return False
        if self.made != (moved, source, from_id, to_id, amount):
            raise TransferChanged(
                f"transfer {self.id} moved {self.made[-1]} of {self.made[1]}, now {amount} of {source}"
            )
        return True


def cash_transfer_id(transfer_id: UUID) -> UUID:
    """The id of transferred cash on the account it came to: a payment of its own, so that what is counted stays apart."""
    return derive("cash-transfer", transfer_id)
