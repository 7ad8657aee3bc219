"""The people who work exceptions: one mends what stopped at the ERP, one says whose payment it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, transact
from chassis.testing.clock import FixedClock
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.use_cases import resume_journal
from ledger_adapter.domain.journal_entry import JournalState
from payments.application.use_cases import match_payment

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


@dataclass
class Cashier:
    """Matches payments to accounts; each order is repeated until its answer came."""

    orders: list[tuple[UUID, UUID]] = field(default_factory=list)

    def work(self, store: EventStore, clock: FixedClock, day: date) -> int:
        if not self.orders:
            return 0
        payment_id, account_id = self.orders[0]
        context = _command(clock, payment_id, "user:cashier")
        transact(store, context, lambda work: match_payment(work, payment_id, account_id, day))
        self.orders.pop(0)
        return 1


def _command(clock: FixedClock, subject: UUID, actor: str) -> Context:
    cause = derive("simulated-command", subject, clock().isoformat())
    return Context(clock(), Meta(correlation_id=cause, causation_id=cause, actor=actor), is_one_call=True)
