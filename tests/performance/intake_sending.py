"""Sends what a file holds, in a process of its own: `python -m tests.performance.intake_sending PLAN`, a plan as JSON.

The plan: `wire` (`hl7`, `fhir` or `webhook`), `host`, `port`, `token` (for webhooks the secret that signs them), `file`, `connections`, `rate` (messages a second, whenever the
answers come; 0: each connection sends after the answer), `flood` (HL7 is sent without waiting for answers), `again`
(whether a bundle that was told to come again does), `seconds_max`. What was answered is written as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from chassis.runtime.interpreter import tune_interpreter
from sandbox.world.webhooks import signature_header

from tests.performance.intake_traffic import Conversation, read_conversations
from tests.performance.stopwatch import percentile

ANSWER_SECONDS_MAX = 90.0
START, END = b"\x0b", b"\x1c\r"
READ_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    wire: str
    host: str
    port: int
    file: str
    connections: int
    token: str = ""
    rate: float = 0.0
    flood: bool = False
    again: bool = True
    seconds_max: float = 120.0


@dataclass(slots=True)
class Tally:
    """What was answered, and how long it took from when it was due."""

    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    retry_afters: int = 0
    sent: int = 0

    def note(self, verdict: str, seconds: float) -> None:
        self.answers[verdict] += 1
        self.seconds.append(seconds)


class Schedule:
    """The conversations in order, each with the moment at which it is due."""

    def __init__(self, conversations: list[Conversation], rate: float) -> None:
        self._left: Iterator[Conversation] = iter(conversations)
        self._rate = rate
        self._began = time.perf_counter()
        self._given = 0

    async def __aiter__(self) -> AsyncIterator[tuple[Conversation, float]]:
        for messages in self._left:
            due = self._began + self._given / self._rate if self._rate else time.perf_counter()
            self._given += len(messages)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            yield messages, due if self._rate else time.perf_counter()


async def send_all(plan: Plan) -> dict[str, object]:
    """Sends until nothing is left, or the time is over."""
    tally = Tally()
    schedule = Schedule(read_conversations(Path(plan.file)), plan.rate)
    one = _posts if plan.wire in ("fhir", "webhook") else _flood if plan.flood else _messages
    began = time.perf_counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(plan.seconds_max):
            await asyncio.gather(*(one(plan, schedule, tally) for _ in range(plan.connections)))
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "sent": tally.sent,
        "answers": dict(tally.answers),
        "retry_afters": tally.retry_afters,
        "p50_ms": percentile(tally.seconds, 50) * 1000 if tally.seconds else 0,
        "p95_ms": percentile(tally.seconds, 95) * 1000 if tally.seconds else 0,
        "p99_ms": percentile(tally.seconds, 99) * 1000 if tally.seconds else 0,
    }


@asynccontextmanager
async def _connected(plan: Plan) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(plan.host, plan.port, limit=READ_BYTES_MAX)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _messages(plan: Plan, schedule: Schedule, tally: Tally) -> None:
    async with _connected(plan) as (reader, writer):
        async for messages, due in schedule:
            for message in messages:
                began = max(due, time.perf_counter()) if message is not messages[0] else due
                writer.write(START + message + END)
                tally.sent += 1
                tally.note(await _acknowledged(reader), time.perf_counter() - began)


async def _acknowledged(reader: asyncio.StreamReader) -> str:
    """The code of the acknowledgement: AA, AE or AR."""
    answer = await asyncio.wait_for(reader.readuntil(END), ANSWER_SECONDS_MAX)
    return answer.partition(b"MSA|")[2][:2].decode()


async def _flood(plan: Plan, schedule: Schedule, tally: Tally) -> None:
    """Sends on and on; what slows it is that nobody reads."""
    async with _connected(plan) as (reader, writer):
        began: asyncio.Queue[float | None] = asyncio.Queue()

        async def listen() -> None:
            while (at := await began.get()) is not None:
                tally.note(await _acknowledged(reader), time.perf_counter() - at)

        listening = asyncio.create_task(listen())
        async for messages, due in schedule:
            for message in messages:
                writer.write(START + message + END)
                await writer.drain()
                tally.sent += 1
                began.put_nowait(due)
        began.put_nowait(None)
        await listening


def _head(plan: Plan, message: bytes) -> bytes:
    """A webhook is signed when it is sent."""
    if plan.wire == "webhook":
        signature = signature_header(message, plan.token, int(time.time()))
        path, told = "/webhooks/stripe", f"Content-Type: application/json\r\nStripe-Signature: {signature}"
    else:
        told = f"Content-Type: application/fhir+json\r\nPrefer: return=minimal\r\nAuthorization: Bearer {plan.token}"
        path = "/fhir"
    head = f"POST {path} HTTP/1.1\r\nHost: {plan.host}\r\n{told}\r\nContent-Length: {len(message)}\r\n\r\n"
    return head.encode()


async def _posts(plan: Plan, schedule: Schedule, tally: Tally) -> None:
    async with _connected(plan) as (reader, writer):
        async for messages, due in schedule:
            for message in messages:
                status = ""
                while not status or (plan.again and status in ("429", "503")):
                    writer.write(_head(plan, message) + message)
                    tally.sent += 1
                    status, pause = await _answered(reader)
                    tally.note(status, time.perf_counter() - due)
                    if pause is not None:
                        tally.retry_afters += 1
                        await asyncio.sleep(pause)


async def _answered(reader: asyncio.StreamReader) -> tuple[str, float | None]:
    """The status, and after how many seconds to come again."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_SECONDS_MAX)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    await reader.readexactly(int(headers.get("content-length", "0")))
    return first.split()[1], float(headers["retry-after"]) if "retry-after" in headers else None


if __name__ == "__main__":
    tune_interpreter()
    sys.stdout.write(json.dumps(asyncio.run(send_all(Plan(**json.loads(sys.argv[1]))))))
