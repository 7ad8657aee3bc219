"""Platforms as operators see them: every call is counted by platform and outcome, and what reports is heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import Counter, Gauge

from claims.application.platform_read_models import STATES
from claims.application.ports import RcmPlatform, ReceivedAnswer, TransportUnavailable, TransportUncertain
from claims.application.watching_platforms import PlatformState
from claims.domain.interchange import OtherBytesSent

CALLS = Counter("throughline_platform_calls", "Calls of external platforms", ["platform", "call", "outcome"])
REPORTS = Counter("throughline_platform_reports", "Reports fetched from external platforms", ["platform"])
HEARD_AT = Gauge("throughline_platform_heard_timestamp_seconds", "When it reported last", ["platform"])
SILENT = Gauge("throughline_platform_silent", "1 where it owes an answer or a report", ["platform"])
WAITING = Gauge("throughline_platform_claims_waiting", "Claims that it has and has not decided", ["platform"])
BALANCES = Gauge("throughline_platform_balances", "Balances that it reported, by state", ["platform", "state"])
_OUTCOMES: tuple[tuple[type[Exception], str], ...] = (
    (TransportUncertain, "uncertain"),
    (TransportUnavailable, "unavailable"),
    (OtherBytesSent, "refused"),
)


class WatchedPlatform:
    """One platform, its name from the settings, so that labels are as many as these name."""

    def __init__(self, name: str, platform: RcmPlatform, hear: Callable[[str, int], None]) -> None:
        self._name = name
        self._platform = platform
        self._hear = hear

    def probe(self, name: str) -> str | None:
        with self._counted("probe"):
            return self._platform.probe(name)

    def send(self, name: str, content: bytes) -> None:
        with self._counted("send"):
            self._platform.send(name, content)

    def fetch(self, keep: Callable[[ReceivedAnswer], None]) -> int:
        with self._counted("fetch"):
            reports = self._platform.fetch(keep)
        if reports:
            REPORTS.labels(self._name).inc(reports)
            self._hear(self._name, reports)
        return reports

    @contextmanager
    def _counted(self, call: str) -> Iterator[None]:
        outcome = "failed"
        try:
            yield
            outcome = "ok"
        except tuple(kind for kind, _ in _OUTCOMES) as error:
            outcome = next(word for kind, word in _OUTCOMES if isinstance(error, kind))
            raise
        finally:
            CALLS.labels(self._name, call, outcome).inc()


def show_states(states: Sequence[PlatformState]) -> None:
    """As gauges; a platform that never reported has no time of its last report."""
    for each in states:
        SILENT.labels(each.platform).set(int(each.is_silent))
        WAITING.labels(each.platform).set(each.claims_waiting)
        if each.heard_at is not None:
            HEARD_AT.labels(each.platform).set(each.heard_at.timestamp())
        for state in STATES:
            BALANCES.labels(each.platform, state).set(each.balances.get(state, 0))
