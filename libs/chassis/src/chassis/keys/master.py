"""The master key, which wraps all others and leaves its place only in a key management service's own ways."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 8
WRAPPED_BYTES = KEY_ID_BYTES + NONCE_BYTES + KEY_BYTES + 16
_GROUP_AND_OTHERS = 0o077


class MasterKeyRefused(RuntimeError):
    """The master key's file is not what it must be: 32 bytes that its owner alone may read."""


class WrongMasterKey(RuntimeError):
    """A key was wrapped by another master key, or its wrapping was changed."""


class MasterKey(Protocol):
    """Shaped like a key management service: it wraps and unwraps data keys, and is never seen itself."""

    def wrap(self, key: bytes) -> bytes:
        """The data key, sealed."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """The data key again.

        Raises:
            WrongMasterKey: it was wrapped by another one.
        """
        ...


class FileMasterKey:
    """A master key in a file of 32 random bytes with mode 0600, for one machine. A wrapped key names its master key.

    Raises:
        MasterKeyRefused: the file is missing, of another size, or open to others.
    """

    def __init__(self, path: Path) -> None:
        key = _read(path)
        self.key_id = sha256(b"throughline master key id" + key).digest()[:KEY_ID_BYTES]
        self._cipher = AESGCM(key)

    @classmethod
    def create(cls, path: Path) -> FileMasterKey:
        """Makes the file with a new key, where there is none."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
        return cls(path)

    def wrap(self, key: bytes) -> bytes:
        """Key id, nonce, ciphertext with tag."""
        nonce = os.urandom(NONCE_BYTES)
        return self.key_id + nonce + self._cipher.encrypt(nonce, key, self.key_id)

    def unwrap(self, wrapped: bytes) -> bytes:
        named, nonce = wrapped[:KEY_ID_BYTES], wrapped[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES]
        if named != self.key_id:
            raise WrongMasterKey(f"wrapped by master key {named.hex()}, this is {self.key_id.hex()}")
        try:
            return self._cipher.decrypt(nonce, wrapped[KEY_ID_BYTES + NONCE_BYTES :], self.key_id)
        except InvalidTag:
            raise WrongMasterKey("the wrapped key does not authenticate") from None


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        key = path.read_bytes()
    except OSError as error:
        raise MasterKeyRefused(f"{path}: {error.strerror}") from error
    if mode & _GROUP_AND_OTHERS:
        raise MasterKeyRefused(f"{path} is open to others (mode {mode & 0o777:o}); it must be 600")
    if len(key) != KEY_BYTES:
        raise MasterKeyRefused(f"{path} has {len(key)} bytes; it must have {KEY_BYTES}")
    return key
