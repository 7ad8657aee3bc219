"""Posts payments and asks for balances, in a process of its own: `python -m tests.performance.payment_calling PLAN`.

The plan, as JSON: the `suite`'s folder, a `file` of account ids, one a line, the `rate` of each kind of call a second, whenever
the answers come, and the `run`'s name in the idempotency keys. It says when it begins, and ends when its input does; what
was answered is written as JSON.
A payment whose answer is lost is posted again under its key, as a caller does. The first second's calls are not timed:
they open connections.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path

import grpc
from billing.common.v1 import common_pb2
from billing.payments.v1 import (
    patient_accounts_pb2,
    patient_accounts_pb2_grpc,
    patient_payments_pb2,
    patient_payments_pb2_grpc,
)
from chassis.runtime.interpreter import tune_interpreter
from throughline.connection import read_connection, tokens_of

from tests.performance.stopwatch import percentile

BEGINS = "calling"
AMOUNT_MINOR = 1_00
DEADLINE_SECONDS = 10.0
WARM_SECONDS = 1.0
WAITING_MAX = 4_000
TRIES_MAX, PAUSE_SECONDS = 100, 0.25
AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)


@dataclass(frozen=True, slots=True)
class CallPlan:
    suite: str
    file: str
    rate: float
    run: str


@dataclass(slots=True)
class Answered:
    """Of one kind of call: how many were answered and how many had to be made again, and how long it took from when each was due."""

    count: int
    again: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(slots=True)
class _Tally:
    timed_from: float
    count: int = 0
    seconds: list[float] = field(default_factory=list)
    again: int = 0

    def note(self, due: float) -> None:
        self.count += 1
        if due >= self.timed_from:
            self.seconds.append(time.perf_counter() - due)

    def told(self) -> Answered:
        assert self.seconds, "there was no time for anything"
        ms = [seconds * 1000 for seconds in self.seconds]
        return Answered(self.count, self.again, percentile(ms, 50), percentile(ms, 99), max(ms))


async def call_all(plan: CallPlan, over: asyncio.Event) -> dict[str, Answered]:
    """Calls until it is over, and waits for the answers."""
    connection = read_connection(Path(plan.suite))
    tokens = tokens_of(connection)
    assert tokens is not None, "the suite asks for tokens"
    metadata = (("authorization", f"Bearer {tokens.token()}"),)
    accounts = Path(plan.file).read_text(encoding="ascii").split()
    async with grpc.aio.insecure_channel(connection.services["payments"], [("grpc.enable_http_proxy", 0)]) as channel:
        balances = patient_accounts_pb2_grpc.PatientAccountsServiceStub(channel)
        payments = patient_payments_pb2_grpc.PatientPaymentsServiceStub(channel)

        async def balance(number: int) -> None:
            request = patient_accounts_pb2.GetBalanceRequest(account_id=accounts[number % len(accounts)])
            await balances.GetBalance(request, timeout=DEADLINE_SECONDS, metadata=metadata)

        async def post(number: int) -> None:
            request = patient_payments_pb2.PostPaymentRequest(
                idempotency_key=f"{plan.run}-{number}",
                account_id=accounts[number % len(accounts)],
                amount=common_pb2.Money(minor=AMOUNT_MINOR, currency="USD"),
                channel="check",
            )
            await payments.PostPayment(request, timeout=DEADLINE_SECONDS, metadata=metadata)

        sys.stdout.write(f"{BEGINS}\n")
        sys.stdout.flush()
        tallies = await asyncio.gather(_paced(balance, plan.rate, over), _paced(post, plan.rate, over))
    return dict(zip(("GetBalance", "PostPayment"), (tally.told() for tally in tallies), strict=True))


async def _paced(call: Callable[[int], Awaitable[None]], rate: float, over: asyncio.Event) -> _Tally:
    began = time.perf_counter()
    tally, waiting = _Tally(began + WARM_SECONDS), set[asyncio.Task[None]]()
    for number in count():
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if over.is_set():
            break
        assert len(waiting) < WAITING_MAX, "the service does not follow at all"
        task = asyncio.create_task(_one(call, number, due, tally))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    await asyncio.gather(*waiting)
    return tally


async def _one(call: Callable[[int], Awaitable[None]], number: int, due: float, tally: _Tally) -> None:
    for _ in range(TRIES_MAX):
        try:
            await call(number)
        except grpc.aio.AioRpcError as error:
            if error.code() not in AGAIN:
                raise
            tally.again += 1
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            tally.note(due)
            return
    raise TimeoutError(f"call {number} was never answered")


async def _main(plan: CallPlan) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    listening = loop.run_in_executor(None, sys.stdin.read)
    listening.add_done_callback(lambda _: over.set())
    answered = await call_all(plan, over)
    sys.stdout.write(json.dumps({name: asdict(each) for name, each in answered.items()}))


if __name__ == "__main__":
    tune_interpreter()
    asyncio.run(_main(CallPlan(**json.loads(sys.argv[1]))))
