"""A watched folder: takes files that are whole, and moves each away when it is durable."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from chassis.domain import Transient, Unavailable
from chassis.telemetry.logs import frames_of

FILE_BYTES_MAX = 256 * 1024 * 1024
FILES_PER_POLL_MAX = 100
SETTLE_SECONDS = 0.2
POLL_SECONDS = 0.25
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,150}")
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart")
_log = structlog.get_logger(__name__)

Take = Callable[[str, bytes], bool]
"""Takes a file by name and bytes; true where it was accepted, false where it belongs in quarantine."""

Report = Callable[[str, str], None]
"""Tells a person of a file that nobody could take: its name in quarantine, and the rule."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file at one look."""

    size: int
    modified_ns: int
    inode: int


class WatchedFolder:
    """Polls `<exchange>/<door>-inbound`. A file is whole when two looks, at least 0.2 s apart, see it the same.

    Dot files, unfinished names and everything that is no plain file are left alone. A name that is no plain name, and a
    file that is too large, goes to quarantine unread; so does one at which our own code fails, so that it does not stand in
    the way of the others. Each of these is reported. A crash between commit and move is harmless: the file is received
    again, and is the same message.
    """

    def __init__(
        self, exchange: Path, door: str, take: Take, report: Report, *, settle_seconds: float = SETTLE_SECONDS
    ) -> None:
        self._report = report
        self._inbound = exchange / f"{door}-inbound"
        self._done = exchange / f"{door}-done"
        self._quarantine = exchange / f"{door}-quarantine"
        self._receive = take
        self._settle_seconds = settle_seconds
        self._seen: dict[str, tuple[_Seen, float]] = {}
        for folder in (self._inbound, self._done, self._quarantine):
            folder.mkdir(parents=True, exist_ok=True)

    def poll(self) -> int:
        """One look at the folder; receives what is whole, oldest name first, and says how many files that were.

        Raises:
            Transient, Unavailable: not durable; the file stays where it is.
        """
        found = dict(self._files())
        self._seen = {name: seen for name, seen in self._seen.items() if name in found}
        whole = [name for name, now in sorted(found.items()) if self._is_whole(name, now)]
        for name in whole[:FILES_PER_POLL_MAX]:
            self._take(name, found[name])
            del self._seen[name]
        return len(whole[:FILES_PER_POLL_MAX])

    async def serve(self) -> None:
        """Polls until it is cancelled; what cannot be kept waits where it is for a later look."""
        while True:
            try:
                await asyncio.to_thread(self.poll)
            except (Transient, Unavailable, OSError) as failure:
                _log.warning("file not taken", door=self._inbound.name, error=failure)
            await asyncio.sleep(POLL_SECONDS)

    def _files(self) -> Iterator[tuple[str, _Seen]]:
        with os.scandir(self._inbound) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    yield entry.name, _Seen(status.st_size, status.st_mtime_ns, status.st_ino)

    def _is_whole(self, name: str, now: _Seen) -> bool:
        before = self._seen.get(name)
        if before is None or before[0] != now:
            self._seen[name] = (now, time.monotonic())
            return self._settle_seconds == 0
        return time.monotonic() - before[1] >= self._settle_seconds

    def _take(self, name: str, seen: _Seen) -> None:
        path = self._inbound / name
        if not _NAME.fullmatch(name) or seen.size > FILE_BYTES_MAX:
            self._refuse(path, seen, "file-name" if seen.size <= FILE_BYTES_MAX else "file-size")
            return
        try:
            accepted = self._receive(name, _read(path))
        except (Transient, Unavailable, OSError):
            raise
        except Exception as bug:  # noqa: BLE001 - a file that meets a bug of ours must not keep the others waiting
            _log.error("file met a bug", error=bug, frames=frames_of(bug))
            self._refuse(path, seen, "unreadable-by-us")
            return
        _move(path, self._done if accepted else self._quarantine, name)
        _log.info("file taken", door=self._inbound.name, accepted=accepted)

    def _refuse(self, path: Path, seen: _Seen, rule: str) -> None:
        name = f"refused-{seen.inode}-{seen.modified_ns}"
        self._report(name, rule)
        _log.warning("file refused", rule=rule)
        _move(path, self._quarantine, name)


def _read(path: Path) -> bytes:
    """The bytes of a plain file; a link that took its place meanwhile is refused by the system."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def _move(path: Path, folder: Path, name: str) -> None:
    """Into the folder, beside what has this name there already; whoever moved it meanwhile has done it."""
    target = folder / name
    for copy in range(1, 10_000):
        if not target.exists():
            break
        target = folder / f"{name}.{copy}"
    try:
        path.rename(target)
    except FileNotFoundError:
        return
