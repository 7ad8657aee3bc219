"""Every technical error has a class; one that nobody has judged is never retried without end."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import grpc
import httpx
import nats.errors
import psycopg
import pytest
from chassis.domain import Conflict, Refusal, Transient, Unavailable
from chassis.eventstore.port import VersionConflict
from chassis.failure_policy import FailureClass, Schedule, classify


@dataclass
class Call(grpc.RpcError):
    status: grpc.StatusCode

    def code(self) -> grpc.StatusCode:
        return self.status


def http(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://erp.test/")
    return httpx.HTTPStatusError("", request=request, response=httpx.Response(status, request=request))


OUTAGE, TRANSIENT = FailureClass.OUTAGE, FailureClass.TRANSIENT
REFUSED, UNCLASSIFIED = FailureClass.REFUSED, FailureClass.UNCLASSIFIED
CASES: list[tuple[BaseException, FailureClass]] = [
    (Refusal("no"), REFUSED),
    (Conflict("other content"), REFUSED),
    (Transient("later"), TRANSIENT),
    (VersionConflict("taken"), TRANSIENT),
    (Unavailable("down"), OUTAGE),
    (psycopg.OperationalError("connection refused"), OUTAGE),
    (psycopg.errors.DiskFull(), OUTAGE),
    (psycopg.errors.AdminShutdown(), OUTAGE),
    (psycopg.errors.DeadlockDetected(), TRANSIENT),
    (psycopg.errors.LockNotAvailable(), TRANSIENT),
    (psycopg.errors.UndefinedTable(), UNCLASSIFIED),
    (psycopg.errors.NotNullViolation(), UNCLASSIFIED),
    (Call(grpc.StatusCode.UNAVAILABLE), OUTAGE),
    (Call(grpc.StatusCode.DEADLINE_EXCEEDED), TRANSIENT),
    (Call(grpc.StatusCode.FAILED_PRECONDITION), REFUSED),
    (Call(grpc.StatusCode.INTERNAL), UNCLASSIFIED),
    (Call(grpc.StatusCode.PERMISSION_DENIED), UNCLASSIFIED),
    (httpx.ConnectError("refused"), OUTAGE),
    (httpx.ReadTimeout("slow"), TRANSIENT),
    (http(429), OUTAGE),
    (http(503), OUTAGE),
    (http(500), TRANSIENT),
    (http(418), UNCLASSIFIED),
    (nats.errors.NoRespondersError(), OUTAGE),
    (nats.errors.TimeoutError(), TRANSIENT),
    (nats.errors.OutboundBufferLimitError(), OUTAGE),
    (ConnectionResetError(), OUTAGE),
    (OSError(errno.ENOSPC, "disk full"), OUTAGE),
    (OSError(errno.EISDIR, "a folder"), UNCLASSIFIED),
    (KeyError("bug"), UNCLASSIFIED),
    (RuntimeError("bug"), UNCLASSIFIED),
]


@pytest.mark.parametrize(("error", "wanted"), CASES, ids=lambda case: repr(case)[:40])
def test_a_failure_has_its_class(error: BaseException, wanted: FailureClass) -> None:
    assert classify(error) is wanted


def test_waits_grow_to_their_limit() -> None:
    schedule = Schedule(0.25, 2, 15, None)
    assert [schedule.delay_seconds(attempt) for attempt in (1, 2, 3, 7, 5000)] == [0.25, 0.5, 1.0, 15, 15]


def test_a_bounded_schedule_is_spent_at_its_bound() -> None:
    assert [Schedule(1, 1, 1, 3).is_spent(attempt) for attempt in (1, 2, 3, 4)] == [False, False, True, True]
    assert not Schedule(1, 1, 1, None).is_spent(10_000)
