"""One vocabulary to ask any part of the outside world to misbehave, and a record of what then struck."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

_T = TypeVar("_T")
UNTIL_LIFTED = -1


class Fault(StrEnum):
    """What can be asked for. `measure` of the request means: steps (delay), milliseconds (slow, hold), bytes (cut), cents
    (interest, levy, refund-acknowledged), seconds until it may be asked again (throttle), questions (read-lag).
    """

    DUPLICATE = "duplicate"
    DUPLICATE_OTHER_LAYOUT = "duplicate-other-layout"
    DELAY = "delay"
    DROP = "drop"
    REORDER = "reorder"
    CORRUPT_ONE_CENT = "corrupt-one-cent"
    DOWN = "down"
    TIMEOUT_AFTER_WORK = "timeout-after-work"
    SERVER_ERROR = "server-error"
    ERROR_AFTER_WORK = "error-after-work"
    RESET = "reset"
    RESET_AFTER_WORK = "reset-after-work"
    THROTTLE = "throttle"
    READ_LAG = "read-lag"
    SLOW = "slow"
    HOLD = "hold"
    CUT = "cut"
    REJECT = "reject"
    UNKNOWN_CLAIM = "unknown-claim"
    WRONG_SIGNATURE = "wrong-signature"
    OLD_TIMESTAMP = "old-timestamp"
    WITHOUT_METADATA = "without-metadata"
    CORRECTION = "correction"
    CORRECTION_IN_TWO_FILES = "correction-in-two-files"
    CORRECTION_FIRST = "correction-first"
    DENIAL_OVERTURNED = "denial-overturned"
    PAYMENT_RETRACTED = "payment-retracted"
    RECOUPMENT_DEFERRED = "recoupment-deferred"
    REFUND_ACKNOWLEDGED = "refund-acknowledged"
    INTEREST = "interest"
    LEVY = "levy"
    CROSSOVER = "crossover"
    PREDETERMINATION = "predetermination"
    FORWARDED = "forwarded"
    SPLIT_CLAIM = "split-claim"


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault that really happened, on what."""

    fault: Fault
    target: str
    measure: int = 0


@dataclass(slots=True)
class _Request:
    fault: Fault
    target: str
    times: int
    measure: int
    spared: int

    def is_due(self) -> bool:
        """Whether it strikes now; the first ones that it meets may have been spared."""
        self.spared -= 1
        return self.spared < 0


class Misbehaviour:
    """Requests to misbehave, each used up after `times` strikes. Safe to share between threads.

    A request with a target strikes only there; one without strikes the first that asks. `struck` tells what
    happened, so that a test can show that its fault was hit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[_Request] = []
        self._struck: list[Strike] = []

    def request(self, fault: Fault, *, target: str = "", times: int = 1, measure: int = 1, spared: int = 0) -> None:
        """Ask for a fault; `times=UNTIL_LIFTED` holds until `lift`. The first `spared` that it would strike go free."""
        if times < 1 and times != UNTIL_LIFTED:
            raise ValueError(f"{fault}: times must be at least 1, not {times}")
        with self._lock:
            self._requests.append(_Request(fault, target, times, measure, spared))

    def lift(self, fault: Fault) -> None:
        """Take back every open request for this fault."""
        with self._lock:
            self._requests = [request for request in self._requests if request.fault is not fault]

    def strike(self, fault: Fault, target: str = "") -> Strike | None:
        """Use up one request for this fault at this target; None where nobody asked for it."""
        with self._lock:
            for request in self._requests:
                if request.fault is fault and request.target in ("", target):
                    return self._use(request, target) if request.is_due() else None
        return None

    def strike_content(self, fault: Fault, content: bytes) -> Strike | None:
        """Like `strike`, for bytes on a wire: a request's target is a text that they must contain."""
        with self._lock:
            for request in self._requests:
                if request.fault is fault and request.target.encode() in content:
                    return self._use(request, request.target) if request.is_due() else None
        return None

    def _use(self, request: _Request, target: str) -> Strike:
        strike = Strike(request.fault, target, request.measure)
        self._struck.append(strike)
        if request.times != UNTIL_LIFTED:
            request.times -= 1
        if request.times == 0:
            self._requests.remove(request)
        return strike

    @property
    def struck(self) -> tuple[Strike, ...]:
        with self._lock:
            return tuple(self._struck)

    @property
    def open_requests(self) -> tuple[Fault, ...]:
        """What was asked for and has not struck yet."""
        with self._lock:
            return tuple(request.fault for request in self._requests)


@dataclass(slots=True)
class _Waiting(Generic[_T]):
    item: _T
    target: str
    steps_left: int


class Outbox(Generic[_T]):
    """What waits to leave the outside world; `due` is one step, and applies DOWN, DELAY, DUPLICATE and REORDER."""

    def __init__(self, misbehaviour: Misbehaviour, copy: Callable[[_T, int], _T] | None = None) -> None:
        self._misbehaviour = misbehaviour
        self._copy = copy or (lambda item, _number: item)
        self._waiting: list[_Waiting[_T]] = []

    def put(self, item: _T, target: str) -> None:
        """Queue an item; `target` is its kind, for requests that name one."""
        delay = self._misbehaviour.strike(Fault.DELAY, target)
        self._waiting.append(_Waiting(item, target, delay.measure if delay else 0))

    def put_all(self, items: Iterable[tuple[_T, str]]) -> None:
        for item, target in items:
            self.put(item, target)

    def due(self) -> list[_T]:
        """What leaves in this step, in order; nothing while down."""
        if self._misbehaviour.strike(Fault.DOWN, "outbox"):
            return []
        ready = [waiting for waiting in self._waiting if waiting.steps_left == 0]
        self._waiting = [waiting for waiting in self._waiting if waiting.steps_left > 0]
        for waiting in self._waiting:
            waiting.steps_left -= 1
        leaving: list[_T] = []
        for waiting in ready:
            leaving.append(waiting.item)
            if self._misbehaviour.strike(Fault.DUPLICATE, waiting.target):
                leaving.append(self._copy(waiting.item, 2))
        if len(leaving) > 1 and self._misbehaviour.strike(Fault.REORDER, "outbox"):
            leaving.reverse()
        return leaving

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)
