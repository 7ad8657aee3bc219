"""The streams as NATS keeps them: every message by its sequence, and what the server says of streams and consumers."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from throughline.checker.invariants.streams import Nats
from throughline.checker.records import Message
from throughline.checker.vocabulary import STREAMS

PAGE = 500
PAGE_SECONDS = 30.0
CONNECT_SECONDS = 5
CONSUMERS_MAX = 1000
HEADER_LINE = b"NATS/1.0\r\n"

_T = TypeVar("_T")


class NatsUnreadable(Exception):
    """NATS does not answer, or does not let us read."""


@dataclass(frozen=True, slots=True)
class NatsLogin:
    """The checker's login: it may read, and nothing else."""

    url: str
    user: str
    password: str
    inbox_prefix: str
    monitoring_url: str


class NatsReader:
    """Reads from any thread; its connection lives in a thread of its own."""

    def __init__(self, login: NatsLogin) -> None:
        self._login = login
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._pages = 0

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._client = self._call(self._connect())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._client.close())
        self._end()

    def survey(self, replicas: int) -> Nats:
        """What the server says of itself, of every stream and of its consumers."""
        streams: dict[str, dict[str, object]] = {}
        consumers: dict[str, tuple[dict[str, object], ...]] = {}
        faults: list[str] = []
        for name in STREAMS.values():
            answer = self._ask(f"$JS.API.STREAM.INFO.{name}", b"")
            if "error" in answer:
                faults.append(f"{name}: {answer['error']['description']}")
                continue
            streams[name] = answer
            consumers[name] = self._consumers(name)
        return Nats(streams, consumers, self._sync_always(), replicas, tuple(faults))

    def bounds(self, service: str) -> tuple[int, int]:
        """The first and the last sequence of a stream; (1, 0) where it is empty or missing."""
        answer = self._ask(f"$JS.API.STREAM.INFO.{STREAMS[service]}", b"")
        if "error" in answer:
            return 1, 0
        return max(1, answer["state"]["first_seq"]), answer["state"]["last_seq"]

    def messages(self, service: str, first: int, last: int) -> Iterator[Message]:
        """Every message of a stream in order; one page is on its way while another is looked at."""
        stream = STREAMS[service]
        starts = range(first, last + 1, PAGE)
        ahead = self._begin(stream, starts[0], last) if starts else None
        for start in starts:
            assert ahead is not None
            page = self._await(ahead)
            ahead = self._begin(stream, start + PAGE, last) if start + PAGE <= last else None
            yield from page

    def _begin(self, stream: str, start: int, last: int) -> Any:
        end = min(start + PAGE - 1, last)
        self._pages += 1
        return asyncio.run_coroutine_threadsafe(self._page(stream, start, end, self._pages), self._loop)

    async def _page(self, stream: str, start: int, end: int, number: int) -> list[Message]:
        """One page by many requests and one subscription: a reply's subject ends with the sequence asked for."""
        answers: dict[int, Msg] = {}
        done = asyncio.Event()

        async def take(message: Msg) -> None:
            answers[int(message.subject.rsplit(".", 1)[1])] = message
            if len(answers) == end - start + 1:
                done.set()

        prefix = f"{self._login.inbox_prefix}.page{number}"
        subscription = await self._client.subscribe(f"{prefix}.*", cb=take)
        try:
            for sequence in range(start, end + 1):
                request = b'{"seq":%d}' % sequence
                await self._client.publish(f"$JS.API.STREAM.MSG.GET.{stream}", request, reply=f"{prefix}.{sequence}")
            await asyncio.wait_for(done.wait(), PAGE_SECONDS)
        finally:
            await subscription.unsubscribe()
        found = (message_of(answers[sequence].data) for sequence in range(start, end + 1))
        return [message for message in found if message is not None]

    def _consumers(self, stream: str) -> tuple[dict[str, object], ...]:
        found: list[dict[str, object]] = []
        while len(found) < CONSUMERS_MAX:
            answer = self._ask(f"$JS.API.CONSUMER.LIST.{stream}", b'{"offset":%d}' % len(found))
            page = answer.get("consumers") or []
            found += page
            if not page or len(found) >= answer.get("total", 0):
                break
        return tuple(found)

    def _sync_always(self) -> object:
        try:
            answer = httpx.get(f"{self._login.monitoring_url}/jsz", timeout=CONNECT_SECONDS, trust_env=False).json()
        except (httpx.HTTPError, ValueError) as error:
            return f"unknown: its monitoring address does not answer ({type(error).__name__})"
        config = answer.get("config")
        return config.get("sync_always") if isinstance(config, dict) else None

    def _ask(self, subject: str, data: bytes) -> dict[str, Any]:
        reply = self._call(self._client.request(subject, data, timeout=CONNECT_SECONDS))
        answer: dict[str, Any] = json.loads(reply.data)
        return answer

    async def _connect(self) -> Client:
        return await nats.connect(
            self._login.url,
            user=self._login.user,
            password=self._login.password,
            inbox_prefix=self._login.inbox_prefix.encode(),
            connect_timeout=CONNECT_SECONDS,
            allow_reconnect=False,
            error_cb=_quiet,
        )

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        result: _T = self._await(asyncio.run_coroutine_threadsafe(work, self._loop))
        return result

    def _await(self, future: Any) -> Any:
        try:
            return future.result(PAGE_SECONDS + CONNECT_SECONDS)
        except (NatsError, OSError, TimeoutError) as error:
            raise NatsUnreadable(f"NATS: {type(error).__name__}") from error

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONNECT_SECONDS)
        self._loop.close()


def message_of(reply: bytes) -> Message | None:
    """A message as the server's answer holds it; None where it has none of that sequence."""
    kept = json.loads(reply).get("message")
    if kept is None:
        return None
    headers = headers_of(base64.b64decode(kept["hdrs"])) if "hdrs" in kept else {}
    return Message(kept["seq"], kept["subject"], headers, base64.b64decode(kept.get("data", "")))


def headers_of(block: bytes) -> Mapping[str, str]:
    """The headers of a message, read line by line."""
    lines = block.removeprefix(HEADER_LINE).decode().split("\r\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name: value.strip() for name, _, value in pairs}


async def _quiet(error: Exception) -> None:
    """Errors reach the caller by the request that failed."""
