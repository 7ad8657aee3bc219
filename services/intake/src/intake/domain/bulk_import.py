"""A bulk import: files of resources, a line each, taken in portions; what was refused is known by file and line."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event

PORTIONS_BETWEEN_SNAPSHOTS = 50


class ImportState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ImportFile(CanonicalModel):
    """A file of one type of resource. Size and time tell whether it is still the same; its name identifies nobody."""

    kind: Public[str]
    name: Public[str]
    size_bytes: int
    modified_ns: int


class RefusedLine(CanonicalModel):
    """A line by its number from 1, and what is wrong with it by path and rule."""

    line: int
    findings: tuple[Public[str], ...]


class ImportProgress(CanonicalModel):
    """What an import is of, and how far it is; its snapshot."""

    state: ImportState
    source: Public[str]
    actor: Public[str]
    files: tuple[ImportFile, ...]
    file: int
    offset: int
    line: int


class BulkImport(Aggregate):
    """Id: source, files and key, so that the same request again is the same import."""

    snapshot_every: ClassVar[int] = PORTIONS_BETWEEN_SNAPSHOTS

    def start(self) -> None:
        self.state = ImportState.RUNNING
        self.source = ""
        self.actor = ""
        self.files: tuple[ImportFile, ...] = ()
        self.file = 0
        self.offset = 0
        self.line = 0

    class Started(Event):
        TOPIC = "intake.bulk-import.started"
        source: Public[str]
        actor: Public[str]
        files: tuple[ImportFile, ...]

        def apply(self, bulk: BulkImport) -> None:
            bulk.source = self.source
            bulk.actor = self.actor
            bulk.files = self.files

    class Advanced(Event):
        """The lines of `file`, by its number and name, up to number `line`, which ends at `offset`, are done."""

        TOPIC = "intake.bulk-import.advanced"
        file: int
        offset: int
        line: int
        accepted: int
        refused: tuple[RefusedLine, ...] = ()
        name: Public[str] = ""

        def apply(self, bulk: BulkImport) -> None:
            bulk.file = self.file
            bulk.offset = self.offset
            bulk.line = self.line

    class NextFileBegun(Event):
        TOPIC = "intake.bulk-import.next-file-begun"
        file: int

        def apply(self, bulk: BulkImport) -> None:
            bulk.file = self.file
            bulk.offset = 0
            bulk.line = 0

    class Ended(Event):
        """`reason` is the rule that a file broke, empty where there was none."""

        TOPIC = "intake.bulk-import.ended"
        state: ImportState
        reason: Public[str] = ""

        def apply(self, bulk: BulkImport) -> None:
            bulk.state = self.state

    def begin(self, source: str, actor: str, files: Sequence[ImportFile]) -> None:
        """Begins; the same import again changes nothing."""
        if not self.exists:
            self.trigger_event(self.Started, source=source, actor=actor, files=tuple(files))

    def advance(self, offset: int, line: int, accepted: int, refused: Sequence[RefusedLine]) -> None:
        content = {"offset": offset, "line": line, "accepted": accepted, "refused": tuple(refused)}
        self.trigger_event(self.Advanced, file=self.file, name=self.files[self.file].name, **content)

    def finish_file(self) -> None:
        """Goes on to the next file, or ends with the last."""
        if self.file + 1 < len(self.files):
            self.trigger_event(self.NextFileBegun, file=self.file + 1)
        else:
            self.end(ImportState.FINISHED)

    def end(self, state: ImportState, reason: str = "") -> None:
        """Ends it for good; one that has ended stays as it is."""
        if self.state is ImportState.RUNNING:
            self.trigger_event(self.Ended, state=state, reason=reason)

    def snapshot(self) -> ImportProgress:
        told = {name: getattr(self, name) for name in ImportProgress.model_fields}
        return ImportProgress(**told)

    def restore(self, state: bytes) -> None:
        progress = ImportProgress.model_validate_json(state)
        for name in ImportProgress.model_fields:
            setattr(self, name, getattr(progress, name))


def bulk_import_id_of(source: str, files: Sequence[ImportFile], key: str) -> UUID:
    told = (f"{each.kind}|{each.name}|{each.size_bytes}|{each.modified_ns}" for each in files)
    return derive("bulk-import", source, key, *told)
