"""A store that fails as PostgreSQL does: before the commit, or after it with the reply lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from chassis.domain import Event, Transient
from chassis.eventstore import EventStore, Question, Row, Table, Where
from chassis.eventstore.port import Commit, History, LoggedEvent, ParkedMessage, RawSpan, VersionConflict
from chassis.eventstore.tables import Order

from .mischief import Kind, Mischief

LOG_READ_MAX = 9
"""Little enough that a relay publishes in many portions, and may die between any two."""


class FaultyStore:
    """Implements EventStore over a store that never fails."""

    def __init__(self, inner: EventStore, mischief: Mischief) -> None:
        self.inner = inner
        self._mischief = mischief

    def _reach(self) -> None:
        if self._mischief.strikes(Kind.STORE_UNREACHABLE):
            raise Transient("simulated: the database does not answer")

    def load(self, ids: Iterable[UUID]) -> dict[UUID, History]:
        self._reach()
        return self.inner.load(ids)

    def story(self, identity: UUID, *, after: int = 0, limit: int | None = None) -> list[Event]:
        self._reach()
        return self.inner.story(identity, after=after, limit=limit)

    def answered(self, ids: Iterable[UUID]) -> dict[UUID, bytes]:
        self._reach()
        return self.inner.answered(ids)

    def save(self, commit: Commit) -> int:
        self._mischief.crash("before-commit")
        if self._mischief.strikes(Kind.STORE_COMMIT_FAILED):
            raise Transient("simulated: the connection broke before the commit")
        position = self.inner.save(commit)
        self._mischief.crash("after-commit")
        if self._mischief.strikes(Kind.STORE_REPLY_LOST_AS_CONFLICT):
            raise VersionConflict("simulated: committed, the reply was lost, and the second try met its own rows")
        if self._mischief.strikes(Kind.STORE_REPLY_LOST_AS_TRANSIENT):
            raise Transient("simulated: committed, and the reply was lost")
        return position

    def log(self, after: int, limit: int) -> Sequence[LoggedEvent]:
        self._reach()
        return self.inner.log(after, min(limit, LOG_READ_MAX))

    def last_position(self) -> int:
        return self.inner.last_position()

    def parked(
        self,
        *,
        keys: Iterable[UUID] | None = None,
        waiting_for: Iterable[UUID] | None = None,
        message_ids: Iterable[UUID] | None = None,
        consumer: str | None = None,
        only_waiting: bool = False,
        limit: int = 1000,
    ) -> list[ParkedMessage]:
        self._reach()
        return self.inner.parked(
            keys=keys,
            waiting_for=waiting_for,
            message_ids=message_ids,
            consumer=consumer,
            only_waiting=only_waiting,
            limit=limit,
        )

    def spans(self, message_id: UUID) -> list[RawSpan]:
        self._reach()
        return self.inner.spans(message_id)

    def rows(
        self, table: Table, where: Where, *, order: Order = (), limit: int = 1000, after: Row | None = None
    ) -> list[Row]:
        self._reach()
        return self.inner.rows(table, where, order=order, limit=limit, after=after)

    def rows_of_each(self, questions: Sequence[Question]) -> list[list[Row]]:
        self._reach()
        return self.inner.rows_of_each(questions)

    def sums(self, table: Table, columns: Sequence[str], group_by: Sequence[str], where: Where) -> list[Row]:
        self._reach()
        return self.inner.sums(table, columns, group_by, where)

    def relay_position(self) -> int:
        self._reach()
        return self.inner.relay_position()

    def record_relay_position(self, position: int) -> None:
        self._reach()
        self.inner.record_relay_position(position)
