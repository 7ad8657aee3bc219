"""The people at work: one mends what stopped at the ERP, others decide about patients' money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Context, Meta, Refusal
from chassis.eventstore import EventStore, Work, transact
from chassis.testing.clock import FixedClock
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.use_cases import resume_journal
from ledger_adapter.domain.journal_entry import JournalState
from payments.application.gateway_orders import decide_order
from payments.application.gateway_rows import GATEWAY_ORDERS
from payments.application.use_cases import match_payment
from payments.domain.gateway_order import OrderState

CLERK, MANAGER = "user:clerk", "user:manager"
Command = Callable[[Work], object]
MENDABLE = (JournalState.REJECTED.value, JournalState.HELD_FOR_PERIOD.value)


def resume_stopped_journals(store: EventStore, clock: FixedClock) -> int:
    """Resumes every journal entry that was refused or held; how many.

    A commit whose reply was lost must not come back as a refusal, which nobody here would catch.
    """
    stopped = store.rows(JOURNALS, {"state": MENDABLE}, order=("journal_id",))
    for row in stopped:
        journal_id = row["journal_id"]
        assert isinstance(journal_id, UUID)
        resume_journal(store, _command(clock, journal_id, "user:accountant"), journal_id, "mended at the ERP")
    return len(stopped)


def repeat_refused_orders(store: EventStore, clock: FixedClock) -> int:
    """Sends every order that the gateway refused once more, having looked there; how many."""
    refused = store.rows(GATEWAY_ORDERS, {"state": OrderState.REFUSED.value}, order=("order_id",))
    for row in refused:
        order_id = row["order_id"]
        assert isinstance(order_id, UUID)
        context = _command(clock, order_id, MANAGER)
        transact(store, context, partial(decide_order, order_id=order_id, again=True, by=MANAGER))
    return len(refused)


@dataclass
class Cashier:
    """What people do to patients' money, one thing after the other; each is tried again until its answer came."""

    orders: list[tuple[str, Command]] = field(default_factory=list)
    _tried: bool = False

    def ask(self, actor: str, command: Command) -> None:
        """Somebody does this next."""
        self.orders.append((actor, command))

    def match(self, payment_id: UUID, account_id: UUID) -> None:
        """Somebody found whose payment it is."""
        self.ask(CLERK, lambda work: match_payment(work, payment_id, account_id, work.context.now.date()))

    def work(self, store: EventStore, clock: FixedClock) -> int:
        """The next thing; that it is done already is the answer to whoever tried it before."""
        if not self.orders:
            return 0
        actor, command = self.orders[0]
        tried, self._tried = self._tried, True
        try:
            transact(store, _command(clock, derive("simulated-order", len(self.orders)), actor), command)
        except Refusal:
            if not tried:
                raise
        self.orders.pop(0)
        self._tried = False
        return 1


def _command(clock: FixedClock, subject: UUID, actor: str) -> Context:
    cause = derive("simulated-command", subject, clock().isoformat())
    return Context(clock(), Meta(correlation_id=cause, causation_id=cause, actor=actor), is_one_call=True)
