"""One unit of work: load what a batch needs at once, decide in memory, save everything or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from chassis.domain import Aggregate, Context, ContextSource, Event, Refusal
from chassis.eventstore.port import (
    Commit,
    EventStore,
    History,
    InboxEntry,
    ParkedMessage,
    RawSpan,
    SeenRows,
    SnapshotRow,
    VersionConflict,
)
from chassis.eventstore.tables import Order, Question, Row, Table, Where

ATTEMPTS_MAX = 8

_A = TypeVar("_A", bound=Aggregate)
_T = TypeVar("_T")


class UnknownAggregate(Refusal):
    """Nothing of that kind has this id."""


class CrashPoint(Protocol):
    """Called at named steps; a test may let the process die there."""

    def __call__(self, step: str) -> None: ...


def no_crash(step: str) -> None:
    """The crash point of every normal run."""


class Work:
    """Collects what one batch changes. Aggregates are loaded once and shared by all messages of the batch."""

    def __init__(self, store: EventStore, context: Context) -> None:
        self.store = store
        self._source = ContextSource(context)
        self._aggregates: dict[UUID, Aggregate] = {}
        self._looked_up: set[UUID] = set()
        self._histories: dict[UUID, History] = {}
        self._commit = Commit()
        self._unmoved: dict[UUID, None] = {}

    @property
    def context(self) -> Context:
        return self._source.current

    def within(self, context: Context) -> None:
        """Everything recorded from here on has this time and cause."""
        self._source.current = context

    def prefetch(self, ids: Iterable[UUID]) -> None:
        """Loads the histories that are not here yet, in one query."""
        missing = [identity for identity in dict.fromkeys(ids) if identity not in self._looked_up]
        if missing:
            self._looked_up.update(missing)
            self._histories.update(self.store.load(missing))

    def get_or_new(self, kind: type[_A], identity: UUID) -> _A:
        """The aggregate, at version 0 where it does not exist yet."""
        held = self._aggregates.get(identity)
        if held is None:
            self.prefetch([identity])
            held = self._rebuild(kind, identity, self._histories.pop(identity, None))
            self._aggregates[identity] = held
        assert isinstance(held, kind), f"{identity} is a {type(held).__name__}"
        return held

    def get(self, kind: type[_A], identity: UUID) -> _A | None:
        """The aggregate, or None where it does not exist."""
        found = self.get_or_new(kind, identity)
        return found if found.exists else None

    def require(self, kind: type[_A], identity: UUID) -> _A:
        """The aggregate.

        Raises:
            UnknownAggregate: it does not exist.
        """
        found = self.get_or_new(kind, identity)
        if not found.exists:
            raise UnknownAggregate(f"no {kind.__name__} {identity}")
        return found

    def _rebuild(self, kind: type[_A], identity: UUID, history: History | None) -> _A:
        if history is None:
            return kind(identity, self._source)
        if history.snapshot is None:
            return kind.rebuilt(identity, history.events, self._source)
        aggregate = kind(identity, self._source)
        aggregate.restore(history.snapshot.state)
        aggregate.version = history.snapshot.version
        for event in history.events:
            aggregate.evolve(event)
        return aggregate

    def answer(self, entry: InboxEntry) -> None:
        """The message is answered by this batch; saving fails if another batch answered it first."""
        self._commit.inbox.append(entry)

    def park(self, message: ParkedMessage) -> None:
        self._commit.parked.append(message)

    def unpark(self, message_id: UUID) -> None:
        self._commit.unparked.append(message_id)

    def keep_spans(self, spans: Iterable[RawSpan]) -> None:
        self._commit.spans.extend(spans)

    def expire_spans(self, message_id: UUID) -> None:
        """Deletes the raw bytes of a message with this commit; an event of the message says so."""
        self._commit.expired.append(message_id)

    def rows(self, table: Table, where: Where, *, order: Order = (), limit: int = 1000) -> list[Row]:
        """Committed rows of a read model; what this batch has decided is not among them yet."""
        return self.store.rows(table, where, order=order, limit=limit)

    def rows_to_stay(self, table: Table, where: Where, *, limit: int = 1000) -> list[Row]:
        """Committed rows that this batch is decided on: saving fails if there are more or fewer of them by then.

        For rows that tell what no one aggregate knows, in tables where a row never takes another's place.
        """
        return self.rows_of_each_to_stay([Question(table, where, limit=limit)])[0]

    def rows_of_each_to_stay(self, questions: Sequence[Question]) -> list[list[Row]]:
        """The rows of several questions, asked all at once; see `rows_to_stay`."""
        found = self.store.rows_of_each(questions)
        self._commit.seen += map(SeenRows, questions, map(len, found))
        return found

    def same_rows(self, table: Table, where: Where, *, limit: int = 1000) -> list[Row]:
        """As `rows_to_stay`, where rows come and go: saving fails unless the rows are just these by then.

        As many as these, and all of these still among them, are these. The table's key is one column, which `where` leaves open.
        """
        (key,) = table.key
        assert key not in where, "the rows are told apart by the key"
        found = self.rows_to_stay(table, where, limit=limit)
        if found:
            just_these = Question(table, {**where, key: [row[key] for row in found]}, limit=limit)
            self._commit.seen.append(SeenRows(just_these, len(found)))
        return found

    def expect_unmoved(self, aggregate: Aggregate) -> None:
        """Saving fails if somebody else changes this aggregate meanwhile, also where this batch only reads it."""
        assert self._aggregates.get(aggregate.id) is aggregate, "it was loaded by this work"
        self._unmoved[aggregate.id] = None

    def mark(self) -> int:
        """Where the work stands now, for `roll_back`."""
        return len(self._source.recorded)

    def roll_back(self, mark: int) -> None:
        """Forgets what was recorded since the mark: one refused message must not take its batch along.

        Raises:
            VersionConflict: an aggregate has moved on meanwhile, so that what is kept was decided on old state.
        """
        undone = Counter(self._source.recorded[mark:])
        del self._source.recorded[mark:]
        histories = self.store.load(undone) if undone else {}
        for identity, count in undone.items():
            held = self._aggregates[identity]
            fresh = self._rebuild(type(held), identity, histories.get(identity))
            if fresh.version != held.version - len(held.pending):
                raise VersionConflict(f"{type(held).__name__} {identity} has moved on to version {fresh.version}")
            for event in held.pending[: len(held.pending) - count]:
                fresh.pending.append(event)
                fresh.evolve(event)
            self._aggregates[identity] = fresh

    def pending_events(self) -> list[Event]:
        """Everything recorded so far, aggregate by aggregate in order of first use."""
        return [event for held in self._aggregates.values() for event in held.pending]

    def is_saved(self) -> bool:
        """Whether everything recorded here stands in the store already, under the same cause."""
        pending = self.pending_events()
        stories = {identity: self.store.story(identity) for identity in {event.originator_id for event in pending}}
        return bool(pending) and all(_holds(stories[event.originator_id], event) for event in pending)

    def commit(self) -> int:
        """Saves all of it in one transaction; the position of its last event, or 0.

        Raises:
            VersionConflict: throw this work away and decide again.
        """
        self._commit.events = self.pending_events()
        if self._commit.is_empty:
            return 0
        read = [self._aggregates[identity] for identity in self._unmoved]
        self._commit.unmoved = {held.id: held.version for held in read if not held.pending}
        self._commit.snapshots = [row for held in self._aggregates.values() if (row := _snapshot_due(held))]
        return self.store.save(self._commit)


def _holds(story: Sequence[Event], event: Event) -> bool:
    """The history of an aggregate has no gaps: version n is its n-th event."""
    if len(story) < event.originator_version:
        return False
    saved = story[event.originator_version - 1]
    return type(saved) is type(event) and saved.meta.causation_id == event.meta.causation_id


def _snapshot_due(held: Aggregate) -> SnapshotRow | None:
    every = held.snapshot_every
    before = held.version - len(held.pending)
    if not every or held.version // every == before // every:
        return None
    state = held.snapshot().model_dump_json().encode()
    return SnapshotRow(held.id, held.version, type(held).__name__, state)


def transact(
    store: EventStore,
    context: Context,
    decide: Callable[[Work], _T],
    *,
    crash_point: CrashPoint = no_crash,
) -> _T:
    """Decides and saves, again from the start when somebody else was quicker, at most eight times.

    A refusal saves nothing and passes on to the caller. A commit of one call whose reply was lost is recognised by its
    cause: deciding again on what it did would refuse the caller what they have got.

    Raises:
        VersionConflict: still in conflict after the last attempt.
    """
    for attempt in range(ATTEMPTS_MAX):
        work = Work(store, context)
        result = decide(work)
        try:
            crash_point("before-commit")
            work.commit()
            crash_point("after-commit")
        except VersionConflict:
            if context.is_one_call and work.is_saved():
                return result
            if attempt + 1 == ATTEMPTS_MAX:
                raise
            continue
        return result
    raise AssertionError("unreachable")
