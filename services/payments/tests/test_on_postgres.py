"""The same remittances on a real PostgreSQL: same read models, same items from snapshots, and rebuilt equal to live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work, transact
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.testing.contexts import context
from payments.application.balances import entity_balances
from payments.application.doors import GatewayMessage
from payments.application.gateway_rows import GATEWAY_ORDERS, GATEWAY_QUESTIONS
from payments.application.patient_money import approve_refund
from payments.application.patient_rows import PAYMENTS, PAYOUTS
from payments.application.payment_plans import agree_plan
from payments.application.statements import statement
from payments.application.transfers import approve_transfer, request_transfer
from payments.application.write_offs import approve_write_off, request_write_off
from payments.domain.account_transfer import Moved, TransferOf
from payments.domain.gateway_facts import GatewayFact, ObjectChanged, ObjectKind, PaymentArrived, PayoutCameBack
from payments.domain.patient_account import account_id_of
from payments.domain.payment import Payment, payment_id_of
from payments.domain.payment_plan import Instalment
from payments.domain.payout import BalanceTransaction
from payments.domain.provider_balance import ProviderBalance, provider_balance_id
from payments.domain.write_off_rules import WriteOffKind
from payments.main import SHAPE
from sandbox.servers.postgres import PostgresServer

from .examples import DAY, PATIENT, PROVIDER, adjusted, claim_payment, plb, summary
from .test_front_desk import charged
from .test_guarantors import told as told_guarantor
from .world import World, adjudication, remittance

ACCOUNT = account_id_of("NORTH", PATIENT)
GATEWAY = (GATEWAY_ORDERS, GATEWAY_QUESTIONS, PAYOUTS)
pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresEventStore]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        roles = {"owner_role": "payments_owner", "owner_password": "o", "app_role": "payments_app", "app_password": "a"}
        server.ensure_database("payments", **roles)
        migrate(server.dsn("payments", "payments_owner", "o"), SHAPE.all_tables, "payments_app")
        dsn = server.dsn("payments", "payments_app", "a")
        with PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as opened:
            yield opened


def told(world: World) -> World:
    """A balance forwarded from remittance to remittance, past a snapshot, and what else moves a row."""
    reversal = claim_payment().model_copy(update={"status": "22", "payer_control_number": "ICN1"})
    for number in range(130):
        head = adjusted(f"TRACE{number}", plb("FB", 100), plb("FB", -100), effective_date=DAY)
        world.deliver(*remittance(head, reversal))
    world.deliver(*remittance(adjusted("FIRST", plb("FB", -100), effective_date=DAY.replace(day=1))))
    world.deliver(*remittance(summary("ZERO", paid=0)), adjudication(2500), adjudication(-2500, 1, kind="reversal"))
    gateway_told(world)
    accounts_told(world)
    return world


def gateway_told(world: World) -> None:
    """A payment, a refund that is sent, a thin event that is asked for, and a payout that comes back."""
    facts: list[GatewayFact] = [
        PaymentArrived("pi_1", Money(2500), DAY, "NORTH", ACCOUNT),
        ObjectChanged(ObjectKind.PAYMENT, "pi_2", DAY),
        PayoutCameBack("po_1", Money(2397), DAY, "account_closed", DAY),
    ]
    world.gateway.objects["pi_2"] = PaymentArrived("pi_2", Money(300), DAY, "NORTH", ACCOUNT)
    world.gateway.payouts["po_1"] = [BalanceTransaction("txn_1", Money(2500), Money(103), Money(2397), "pi_1")]
    messages = [GatewayMessage(f"{number}".encode(), f"evt_{number}", fact) for number, fact in enumerate(facts)]
    world.doors.receive_webhooks(messages)
    refund_id, payment_id = derive("test-refund", 1), payment_id_of("pi_1")

    def approve(work: Work) -> None:
        payment = work.require(Payment, payment_id)
        payment.request_refund(refund_id, Money(500), "overpaid", "clerk")
        approve_refund(work, payment, refund_id, by="lead", limit=Money(0), on=DAY)

    transact(world.store, context(), approve)
    world.sweep()


def accounts_told(world: World) -> None:
    """A write-off, a plan, a share that is moved, who answers for a visit, and a payment that finds the visit it names."""
    claim, visit = derive("test-claim", 8), derive("test-encounter", 8)
    named = PaymentArrived("pi_8", Money(400), DAY, "NORTH", None, encounter_id=visit)
    world.doors.receive_webhooks([GatewayMessage(b"8", "evt_8", named)])
    other = derive("test-patient", 8)
    world.deliver(
        adjudication(4000, 8, claim_id=claim, encounter_id=visit, patient_id=other),
        told_guarantor(charged(8000, payer="ACME"), derive("test-guarantor", 1), 1),
    )
    world.sweep()
    theirs = account_id_of("NORTH", other)
    write_off, on = derive("test-write-off", 8), world.clock().date()

    def decide(work: Work) -> None:
        asked = {"account_id": theirs, "place": claim, "kind": WriteOffKind.BAD_DEBT, "amount": Money(3000)}
        request_write_off(work, write_off, **asked, reason="old")  # type: ignore[arg-type]
        approve_write_off(work, write_off, amount=Money(3000), limit=Money(5000), on=on)
        instalments = [Instalment(due_on=on, amount=Money(500))]
        agree_plan(work, derive("test-plan", 8), account_id=theirs, instalments=instalments, on=on)
        wanted = TransferOf(Moved.SHARE, claim, theirs, ACCOUNT, Money(100))
        request_transfer(work, derive("test-transfer", 8), wanted, "answers for it")
        approve_transfer(work, derive("test-transfer", 8), amount=Money(100), limit=Money(100), on=on)

    transact(world.store, context(), decide)
    world.sweep()
    found = statement(world.store, theirs, on, world.clock())
    assert found is not None
    assert found.adds_up
    assert (found.balance, found.plan is None) == (Money(500), False)
    assert [row["state"] for row in world.rows(PAYMENTS, payment_id=payment_id_of("pi_8"), account_id=theirs)] == [
        "succeeded"
    ]


def test_postgres_and_memory_hold_the_same_and_rebuild_to_the_same(store: PostgresEventStore) -> None:
    on_postgres, in_memory = told(World(store)), told(World())
    tables = [store.read_model_hash(table) for table in SHAPE.all_tables]
    kept = {table.name: [row["state"] for row in on_postgres.rows(table)] for table in GATEWAY}
    assert kept == {"gateway_orders": ["known"], "gateway_questions": ["answered"], "payouts": ["returned"]}
    assert tables == [in_memory.memory.read_model_hash(table) for table in SHAPE.all_tables]
    store.rebuild_read_models()
    assert tables == [store.read_model_hash(table) for table in SHAPE.all_tables]
    balance_id = provider_balance_id("ACME", PROVIDER)
    one, other = (Work(each.store, context()).require(ProviderBalance, balance_id) for each in (on_postgres, in_memory))
    assert one.moves == other.moves
    assert one.version > ProviderBalance.snapshot_every
    assert [item.id for item in one.pairing.open_items] == [item.id for item in other.pairing.open_items]
    assert entity_balances(store, "NORTH")[1] == entity_balances(in_memory.store, "NORTH")[1]
