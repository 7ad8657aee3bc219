"""The sweep that fetches what clearinghouses have for us; intake reads it like any other file of a payer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Table, put, transact
from chassis.eventstore.projecting import of

from claims.application.contexts import caused_by
from claims.application.ports import AnswerSource, Keep, TransportUnavailable
from claims.domain.answer_hint import AnswerHint, answer_hint_id_of

FETCH_SECONDS = 60.0

HINTS = Table("answer_hints", {"clearinghouse": "text", "heard_at": "timestamptz"}, key=("clearinghouse",))
"""When each clearinghouse last said that answers wait."""


@of(AnswerHint)
def project_hints(event: Event) -> Iterable[Change]:
    """The row that a hint changes."""
    if isinstance(event, AnswerHint.Heard):
        yield put(HINTS, clearinghouse=event.clearinghouse, heard_at=event.timestamp)


class AnswerHints:
    """Hears clearinghouses say that answers wait. Its commit wakes the fetching, on whichever replica that runs."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def hear(self, clearinghouse: str, hint: str) -> bool:
        """Whether the hint is new; durable when it returns."""
        identity = answer_hint_id_of(clearinghouse, hint)
        context = caused_by(self._clock(), identity)
        return transact(
            self._store, context, lambda work: work.get_or_new(AnswerHint, identity).hear(clearinghouse, hint)
        )


class AnswerFetching:
    """Asks each clearinghouse every `every_seconds`, and at once after a hint; one that is away keeps no other waiting.

    When it was last asked is only a pace, and is forgotten with the process: the first run asks all.
    """

    def __init__(
        self,
        sources: Mapping[str, AnswerSource],
        keep: Keep,
        store: EventStore,
        clock: Callable[[], datetime],
        *,
        every_seconds: float = FETCH_SECONDS,
    ) -> None:
        self._sources = sources
        self._keep = keep
        self._store = store
        self._clock = clock
        self._every = timedelta(seconds=every_seconds)
        self._asked_at: dict[str, datetime] = {}

    def run(self) -> int:
        """How many answers were fetched.

        Raises:
            TransportUnavailable: at least one clearinghouse could not be reached; the others were asked.
        """
        fetched, away = 0, []
        for name in self._due():
            now = self._clock()
            try:
                count = self._sources[name].fetch(partial(self._keep, name))
            except (TransportUnavailable, OSError) as error:
                away.append(f"{name}: {error}")
                continue
            fetched += count
            if not count:
                self._asked_at[name] = now
        if away:
            raise TransportUnavailable("; ".join(away))
        return fetched

    def _due(self) -> Iterator[str]:
        """Those whose time has come, and those that hinted since; one that gave something may have more."""
        heard = {row["clearinghouse"]: row["heard_at"] for row in self._store.rows(HINTS, {})}
        now = self._clock()
        for name in self._sources:
            asked_at, hinted_at = self._asked_at.get(name), heard.get(name)
            has_hinted = isinstance(hinted_at, datetime) and asked_at is not None and hinted_at >= asked_at
            if asked_at is None or now - asked_at >= self._every or has_hinted:
                yield name
