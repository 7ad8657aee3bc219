"""A storm of webhooks, a third of them repetitions, in no order: how fast it is over, and whether every cent is where it belongs."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import ledger_adapter.main
import payments.main
import psycopg
from chassis.eventstore.postgres import PostgresEventStore
from chassis.runtime import ServiceCore, ServiceShape
from ledger_adapter.adapters.fake_erp import FakeErp, OneErpForAll
from payments.adapters.stripe_gateway import verify
from sandbox.processes import ManagedProcess
from sandbox.world.gateway import WEBHOOK_SECRET
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.webhooks import signature_header
from throughline.stack.composition import Stack
from throughline.stack.roster import MEMBERS

from tests.contracts.gateway_till import ENTITY, Till, patient_of
from tests.contracts.money_road import OwnGateway, charged
from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.intake_alone import Sent, finished
from tests.performance.intake_load import own_folder, told
from tests.performance.intake_sending import Plan
from tests.performance.intake_traffic import write_conversations
from tests.performance.sizes import Sizes
from tests.performance.stopwatch import cpu_seconds, peak_memory_mb, seconds_of

BAR = Bar(1_000, 2_000)
CONNECTIONS = 160
REPEATED_PERCENT = 30
PAYMENTS_EACH, PAYMENT, REFUND, CHARGE = 4, 30_00, 10_00, 100_00
WEBHOOKS_EACH = 2 * PAYMENTS_EACH + 2
LEFT = PAYMENTS_EACH * PAYMENT - REFUND
"""What a patient has paid after the refund: more than the visit cost, so that some of it stays unapplied."""
SEED_BATCH = 500
SECONDS_MAX = 300.0
POLL_SECONDS = 0.05
ACCOUNTS = b"""
SELECT coalesce(sum(responsibility_minor), 0)::bigint, coalesce(sum(applied_minor), 0)::bigint,
coalesce(sum(unapplied_minor), 0)::bigint FROM patient_accounts
"""
CLEARING = b"SELECT coalesce(sum(amount_minor), 0)::bigint FROM subledger_lines WHERE account = 'gateway-clearing'"
OPEN = b"SELECT count(*) FROM exception_cases WHERE state = 'open'"

_T = TypeVar("_T")


@dataclass(frozen=True)
class Storm:
    """Every webhook as it is sent, and the patients of it."""

    bodies: list[bytes]
    patients: int

    @classmethod
    def of(cls, count: int, seed: int = 1, repeated_percent: int = REPEATED_PERCENT) -> Storm:
        """About so many webhooks."""
        dice, gateway = random.Random(seed), OwnGateway()
        patients = max(1, count * (100 - repeated_percent) // 100 // WEBHOOKS_EACH)
        distinct = [body for number in range(patients) for body in _paid(gateway.till(_name(number)))]
        bodies = distinct + dice.choices(distinct, k=count - len(distinct))
        dice.shuffle(bodies)
        return cls(bodies, patients)


def webhook_storm(folder: Path, sizes: Sizes) -> list[Figure]:
    """The row: from the first webhook to the last answer, which is durable and has moved the accounts."""
    storm = Storm.of(sizes.storm)
    with Calm(own_folder(folder, "webhook-storm"), storm.patients) as suite:
        sent, used = suite.take(storm.bodies)
        since = time.perf_counter()
        suite.wait_for(CLEARING, "ledger", LEFT * storm.patients)
        booked = time.perf_counter() - since
        found = suite.ask("payments", ACCOUNTS)
        open_cases = suite.ask("payments", OPEN)[0]
        memory = suite.memory_mb
    rate = len(storm.bodies) / sent.seconds
    return [
        Figure(
            row="webhook-storm",
            work=f"{len(storm.bodies):,} webhooks, {REPEATED_PERCENT}% of them repeated, in no order: durable, accounts moved",
            value=rate,
            unit="messages/s",
            bar=BAR,
            baseline=Baseline("the same signatures checked and JSON read, nothing kept", _bare_rate(storm.bodies)),
            memory_mb=memory,
            details=(
                told(f"{CONNECTIONS} connections, closed loop", sent),
                f"{used / len(storm.bodies) * 1000:.2f} ms of payments' processor each",
                f"the ledger had booked all of it {booked:.1f} s after the last answer: "
                f"{len(storm.bodies) / (sent.seconds + booked):,.0f}/s from the first webhook to the last entry",
            ),
            sums=(
                Sums("answered 200", str(len(storm.bodies)), str(sent.answered("200"))),
                Sums("owed", str(CHARGE * storm.patients), str(found[0])),
                Sums("applied", str(CHARGE * storm.patients), str(found[1])),
                Sums("unapplied", str((LEFT - CHARGE) * storm.patients), str(found[2])),
                Sums("open cases", "0", str(open_cases)),
            ),
        )
    ]


class Calm:
    """Payments and the ledger with patients who owe, before the storm; a context manager that leaves nothing running.

    As the suite runs it: one process of payments answers, another does the rest.
    """

    def __init__(self, folder: Path, patients: int) -> None:
        self._folder = folder
        self._patients = patients
        self._stack = Stack(folder / "suite", with_erp=False, with_gateway=False)
        self._payments: list[ManagedProcess] = []

    def __enter__(self) -> Calm:
        self._stack.start_servers()
        try:
            self._stack.prepare()
            self._charge()
            for member in MEMBERS:
                if member.name == "payments":
                    specs = (self._stack.service(member), self._stack.calls(member))
                    self._payments = [self._stack.suite.start_service(spec) for spec in specs]
                elif member.name == "ledger":
                    self._stack.suite.start_service(self._stack.service(member))
        except BaseException:
            self._stack.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.stop()

    def _charge(self) -> None:
        """One visit for each patient, through the services' own reactions."""
        erps = OneErpForAll(FakeErp(), (ENTITY,))
        known = sandbox_master_data()
        assembled: dict[str, tuple[ServiceShape, Callable[[PostgresEventStore], ServiceCore]]] = {
            "payments": (payments.main.SHAPE, lambda store: payments.main.assemble(store, _now, OwnGateway())),
            "ledger": (ledger_adapter.main.SHAPE, lambda store: ledger_adapter.main.assemble(store, _now, known, erps)),
        }
        for name, (shape, assemble) in assembled.items():
            dsn = self._stack.database(name).app_dsn
            with PostgresEventStore(dsn, shape.registry(), shape.all_projections, shape.all_tables) as store:
                consumer = assemble(store).consumers["intake"]
                for start in range(0, self._patients, SEED_BATCH):
                    portion = range(start, min(start + SEED_BATCH, self._patients))
                    consumer.handle([charged(patient_of(_name(number)), CHARGE) for number in portion])

    def take(self, bodies: Sequence[bytes], connections: int = CONNECTIONS, rate: float = 0.0) -> tuple[Sent, float]:
        """Sends all of it from a process of its own; what was answered, and payments' processor seconds meanwhile.

        With a rate, so many a second, whenever the answers come.
        """
        file = self._folder / "storm.messages"
        write_conversations(file, [(body,) for body in bodies])
        host, port = self._stack.address("payments", "http").split(":")
        plan = Plan("webhook", host, int(port), str(file), connections, WEBHOOK_SECRET, rate, seconds_max=SECONDS_MAX)
        before = self._payments_cpu
        command = [sys.executable, "-m", "tests.performance.intake_sending", json.dumps(asdict(plan))]
        sent = finished(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return sent, self._payments_cpu - before

    @property
    def _payments_cpu(self) -> float:
        return sum(cpu_seconds(process.pid or 0) for process in self._payments)

    @property
    def memory_mb(self) -> float:
        return max(peak_memory_mb(process.pid or 0) for process in self._payments)

    def ask(self, service: str, query: bytes) -> tuple[object, ...]:
        """The one row that a query gives."""
        (row,) = self.with_connection(service, lambda connection: connection.execute(query).fetchall())
        return row

    def with_connection(self, service: str, work: Callable[[psycopg.Connection[tuple[object, ...]]], _T]) -> _T:
        """Works with a service's database, as its owner."""
        with psycopg.connect(self._stack.database(service).owner_dsn) as connection:
            return work(connection)

    def wait_for(self, query: bytes, service: str, wanted: int) -> None:
        """Until the query gives that number, or the time is up: the sums tell then what is missing."""
        deadline = time.monotonic() + SECONDS_MAX
        while self.ask(service, query) != (wanted,):
            assert time.monotonic() < deadline, f"{service}: {self.ask(service, query)} where {wanted} is awaited"
            time.sleep(POLL_SECONDS)


def _paid(till: Till) -> list[bytes]:
    paid = [till.pay(PAYMENT) for _ in range(PAYMENTS_EACH)]
    till.refund(paid[0], REFUND)
    return till.webhooks


def _name(number: int) -> str:
    return f"storm{number}"


def _bare_rate(bodies: Sequence[bytes]) -> float:
    """Webhooks a second where nothing is kept."""
    some = bodies[:2_000]
    now = datetime.now(UTC)
    signed = [(body, signature_header(body, WEBHOOK_SECRET, int(now.timestamp()))) for body in some]

    def check() -> None:
        for body, signature in signed:
            verify(body, signature, [WEBHOOK_SECRET], now)
            json.loads(body)

    return len(some) / seconds_of(check)


def _now() -> datetime:
    return datetime.now(UTC)
