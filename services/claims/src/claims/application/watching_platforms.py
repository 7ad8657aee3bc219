"""Watches external platforms: a person is told of one that is silent where it owes an answer or a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Row, Table, Work, put, transact
from chassis.eventstore.projecting import of
from chassis.exceptions import end_case, raise_case

from claims.application.contexts import caused_by
from claims.application.platform_read_models import balances_by_state
from claims.application.queries import whole
from claims.application.read_models import CLAIMS, INTERCHANGES
from claims.domain.claim_state import AWAITING_ANSWER
from claims.domain.interchange import InterchangeState
from claims.domain.platform_watch import (
    Expectation,
    PlatformWatch,
    Silence,
    Standing,
    platform_watch_id_of,
    silence_of,
)

LOOK_SECONDS = 60
SILENT_CASE = "PlatformSilent"
_WAITS_FOR = {
    Silence.NO_ANSWER: "has not acknowledged batches that it was sent since",
    Silence.REPORT_LATE: "has reported nothing since",
}

PLATFORM_WATCHES = Table(
    "platform_watches",
    {"platform": "text", "heard_at": "timestamptz", "is_silent": "boolean"},
    key=("platform",),
)
"""When each platform reported last, and whether it is silent."""


@of(PlatformWatch)
def project_platform_watches(event: Event) -> Iterable[Change]:
    """The row that a report, or its absence, changes."""
    if isinstance(event, PlatformWatch.Heard):
        yield put(PLATFORM_WATCHES, platform=event.platform, heard_at=event.timestamp)
    elif isinstance(event, PlatformWatch.FellSilent | PlatformWatch.SpokeAgain):
        is_silent = isinstance(event, PlatformWatch.FellSilent)
        yield put(PLATFORM_WATCHES, platform=event.platform, is_silent=is_silent)


@dataclass(frozen=True, slots=True)
class PlatformState:
    """What is to be told of one platform; `balances` counts those that it reported, by state."""

    platform: str
    heard_at: datetime | None
    is_silent: bool
    claims_waiting: int
    balances: Mapping[str, int]


Tell = Callable[[Sequence[PlatformState]], None]


class PlatformHearing:
    """Notes that a platform reported."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def hear(self, platform: str, reports: int) -> None:
        """Durable when it returns."""
        identity = platform_watch_id_of(platform)
        context = caused_by(self._clock(), derive("platform-heard", platform))
        transact(self._store, context, lambda work: work.get_or_new(PlatformWatch, identity).hear(platform, reports))


class PlatformWatching:
    """`run` looks at each platform once a minute, however often it is woken: hours pass slowly. `tell` gets what it saw."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        expected: Mapping[str, Expectation],
        tell: Tell,
    ) -> None:
        self._store = store
        self._clock = clock
        self._expected = expected
        self._tell = tell
        self._quiet_until = datetime.min.replace(tzinfo=UTC)

    def run(self) -> int:
        """How many platforms fell silent, or spoke again."""
        now = self._clock()
        if now < self._quiet_until:
            return 0
        self._quiet_until = now + timedelta(seconds=LOOK_SECONDS)
        changed = sum(self._judge(platform, expected, now) for platform, expected in self._expected.items())
        self._tell(tuple(self._states()))
        return changed

    def _judge(self, platform: str, expected: Expectation, now: datetime) -> bool:
        standing, amount = self._standing(platform)
        context = caused_by(now, derive("platform-watch", platform))

        def judge(work: Work) -> bool:
            watch = work.get_or_new(PlatformWatch, platform_watch_id_of(platform))
            if not watch.judge(platform, standing, expected, now):
                return False
            _tell_a_person(work, watch, platform, silence_of(standing, expected, now), standing, amount)
            return True

        return transact(self._store, context, judge)

    def _standing(self, platform: str) -> tuple[Standing, Money]:
        """Where we stand with it, and what the claims that wait there charge."""
        waiting = {"worked_by": platform, "state": [state.value for state in AWAITING_ANSWER]}
        rows = self._store.sums(CLAIMS, ["charge_minor"], ["worked_by"], waiting)
        total = rows[0] if rows else {"count": 0, "charge_minor": 0}
        sent = {"state": InterchangeState.SENT.value, "receiver": platform}
        heard = self._store.rows(PLATFORM_WATCHES, {"platform": platform}, limit=1)
        spoken = _instant(heard[0]["heard_at"]) if heard else None
        standing = Standing(
            unanswered_since=self._first_sent(sent),
            spoken_since=spoken or self._first_sent({"receiver": platform}),
            claims_waiting=whole(total["count"]),
        )
        return standing, Money(whole(total["charge_minor"]))

    def _first_sent(self, where: Mapping[str, object]) -> datetime | None:
        """Of the interchanges that were sent, when the first one was; control numbers count up as time does."""
        rows = self._store.rows(INTERCHANGES, where, order=("control_number",), limit=1)
        return _instant(rows[0]["sent_at"]) if rows else None

    def _states(self) -> Iterable[PlatformState]:
        rows: dict[object, Row] = {row["platform"]: row for row in self._store.rows(PLATFORM_WATCHES, {})}
        balances = balances_by_state(self._store)
        for platform in self._expected:
            row = rows.get(platform, {"heard_at": None, "is_silent": None})
            standing, _ = self._standing(platform)
            yield PlatformState(
                platform=platform,
                heard_at=_instant(row["heard_at"]),
                is_silent=bool(row["is_silent"]),
                claims_waiting=standing.claims_waiting,
                balances=balances.get(platform, {}),
            )


def _tell_a_person(
    work: Work, watch: PlatformWatch, platform: str, found: tuple[Silence, datetime], standing: Standing, amount: Money
) -> None:
    silence, since = found
    cause = derive("platform-silent", watch.id, watch.silences)
    if silence is Silence.NONE:
        end_case(work, cause, SILENT_CASE, "it reported again")
        return
    waited = f"{since:%Y-%m-%d %H:%M} UTC; {standing.claims_waiting} claims wait there"
    raise_case(
        work,
        cause,
        code=SILENT_CASE,
        summary=f"{platform} {_WAITS_FOR[silence]} {waited}",
        subject=f"platform {platform}",
        subject_id=watch.id,
        entity="",
        amount=amount,
    )


def _instant(value: object) -> datetime | None:
    assert value is None or isinstance(value, datetime)
    return value
