"""What a hospital sends, written to a file, so that a process of its own can send it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from sandbox.world.ehr import DeliveryKind, deliveries
from sandbox.world.scenario import Scenario

TODAY = date(2026, 3, 1)
ENCOUNTERS_AT_ONCE = 400
ENTRIES_MIN = 9
"""Bundles of the made-up EHR have four to twenty resources; of those with nine and more the usual one has ten."""
_LENGTH = struct.Struct(">I")

Conversation = tuple[bytes, ...]
"""Messages of one encounter, each to be sent after the answer to the one before."""


def hl7_conversations(message_count: int, first_seed: int) -> list[Conversation]:
    """Registrations, stays and charges, until there are so many messages."""
    return _until(message_count, _of_kind(DeliveryKind.MLLP, first_seed))


def fhir_conversations(bundle_count: int, first_seed: int) -> list[Conversation]:
    """Bundles of about ten resources, each an encounter."""
    found = (messages for messages in _of_kind(DeliveryKind.BUNDLE, first_seed) if _entries(messages[0]) >= ENTRIES_MIN)
    return _until(bundle_count, found)


def write_conversations(path: Path, conversations: Sequence[Conversation]) -> None:
    """Count of messages, then each with its length before it."""
    with path.open("wb") as file:
        for messages in conversations:
            file.write(_LENGTH.pack(len(messages)))
            for message in messages:
                file.write(_LENGTH.pack(len(message)) + message)


def read_conversations(path: Path) -> list[Conversation]:
    raw = path.read_bytes()
    found, at = [], 0

    def number() -> int:
        nonlocal at
        at += _LENGTH.size
        return int(_LENGTH.unpack_from(raw, at - _LENGTH.size)[0])

    def message() -> bytes:
        nonlocal at
        length = number()
        at += length
        return raw[at - length : at]

    while at < len(raw):
        found.append(tuple(message() for _ in range(number())))
    return found


def _of_kind(kind: DeliveryKind, first_seed: int) -> Iterator[Conversation]:
    """Story after story: each has patients and visits of its own."""
    seed = first_seed
    while True:
        for delivery in deliveries(Scenario.tell(seed, ENCOUNTERS_AT_ONCE, TODAY).encounters):
            if delivery.kind is kind:
                yield delivery.messages
        seed += 1


def _until(count: int, conversations: Iterator[Conversation]) -> list[Conversation]:
    found: list[Conversation] = []
    while count > 0:
        found.append(next(conversations))
        count -= len(found[-1])
    return found


def _entries(bundle: bytes) -> int:
    return len(json.loads(bundle)["entry"])
