"""How long it takes from a card payment's webhook to its confirmed journal at the ERP, when nothing else is to do."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from canonical.codes import AccountRole
from canonical.ids import derive, external_number
from canonical.money import Money
from ledger_adapter.adapters.books import ConfiguredErps, load_books
from ledger_adapter.application.ports import ErpJournal, ErpLine
from ledger_adapter.domain.journal_entry import JournalEntry, journal_id
from ledger_adapter.domain.subledger import GroupKind, single_posting_id
from ledger_adapter.main import ADAPTERS
from payments.domain.payment import payment_id_of

from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.seeding import ENTITY
from tests.performance.stopwatch import percentile, seconds_of
from tests.performance.world import World

BAR_SECONDS = Bar(2, 0.5)
SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.3
BARE_POSTINGS = 5
AMOUNT = Money(100)
OWING = """
SELECT account_id FROM patient_accounts WHERE entity = %s AND responsibility_minor > 100 ORDER BY account_id LIMIT %s
"""
CONFIRMED_AT = "SELECT recorded_at FROM stored_events WHERE originator_id = %s AND topic = %s"
CASH_BOOKED = """
SELECT sum(debit_minor)::bigint FROM journals WHERE journal_id = ANY(%s) AND state = 'confirmed'
"""


def webhook_to_journal(world: World) -> Figure:
    """The row: one payment after the other, each waited for."""
    world.settle()
    accounts = [row[0] for row in world.ask("payments", OWING, ENTITY, world.sizes.webhooks)]
    taken: list[float] = []
    journals: list[UUID] = []
    for account in accounts:
        time.sleep(PAUSE_SECONDS)
        began = time.time()
        intent = world.cards.pay(AMOUNT, str(account), ENTITY)
        posting = single_posting_id(GroupKind.PATIENT_PAYMENT, payment_id_of(intent.id))
        journals.append(journal_id(GroupKind.PATIENT_PAYMENT, posting))
        taken.append(_confirmed_at(world, journals[-1]).timestamp() - began)
    booked = world.ask("ledger", CASH_BOOKED, journals)[0][0]
    return Figure(
        row="webhook",
        work=f"webhook sent → journal confirmed at the ERP (Tryton), idle suite, {len(taken)} payments (p95)",
        value=percentile(taken, 95),
        unit="s",
        bar=BAR_SECONDS,
        baseline=Baseline("one journal posted to Tryton by the bare adapter (median)", _bare_posting(world)),
        details=(f"p50 {percentile(taken, 50):.2f} s, at most {max(taken):.2f} s",),
        sums=(Sums("cash booked", str(AMOUNT.minor * len(taken)), str(booked)),),
    )


def _confirmed_at(world: World, journal: UUID) -> datetime:
    """The instant at which the proof was written, by the database's own clock."""
    ask = partial(world.ask, "ledger", CONFIRMED_AT, journal, JournalEntry.Confirmed.TOPIC)
    world.wait_for(f"journal {journal}", lambda: bool(ask()), SECONDS_MAX)
    found = ask()[0][0]
    assert isinstance(found, datetime)
    return found


def _bare_posting(world: World) -> float:
    """Seconds of one posting without intent, probe or proof."""
    erp = ConfiguredErps(load_books(world.running.folder / "books.json"), ADAPTERS).of(ENTITY)
    today = datetime.now(UTC).date()
    taken = []
    for number in range(BARE_POSTINGS):
        lines = (
            ErpLine(account=AccountRole.CASH, amount=AMOUNT),
            ErpLine(account=AccountRole.GATEWAY_CLEARING, amount=-AMOUNT),
        )
        name = external_number(derive("performance-bare", number))
        document = ErpJournal(number=name, entity=ENTITY, effective_date=today, lines=lines)
        taken.append(seconds_of(partial(erp.post, ENTITY, [document])))
        posted = erp.find(ENTITY, [name])
        assert name in posted, "the ERP booked it"
    return percentile(taken, 50)
