"""A watched folder: takes files that are whole, and moves each away when it is durable."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from chassis.domain import Transient, Unavailable
from chassis.inbound.file_names import is_unfinished
from chassis.inbound.file_shelf import FileShelf, Report, Take, Unseal

FILES_PER_POLL_MAX = 100
SETTLE_SECONDS = 0.2
POLL_SECONDS = 0.25
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file at one look."""

    size: int
    modified_ns: int
    inode: int


class WatchedFolder:
    """Polls `<exchange>/<door>-inbound`. A file is whole when two looks, at least 0.2 s apart, see it the same.

    Dot files, unfinished names and everything that is no plain file are left alone. A crash between commit and move is
    harmless: the file is received again, and is the same message.
    """

    def __init__(
        self,
        exchange: Path,
        door: str,
        take: Take,
        report: Report,
        *,
        settle_seconds: float = SETTLE_SECONDS,
        unseal: Unseal | None = None,
    ) -> None:
        self._shelf = FileShelf(exchange, door, take, report)
        self._inbound = exchange / f"{door}-inbound"
        self._unseal = unseal
        self._settle_seconds = settle_seconds
        self._seen: dict[str, tuple[_Seen, float]] = {}
        self._inbound.mkdir(parents=True, exist_ok=True)

    def poll(self) -> int:
        """One look at the folder; receives what is whole, oldest name first, and says how many files that were.

        Raises:
            Transient, Unavailable: not durable; the file stays where it is.
        """
        found = dict(self._files())
        self._seen = {name: seen for name, seen in self._seen.items() if name in found}
        whole = [name for name, now in sorted(found.items()) if self._is_whole(name, now)]
        for name in whole[:FILES_PER_POLL_MAX]:
            seen = found[name]
            self._shelf.place(self._inbound / name, name, f"{seen.inode}-{seen.modified_ns}", self._unseal)
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
                if is_unfinished(entry.name):
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
