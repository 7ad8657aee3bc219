"""Claims out and answers in by SFTP: a file appears whole under its name, once, and none ever replaces another."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import asyncssh
from asyncssh import SFTPClient
from chassis.sftp import FILE_BYTES_MAX, SftpLogin, SftpLost, SftpServer, call, content_of, plain_names, size_of_plain

from claims.adapters.secret_files import NoSecrets
from claims.application.ports import ReceivedAnswer, TransportUnavailable, TransportUncertain
from claims.domain.interchange import OtherBytesSent

ANSWERS_PER_FETCH_MAX = 200
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SftpAccess(SftpLogin):
    """`outbound` is where we put claims, `taken` where the partner keeps those it has read (empty where it keeps none),
    `inbound` where its answers lie, and `done` where we move those we have.
    """

    outbound: str = "outbound"
    taken: str = ""
    inbound: str = ""
    done: str = ""


class SftpFolders(SftpServer):
    """A server and its folders as the settings files have them."""

    outbound: str = "outbound"
    taken: str = ""
    inbound: str = ""
    done: str = ""

    def access(self, beside: Path) -> SftpAccess:
        """
        Raises:
            NoSecrets: what we prove ourselves by is not there.
        """
        if missing := self.missing_file(beside):
            raise NoSecrets(missing)
        folders = self.model_dump(include={"outbound", "taken", "inbound", "done"})
        return SftpAccess(**(asdict(self.login(beside)) | folders))


class SftpClearinghouse:
    """A connection for each call: calls are few, and a connection that idles for hours is one that is dead."""

    def __init__(self, access: SftpAccess) -> None:
        self._access = access

    def probe(self, name: str) -> str | None:
        """Where the partner takes files away and keeps none of them, a file that was taken is not found."""
        folders = [folder for folder in (self._access.outbound, self._access.taken) if folder]

        async def look(sftp: SFTPClient) -> str | None:
            for folder in folders:
                digest = await _digest(sftp, f"{folder}/{name}")
                if digest is not None:
                    return digest
            return None

        return self._call(look)

    def send(self, name: str, content: bytes) -> None:
        """An unfinished name first, then a rename, which fails where the name is taken.

        Raises:
            OtherBytesSent: another file stands under this name.
        """
        target = f"{self._access.outbound}/{name}"
        unfinished = f"{self._access.outbound}/.{name}.part"
        is_there = False

        async def put(sftp: SFTPClient) -> None:
            nonlocal is_there
            async with sftp.open(unfinished, "wb") as file:
                await file.write(content)
            is_there = True
            try:
                await sftp.rename(unfinished, target)
            except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
                await _refuse_other(sftp, target, content)
                await sftp.remove(unfinished)

        try:
            self._call(put)
        except TransportUnavailable as lost:
            if is_there:
                raise TransportUncertain(f"the connection was lost while the file got its name: {lost}") from lost
            raise

    def fetch(self, keep: Callable[[ReceivedAnswer], None]) -> int:
        """Gives every answer that lies there to `keep`, and then moves it away; how many.

        A crash in between gives the same answer again.

        Raises:
            TransportUnavailable: the server cannot be reached; what was kept is kept.
        """
        return self._call(lambda sftp: self._fetch(sftp, keep)) if self._access.inbound else 0

    async def _fetch(self, sftp: SFTPClient, keep: Callable[[ReceivedAnswer], None]) -> int:
        count = 0
        for name in await _finished(sftp, self._access.inbound):
            path = f"{self._access.inbound}/{name}"
            content = await _read(sftp, path)
            if content is None:
                continue
            await asyncio.to_thread(keep, ReceivedAnswer(name, content))
            if self._access.done:
                await sftp.posix_rename(path, f"{self._access.done}/{name}")
            else:
                await sftp.remove(path)
            count += 1
        return count

    def _call(self, work: Callable[[SFTPClient], Awaitable[_T]]) -> _T:
        """One connection, one piece of work, with limits of time.

        Raises:
            TransportUnavailable: not reached, not let in, another host key, or too slow.
        """
        try:
            return call(self._access, work)
        except SftpLost as lost:
            raise TransportUnavailable(str(lost)) from lost


async def _finished(sftp: SFTPClient, folder: str) -> list[str]:
    """The first names of finished files."""
    return sorted(plain_names(await sftp.listdir(folder)))[:ANSWERS_PER_FETCH_MAX]


async def _read(sftp: SFTPClient, path: str) -> bytes | None:
    """The bytes of a plain file; None where it is none, or too large: that one is left where it lies."""
    found = await size_of_plain(sftp, path)
    if found is None or found[0] > FILE_BYTES_MAX:
        return None
    return await content_of(sftp, path)


async def _digest(sftp: SFTPClient, path: str) -> str | None:
    try:
        return hashlib.sha256(await content_of(sftp, path)).hexdigest()
    except asyncssh.SFTPNoSuchFile:
        return None


async def _refuse_other(sftp: SFTPClient, target: str, content: bytes) -> None:
    found = await _digest(sftp, target)
    if found is None:
        raise asyncssh.SFTPFailure("the server takes no file of this name")
    if found != hashlib.sha256(content).hexdigest():
        raise OtherBytesSent(f"{target}: another file stands under this name")
