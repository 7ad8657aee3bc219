"""Claims out and answers in by SFTP: a file appears whole under its name, once, and none ever replaces another."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncssh
from asyncssh import SFTPClient

from claims.application.ports import ReceivedAnswer, TransportUnavailable, TransportUncertain
from claims.domain.interchange import OtherBytesSent

FILE_BYTES_MAX = 256 * 1024 * 1024
ANSWERS_PER_FETCH_MAX = 200
CONNECT_SECONDS = 15
CALL_SECONDS = 120
_T = TypeVar("_T")
_LOST = (OSError, asyncssh.Error, TimeoutError)


@dataclass(frozen=True, slots=True)
class SftpAccess:
    """Where the partner's server is and who we are there.

    `host_key` is the server's public key in one line of OpenSSH's format, and no other is accepted. `outbound` is where we put
    claims, `taken` where the partner keeps those it has read (empty where it keeps none), `inbound` where its answers
    lie, and `done` where we move those we have.
    """

    host: str
    port: int
    user: str
    private_key_file: Path
    host_key: str
    outbound: str = "outbound"
    taken: str = ""
    inbound: str = ""
    done: str = ""


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
        return asyncio.run(self._connected(work))

    async def _connected(self, work: Callable[[SFTPClient], Awaitable[_T]]) -> _T:
        try:
            async with asyncio.timeout(CALL_SECONDS), self._open() as sftp:
                return await work(sftp)
        except _LOST as error:
            raise TransportUnavailable(f"SFTP at {self._access.host}: {type(error).__name__}") from error

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[SFTPClient]:
        access = self._access
        known = asyncssh.import_known_hosts(f"[{access.host}]:{access.port} {access.host_key}\n")
        connection = await asyncssh.connect(
            access.host,
            access.port,
            username=access.user,
            client_keys=[str(access.private_key_file)],
            known_hosts=known,
            config=None,
            agent_path=None,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=CONNECT_SECONDS,
        )
        async with connection, connection.start_sftp_client() as sftp:
            yield sftp


async def _finished(sftp: SFTPClient, folder: str) -> list[str]:
    """The first names of finished files; hidden ones are still being written."""
    return sorted(_plain(await sftp.listdir(folder)))[:ANSWERS_PER_FETCH_MAX]


def _plain(names: Sequence[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith(".") and "/" not in name)


async def _read(sftp: SFTPClient, path: str) -> bytes | None:
    """The bytes of a plain file; None where it is none, or too large: that one is left where it lies."""
    attributes = await sftp.lstat(path)
    if attributes.type != asyncssh.FILEXFER_TYPE_REGULAR or (attributes.size or 0) > FILE_BYTES_MAX:
        return None
    return await _content(sftp, path)


async def _content(sftp: SFTPClient, path: str) -> bytes:
    async with sftp.open(path, "rb") as file:
        content = await file.read(FILE_BYTES_MAX)
    assert isinstance(content, bytes), "a file that is opened as bytes gives bytes"
    return content


async def _digest(sftp: SFTPClient, path: str) -> str | None:
    try:
        return hashlib.sha256(await _content(sftp, path)).hexdigest()
    except asyncssh.SFTPNoSuchFile:
        return None


async def _refuse_other(sftp: SFTPClient, target: str, content: bytes) -> None:
    found = await _digest(sftp, target)
    if found is None:
        raise asyncssh.SFTPFailure("the server takes no file of this name")
    if found != hashlib.sha256(content).hexdigest():
        raise OtherBytesSent(f"{target}: another file stands under this name")
