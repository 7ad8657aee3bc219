"""The rules by which ids follow from causes, written down a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

NAMESPACE = UUID("6b1d9c2e-50c7-5b0a-9e52-6f0a1f6b7d11")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EXTERNAL_NUMBER_LENGTH = 20
PARTITIONS = 32


def derive(kind: str, *parts: object) -> str:
    """The id of the fact `kind` that `parts` make; each part stands behind its length."""
    words = [kind, *(f"{len(str(part))}:{part}" for part in parts)]
    return str(uuid5(NAMESPACE, "|".join(words)))


def public_event_id(service: str, aggregate: str, version: int, ordinal: int = 0) -> str:
    """The id under which a stored event's public event is published."""
    return derive("public-event", service, aggregate, version, ordinal)


def charge_posting_id(encounter: str, posting: int, revision: int = 0) -> str:
    """The posting of charges as announced first, or of one revision of them."""
    return derive("posting", "charges", encounter, posting, *((revision,) if revision else ()))


def decision_posting_id(facts: Mapping[str, Any]) -> str:
    """The posting of a payer's decision, by what announces it; a match is one of its own."""
    place = (facts["remittance_id"], facts["remittance_position"])
    if facts.get("match"):
        return derive("posting", "claim-match", *place, facts["match"])
    return derive("posting", "claim-payment", *place)


def external_number(journal: str) -> str:
    """Our number of a journal entry at an ERP."""
    bits = UUID(journal).int
    letters = "".join(CROCKFORD[(bits >> shift) & 31] for shift in range(123, -1, -5))
    return f"TL{letters}"[:EXTERNAL_NUMBER_LENGTH]


def posting_digest(postings: list[str]) -> str:
    """The hash over the postings of a journal entry, in the order of their ids."""
    return hashlib.sha256(b"".join(sorted(UUID(posting).bytes for posting in postings))).hexdigest()


def partition_of(key: str) -> int:
    return int.from_bytes(hashlib.sha256(UUID(key).bytes).digest()[:4], "big") % PARTITIONS
