"""The folder of files to import: plain files by plain names, read line by line in bounded memory."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.reading import Sender, SourceNotAllowed, read_submission
from intake.application.bulk_importing import Line
from intake.application.deliveries import InboundDelivery
from intake.domain.bulk_import import ImportFile
from intake.domain.refusals import Finding

FOLDER = "fhir-import"
LINE_BYTES_MAX = 1_048_576
PORTION_BYTES_MAX = 4 * 1_048_576
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,140}\.ndjson")


class NdjsonFolder:
    """`<exchange>/fhir-import`. A name is never a path, and a link is no file."""

    def __init__(self, exchange: Path) -> None:
        self._folder = exchange / FOLDER

    def look(self, kind: str, name: str) -> ImportFile | None:
        """The file as it is now."""
        if not _NAME.fullmatch(name):
            return None
        try:
            found = (self._folder / name).lstat()
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return ImportFile(kind=kind, name=name, size_bytes=found.st_size, modified_ns=found.st_mtime_ns)

    def lines(self, name: str, offset: int, count: int) -> list[Line]:
        """Lines from `offset` on, of at most four MiB together."""
        descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW)
        lines: list[Line] = []
        with os.fdopen(descriptor, "rb") as stream:
            stream.seek(offset)
            while len(lines) < count and stream.tell() - offset < PORTION_BYTES_MAX:
                content = stream.readline(LINE_BYTES_MAX)
                if not content:
                    break
                is_whole = content.endswith(b"\n") or len(content) < LINE_BYTES_MAX
                while not is_whole:
                    rest = stream.readline(LINE_BYTES_MAX)
                    is_whole = not rest or rest.endswith(b"\n")
                    content = b""
                lines.append(Line(stream.tell(), content or None))
        return lines


class LineReading:
    """Reads a line as a message of its own; its key is its place, so that a portion taken twice is taken once."""

    def __init__(self, names: FhirNames) -> None:
        self._names = names

    def __call__(self, raw: bytes, *, source: str, actor: str, kind: str, key: str) -> InboundDelivery:
        content = raw.strip()
        try:
            submission = read_submission(content, self._names, Sender(actor, (source,), key))
        except SourceNotAllowed:
            return _refused(content, source, actor, key, Finding("meta.source", "source-system", "the import's own"))
        if submission.kind not in ("", kind):
            note = f"the file is of {kind}"
            return _refused(content, source, actor, key, Finding("resourceType", "resource-type", note))
        return submission.deliveries[0]


def _refused(raw: bytes, source: str, actor: str, key: str, finding: Finding) -> InboundDelivery:
    return InboundDelivery(source, key, "fhir-r4", raw, actor, findings=(finding,))
