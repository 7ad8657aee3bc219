"""Partners' SFTP servers: who we are there, by which host key we know them, and a connection for one piece of work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncssh
from asyncssh import SFTPClient
from pydantic import BaseModel, ConfigDict, Field

from chassis.domain import Unavailable

FILE_BYTES_MAX = 256 * 1024 * 1024
CONNECT_SECONDS = 15
CALL_SECONDS = 120
SECRET_BYTES_MAX = 65_536
_T = TypeVar("_T")
_LOST = (OSError, asyncssh.Error, TimeoutError)


class SftpLost(Unavailable):
    """Not reached, not let in, another host key, too slow, or cut off; the message names no file."""


@dataclass(frozen=True, slots=True)
class SftpLogin:
    """Where the partner's server is and who we are there.

    `host_key` is the server's public key in one line of OpenSSH's format, and no other is accepted. We show the key of a
    file, or the password that is the first line of one.
    """

    host: str
    port: int
    user: str
    private_key_file: Path | None
    host_key: str
    password_file: Path | None = None


class SftpServer(BaseModel):
    """A login as the settings files have it; files are named relative to the file that names them."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int = Field(default=22, ge=1, le=65535)
    user: str = Field(min_length=1)
    private_key_file: Path | None = None
    password_file: Path | None = None
    host_key: str = Field(pattern=r"^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]+( .*)?$")

    def missing_file(self, folder: Path) -> str:
        """What is wrong with the files that we prove ourselves by; empty where nothing is."""
        named = {"private_key_file": self.private_key_file, "password_file": self.password_file}
        given = {name: path for name, path in named.items() if path is not None}
        if len(given) != 1:
            return "private_key_file: it, or a password_file, is needed, and not both"
        return next((f"{name}: no such file" for name, path in given.items() if not (folder / path).is_file()), "")

    def login(self, folder: Path) -> SftpLogin:
        """The login with its files found from `folder`."""
        key, password = (path and folder / path for path in (self.private_key_file, self.password_file))
        return SftpLogin(self.host, self.port, self.user, key, self.host_key, password)


def call(login: SftpLogin, work: Callable[[SFTPClient], Awaitable[_T]], *, seconds: float = CALL_SECONDS) -> _T:
    """One connection, one piece of work, with limits of time. Calls are few, and an idle connection is soon a dead one.

    Raises:
        SftpLost: the work was not done, or not all of it.
    """

    async def connected() -> _T:
        try:
            async with asyncio.timeout(seconds), _opened(login) as sftp:
                return await work(sftp)
        except _LOST as error:
            raise SftpLost(f"SFTP at {login.host}: {type(error).__name__}") from error

    return asyncio.run(connected())


@asynccontextmanager
async def _opened(login: SftpLogin) -> AsyncIterator[SFTPClient]:
    known = asyncssh.import_known_hosts(f"[{login.host}]:{login.port} {login.host_key}\n")
    connection = await asyncssh.connect(
        login.host,
        login.port,
        username=login.user,
        client_keys=[str(login.private_key_file)] if login.private_key_file else None,
        password=_password(login.password_file) if login.password_file else None,
        known_hosts=known,
        config=None,
        agent_path=None,
        connect_timeout=CONNECT_SECONDS,
        login_timeout=CONNECT_SECONDS,
    )
    async with connection, connection.start_sftp_client() as sftp:
        yield sftp


def _password(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(SECRET_BYTES_MAX).split(b"\n", 1)[0].decode().strip()


def plain_names(names: Sequence[str]) -> Iterator[str]:
    """The names of finished files; hidden ones are still being written."""
    return (name for name in names if not name.startswith(".") and "/" not in name)


async def size_of_plain(sftp: SFTPClient, path: str) -> tuple[int, int] | None:
    """Size and time of change of a plain file; None where it is none."""
    attributes = await sftp.lstat(path)
    if attributes.type != asyncssh.FILEXFER_TYPE_REGULAR:
        return None
    return attributes.size or 0, attributes.mtime or 0


async def content_of(sftp: SFTPClient, path: str) -> bytes:
    """The bytes of a file, at most 256 MiB."""
    async with sftp.open(path, "rb") as file:
        content = await file.read(FILE_BYTES_MAX)
    assert isinstance(content, bytes), "a file that is opened as bytes gives bytes"
    return content
