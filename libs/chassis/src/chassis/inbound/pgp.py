"""OpenPGP on arrival: what a partner sealed for us is opened, and where we know the partner's key, must be signed by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

from pysequoia import Cert, Tsk

from chassis.inbound import pgp_process
from chassis.inbound.file_shelf import FILE_BYTES_MAX, ClosedFile

_ARMOR = b"-----BEGIN PGP MESSAGE-----"
_PACKET_BIT = 0x80
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_REFUSALS = {pgp_process.BAD_SIGNATURE: "pgp-signature", pgp_process.CLOSED: "pgp-cannot-be-opened"}


class UnusableKey(ValueError):
    """A file does not hold the OpenPGP key that it should."""


class PgpOpening:
    """Opens messages sealed for our key. With a partner's certificate, one without a good signature of theirs is refused.

    A file that is no OpenPGP message is left as it is where nothing needs to be signed, and is refused where it does.
    Of what is inside, no more than `bytes_max` is taken: a small message may hold a huge file.
    """

    def __init__(
        self,
        key_file: Path,
        passphrase_file: Path | None = None,
        signer_file: Path | None = None,
        *,
        bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        self._bytes_max = bytes_max
        self._needs_signature = signer_file is not None
        self._files = [str(each) if each else "" for each in (key_file, passphrase_file, signer_file)]
        passphrase = passphrase_file.read_text("utf-8").split("\n", 1)[0] if passphrase_file else None
        try:
            Tsk.from_file(str(key_file)).decryptor(passphrase)
            if signer_file:
                Cert.from_file(str(signer_file))
        except Exception as fault:  # noqa: BLE001 - the library raises plain exceptions; what they say may quote the key
            raise UnusableKey(f"{key_file.name}: no OpenPGP key that can be used: {type(fault).__name__}") from None

    def __call__(self, content: bytes) -> bytes:
        """What is inside.

        Raises:
            ClosedFile: it is not for us, was changed on the way, is not signed as it should be, or holds too much.
        """
        if not _is_pgp(content):
            if not self._needs_signature:
                return content
            raise ClosedFile("pgp-not-sealed")
        with NamedTemporaryFile(prefix="sealed-") as sealed:
            sealed.write(content)
            sealed.flush()
            opened, code = self._opened(sealed.name)
        if len(opened) > self._bytes_max:
            raise ClosedFile("pgp-size")
        if code not in (pgp_process.SIGNED, pgp_process.UNSIGNED):
            raise ClosedFile(_REFUSALS.get(code, "pgp-cannot-be-opened"))
        return opened

    def _opened(self, message: str) -> tuple[bytes, int]:
        """What the process writes, up to one byte more than we take, and how it ended; it bounds its own time."""
        command = [sys.executable, "-I", pgp_process.__file__, message, *self._files]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env={}) as process:
            assert process.stdout is not None
            opened = process.stdout.read(self._bytes_max + 1)
            if len(opened) > self._bytes_max:
                process.kill()
            return opened, process.wait()


def _is_pgp(content: bytes) -> bool:
    """Armored, or the tag of a packet that no text begins with."""
    if content.startswith(_BYTE_ORDER_MARK):
        return False
    return content.lstrip().startswith(_ARMOR) or bool(content and content[0] & _PACKET_BIT)
