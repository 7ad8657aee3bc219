"""The one id rule: every id of ours is derived from the fact that caused it, so doing a thing twice is doing it once."""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("6b1d9c2e-50c7-5b0a-9e52-6f0a1f6b7d11")
_SEED = sha1(NAMESPACE.bytes, usedforsecurity=False)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def derive(kind: str, *parts: object) -> UUID:
    """The id of a fact: `kind` names what it is the id of, `parts` are what makes it that one.

    Parts are length-prefixed, so `("a", "bc")` and `("ab", "c")` differ.
    """
    text = [kind]
    for part in parts:
        word = str(part)
        text.append(f"{len(word)}:{word}")
    digest = _SEED.copy()  # uuid5(NAMESPACE, ...), without hashing the namespace each time
    digest.update("|".join(text).encode())
    return UUID(bytes=digest.digest()[:16], version=5)


def short_reference(prefix: str, identity: UUID, length: int) -> str:
    """A printable reference of exactly `length` characters `[A-Z0-9]` for systems that take no UUID.

    Crockford base 32 of the id's leading bits; 16 characters after the prefix hold 80 bits.
    """
    number = identity.int
    letters = []
    for shift in range(123, -1, -5):
        letters.append(_ALPHABET[(number >> shift) & 31])
    return (prefix + "".join(letters))[:length]


def patient_control_number(claim_id: UUID) -> str:
    """CLM01 of a claim: 17 characters, unique per claim, and accepted by every payer (X12 allows 20)."""
    return short_reference("T", claim_id, 17)


def external_number(intent_id: UUID) -> str:
    """Our number for one document at an ERP: 20 characters, the tightest limit of the supported ERPs."""
    return short_reference("TL", intent_id, 20)
