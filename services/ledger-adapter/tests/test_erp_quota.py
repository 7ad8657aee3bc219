"""The quota of a credential: lanes, calls at once, windows, 429 and outages; a clock that tests move."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest
from chassis.domain import Unavailable
from ledger_adapter.adapters.erp_quota import (
    FAILURES_TO_OPEN,
    OPEN_SECONDS,
    ErpQuota,
    QuotaSettings,
    QuotaTransport,
    retry_after_seconds,
)
from ledger_adapter.application.lanes import Lane, calling_in

ONE = QuotaSettings(concurrency=1)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def enqueue(quota: ErpQuota, order: list[str], lane: Lane, name: str) -> threading.Thread:
    def call() -> None:
        with quota.slot(lane):
            order.append(name)

    before = len(quota._waiting)
    thread = started(call)
    while len(quota._waiting) == before:
        threading.Event().wait(0.001)
    return thread


def test_who_waits_goes_by_lane_and_then_by_arrival() -> None:
    quota = ErpQuota("erp", ONE)
    order: list[str] = []
    with quota.slot(Lane.CHARGES):
        threads = [
            enqueue(quota, order, lane, name)
            for lane, name in (
                (Lane.READING, "balances"),
                (Lane.REMITTANCE, "first remittance"),
                (Lane.REMITTANCE, "second remittance"),
                (Lane.PATIENT_PAYMENT, "payment"),
            )
        ]
    for thread in threads:
        thread.join(10)
    assert order == ["payment", "first remittance", "second remittance", "balances"]


def test_no_more_calls_run_at_once_than_are_allowed() -> None:
    quota = ErpQuota("erp", QuotaSettings(concurrency=2))
    refused = pytest.raises(Unavailable, match="no turn within 0 s")
    with quota.slot(Lane.CHARGES), quota.slot(Lane.CHARGES), refused, quota.slot(Lane.PATIENT_PAYMENT, 0.01):
        raise AssertionError("a third call ran")
    with quota.slot(Lane.PATIENT_PAYMENT, 0.01):
        assert quota.traffic.calls == 3


def test_a_window_lets_no_more_through_until_its_oldest_call_leaves_it() -> None:
    clock = Clock()
    quota = ErpQuota("erp", QuotaSettings(concurrency=4, requests=2, window_seconds=300), clock)
    for _ in range(2):
        with quota.slot(Lane.CHARGES):
            clock.now += 1
    with pytest.raises(Unavailable), quota.slot(Lane.CHARGES, 0.0):
        raise AssertionError("a third call within the window ran")
    clock.now = 100.0 + 300.0
    with quota.slot(Lane.CHARGES, 0.0):
        assert quota.traffic.calls == 3


def test_a_429_halves_the_calls_at_once_and_keeps_everybody_out_as_long_as_it_says() -> None:
    clock = Clock()
    quota = ErpQuota("erp", QuotaSettings(concurrency=8), clock)
    quota.answered(429, {"retry-after": "7"})
    assert quota.traffic.concurrency == 4
    clock.now += 6.9
    with pytest.raises(Unavailable), quota.slot(Lane.PATIENT_PAYMENT, 0.0):
        raise AssertionError("it was asked before the time that it had named")
    clock.now += 0.2
    with quota.slot(Lane.PATIENT_PAYMENT, 0.0):
        assert quota.traffic.throttled == 1


def test_calls_at_once_grow_by_one_after_as_many_good_answers_as_are_allowed_and_never_beyond_the_slice() -> None:
    quota = ErpQuota("erp", QuotaSettings(concurrency=4), Clock())
    quota.answered(429, {"retry-after": "0"})
    seen = []
    for _ in range(12):
        quota.answered(200, {})
        seen.append(quota.traffic.concurrency)
    assert seen == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]


def test_failures_in_a_row_open_the_breaker_and_one_call_tries_before_all() -> None:
    clock = Clock()
    quota = ErpQuota("erp", QuotaSettings(concurrency=4), clock)
    for _ in range(FAILURES_TO_OPEN):
        quota.broke()
    with pytest.raises(Unavailable), quota.slot(Lane.PATIENT_PAYMENT, 0.0):
        raise AssertionError("it was asked while the breaker was open")
    clock.now += OPEN_SECONDS
    with quota.slot(Lane.PATIENT_PAYMENT, 0.0), pytest.raises(Unavailable), quota.slot(Lane.PATIENT_PAYMENT, 0.0):
        raise AssertionError("two calls tried at once")
    quota.answered(200, {})
    with quota.slot(Lane.CHARGES, 0.0), quota.slot(Lane.CHARGES, 0.0):
        assert quota.traffic.failed == FAILURES_TO_OPEN


def test_every_request_of_an_adapter_goes_through_the_quota_in_the_lane_of_its_thread() -> None:
    quota = ErpQuota("erp", ONE)
    lanes: list[Lane] = []
    original = quota._enter

    def entering(lane: Lane, wait_seconds: float) -> None:
        lanes.append(lane)
        original(lane, wait_seconds)

    quota._enter = entering  # type: ignore[method-assign]
    answers = iter((200, 429, 503))
    transport = QuotaTransport(
        quota, httpx.MockTransport(lambda _: httpx.Response(next(answers), headers={"retry-after": "0"}))
    )
    with httpx.Client(transport=transport, base_url="http://erp") as client:
        with calling_in(Lane.REMITTANCE):
            client.get("/a")
            client.get("/b")
        client.get("/c")
    assert lanes == [Lane.REMITTANCE, Lane.REMITTANCE, Lane.READING]
    assert (quota.traffic.throttled, quota.traffic.failed) == (1, 1)


def test_a_connection_that_breaks_counts_as_a_failure_and_is_told_as_it_was() -> None:
    quota = ErpQuota("erp", ONE)

    def breaking(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer", request=request)

    client = httpx.Client(transport=QuotaTransport(quota, httpx.MockTransport(breaking)), base_url="http://erp")
    with pytest.raises(httpx.ReadTimeout):
        client.get("/")
    assert quota.traffic.failed == 1


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        ("99999", 300.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
        ("", 2.0),
        ("soon", 2.0),
        ("-5", 2.0),
    ],
)
def test_retry_after_is_a_number_or_a_date_and_else_a_guess(said: str, seconds: float) -> None:
    assert retry_after_seconds(said, now=60.0) == seconds
