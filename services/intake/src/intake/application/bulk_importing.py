"""Imports files of resources in portions: each is durable before the next, and a killed import goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.inbound.giving_way import GivingWay

from intake.application.deliveries import InboundDelivery, Outcome
from intake.application.import_rows import BULK_IMPORTS, LINES_OF_A_FILE_MAX, REFUSED_LINES
from intake.domain.bulk_import import BulkImport, ImportFile, ImportState, RefusedLine, bulk_import_id_of

LINES_PER_PORTION_MAX = 100
FINDINGS_PER_LINE_MAX = 5
REFUSALS_PER_PAGE = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file; `end` is where the next begins. An overlong line has no content."""

    end: int
    content: bytes | None = field(repr=False)


class ImportFolder(Protocol):
    """Where the files are."""

    def look(self, kind: str, name: str) -> ImportFile | None:
        """The file as it is now, None where there is no such plain file."""
        ...

    def lines(self, name: str, offset: int, count: int) -> list[Line]:
        """At most `count` lines from `offset` on; none at the end."""
        ...


class ReadLine(Protocol):
    """Reads one line, of a resource of this type, as a message of its own."""

    def __call__(self, raw: bytes, *, source: str, actor: str, kind: str, key: str) -> InboundDelivery: ...


class BulkImporting:
    """Begins imports, takes them portion by portion, and tells how far they are."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        receive: Callable[[Sequence[InboundDelivery]], list[Outcome]],
        folder: ImportFolder,
        read_line: ReadLine,
        *,
        way: GivingWay | None = None,
        lines_max: int = LINES_OF_A_FILE_MAX,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._receive = receive
        self._folder = folder
        self._read_line = read_line
        self._way = way or GivingWay()
        self._lines_max = lines_max
        self._crash_point = crash_point

    def look(self, kind: str, name: str) -> ImportFile | None:
        return self._folder.look(kind, name)

    def begin(self, context: Context, source: str, files: Sequence[ImportFile], key: str) -> UUID:
        """Begins an import of files that were looked at; gives its id."""
        identity = bulk_import_id_of(source, files, key)
        actor = context.meta.actor
        transact(self._store, context, lambda work: work.get_or_new(BulkImport, identity).begin(source, actor, files))
        return identity

    def status(self, identity: UUID) -> Row | None:
        return next(iter(self._store.rows(BULK_IMPORTS, {"import_id": identity}, limit=1)), None)

    def refusals(self, identity: UUID, page: int) -> list[Row]:
        """A page of refused lines, in their order; pages count from 0."""
        rows = self.refusals_after(identity, 0)
        for _ in range(page):
            if not rows:
                break
            last = rows[-1]["number"]
            assert isinstance(last, int)
            rows = self.refusals_after(identity, last)
        return rows

    def refusals_after(self, identity: UUID, number: int) -> list[Row]:
        """As `refusals`, the page after the refusal of this number."""
        place: Row = {"import_id": identity, "number": number}
        where = {"import_id": identity}
        return self._store.rows(REFUSED_LINES, where, order=("number",), limit=REFUSALS_PER_PAGE, after=place)

    def cancel(self, context: Context, identity: UUID) -> None:
        """Stops it; what it has taken stays taken."""
        transact(self._store, context, lambda work: work.require(BulkImport, identity).end(ImportState.CANCELLED))

    def run(self) -> int:
        """Takes the next portion of the oldest import that runs; how many lines that was, 0 where nothing is to be done."""
        waiting = self._store.rows(BULK_IMPORTS, {"state": ImportState.RUNNING.value}, order=("started_at",), limit=1)
        if not waiting:
            return 0
        identity = waiting[0]["import_id"]
        assert isinstance(identity, UUID)
        bulk = Work(self._store, self._context(identity)).require(BulkImport, identity)
        return self._take_portion(bulk)

    def _take_portion(self, bulk: BulkImport) -> int:
        file = bulk.files[bulk.file]
        if self._folder.look(file.kind, file.name) != file:
            self._decide(bulk, lambda held: held.end(ImportState.FAILED, f"file-changed: {file.name}"))
            return 1
        lines = self._folder.lines(file.name, bulk.offset, LINES_PER_PORTION_MAX)
        if not lines:
            self._decide(bulk, BulkImport.finish_file)
            return 1
        if bulk.line + len(lines) > self._lines_max:
            self._decide(bulk, lambda held: held.end(ImportState.FAILED, f"too-many-lines: {file.name}"))
            return 1
        accepted, refused = self._received(bulk, file, lines)
        self._crash_point("before-advance")
        last = bulk.line + len(lines)
        self._decide(bulk, lambda held: held.advance(lines[-1].end, last, accepted, refused))
        return len(lines)

    def _received(self, bulk: BulkImport, file: ImportFile, lines: Sequence[Line]) -> tuple[int, list[RefusedLine]]:
        """How many lines were accepted, and those that were not."""
        numbered = [(bulk.line + index, each) for index, each in enumerate(lines, 1)]
        refused = [
            RefusedLine(line=number, findings=("line: too-large: the line is too long",))
            for number, each in numbered
            if each.content is None
        ]
        wanted = [(number, each.content) for number, each in numbered if each.content and each.content.strip()]
        deliveries = (
            self._read_line(
                content, source=bulk.source, actor=bulk.actor, kind=file.kind, key=f"{bulk.id}/{bulk.file}/{number}"
            )
            for number, content in wanted
        )
        outcomes = [outcome for portion in self._way.slices(deliveries) for outcome in self._receive(portion)]
        for (number, _), outcome in zip(wanted, outcomes, strict=True):
            if not outcome.accepted:
                refused.append(RefusedLine(line=number, findings=outcome.findings[:FINDINGS_PER_LINE_MAX]))
        return sum(outcome.accepted for outcome in outcomes), refused

    def _decide(self, bulk: BulkImport, act: Callable[[BulkImport], None]) -> None:
        """Records what was done, unless another replica was quicker or the import was cancelled meanwhile."""

        def decide(work: Work) -> None:
            held = work.require(BulkImport, bulk.id)
            if held.version == bulk.version:
                act(held)

        transact(self._store, self._context(bulk.id), decide)

    def _context(self, identity: UUID) -> Context:
        meta = Meta(correlation_id=identity, causation_id=identity, actor="service:intake")
        return Context(self._clock(), meta)
