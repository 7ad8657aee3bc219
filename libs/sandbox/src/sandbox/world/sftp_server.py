"""A partner's SFTP server on loopback, over a folder of the outside world; one user, one key, one host key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from pathlib import Path

import asyncssh

from sandbox.world.misbehaviour import Fault, Misbehaviour

USER = "throughline"
TARGET = "sftp"
READ_TARGET = "sftp-read"
START_SECONDS_MAX = 10


class _Files(asyncssh.SFTPServer):
    """The folder as the root of all; loses the connection where it is asked to."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], root: Path, misbehaviour: Misbehaviour) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._connection = channel.get_connection()
        self._misbehaviour = misbehaviour

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & asyncssh.FXF_WRITE and self._misbehaviour.strike(Fault.CUT, TARGET):
            self._connection.abort()
        return super().open(path, pflags, attrs)

    def read(self, file_obj: object, offset: int, size: int) -> bytes | Awaitable[bytes]:
        if offset and self._misbehaviour.strike(Fault.CUT, READ_TARGET):
            self._connection.abort()
        return super().read(file_obj, offset, size)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Like a server that follows the standard: no file is replaced."""
        if Path(self.map_path(newpath).decode()).exists():
            raise asyncssh.SFTPFailure("the name is taken")
        super().rename(oldpath, newpath)
        if self._misbehaviour.strike(Fault.TIMEOUT_AFTER_WORK, TARGET):
            self._connection.abort()


class SftpPartner:
    """Serves `root` from a thread of its own. Faults by target `sftp`: DOWN (refuses logins), CUT (the connection ends when
    a file is opened to be written) and TIMEOUT_AFTER_WORK (it ends after a file got its name); by target `sftp-read`: CUT
    (it ends in the middle of a file that is read). With a `password`, that lets in as well as the key.
    """

    def __init__(self, root: Path, keys: Path, misbehaviour: Misbehaviour | None = None, *, password: str = "") -> None:
        self._password = password
        self.root = root
        self.misbehaviour = misbehaviour or Misbehaviour()
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        client_key = asyncssh.generate_private_key("ssh-ed25519")
        keys.mkdir(parents=True, exist_ok=True)
        self.private_key_file = keys / "client_key"
        self.private_key_file.touch(mode=0o600)
        self.private_key_file.write_bytes(client_key.export_private_key())
        self._authorized = asyncssh.import_authorized_keys(client_key.export_public_key().decode())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp-partner", daemon=True)
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self.port = 0

    @property
    def host_key(self) -> str:
        """The server's public key, as a client pins it."""
        return self._host_key.export_public_key().decode().strip()

    def start(self) -> None:
        self._thread.start()
        self._acceptor = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(START_SECONDS_MAX)
        self.port = self._acceptor.get_port()

    def stop(self) -> None:
        async def close() -> None:
            if self._acceptor is not None:
                self._acceptor.close()
                await self._acceptor.wait_closed()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(START_SECONDS_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS_MAX)
        self._loop.close()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: _Door(self.misbehaviour, self._password),
            server_host_keys=[self._host_key],
            authorized_client_keys=self._authorized,
            password_auth=bool(self._password),
            sftp_factory=lambda channel: _Files(channel, self.root, self.misbehaviour),
        )


class _Door(asyncssh.SSHServer):
    def __init__(self, misbehaviour: Misbehaviour, password: str) -> None:
        self._misbehaviour = misbehaviour
        self._password = password

    def password_auth_supported(self) -> bool:
        return bool(self._password)

    def validate_password(self, username: str, password: str) -> bool:
        return password == self._password

    def begin_auth(self, username: str) -> bool:
        if username != USER or self._misbehaviour.strike(Fault.DOWN, TARGET):
            raise asyncssh.PermissionDenied("this server lets nobody in now")
        return True
