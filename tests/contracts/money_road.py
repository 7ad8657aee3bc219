"""Payments and the ledger in memory with a stream between them: what is told at payments' doors ends in the books."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from canonical.codes import AccountRole, PayerClass
from canonical.encounter import ChargeLine
from canonical.envelope import Envelope, PublicEvent
from canonical.events.intake import EncounterCharged
from canonical.ids import derive
from canonical.money import Money
from canonical.sealed import Sealed
from chassis.domain import Context, Meta, Refusal
from chassis.eventstore import Table, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import CASES
from chassis.keys import MemoryKeyStore, Sealer
from chassis.messaging import Delivery
from chassis.messaging.relay import Relay
from chassis.messaging.simulated import SimulatedStream
from chassis.runtime import ServiceShape
from chassis.testing import FixedClock
from ledger_adapter.adapters.fake_erp import FakeErp, OneErpForAll
from ledger_adapter.application.queries import BALANCES, LINES, POSTINGS
from ledger_adapter.main import SHAPE as LEDGER
from ledger_adapter.main import assemble as assemble_ledger
from payments.adapters.bank_files import take_bank_file
from payments.adapters.stripe_gateway import event_of
from payments.application.dispute_rows import DISPUTES
from payments.application.doors import Doors, GatewayMessage
from payments.application.gateway_rows import GATEWAY_ORDERS
from payments.application.patient_rows import ACCOUNTS, GATEWAY_MOVES, PAYMENTS, PAYOUTS, REFUNDS
from payments.application.plan_rows import PAYMENT_PLANS
from payments.application.queries import DEPOSITS, REMITTANCES
from payments.application.transfer_rows import ACCOUNT_TRANSFERS
from payments.application.unapplied_cash import UNAPPLIED_CASH
from payments.application.write_off_rows import PATIENT_WRITE_OFFS
from payments.domain.patient_account import account_id_of
from payments.domain.payment import STRIPE
from payments.domain.payout import BalanceTransaction
from payments.main import SHAPE
from payments.main import assemble as assemble_payments
from sandbox.world.bank import StatementFile
from sandbox.world.gateway_api import GatewayApi
from sandbox.world.gateway_book import GatewayBook
from sandbox.world.gateway_later import LaterMoney
from sandbox.world.gateway_objects import Json
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.misbehaviour import Misbehaviour

from tests.contracts.desk import AtTheDesk
from tests.contracts.gateway_calls import GatewayCalls, gateway_over
from tests.contracts.gateway_till import ENTITY, Journals, Till, patient_of

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
DAY = date(2026, 2, 6)
ROUNDS_MAX = 50
ROWS_MAX = 5_000
PAID = ("payment_id", "channel", "entity", "state", "amount_minor", "taken_back_minor", "account_id", "payout_id")
CASE = ("code", "subject_id", "entity", "amount_minor", "summary")
Told = Delivery | bytes | StatementFile | AtTheDesk
"""What comes to payments and the ledger from outside of both: a message, a webhook's body, a bank's file, a person's act."""


class OwnGateway:
    """The sandbox's gateway without a network between: its objects, and what it has told nobody yet of what we ordered."""

    def __init__(self) -> None:
        self.book = GatewayBook(5, NOW.timestamp, Misbehaviour())
        self.later = LaterMoney(self.book)
        self.untold: list[Json] = []
        self.api = gateway_over(GatewayCalls(GatewayApi(self.book, self.later, self.untold.extend)))

    def till(self, name: str) -> Till:
        return Till(name, patient_of(name), self.book, self.later)

    def balance_transactions(self, payout_gateway_id: str) -> Sequence[BalanceTransaction]:
        return self.api.balance_transactions(payout_gateway_id)

    def news(self) -> list[bytes]:
        """The webhooks of what happened since the last time."""
        told = [json.dumps(event).encode() for event in self.untold]
        self.untold.clear()
        return told


class MoneyRoad:
    """From webhooks, bank files and public events to accounts and books."""

    def __init__(self, gateway: OwnGateway, store: Callable[[ServiceShape], MemoryEventStore] | None = None) -> None:
        self.clock = FixedClock(NOW)
        self.known = sandbox_master_data()
        made = store or (lambda shape: MemoryEventStore(shape.registry(), shape.all_projections))
        self.payments, self.ledger = made(SHAPE), made(LEDGER)
        self._gateway = gateway
        self._keys = MemoryKeyStore(random.Random(1).randbytes)
        self._erps = OneErpForAll(FakeErp(), tuple(each.code for each in self.known.entities))
        self._stream = SimulatedStream()
        self._read = 0
        self._wanted: list[AtTheDesk] = []
        self.assemble()

    def assemble(self) -> None:
        """Both services anew on their stores, as after their processes ended."""
        self.doors = Doors(self.payments, Sealer(self._keys), self.clock, ENTITY)
        self._ledger = assemble_ledger(self.ledger, self.clock, self.known, self._erps)
        api = self._gateway.api
        self._payments = assemble_payments(
            self.payments, self.clock, api, gateways={STRIPE: api}, loose_after=timedelta(days=2)
        )
        self._relay = Relay(SHAPE.name, self.payments, self._stream, SHAPE.publishing)

    def tell(self, *told: Told) -> None:
        """Each by itself, through its own door."""
        for each in told:
            if isinstance(each, bytes):
                event_id, fact = event_of(each)
                self.doors.receive_webhooks([GatewayMessage(each, event_id, fact)])
            elif isinstance(each, StatementFile):
                take_bank_file(self.doors, self.known, each.name, each.content)
            elif isinstance(each, AtTheDesk):
                self._wanted.append(each)
                self._work_at_the_desk()
            else:
                self._deliver(each)

    def _work_at_the_desk(self) -> int:
        """How much could be done of what people want to do; the rest stays wanted."""
        wanted, self._wanted = self._wanted, []
        for each in wanted:
            cause = derive("at-the-desk", self.clock().isoformat())
            context = Context(self.clock(), Meta(correlation_id=cause, causation_id=cause, actor=each.by))
            try:
                transact(self.payments, context, each.command)
            except Refusal:
                self._wanted.append(each)
        return len(wanted) - len(self._wanted)

    def _deliver(self, message: Delivery) -> None:
        upstream = message.subject.split(".")[1]
        for core in (self._payments, self._ledger):
            consumer = core.consumers[upstream]
            consumer.release(consumer.handle([message]).touched)

    def settle(self) -> None:
        """Until nothing is under way."""
        for _ in range(ROUNDS_MAX):
            self.clock.advance(seconds=3)
            moved = self._work_at_the_desk()
            moved += sum(sweep.run() for core in (self._payments, self._ledger) for sweep in core.sweeps)
            while self._relay.step():
                moved += 1
            if not moved + self._read_on():
                return
        raise AssertionError("it never settles")

    def _read_on(self) -> int:
        new = self._stream.messages[self._read :]
        consumer = self._ledger.consumers["payments"]
        consumer.handle([Delivery(each.subject, each.headers, each.data) for each in new])
        for core in (self._payments, self._ledger):
            for each in core.consumers.values():
                each.release()
        self._read += len(new)
        return len(new)

    def cents(self, patient_id: UUID) -> tuple[int, int, int]:
        """Balance, applied and unapplied of the patient's account."""
        (row,) = self.payments.rows(ACCOUNTS, {"account_id": account_id_of(ENTITY, patient_id)})
        owed, applied, unapplied = (
            int(str(row[name])) for name in ("responsibility_minor", "applied_minor", "unapplied_minor")
        )
        return owed - applied, applied, unapplied

    def journals(self, patient_id: UUID, ids: Iterable[UUID] = ()) -> Journals:
        """What each rule booked on each account for the patient, or for what has one of these ids."""
        wanted = set(ids)
        own = {row["posting_id"] for row in self.ledger.rows(POSTINGS, {}) if row["item_id"] in wanted}
        sums: Journals = Counter()
        for row in self.ledger.rows(LINES, {}):
            if row["patient_id"] == patient_id or row["posting_id"] in own:
                sums[str(row["rules"]), str(row["account"])] += int(str(row["amount_minor"]))
        return sums

    def cases(self) -> list[tuple[str, str]]:
        """Code and subject of what is left to people."""
        stores = (self.payments, self.ledger)
        rows = [row for store in stores for row in store.rows(CASES, {"state": "open"})]
        return sorted((str(row["code"]), str(row["subject_id"])) for row in rows)

    def ends(self) -> dict[str, object]:
        """Where every cent stands, and what is open: the same in whatever order it was told."""
        tied = ("gateway_id", "state", "net_minor", "deposit_id")
        moved = ("move_id", "kind", "entity", "amount_minor", "payout_id")
        return {
            "accounts": _rows(self.payments, ACCOUNTS, ()),
            "payments": _rows(self.payments, PAYMENTS, PAID),
            "unapplied": _rows(self.payments, UNAPPLIED_CASH, ()),
            "refunds": _rows(self.payments, REFUNDS, ()),
            "disputes": _rows(self.payments, DISPUTES, ()),
            "moves": _rows(self.payments, GATEWAY_MOVES, moved),
            "orders": _rows(self.payments, GATEWAY_ORDERS, ("order_id", "kind", "state", "amount_minor", "gateway_id")),
            "write-offs": _rows(self.payments, PATIENT_WRITE_OFFS, ("write_off_id", "state", "stands_minor")),
            "transfers": _rows(self.payments, ACCOUNT_TRANSFERS, ("transfer_id", "state", "amount_minor")),
            "plans": _rows(self.payments, PAYMENT_PLANS, ("plan_id", "state", "total_minor")),
            "payouts": _rows(self.payments, PAYOUTS, tied),
            "deposits": _rows(self.payments, DEPOSITS, ("deposit_id", "amount_minor", "matched_to")),
            "remittances": _rows(self.payments, REMITTANCES, ("remittance_id", "payment_minor", "deposit_id")),
            "ledger": self._balances(),
            "journals": self._journals(),
            "cases": [_rows(store, CASES, CASE, state="open") for store in (self.payments, self.ledger)],
        }

    def _journals(self) -> list[str]:
        """What each rule has booked on each account, and of each patient's receivable.

        Cash is applied at once (J15) or a moment later (J16); whose it is may not have been known when it was booked.
        """
        sums: Counter[tuple[str, str, str]] = Counter()
        for row in self.ledger.rows(LINES, {}):
            rule = "J15" if row["rules"] == "J16" else str(row["rules"])
            patient = str(row["patient_id"]) if row["account"] == AccountRole.AR_PATIENT.value else ""
            sums[rule, str(row["account"]), patient] += int(str(row["amount_minor"]))
        return sorted(f"{key} {cents}" for key, cents in sums.items() if cents)

    def _balances(self) -> dict[tuple[object, ...], tuple[object, ...]]:
        """What the ledger has, and of that what the ERP has; accounts that are empty are left out."""
        return {
            (row["entity"], row["account"], row["party"]): (row["subledger_minor"], row["confirmed_minor"])
            for row in self.ledger.rows(BALANCES, {})
            if row["subledger_minor"] or row["confirmed_minor"]
        }


def charged(patient_id: UUID, cents: int = 100_00, visit: int = 1) -> Delivery:
    """Intake's word of a visit that the patient pays."""
    encounter_id = derive("gateway-story-visit", patient_id, visit)
    line = ChargeLine(
        charge_id=derive("gateway-story-charge", encounter_id),
        procedure_code="99213",
        units=Decimal(1),
        amount=Money(cents),
        service_date=DAY,
        department="N-FM",
    )
    event = EncounterCharged(
        encounter_id=encounter_id,
        posting=1,
        entity=ENTITY,
        patient_id=patient_id,
        payer="",
        payer_class=PayerClass.SELF_PAY,
        rendering_provider="P1",
        service_from=DAY,
        service_to=DAY,
        charges=(line,),
        total=Money(cents),
        diagnosis_count=1,
        has_member_id=False,
        details=Sealed(key_id=patient_id, kind="encounter.v1", fact=encounter_id, ciphertext=b"sealed"),
        message_ids=(),
    )
    return delivery(event, encounter_id)


def delivery(event: PublicEvent, key: UUID, sequence: int = 1, ordinal: int = 0) -> Delivery:
    """The message of an event as its stream gives it."""
    identity = derive("told", event.TYPE, key, sequence, ordinal)
    envelope = Envelope.model_validate(
        {
            "id": identity,
            "service": event.SERVICE,
            "type": event.TYPE,
            "key": key,
            "sequence": sequence,
            "ordinal": ordinal,
            "time": NOW.isoformat(),
            "correlation_id": identity,
            "causation_id": identity,
            "actor": "test",
        }
    )
    return Delivery(envelope.subject, envelope.to_headers(), event.model_dump_json().encode())


def _rows(store: MemoryEventStore, table: Table, names: Sequence[str], **where: object) -> list[str]:
    rows = store.rows(table, where, limit=ROWS_MAX)
    return sorted(str([(name, row[name]) for name in names or row]) for row in rows)
