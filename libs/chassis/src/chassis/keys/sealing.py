"""Sealing: AES-256-GCM under a patient's or an entity's key, bound to what it is and to which fact it belongs."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from canonical.classes import CanonicalModel
from canonical.sealed import Sealed
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.keys.store import DEPLOYMENT_KEY, ErasedKey, KeyStore

NONCE_BYTES = 12
TAG_BYTES = 16

_M = TypeVar("_M", bound=CanonicalModel)


class SealBroken(ValueError):
    """A ciphertext does not authenticate: it was changed, or moved to another fact, kind or key."""


@dataclass(frozen=True, slots=True)
class ToSeal:
    """Bytes with the key they go under, what they are, and the fact they belong to."""

    content: bytes
    key_id: UUID
    kind: str
    fact: UUID


class Sealer:
    """Seals and opens. A batch asks the key store once. Only a simulation gives its own `random_bytes`."""

    def __init__(self, keys: KeyStore, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.keys = keys
        self._random_bytes = random_bytes
        self._hashes: dict[str, _KeyedHash] = {}
        self._in_hand: dict[UUID, AESGCM] = {}

    def with_keys(self, key_ids: Iterable[UUID]) -> Sealer:
        """A sealer for one batch: it has these keys in hand, made where they are missing, and does not ask for them again.

        Raises:
            ErasedKey: one of them was erased.
        """
        holding = Sealer(self.keys, self._random_bytes)
        holding._hashes = self._hashes
        holding._in_hand = {key_id: AESGCM(key) for key_id, key in self.keys.keys_for(key_ids).items()}
        return holding

    def seal(self, model: CanonicalModel, key_id: UUID, kind: str, fact: UUID) -> Sealed:
        """The model, sealed as `kind` (such as `patient.v1`) for one fact."""
        ciphertext = self.seal_bytes(model.model_dump_json().encode(), key_id, kind, fact)
        return Sealed(key_id=key_id, kind=kind, fact=fact, ciphertext=ciphertext)

    def seal_many(self, items: Iterable[tuple[CanonicalModel, UUID, str, UUID]]) -> list[Sealed]:
        """Many models, each with its key id, kind and fact.

        Raises:
            ErasedKey: a key has been erased; nothing more is sealed under it.
        """
        wanted = [ToSeal(model.model_dump_json().encode(), key_id, kind, fact) for model, key_id, kind, fact in items]
        sealed = self.seal_bytes_many(wanted)
        return [
            Sealed(key_id=item.key_id, kind=item.kind, fact=item.fact, ciphertext=ciphertext)
            for item, ciphertext in zip(wanted, sealed, strict=True)
        ]

    def open(self, sealed: Sealed, model_type: type[_M]) -> _M:
        """The model inside.

        Raises:
            ErasedKey: the key is gone.
            SealBroken: it does not authenticate.
        """
        return self.open_many([sealed], model_type)[0]

    def open_many(self, sealed: Sequence[Sealed], model_type: type[_M]) -> list[_M]:
        """Many of one kind."""
        opened = self.open_bytes_many([ToSeal(s.ciphertext, s.key_id, s.kind, s.fact) for s in sealed])
        return [model_type.model_validate_json(plain) for plain in opened]

    def seal_bytes(self, content: bytes, key_id: UUID, kind: str, fact: UUID) -> bytes:
        return self.seal_bytes_many([ToSeal(content, key_id, kind, fact)])[0]

    def seal_bytes_many(self, items: Sequence[ToSeal]) -> list[bytes]:
        """The ciphertexts: nonce, tag, body."""
        ciphers = self._in_hand
        if not all(item.key_id in ciphers for item in items):
            ciphers = _ciphers(self.keys.keys_for({item.key_id for item in items}))
        return [_sealed(ciphers[item.key_id], item, self._random_bytes(NONCE_BYTES)) for item in items]

    def open_bytes(self, ciphertext: bytes, key_id: UUID, kind: str, fact: UUID) -> bytes:
        return self.open_bytes_many([ToSeal(ciphertext, key_id, kind, fact)])[0]

    def open_bytes_many(self, items: Sequence[ToSeal]) -> list[bytes]:
        """What was sealed, from items whose content is the ciphertext."""
        ciphers = _ciphers(self.keys.existing({item.key_id for item in items}))
        for item in items:
            if item.key_id not in ciphers:
                raise ErasedKey(item.key_id)
        return [_opened(ciphers[item.key_id], item) for item in items]

    def content_address(self, content: bytes) -> bytes:
        """The keyed hash of raw bytes: equal for equal bytes, and no help to somebody who guesses them."""
        return self.keyed_hashes("content-address", [content])[0]

    def keyed_hashes(self, purpose: str, contents: Sequence[bytes]) -> list[bytes]:
        """A keyed hash of each: equal for equal contents of one purpose, and without relation to any other purpose."""
        keyed = self._hashes.get(purpose)
        if keyed is None:  # asked for once a purpose: the deployment's key is never erased
            key = hmac.digest(self.keys.keys_for([DEPLOYMENT_KEY])[DEPLOYMENT_KEY], purpose.encode(), "sha256")
            keyed = self._hashes[purpose] = _KeyedHash(key)
        return list(map(keyed.of, contents))


class _KeyedHash:
    """HMAC-SHA-256 of many contents under one key, which is taken in once: the half of what a short content costs."""

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(sha256().block_size, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def of(self, content: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(content)
        outer.update(inner.digest())
        return outer.digest()


def _ciphers(keys: dict[UUID, bytes]) -> dict[UUID, AESGCM]:
    return {key_id: AESGCM(key) for key_id, key in keys.items()}


def _bound_to(item: ToSeal) -> bytes:
    return f"{item.kind}|{item.fact}|{item.key_id}".encode()


def _sealed(cipher: AESGCM, item: ToSeal, nonce: bytes) -> bytes:
    sealed = cipher.encrypt(nonce, item.content, _bound_to(item))
    return nonce + sealed[-TAG_BYTES:] + sealed[:-TAG_BYTES]


def _opened(cipher: AESGCM, item: ToSeal) -> bytes:
    nonce = item.content[:NONCE_BYTES]
    tag = item.content[NONCE_BYTES : NONCE_BYTES + TAG_BYTES]
    body = item.content[NONCE_BYTES + TAG_BYTES :]
    try:
        return cipher.decrypt(nonce, body + tag, _bound_to(item))
    except (InvalidTag, ValueError):
        raise SealBroken(f"{item.kind} of {item.fact} does not authenticate") from None
