"""Proposes, approves and rejects changes of master data, and brings what was released into the file that all services read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from canonical.master_data import LISTS, Dated, MasterData, master_data_bytes
from chassis.domain import Context, Meta, Refusal, Transient
from chassis.eventstore import EventStore, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash

from intake.application.ports import MasterDataSource
from intake.domain.master_data_change import (
    BOOK_ID,
    MasterDataBook,
    MasterDataChange,
    NothingChanges,
    RowChange,
    change_id_of,
)
from intake.domain.master_data_rows import Rows, apply_changes, changes_between, content_of, refuse_stale

ADOPTED = "what the file said before the first proposal"
Replace = Callable[[bytes], None]


class UnknownVersion(Refusal):
    """There is no such version of master data yet."""


class MasterDataKeeping:
    """Changes are kept as events; until the first is proposed, the file is whoever's who deploys it.

    `replace` writes the file, whole or not at all.
    """

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        master_data: MasterDataSource,
        replace: Replace,
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._master_data = master_data
        self._replace = replace
        self._crash_point = crash_point
        self._written: MasterData | None = None

    def propose(
        self,
        context: Context,
        given: Mapping[str, Sequence[Dated]],
        reason: str,
        *,
        base_version: int = 0,
        replaces: bool = False,
    ) -> UUID:
        """Keeps a proposal; its id. `base_version` is what its maker looked at, 0 for the newest.

        Raises:
            StaleProposal, NothingChanges, RowsDoNotFit, UnknownVersion, ReasonTooShort, ChangeDecided: see there.
        """

        def decide(work: Work) -> UUID:
            book = self._adopted(work)
            rows = rows_at(work, book.newest)
            base = base_version or book.newest
            changes, needs_another = changes_between(rows_at(work, base), given, replaces=replaces)
            refuse_stale(rows, changes)
            if not changes:
                raise NothingChanges(f"all of it is in version {base} already")
            apply_changes(rows, changes)
            content_of(rows, book.newest + 1)
            identity = change_id_of(base, context.meta.actor, reason, _digest(changes))
            change = work.get_or_new(MasterDataChange, identity)
            change.propose(reason, base, changes, needs_another=needs_another)
            return identity

        return transact(self._store, context, decide, crash_point=self._crash_point)

    def approve(self, context: Context, change_id: UUID) -> int:
        """Releases a change; the number of the version.

        Raises:
            ChangeDecided, ApproverIsProposer, StaleProposal, RowsDoNotFit, UnknownAggregate: see there.
        """

        def decide(work: Work) -> int:
            change = work.require(MasterDataChange, change_id)
            book = work.require(MasterDataBook, BOOK_ID)
            change.approve(book.newest + 1)
            rows = rows_at(work, book.newest)
            refuse_stale(rows, change.rows)
            apply_changes(rows, change.rows)
            return book.release(change_id, content_of(rows, book.newest + 1).content_hash())

        return transact(self._store, context, decide, crash_point=self._crash_point)

    def reject(self, context: Context, change_id: UUID, reason: str) -> None:
        """Turns a change down.

        Raises:
            ChangeDecided, ReasonTooShort, UnknownAggregate: see there.
        """
        transact(self._store, context, lambda work: work.require(MasterDataChange, change_id).reject(reason))

    def content(self, version: int = 0) -> MasterData:
        """Everything as it was known at a version; 0 is what is in force.

        Raises:
            UnknownVersion: see there.
        """
        work = self._looking()
        book = work.get(MasterDataBook, BOOK_ID)
        if book is None:
            if version > 0:
                raise UnknownVersion("nothing was released yet")
            return self._master_data()
        return content_of(rows_at(work, version or book.newest), version or book.newest)

    def write(self) -> int:
        """Brings the file up to the released version, whoever has changed it; how many files were written.

        Raises:
            Transient: the file cannot be written.
        """
        current = self._master_data()
        book = self._looking().get(MasterDataBook, BOOK_ID)
        if book is None or (current is self._written and current.version == str(book.newest)):
            return 0
        if (current.version, current.content_hash()) != (str(book.newest), book.content_hash):
            self._crash_point("before-send")
            try:
                self._replace(master_data_bytes(self.content(book.newest)))
            except OSError as error:
                raise Transient(f"the master data file cannot be written: {error.strerror}") from error
            return 1
        self._written = current
        return 0

    def _looking(self) -> Work:
        """Work that only looks."""
        meta = Meta(correlation_id=BOOK_ID, causation_id=BOOK_ID, actor="service:intake")
        return Work(self._store, Context(self._clock(), meta))

    def _adopted(self, work: Work) -> MasterDataBook:
        """The book; the file's content is its first version."""
        book = work.get_or_new(MasterDataBook, BOOK_ID)
        if not book.exists:
            content = self._master_data()
            changes, _ = changes_between({}, {name: getattr(content, name) for name in LISTS}, replaces=False)
            identity = change_id_of(0, work.context.meta.actor, ADOPTED, _digest(changes))
            first = work.get_or_new(MasterDataChange, identity)
            first.propose(ADOPTED, 0, changes, needs_another=False)
            first.approve(1)
            book.release(identity, content.content_hash())
        return book


def rows_at(work: Work, version: int) -> Rows:
    """The rows of a version, put together from the changes that made it.

    Raises:
        UnknownVersion: see there.
    """
    book = work.get_or_new(MasterDataBook, BOOK_ID)
    if not 0 < version <= book.newest:
        raise UnknownVersion(f"there is no version {version}; the newest is {book.newest}")
    rows: Rows = {}
    made = book.changes[:version]
    work.prefetch(made)
    for change_id in made:
        apply_changes(rows, work.require(MasterDataChange, change_id).rows)
    return rows


def _digest(changes: Sequence[RowChange]) -> str:
    digest = sha256()
    for change in changes:
        digest.update(change.model_dump_json().encode())
    return digest.hexdigest()
