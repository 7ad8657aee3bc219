"""What one credential may ask of its ERP: how many calls at once and in a window, in lanes, less where the ERP says so.

Every adapter that speaks HTTP is given a `QuotaTransport`, so that nothing calls an ERP beside its quota. The calls at once
are halved by a 429 and grow by one after as many good answers as there are calls; what `Retry-After` says is kept to. After
some failures in a row nobody is let through for a while, then one call, and all if it goes well.

Source of the limits: NetSuite's account concurrency, Business Central's operational limits and the service protection limits of
Dynamics 365 Finance.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import count

import httpx
from chassis.domain import Unavailable
from pydantic import BaseModel, ConfigDict, Field

from ledger_adapter.application.lanes import Lane, lane_now

WAIT_SECONDS_MAX = 120.0
RETRY_AFTER_MAX = 300.0
RETRY_AFTER_UNSAID = 2.0
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 10.0


class QuotaSettings(BaseModel):
    """At most `concurrency` calls at once, and `requests` within `window_seconds`; no limit of the latter where it is 0.

    It is our slice of what the ERP grants: other integrations draw on the same account.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(default=4, ge=1, le=64)
    requests: int = Field(default=0, ge=0)
    window_seconds: int = Field(default=300, ge=1)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What happened so far, by word: calls, throttled, failed; and the calls at once that are allowed now."""

    calls: int
    throttled: int
    failed: int
    concurrency: int


class ErpQuota:
    """Shared by every adapter and thread that uses one credential. `clock` is monotonic, `epoch` counts from 1970; both seconds."""

    def __init__(
        self,
        name: str,
        settings: QuotaSettings,
        clock: Callable[[], float] = time.monotonic,
        epoch: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock
        self._epoch = epoch
        self._turn = threading.Condition()
        self._waiting: list[tuple[Lane, int]] = []
        self._tickets = count()
        self._running = 0
        self._allowed = settings.concurrency
        self._good_in_a_row = 0
        self._failures_in_a_row = 0
        self._closed_until = 0.0
        self._started: deque[float] = deque()
        self._calls = self._throttled = self._failed = 0

    @property
    def traffic(self) -> Traffic:
        with self._turn:
            return Traffic(self._calls, self._throttled, self._failed, self._allowed)

    @contextmanager
    def slot(self, lane: Lane, wait_seconds: float = WAIT_SECONDS_MAX) -> Iterator[None]:
        """Waits for its turn: the lowest lane first, and within it who came first.

        Raises:
            Unavailable: it did not come within `wait_seconds`; nothing was asked.
        """
        self._enter(lane, wait_seconds)
        try:
            yield
        finally:
            with self._turn:
                self._running -= 1
                self._turn.notify_all()

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """What an answer says about how much may be asked."""
        with self._turn:
            if status == httpx.codes.TOO_MANY_REQUESTS:
                self._throttled += 1
                self._allowed = max(1, self._allowed // 2)
                self._good_in_a_row = 0
                self._close_for(retry_after_seconds(headers.get("retry-after", ""), self._epoch()))
            elif status >= httpx.codes.INTERNAL_SERVER_ERROR:
                self._count_failure(headers.get("retry-after", ""))
            else:
                self._failures_in_a_row = 0
                self._good_in_a_row += 1
                if self._good_in_a_row >= self._allowed and self._allowed < self._settings.concurrency:
                    self._allowed += 1
                    self._good_in_a_row = 0
            self._turn.notify_all()

    def broke(self) -> None:
        """A call that got no answer."""
        with self._turn:
            self._count_failure("")
            self._turn.notify_all()

    def _count_failure(self, retry_after: str) -> None:
        self._failed += 1
        self._failures_in_a_row += 1
        if retry_after:
            self._close_for(retry_after_seconds(retry_after, self._epoch()))
        elif self._failures_in_a_row >= FAILURES_TO_OPEN:
            self._close_for(OPEN_SECONDS)

    def _close_for(self, seconds: float) -> None:
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    def _enter(self, lane: Lane, wait_seconds: float) -> None:
        ticket = (lane, next(self._tickets))
        deadline = self._clock() + wait_seconds
        with self._turn:
            self._waiting.append(ticket)
            try:
                while (pause := self._pause_of(ticket)) > 0:
                    left = deadline - self._clock()
                    if left <= 0:
                        raise Unavailable(f"{self._name}: no turn within {wait_seconds:.0f} s")
                    self._turn.wait(min(pause, left))
            finally:
                self._waiting.remove(ticket)
                self._turn.notify_all()
            self._running += 1
            self._calls += 1
            self._started.append(self._clock())

    def _pause_of(self, ticket: tuple[Lane, int]) -> float:
        """How long to wait before looking again; nought for who may go now."""
        now = self._clock()
        if now < self._closed_until:
            return self._closed_until - now
        is_first = min(self._waiting) == ticket
        is_probing = self._failures_in_a_row >= FAILURES_TO_OPEN
        if not is_first or self._running >= (1 if is_probing else self._allowed):
            return 1.0
        return self._window_pause(now)

    def _window_pause(self, now: float) -> float:
        if not self._settings.requests:
            self._started.clear()
            return 0.0
        while self._started and now - self._started[0] >= self._settings.window_seconds:
            self._started.popleft()
        if len(self._started) < self._settings.requests:
            return 0.0
        return self._started[0] + self._settings.window_seconds - now


class QuotaTransport(httpx.BaseTransport):
    """Sends a request when the quota lets it, and tells the quota what came of it."""

    def __init__(self, quota: ErpQuota, inner: httpx.BaseTransport) -> None:
        self._quota = quota
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._quota.slot(lane_now()):
            try:
                response = self._inner.handle_request(request)
            except httpx.TransportError:
                self._quota.broke()
                raise
            self._quota.answered(response.status_code, response.headers)
            return response

    def close(self) -> None:
        self._inner.close()


def retry_after_seconds(value: str, now: float) -> float:
    """Seconds of a Retry-After header, number or date (RFC 9110, 10.2.3), within bounds; a guess where it says neither.

    `now` is seconds since the epoch.
    """
    if value.isascii() and value.isdigit():
        return min(float(value), RETRY_AFTER_MAX)
    try:
        return min(max(parsedate_to_datetime(value).timestamp() - now, 0.0), RETRY_AFTER_MAX)
    except (ValueError, TypeError):
        return RETRY_AFTER_UNSAID
