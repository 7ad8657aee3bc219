"""Waits until a suite has come to rest: nothing pending at any consumer, nothing unpublished, nothing moving."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from billing.operations.v1 import operations_pb2 as operations
from billing.operations.v1 import operations_pb2_grpc

from throughline.connection import SERVICES, Access
from throughline.outcome import Failure

POLL_SECONDS = 0.25
MONITORING_SECONDS_MAX = 5.0


class NeverSettled(Failure):
    """The suite was still moving when the time was up; the message says where."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One look at the suite: log positions by service, and what has not been handled."""

    positions: tuple[int, ...]
    unpublished: int
    pending: int
    parked: int

    @property
    def is_at_rest(self) -> bool:
        return self.unpublished == 0 and self.pending == 0


class Settling:
    """Looks at the services through the gateway, and at NATS through its monitoring port."""

    def __init__(self, access: Access, monitoring_url: str) -> None:
        self._access = access
        self._monitoring_url = monitoring_url

    def look(self) -> Movement:
        """What is moving now."""
        positions, unpublished, parked = [], 0, 0
        for service in SERVICES:
            stub = operations_pb2_grpc.OperationsServiceStub(self._access.channel(service))
            status = self._access.call(service, stub.GetStatus, operations.GetStatusRequest())
            positions.append(status.last_position)
            unpublished += max(0, status.last_position - status.relay_position)
            parked += status.parked_messages
        return Movement(tuple(positions), unpublished, self._pending(), parked)

    def wait(
        self, what: str, *, quiet_seconds: float, seconds_max: float, also: Callable[[], bool] = lambda: True
    ) -> float:
        """Waits until nothing has moved for `quiet_seconds` and `also` holds; how long that took in seconds.

        Raises:
            NeverSettled: after `seconds_max`.
        """
        began = quiet_since = time.monotonic()
        before: Movement | None = None
        while True:
            now = self.look()
            at = time.monotonic()
            if now != before or not now.is_at_rest or not also():
                quiet_since = at
            elif at - quiet_since >= quiet_seconds:
                return quiet_since - began
            if at - began > seconds_max:
                raise NeverSettled(f"{what}: still moving after {seconds_max:.0f} s: {now}")
            before = now
            time.sleep(POLL_SECONDS)

    def _pending(self) -> int:
        """What consumers have not been given, or have not acknowledged."""
        answer = httpx.get(
            f"{self._monitoring_url}/jsz",
            params={"streams": "true", "consumers": "true"},
            timeout=MONITORING_SECONDS_MAX,
            trust_env=False,
        )
        pending = 0
        for account in answer.json().get("account_details") or ():
            for stream in account.get("stream_detail") or ():
                for consumer in stream.get("consumer_detail") or ():
                    pending += consumer["num_pending"] + consumer["num_ack_pending"]
        return pending
