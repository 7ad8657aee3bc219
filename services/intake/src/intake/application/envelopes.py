"""Seals and opens the PHI of one batch; what was sealed a moment ago is not decrypted again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from canonical.classes import CanonicalModel
from canonical.sealed import Sealed
from chassis.keys import Sealer

KEYED_HASH_BYTES = 16

_M = TypeVar("_M", bound=CanonicalModel)


class Envelopes:
    """The sealed values of one unit of work. Holds PHI in memory as long as the batch lasts."""

    def __init__(self, sealer: Sealer) -> None:
        self.sealer = sealer
        self._open: dict[bytes, CanonicalModel] = {}

    def seal(self, model: CanonicalModel, key_id: UUID, kind: str, fact: UUID) -> Sealed:
        sealed = self.sealer.seal(model, key_id, kind, fact)
        self._open[sealed.ciphertext] = model
        return sealed

    def open(self, sealed: Sealed, model_type: type[_M]) -> _M:
        known = self._open.get(sealed.ciphertext)
        if isinstance(known, model_type):
            return known
        model = self.sealer.open(sealed, model_type)
        self._open[sealed.ciphertext] = model
        return model

    def fingerprint(self, *models: CanonicalModel | None) -> str:
        """A keyed hash over the models, for telling whether they changed."""
        text = "\n".join(model.model_dump_json() if model else "" for model in models)
        return self.sealer.content_address(text.encode()).hex()

    def keyed_hashes(self, texts: Sequence[str]) -> list[str]:
        """What patients are compared by: a keyed hash of each text, the same for the same text."""
        return self._hashes("patient-matching", texts)

    def code_hashes(self, texts: Sequence[str]) -> list[str]:
        """What codes that are PHI are kept as while something waits for them."""
        return self._hashes("waiting-codes", texts)

    def _hashes(self, purpose: str, texts: Sequence[str]) -> list[str]:
        if not texts:
            return []
        hashes = self.sealer.keyed_hashes(purpose, [text.encode() for text in texts])
        return [each[:KEYED_HASH_BYTES].hex() for each in hashes]
