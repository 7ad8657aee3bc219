"""The retry policy: which class a technical failure belongs to, and how often and how soon it is tried again."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import grpc
import httpx
import nats.errors
import nats.js.errors
import psycopg
from eventsourcing.persistence import InterfaceError as RecorderInterfaceError
from eventsourcing.persistence import OperationalError as RecorderOperationalError

from chassis.domain import Conflict, NotYet, Refusal, Transient, Unavailable, UnsafeSetting


class FailureClass(StrEnum):
    """Outage: the other side is down, pause and probe. Transient: the next try may do. Refused: never retried.

    Unclassified: a bug of ours, or an error code nobody has judged yet; it is tried a few times and then set apart.
    """

    OUTAGE = "outage"
    TRANSIENT = "transient"
    REFUSED = "refused"
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits of `first_seconds`, then `factor` times longer each, up to `longest_seconds`; None tries without end."""

    first_seconds: float
    factor: float
    longest_seconds: float
    attempts_max: int | None

    def delay_seconds(self, attempt: int) -> float:
        """The wait after the failed attempt number `attempt`, from 1."""
        exponent = min(attempt - 1, 32)
        return float(min(self.first_seconds * self.factor**exponent, self.longest_seconds))

    def is_spent(self, attempt: int) -> bool:
        return self.attempts_max is not None and attempt >= self.attempts_max


SCHEDULES: Mapping[FailureClass, Schedule] = {
    FailureClass.OUTAGE: Schedule(0.25, 2, 15, None),
    FailureClass.TRANSIENT: Schedule(0.05, 2, 5, None),
    FailureClass.UNCLASSIFIED: Schedule(0.2, 3, 5, 3),
    FailureClass.REFUSED: Schedule(0, 1, 0, 1),
}

_GRPC: Mapping[grpc.StatusCode, FailureClass] = {
    grpc.StatusCode.UNAVAILABLE: FailureClass.OUTAGE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: FailureClass.OUTAGE,
    grpc.StatusCode.DEADLINE_EXCEEDED: FailureClass.TRANSIENT,
    grpc.StatusCode.ABORTED: FailureClass.TRANSIENT,
    grpc.StatusCode.FAILED_PRECONDITION: FailureClass.REFUSED,
    grpc.StatusCode.NOT_FOUND: FailureClass.REFUSED,
    grpc.StatusCode.ALREADY_EXISTS: FailureClass.REFUSED,
}
_HTTP: Mapping[int, FailureClass] = {
    408: FailureClass.TRANSIENT,
    429: FailureClass.OUTAGE,
    500: FailureClass.TRANSIENT,
    502: FailureClass.OUTAGE,
    503: FailureClass.OUTAGE,
    504: FailureClass.TRANSIENT,
}
# By the first two letters of the SQLSTATE: connection, rollback asked for, resources, operator intervention, system.
_SQLSTATE_CLASSES: Mapping[str, FailureClass] = {
    "08": FailureClass.OUTAGE,
    "40": FailureClass.TRANSIENT,
    "53": FailureClass.OUTAGE,
    "57": FailureClass.OUTAGE,
    "58": FailureClass.OUTAGE,
}
_LOCK_NOT_AVAILABLE = "55P03"
_BY_TYPE: tuple[tuple[tuple[type[BaseException], ...], FailureClass], ...] = (
    ((Refusal, Conflict), FailureClass.REFUSED),
    ((NotYet, Transient), FailureClass.TRANSIENT),
    ((Unavailable, UnsafeSetting), FailureClass.OUTAGE),
    ((RecorderOperationalError, RecorderInterfaceError), FailureClass.TRANSIENT),
    ((httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout), FailureClass.OUTAGE),
    ((httpx.TransportError,), FailureClass.TRANSIENT),
    ((nats.errors.NoRespondersError, nats.errors.NoServersError), FailureClass.OUTAGE),
    ((nats.errors.OutboundBufferLimitError, nats.errors.ConnectionClosedError), FailureClass.OUTAGE),
    ((nats.errors.TimeoutError, nats.errors.StaleConnectionError), FailureClass.TRANSIENT),
    ((nats.js.errors.ServiceUnavailableError,), FailureClass.OUTAGE),
    ((TimeoutError,), FailureClass.TRANSIENT),
    ((ConnectionError,), FailureClass.OUTAGE),
)


def classify(error: BaseException) -> FailureClass:
    """The class of a failure; what no rule knows is unclassified, and never retried without end."""
    if isinstance(error, grpc.RpcError):
        code = getattr(error, "code", None)
        return _GRPC.get(code(), FailureClass.UNCLASSIFIED) if callable(code) else FailureClass.UNCLASSIFIED
    if isinstance(error, httpx.HTTPStatusError):
        return _HTTP.get(error.response.status_code, FailureClass.UNCLASSIFIED)
    if isinstance(error, psycopg.Error):
        return _classify_database(error)
    for types, found in _BY_TYPE:
        if isinstance(error, types):
            return found
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EMFILE):
        return FailureClass.OUTAGE
    return FailureClass.UNCLASSIFIED


def _classify_database(error: psycopg.Error) -> FailureClass:
    if error.sqlstate is None:
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return FailureClass.OUTAGE if lost else FailureClass.UNCLASSIFIED
    if error.sqlstate == _LOCK_NOT_AVAILABLE:
        return FailureClass.TRANSIENT
    return _SQLSTATE_CLASSES.get(error.sqlstate[:2], FailureClass.UNCLASSIFIED)
