"""A partner's folder on an SFTP server: its files are fetched bit by bit, taken once, and moved only when they are durable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import asyncssh
import structlog
from asyncssh import SFTPClient

from chassis.domain import Transient, Unavailable
from chassis.inbound.file_names import is_unfinished
from chassis.inbound.file_shelf import FILE_BYTES_MAX, FileShelf, Report, Unseal
from chassis.sftp import SftpLogin, call, plain_names, size_of_plain
from chassis.whole_files import replace_whole

FILES_PER_POLL_MAX = 100
LISTED_MAX = 10_000
CHUNK_BYTES = 262_144
TAKEN = ".taken"
PART = ".part"
_log = structlog.get_logger(__name__)


class Afterwards(StrEnum):
    """What becomes of a partner's file when it is durable here."""

    LEAVE = "leave"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class RemotePlan:
    """Which files of a partner are wanted, and what becomes of them.

    With `marker` (such as `.done`), a file is whole when a file of its name and this ending stands beside it; without, when
    two looks, `settle_seconds` apart at least, see it the same.
    """

    folder: str
    afterwards: Afterwards = Afterwards.LEAVE
    moved_to: str = ""
    marker: str = ""
    settle_seconds: float = 10.0
    poll_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class _Remote:
    """One file at one look; `digest` is the same as long as it is the same file."""

    name: str
    size: int
    modified: int
    digest: str


class RemoteFolder:
    """Polls one folder of one partner. What is fetched in part stays in `spool`, and the rest follows next time.

    A file whose verdict is known is not fetched again, however often the process restarts; without its spool it is
    fetched again, and is the same message. A name that is no plain name, and a file too large, stay where they are and are
    reported.
    """

    def __init__(
        self,
        partner: str,
        login: SftpLogin,
        plan: RemotePlan,
        shelf: FileShelf,
        report: Report,
        spool: Path,
        *,
        unseal: Unseal | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._partner = partner
        self._login = login
        self._plan = plan
        self._shelf = shelf
        self._report = report
        self._spool = spool / partner
        self._unseal = unseal
        self._monotonic = monotonic
        self._seen: dict[str, float] = {}
        self._spool.mkdir(parents=True, exist_ok=True)

    def poll(self) -> int:
        """One look; fetches and takes what is whole, oldest name first, and says how many files that were.

        Raises:
            SftpLost: the server is away, or the connection ended; what was fetched stays.
            Transient, Unavailable, OSError: not durable here; nothing was changed there.
        """
        found = call(self._login, self._listed)
        self._forget({each.digest for each in found})
        whole = [each for each in found if self._is_whole(each)]
        taken = 0
        for each in whole[:FILES_PER_POLL_MAX]:
            taken += self._take(each)
        return taken

    async def serve(self) -> None:
        """Polls until it is cancelled; what cannot be fetched or kept now is tried again."""
        while True:
            try:
                await asyncio.to_thread(self.poll)
            except (Transient, Unavailable, OSError) as failure:
                _log.warning("partner's files not taken", partner=self._partner, error=failure)
            await asyncio.sleep(self._plan.poll_seconds)

    async def _listed(self, sftp: SFTPClient) -> list[_Remote]:
        """The plain files that are finished by their names, and by their marker where there is one."""
        marker = self._plan.marker
        names = {name for name in plain_names(await sftp.listdir(self._plan.folder)) if not is_unfinished(name)}
        wanted = sorted(name for name in names if not marker or (not name.endswith(marker) and name + marker in names))
        found = []
        for name in wanted[:LISTED_MAX]:
            try:
                size = await size_of_plain(sftp, f"{self._plan.folder}/{name}")
            except asyncssh.SFTPNoSuchFile:
                continue
            if size is not None:
                found.append(_Remote(name, *size, self._digest_of(name, *size)))
        return found

    def _digest_of(self, name: str, size: int, modified: int) -> str:
        return sha256(f"{self._partner}\0{name}\0{size}\0{modified}".encode()).hexdigest()[:32]

    def _forget(self, there: set[str]) -> None:
        """What is no longer at the partner needs no memory here."""
        self._seen = {digest: first for digest, first in self._seen.items() if digest in there}
        for path in self._spool.iterdir():
            if path.name.lstrip(".").split(".")[0] not in there:
                path.unlink(missing_ok=True)

    def _is_whole(self, remote: _Remote) -> bool:
        first = self._seen.setdefault(remote.digest, self._monotonic())
        return bool(self._plan.marker) or self._monotonic() - first >= self._plan.settle_seconds

    def _take(self, remote: _Remote) -> int:
        """1 where the file was taken now, 0 where it had been, or cannot be."""
        taken = self._spool / f"{remote.digest}{TAKEN}"
        if taken.exists():
            self._clear_away(remote)
            return 0
        if remote.size > FILE_BYTES_MAX:
            self._report(f"{self._partner}-{remote.digest}", "file-size: it stays at the partner")
            replace_whole(taken, b"file-size")
            return 0
        part = self._spool / f"{remote.digest}{PART}"
        if not call(self._login, lambda sftp: self._fetch(sftp, remote, part)):
            part.unlink(missing_ok=True)
            return 0
        accepted = self._shelf.place(part, remote.name, remote.digest, self._unseal)
        replace_whole(taken, b"accepted" if accepted else b"not accepted")
        self._clear_away(remote)
        return 1

    async def _fetch(self, sftp: SFTPClient, remote: _Remote, part: Path) -> bool:
        """Fetches what is not here yet; whether the file is the same as at the look."""
        path = f"{self._plan.folder}/{remote.name}"
        async with sftp.open(path, "rb") as source:
            with part.open("ab") as target:
                at = target.tell()
                while at < remote.size and (chunk := await source.read(min(CHUNK_BYTES, remote.size - at), at)):
                    assert isinstance(chunk, bytes), "a file that is opened as bytes gives bytes"
                    target.write(chunk)
                    at += len(chunk)
        return at == remote.size and await size_of_plain(sftp, path) == (remote.size, remote.modified)

    def _clear_away(self, remote: _Remote) -> None:
        """Does with the partner's file, and its marker, what was agreed; what is gone already is gone."""
        plan = self._plan
        if plan.afterwards is Afterwards.LEAVE or remote.size > FILE_BYTES_MAX:
            return
        marked = (remote.name + plan.marker,) if plan.marker else ()

        async def clear(sftp: SFTPClient) -> None:
            for name in (remote.name, *marked):
                try:
                    if plan.afterwards is Afterwards.DELETE:
                        await sftp.remove(f"{plan.folder}/{name}")
                    else:
                        await sftp.posix_rename(f"{plan.folder}/{name}", f"{plan.moved_to}/{name}")
                except asyncssh.SFTPNoSuchFile:
                    continue

        call(self._login, clear)
