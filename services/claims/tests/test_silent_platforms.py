"""A platform that owes an answer or a report is a person's matter until it speaks again, and operators see which one it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from claims.adapters.platforms.watched import WatchedPlatform, show_states
from claims.application.ports import ReceivedAnswer, TransportUnavailable, TransportUncertain
from claims.application.watching_platforms import (
    PLATFORM_WATCHES,
    SILENT_CASE,
    PlatformHearing,
    PlatformState,
    PlatformWatching,
)
from claims.domain.interchange import OtherBytesSent
from claims.domain.platform_watch import Expectation, Silence, Standing, silence_of
from prometheus_client import REGISTRY

from .test_platforms import PLATFORM, WithPlatform
from .world import MemoryTransport, acknowledged, charged, chunk, paid, status

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EXPECTED = Expectation(answer=timedelta(hours=24), report=timedelta(hours=48))


def hours_ago(hours: float | None) -> datetime | None:
    return None if hours is None else NOW - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("unanswered", "spoken", "claims", "silence"),
    [
        (None, None, 0, Silence.NONE),
        (23.9, 23.9, 5, Silence.NONE),
        (24, 24, 5, Silence.NO_ANSWER),
        (24, 1, 5, Silence.NO_ANSWER),
        (None, 47.9, 5, Silence.NONE),
        (None, 48, 5, Silence.REPORT_LATE),
        (None, 48, 0, Silence.NONE),
        (30, 50, 5, Silence.NO_ANSWER),
    ],
)
def test_a_platform_owes_an_answer_to_a_batch_and_reports_while_it_has_claims(
    unanswered: float | None, spoken: float | None, claims: int, silence: Silence
) -> None:
    standing = Standing(hours_ago(unanswered), hours_ago(spoken), claims)
    assert silence_of(standing, EXPECTED, NOW)[0] is silence


def test_what_is_not_expected_is_never_overdue() -> None:
    nothing = Expectation(answer=timedelta(0), report=timedelta(0))
    assert silence_of(Standing(hours_ago(999), hours_ago(999), 5), nothing, NOW)[0] is Silence.NONE


class Watched(WithPlatform):
    """The service with claims at a platform, and what is told of that."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[PlatformState] = []
        self.watching = PlatformWatching(self.store, self.clock, {PLATFORM: EXPECTED}, self.told.extend)
        self.hearing = PlatformHearing(self.store, self.clock)
        self.receive(charged(1), charged(2))
        self.sweep()

    def look(self, *, hours_later: float = 0.0) -> int:
        """Whether its silence changed."""
        self.clock.advance(hours=hours_later)
        return self.watching.run()

    def open_cases(self) -> list[dict[str, object]]:
        return self.cases(code=SILENT_CASE, state="open")


def test_a_batch_without_an_answer_is_one_case_until_it_is_acknowledged() -> None:
    service = Watched()
    assert service.look(hours_later=23) == 0
    assert service.open_cases() == []
    assert [service.look(hours_later=hours) for hours in (1, 24)] == [1, 0]
    (case,) = service.open_cases()
    assert (case["subject"], case["amount_minor"]) == (f"platform {PLATFORM}", 50_000)
    assert "has not acknowledged" in str(case["summary"])
    assert "2 claims wait" in str(case["summary"])
    service.receive(acknowledged("platform", "A", 1))
    service.hearing.hear(PLATFORM, 1)
    assert service.look(hours_later=1) == 1
    assert service.open_cases() == []


def test_a_platform_that_answered_and_then_reports_nothing_is_a_case_again() -> None:
    service = Watched()
    service.look(hours_later=24)
    service.receive(acknowledged("platform", "A", 1), status(1), status(2))
    service.hearing.hear(PLATFORM, 1)
    assert service.look(hours_later=47) == 1
    assert service.look(hours_later=1) == 1
    (case,) = service.open_cases()
    assert "has reported nothing since" in str(case["summary"])
    assert len(service.cases(code=SILENT_CASE)) == 2


def test_a_platform_whose_claims_are_decided_may_be_silent() -> None:
    service = Watched()
    service.receive(acknowledged("platform", "A", 1), status(1), status(2))
    service.receive(chunk(paid(1, 0), paid(2, 1)))
    assert service.look(hours_later=500) == 0
    assert service.open_cases() == []


def test_nobody_looks_twice_within_a_minute() -> None:
    service = Watched()
    service.look(hours_later=24)
    service.told.clear()
    service.look()
    assert service.told == []
    service.look(hours_later=1)
    assert [each.platform for each in service.told] == [PLATFORM]


def test_what_is_told_of_a_platform_is_seen_under_its_name() -> None:
    service = Watched()
    service.hearing.hear(PLATFORM, 3)
    service.look(hours_later=24)
    show_states(service.told)

    def seen(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"throughline_platform_{name}", {"platform": PLATFORM} | labels)

    assert (seen("silent"), seen("claims_waiting"), seen("balances", state="differs")) == (1, 2, 0)
    (row,) = service.store.rows(PLATFORM_WATCHES, {})
    heard_at = row["heard_at"]
    assert isinstance(heard_at, datetime)
    assert seen("heard_timestamp_seconds") == heard_at.timestamp()


class Answering(MemoryTransport):
    """A platform with reports, or which fails by a given error."""

    def __init__(self, reports: int = 0, error: Exception | None = None) -> None:
        super().__init__()
        self.reports, self.error = reports, error

    def send(self, name: str, content: bytes) -> None:
        if self.error:
            raise self.error
        super().send(name, content)

    def fetch(self, keep: object) -> int:
        if self.error:
            raise self.error
        return self.reports


def calls(name: str, call: str, outcome: str) -> float:
    labels = {"platform": name, "call": call, "outcome": outcome}
    return REGISTRY.get_sample_value("throughline_platform_calls_total", labels) or 0.0


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TransportUncertain("x"), "uncertain"),
        (TransportUnavailable("x"), "unavailable"),
        (OtherBytesSent("x"), "refused"),
        (ValueError("x"), "failed"),
    ],
)
def test_calls_that_fail_are_counted_by_platform_and_outcome_and_fail_as_before(error: Exception, outcome: str) -> None:
    watched = WatchedPlatform("counted", Answering(error=error), lambda name, reports: None)
    before = calls("counted", "send", outcome)
    with pytest.raises(type(error)):
        watched.send("000000001.jsonl", b"{}")
    assert calls("counted", "send", outcome) == before + 1


def test_reports_are_heard_and_their_absence_is_not() -> None:
    heard: list[tuple[str, int]] = []
    kept: list[ReceivedAnswer] = []
    for reports in (2, 0):
        WatchedPlatform("heard", Answering(reports), lambda name, count: heard.append((name, count))).fetch(kept.append)
    assert heard == [("heard", 2)]
    assert calls("heard", "fetch", "ok") == 2
