"""An external platform as we hear it: when it reported last, and whether it is silent where it owes us an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event
from pydantic import AwareDatetime


class Silence(StrEnum):
    """What a platform owes: an answer to batches that it was sent, or its next report of claims that it works."""

    NONE = "none"
    NO_ANSWER = "no-answer"
    REPORT_LATE = "report-late"


@dataclass(frozen=True, slots=True)
class Expectation:
    """Within what time a platform answers a batch, and how far apart its reports are at most; zero expects nothing."""

    answer: timedelta
    report: timedelta


@dataclass(frozen=True, slots=True)
class Standing:
    """Where we stand with a platform.

    `unanswered_since` is when the oldest batch without an acknowledgement was sent, `spoken_since` when it reported last or,
    before that, when it was first sent anything. `claims_waiting` are out and not decided.
    """

    unanswered_since: datetime | None
    spoken_since: datetime | None
    claims_waiting: int


def silence_of(standing: Standing, expected: Expectation, now: datetime) -> tuple[Silence, datetime]:
    """What is overdue, the answer before the report, and since when it is waited for."""
    unanswered, spoken = standing.unanswered_since, standing.spoken_since
    if expected.answer and unanswered is not None and now - unanswered >= expected.answer:
        return Silence.NO_ANSWER, unanswered
    if expected.report and standing.claims_waiting and spoken is not None and now - spoken >= expected.report:
        return Silence.REPORT_LATE, spoken
    return Silence.NONE, now


class PlatformWatch(Aggregate):
    """Its id follows from the platform's name. `silences` counts how often it fell silent."""

    def start(self) -> None:
        self.is_silent = False
        self.silences = 0

    class Heard(Event):
        """So many reports were fetched and kept."""

        TOPIC = "claims.platform-watch.heard"
        platform: Public[str]
        reports: int

        def apply(self, watch: PlatformWatch) -> None:
            """When it was heard is for the rows to say."""

    class FellSilent(Event):
        """`since` is when that was sent, or said, which nothing has followed."""

        TOPIC = "claims.platform-watch.fell-silent"
        platform: Public[str]
        number: int
        silence: Silence
        since: AwareDatetime
        claims_waiting: int

        def apply(self, watch: PlatformWatch) -> None:
            watch.is_silent = True
            watch.silences = self.number

    class SpokeAgain(Event):
        """Nothing of it is overdue any more."""

        TOPIC = "claims.platform-watch.spoke-again"
        platform: Public[str]

        def apply(self, watch: PlatformWatch) -> None:
            watch.is_silent = False

    def hear(self, platform: str, reports: int) -> None:
        self.trigger_event(self.Heard, platform=platform, reports=reports)

    def judge(self, platform: str, standing: Standing, expected: Expectation, now: datetime) -> bool:
        """Whether it fell silent, or ceased to be, just now."""
        silence, since = silence_of(standing, expected, now)
        if (silence is not Silence.NONE) == self.is_silent:
            return False
        if self.is_silent:
            self.trigger_event(self.SpokeAgain, platform=platform)
            return True
        self.trigger_event(
            self.FellSilent,
            platform=platform,
            number=self.silences + 1,
            silence=silence,
            since=since,
            claims_waiting=standing.claims_waiting,
        )
        return True


def platform_watch_id_of(platform: str) -> UUID:
    return derive("platform-watch", platform)
