"""Seals and opens the PHI of one batch; what was sealed a moment ago is not decrypted again."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import CanonicalModel
from canonical.sealed import Sealed

from intake.application.ports import M, Seals


class Envelopes:
    """The sealed values of one unit of work. Holds PHI in memory as long as the batch lasts."""

    def __init__(self, seals: Seals) -> None:
        self._seals = seals
        self._open: dict[bytes, CanonicalModel] = {}

    def seal(self, model: CanonicalModel, key_id: UUID, kind: str, fact: UUID) -> Sealed:
        sealed = self._seals.seal(model, key_id, kind, fact)
        self._open[sealed.ciphertext] = model
        return sealed

    def open(self, sealed: Sealed, model_type: type[M]) -> M:
        known = self._open.get(sealed.ciphertext)
        if isinstance(known, model_type):
            return known
        model = self._seals.open(sealed, model_type)
        self._open[sealed.ciphertext] = model
        return model

    def fingerprint(self, *models: CanonicalModel | None) -> str:
        """A keyed hash over the models, for telling whether they changed."""
        text = "\n".join(model.model_dump_json() if model else "" for model in models)
        return self._seals.content_address(text.encode())
