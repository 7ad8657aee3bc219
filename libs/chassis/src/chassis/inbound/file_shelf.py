"""Takes one whole file, and puts it where it belongs: done, or in quarantine with the reasons beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from chassis.domain import Transient, Unavailable
from chassis.inbound.file_names import is_plain
from chassis.telemetry.logs import frames_of
from chassis.whole_files import replace_whole, sync_folder

FILE_BYTES_MAX = 256 * 1024 * 1024
REASONS_SHOWN_MAX = 100
REASON_SUFFIX = ".reason.txt"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """Whether all of a file was accepted; `reasons` name place and rule, and hold no PHI."""

    accepted: bool
    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.accepted


class ClosedFile(Exception):
    """A file cannot be opened: it is sealed for somebody else, or not signed as it should be. `rule` says which."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


Take = Callable[[str, bytes], "FileVerdict | bool"]
"""Takes a file by name and bytes; what is not accepted belongs in quarantine."""

Report = Callable[[str, str], None]
"""Tells a person of a file that nobody could take: its name in quarantine, and the rule."""

Unseal = Callable[[bytes], bytes]
"""Opens what a partner sealed; raises ClosedFile."""


class FileShelf:
    """`<exchange>/<door>-done` and `<exchange>/<door>-quarantine`, and the door itself.

    A file at which our own code fails goes to quarantine, so that it does not stand in the way of the others; so does one
    that cannot be opened, has no plain name, or is too large. Each of these is reported.
    """

    def __init__(self, exchange: Path, door: str, take: Take, report: Report) -> None:
        self.door = door
        self._take = take
        self._report = report
        self._done = exchange / f"{door}-done"
        self._quarantine = exchange / f"{door}-quarantine"
        for folder in (self._done, self._quarantine):
            folder.mkdir(parents=True, exist_ok=True)

    def place(self, path: Path, name: str, mark: str, unseal: Unseal | None = None) -> bool:
        """Takes the file at `path` as `name`, and moves it away; true where it was accepted.

        `mark` tells this file from every other, for one that must not be called by its name.

        Raises:
            Transient, Unavailable, OSError: not durable; the file stays where it is.
        """
        content = _read(path)
        if not is_plain(name) or len(content) > FILE_BYTES_MAX:
            return self._refuse(path, mark, "file-size" if len(content) > FILE_BYTES_MAX else "file-name")
        try:
            verdict = self._verdict(name, unseal(content) if unseal else content)
        except (Transient, Unavailable, OSError):
            raise
        except ClosedFile as closed:
            return self._refuse(path, mark, closed.rule)
        except Exception as bug:  # noqa: BLE001 - a file that meets a bug of ours must not keep the others waiting
            _log.error("file met a bug", error=bug, frames=frames_of(bug))
            return self._refuse(path, mark, "unreadable-by-us")
        kept = _move(path, self._done if verdict else self._quarantine, name)
        if not verdict and kept:
            _explain(kept, verdict.reasons)
        _log.info("file taken", door=self.door, accepted=verdict.accepted)
        return verdict.accepted

    def _verdict(self, name: str, content: bytes) -> FileVerdict:
        found = self._take(name, content)
        return found if isinstance(found, FileVerdict) else FileVerdict(found)

    def _refuse(self, path: Path, mark: str, rule: str) -> bool:
        name = f"refused-{sha256(mark.encode()).hexdigest()[:20]}"
        self._report(name, rule)
        _log.warning("file refused", door=self.door, rule=rule)
        kept = _move(path, self._quarantine, name)
        if kept:
            _explain(kept, (rule,))
        return False


def _explain(kept: Path, reasons: tuple[str, ...]) -> None:
    """A file of reasons beside one in quarantine; the exceptions tell the same to whoever has no access to the folder."""
    lines = reasons[:REASONS_SHOWN_MAX] or ("not accepted; the exceptions tell why",)
    more = [f"and {len(reasons) - len(lines)} more"] if len(reasons) > len(lines) else []
    replace_whole(kept.with_name(kept.name + REASON_SUFFIX), "\n".join([*lines, *more, ""]).encode())


def _read(path: Path) -> bytes:
    """The bytes of a plain file; a link that took its place meanwhile is refused by the system."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def _move(path: Path, folder: Path, name: str) -> Path | None:
    """Where it is now, beside what has this name there already; None where somebody else moved it meanwhile."""
    target = folder / name
    for copy in range(1, 10_000):
        if not target.exists():
            break
        target = folder / f"{name}.{copy}"
    try:
        path.rename(target)
    except FileNotFoundError:
        return None
    sync_folder(folder)
    return target
