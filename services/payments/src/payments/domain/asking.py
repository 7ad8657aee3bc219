"""What was sent to a patient to ask for what is owed: by which step, of how much, by whom."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event, Refusal

from payments.domain.dunning import Dunning, DunningStep

NOT_ASKING = (DunningStep.NOTHING_DUE, DunningStep.HELD)


class NothingToAsk(Refusal):
    """Nothing may be asked for on that day, so no statement that asks was sent."""


class AccountAsking(Aggregate):
    """The statements of one account that went out, one a day at most."""

    def start(self) -> None:
        self.sent: dict[date, DunningStep] = {}

    class StatementSent(Event):
        """`means` is how: `mail`, `portal` or `e-mail`."""

        TOPIC = "payments.account-asking.statement-sent"
        account_id: UUID
        entity: Public[str]
        step: DunningStep
        asked: Money
        means: Public[str]
        sent_by: Public[str]
        effective_date: Financial[date]

        def apply(self, asking: AccountAsking) -> None:
            asking.sent[self.effective_date] = self.step

    def send(self, account_id: UUID, entity: str, stands: Dunning, *, means: str, by: str, on: date) -> DunningStep:
        """Notes that a statement of that day went out; the same day again changes nothing. The step it asked with.

        Raises:
            NothingToAsk: see there.
        """
        if on not in self.sent:
            if stands.step in NOT_ASKING:
                raise NothingToAsk(f"account {account_id} on {on}: {stands.step}")
            self.trigger_event(
                self.StatementSent,
                account_id=account_id,
                entity=entity,
                step=stands.step,
                asked=stands.asked,
                means=means,
                sent_by=by,
                effective_date=on,
            )
        return self.sent[on]


def asking_id_of(account_id: UUID) -> UUID:
    """The asking of an account."""
    return derive("account-asking", account_id)
