"""Keys for trying something out: those that there are, and for the rest some that are forgotten again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from chassis.keys.store import KeyStore, MemoryKeyStore


class RehearsalKeys:
    """Reads the real keys and makes none: nothing that is tried out leaves a key behind."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._made_up = MemoryKeyStore()

    def keys_for(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        wanted = list(key_ids)
        known = self._keys.existing(wanted)
        return known | self._made_up.keys_for(key_id for key_id in wanted if key_id not in known)

    def existing(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        wanted = list(key_ids)
        return self._made_up.existing(wanted) | self._keys.existing(wanted)

    def key_ids_for_aliases(self, aliases: Iterable[str]) -> dict[str, UUID]:
        return self._made_up.key_ids_for_aliases(aliases)

    def link_aliases(self, links: Mapping[str, UUID]) -> dict[str, UUID]:
        return self._made_up.link_aliases(links)

    def link_alias(self, alias: str, key_id: UUID) -> UUID:
        return self._made_up.link_alias(alias, key_id)

    def erase(self, key_id: UUID) -> None:
        self._made_up.erase(key_id)
