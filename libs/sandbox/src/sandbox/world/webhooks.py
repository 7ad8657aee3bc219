"""Signed webhooks, delivered at least once and in no promised order."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from sandbox.world.gateway_objects import Json
from sandbox.world.misbehaviour import Fault, Misbehaviour, Outbox

ATTEMPTS_MAX = 120
TICK_SECONDS = 0.05
_AGE_OF_OLD_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery: `status` is None where nobody answered."""

    event_id: str
    kind: str
    status: int | None


@dataclass(frozen=True, slots=True)
class _Parcel:
    event_id: str
    kind: str
    payload: bytes
    attempt: int = 1
    not_before: float = 0.0


def signature_header(payload: bytes, secret: str, timestamp: int) -> str:
    """The header that signs it: HMAC-SHA256 over `<timestamp>.<payload>`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class WebhookSender:
    """Delivers each event until it is answered with 2xx, the same bytes each time, at most `ATTEMPTS_MAX` times.

    Faults by event type: DROP (never sent), DUPLICATE, DELAY (ticks of 50 ms), WRONG_SIGNATURE and OLD_TIMESTAMP (of one attempt; the next is
    right). By target `outbox`: REORDER, DOWN (one tick each).
    """

    def __init__(
        self,
        misbehaviour: Misbehaviour,
        clock: Callable[[], float],
        *,
        retry_pause_seconds: float = 1.0,
        signature: str = "Stripe-Signature",
        agent: str = "Stripe/1.0 (sandbox)",
        sign: Callable[[bytes, str, int], Mapping[str, str]] | None = None,
    ) -> None:
        self._sign = sign or (lambda payload, secret, at: {signature: signature_header(payload, secret, at)})
        self._plain_headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": agent}
        self._misbehaviour = misbehaviour
        self._clock = clock
        self._retry_pause_seconds = retry_pause_seconds
        self._outbox: Outbox[_Parcel] = Outbox(misbehaviour)
        self._again: list[_Parcel] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._client = httpx.Client(timeout=10)
        self.url = ""
        self.secret = ""
        self.attempts: list[Attempt] = []
        self.given_up: list[str] = []

    def configure(self, url: str, secret: str) -> None:
        """Where to send to, and the endpoint's secret. Without a URL events wait."""
        self.url, self.secret = url, secret
        self._wake.set()

    def put(self, events: list[Json]) -> None:
        """Queue events for delivery."""
        with self._lock:
            for event in events:
                kind = str(event["type"])
                if self._misbehaviour.strike(Fault.DROP, kind):
                    continue
                self._outbox.put(_Parcel(str(event["id"]), kind, json.dumps(event, indent=2).encode()), kind)
        self._wake.set()

    def start(self) -> None:
        """Deliver in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=15)
        self._client.close()

    @property
    def waiting_count(self) -> int:
        """Events that were not answered with 2xx yet."""
        with self._lock:
            return self._outbox.waiting_count + len(self._again)

    def step(self) -> int:
        """Deliver what is due once; returns the number of attempts."""
        if not self.url:
            return 0
        with self._lock:
            due = [parcel for parcel in self._again if parcel.not_before <= self._clock()]
            self._again = [parcel for parcel in self._again if parcel not in due]
            due += self._outbox.due()
        for parcel in due:
            self._deliver(parcel)
        return len(due)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.step()
            self._wake.wait(TICK_SECONDS if self.waiting_count else 1)
            self._wake.clear()

    def _deliver(self, parcel: _Parcel) -> None:
        status = self._post(parcel)
        with self._lock:
            self.attempts.append(Attempt(parcel.event_id, parcel.kind, status))
            if status is not None and 200 <= status < 300:
                return
            if parcel.attempt >= ATTEMPTS_MAX:
                self.given_up.append(parcel.event_id)
                return
            later = self._clock() + self._retry_pause_seconds
            self._again.append(_Parcel(parcel.event_id, parcel.kind, parcel.payload, parcel.attempt + 1, later))

    def _post(self, parcel: _Parcel) -> int | None:
        timestamp, secret = int(self._clock()), self.secret
        if self._misbehaviour.strike(Fault.WRONG_SIGNATURE, parcel.kind):
            secret = f"not-{secret}"
        if self._misbehaviour.strike(Fault.OLD_TIMESTAMP, parcel.kind):
            timestamp -= _AGE_OF_OLD_SECONDS
        headers = {**self._plain_headers, **self._sign(parcel.payload, secret, timestamp)}
        try:
            return self._client.post(self.url, content=parcel.payload, headers=headers).status_code
        except httpx.TransportError:
            return None
