"""Sealed PHI: ciphertext under one patient's key, with the name of the key and of the model inside."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import CanonicalModel, Public


class Sealed(CanonicalModel):
    """PHI as it rests and travels: AES-256-GCM under the patient's data key.

    `key_id` names the patient's key, `kind` the model that the plaintext is (`patient.v1`), `fact` the source fact;
    kind and fact are authenticated, so a ciphertext cannot be moved to another fact. `ciphertext` is nonce + tag + body.
    """

    key_id: UUID
    kind: Public[str]
    fact: UUID
    ciphertext: Public[bytes]
