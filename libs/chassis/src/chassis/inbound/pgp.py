"""OpenPGP on arrival: what a partner sealed for us is opened, and where we know the partner's key, must be signed by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pysequoia import Cert, Decrypted, Tsk, decrypt

from chassis.inbound.file_shelf import ClosedFile

_ARMOR = b"-----BEGIN PGP MESSAGE-----"
_PACKET_BIT = 0x80
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UnusableKey(ValueError):
    """A file does not hold the OpenPGP key that it should."""


class PgpOpening:
    """Opens messages sealed for our key. With a partner's certificate, one without a good signature of theirs is refused.

    A file that is no OpenPGP message is left as it is where nothing needs to be signed, and is refused where it does.
    """

    def __init__(self, key_file: Path, passphrase_file: Path | None = None, signer_file: Path | None = None) -> None:
        passphrase = passphrase_file.read_text("utf-8").split("\n", 1)[0] if passphrase_file else None
        try:
            self._key = Tsk.from_file(str(key_file))
            self._decryptor = self._key.decryptor(passphrase)
            self._signer = Cert.from_file(str(signer_file)) if signer_file else None
        except Exception as fault:  # noqa: BLE001 - the library raises plain exceptions; what they say may quote the key
            raise UnusableKey(f"{key_file.name}: no OpenPGP key that can be used: {type(fault).__name__}") from None

    def __call__(self, content: bytes) -> bytes:
        """What is inside.

        Raises:
            ClosedFile: it is not for us, was changed on the way, or is not signed as it should be.
        """
        if not _is_pgp(content):
            if self._signer is None:
                return content
            raise ClosedFile("pgp-not-sealed")
        opened = self._opened(content, self._signers if self._signer else None)
        if opened is None and self._signer and self._opened(content, None) is not None:
            raise ClosedFile("pgp-signature")
        if opened is None:
            raise ClosedFile("pgp-cannot-be-opened")
        if self._signer and not opened.valid_sigs:
            raise ClosedFile("pgp-signature")
        return opened.bytes or b""

    def _opened(self, content: bytes, store: Callable[[Sequence[str]], list[Cert]] | None) -> Decrypted | None:
        try:
            return decrypt(content, self._decryptor, store=store)
        except Exception:  # noqa: BLE001 - the library raises plain exceptions; what they say may quote the content
            return None

    def _signers(self, key_ids: Sequence[str]) -> list[Cert]:
        return [self._signer] if self._signer else []


def _is_pgp(content: bytes) -> bool:
    """Armored, or the tag of a packet that no text begins with."""
    if content.startswith(_BYTE_ORDER_MARK):
        return False
    return content.lstrip().startswith(_ARMOR) or bool(content and content[0] & _PACKET_BIT)
