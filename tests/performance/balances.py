"""How long a patient's balance takes by gRPC, on an idle suite and while a large remittance posts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from random import Random
from uuid import UUID

from billing.payments.v1 import payments_pb2, payments_pb2_grpc
from canonical.money import Money

from tests.performance.end_to_end import pay, sums_of
from tests.performance.figures import Bar, Baseline, Figure
from tests.performance.stopwatch import percentile
from tests.performance.world import World

BAR_MS = Bar(50, 10)
PAUSE_SECONDS = 0.02
ACCOUNTS = "SELECT account_id FROM patient_accounts WHERE responsibility_minor > 0 ORDER BY account_id LIMIT 2000"


def asking_while_posting(world: World) -> Figure:
    """The row: the 99th percentile while the second remittance goes through the suite."""
    owed = world.owed("beside")
    ask = _asker(world)
    idle = [ask() for _ in range(world.sizes.balances_idle)]
    busy: list[float] = []
    over = threading.Event()
    asking = threading.Thread(target=_ask_until, args=(ask, over, busy), name="balances")
    asking.start()
    try:
        paid = pay(world, owed)
    finally:
        over.set()
        asking.join()
    return Figure(
        row="balance",
        work=f"patient balance by gRPC while {owed.claim_count:,} claims post (p99)",
        value=percentile(busy, 99) * 1000,
        unit="ms",
        bar=BAR_MS,
        baseline=Baseline("the same on the idle suite (p99)", percentile(idle, 99) * 1000),
        details=(
            f"while posting: p50 {percentile(busy, 50) * 1000:.1f} ms, at most {max(busy) * 1000:.0f} ms, {len(busy)} calls",
            f"idle: p50 {percentile(idle, 50) * 1000:.1f} ms, {len(idle)} calls",
            f"the remittance took {paid.seconds:.1f} s: {owed.claim_count / paid.seconds:,.0f} claims/s meanwhile",
        ),
        sums=sums_of(world, owed, paid.remittance_id),
    )


def _asker(world: World) -> Callable[[], float]:
    """A function that asks for the next patient's balance and gives the seconds it took."""
    accounts = [row[0] for row in world.ask("payments", ACCOUNTS)]
    assert accounts, "somebody owes something"
    Random(1).shuffle(accounts)
    following: Iterator[object] = cycle(accounts)
    stub = payments_pb2_grpc.PaymentsServiceStub(world.access.channel("payments"))

    def ask() -> float:
        (account,) = islice(following, 1)
        assert isinstance(account, UUID)
        request = payments_pb2.GetPatientBalanceRequest(account_id=str(account))
        began = time.perf_counter()
        answer = world.access.call("payments", stub.GetPatientBalance, request)
        seconds = time.perf_counter() - began
        assert Money(answer.balance.minor) > Money(0), "whoever owed still owes"
        return seconds

    return ask


def _ask_until(ask: Callable[[], float], over: threading.Event, taken: list[float]) -> None:
    while not over.wait(PAUSE_SECONDS):
        taken.append(ask())
