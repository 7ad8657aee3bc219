"""Data keys by id, and the aliases under which outside identifiers lead to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from uuid import UUID

from canonical.ids import derive

KEY_BYTES = 32
DEPLOYMENT_KEY = derive("deployment-key")


class ErasedKey(LookupError):
    """The key has been destroyed, or never was; what is sealed under it stays closed for ever."""

    def __init__(self, key_id: UUID) -> None:
        super().__init__(f"key {key_id} is gone")
        self.key_id = key_id


def entity_key_id(entity: str) -> UUID:
    """The key of what belongs to a legal entity and to no one patient. A patient's key has the patient's id."""
    return derive("entity-key", entity)


class KeyStore(Protocol):
    """Every service may make and read keys; only erasure destroys them. Calls block."""

    def keys_for(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """The keys of all ids, made where they are missing; two callers at once get the same ones.

        Raises:
            ErasedKey: one of them was erased; it is not made again.
        """
        ...

    def existing(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """The keys that there are, none made: what opening asks for."""
        ...

    def key_ids_for_aliases(self, aliases: Iterable[str]) -> dict[str, UUID]:
        """The key ids that aliases lead to; an unknown alias gets a fresh id, and keeps it."""
        ...

    def link_aliases(self, links: Mapping[str, UUID]) -> dict[str, UUID]:
        """Lets aliases lead to key ids. A link that exists is kept: gives where each alias leads now."""
        ...

    def link_alias(self, alias: str, key_id: UUID) -> UUID:
        """One link, as `link_aliases`."""
        ...

    def erase(self, key_id: UUID) -> None:
        """Destroys a key with its aliases, for ever. Doing it again changes nothing."""
        ...


class MemoryKeyStore:
    """Keys in memory, for simulation and unit tests. `random_bytes` may be seeded."""

    def __init__(self, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._random_bytes = random_bytes
        self._keys: dict[UUID, bytes] = {}
        self._aliases: dict[str, UUID] = {}
        self._erased: set[UUID] = set()

    def keys_for(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        found: dict[UUID, bytes] = {}
        for key_id in key_ids:
            if key_id in self._erased:
                raise ErasedKey(key_id)
            if key_id not in self._keys:
                self._keys[key_id] = self._random_bytes(KEY_BYTES)
            found[key_id] = self._keys[key_id]
        return found

    def existing(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        return {key_id: self._keys[key_id] for key_id in key_ids if key_id in self._keys}

    def key_ids_for_aliases(self, aliases: Iterable[str]) -> dict[str, UUID]:
        fresh = {alias: UUID(bytes=self._random_bytes(16), version=4) for alias in aliases}
        return self.link_aliases(fresh)

    def link_aliases(self, links: Mapping[str, UUID]) -> dict[str, UUID]:
        return {alias: self._aliases.setdefault(alias, key_id) for alias, key_id in links.items()}

    def link_alias(self, alias: str, key_id: UUID) -> UUID:
        return self.link_aliases({alias: key_id})[alias]

    def erase(self, key_id: UUID) -> None:
        refuse_deployment_key(key_id)
        self._keys.pop(key_id, None)
        self._erased.add(key_id)
        self._aliases = {alias: known for alias, known in self._aliases.items() if known != key_id}


def refuse_deployment_key(key_id: UUID) -> None:
    """Raises ValueError for the one key that all aliases and content addresses hang on."""
    if key_id == DEPLOYMENT_KEY:
        raise ValueError("the deployment key is not a patient's, and is never erased")
