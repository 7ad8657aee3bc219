"""What doors hand in, and what they get back to answer with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from intake.domain.facts import NOWHERE, Fact, Link
from intake.domain.refusals import Finding
from intake.domain.source_reference import ResourceSeen, ResourceVersion


@dataclass(frozen=True, slots=True)
class InboundDelivery:
    """One message about one patient, as a door took and understood it.

    `findings` are what the translator refuses; then there are no facts. `patient` is empty where no patient can
    be told. The same source, delivery key and bytes are the same message; a key that may identify somebody is kept as its
    keyed hash (`hides_key`). Without a key, a resource that goes A, B, A is told apart by its version.

    A message about several patients tells in `patient_spans` which bytes (start, length) are whose. `traits` are worth
    knowing of it without opening it; `notes` tell the sender of what was left out. Where a key should be unique and other
    content comes under it, both are taken, and it is told. With `key_is_version` the key is what the source calls the
    version of its one resource; a source may reuse it.
    """

    source: str
    delivery_key: str
    format: str
    raw: bytes = field(repr=False)
    actor: str
    facts: tuple[Fact, ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = ()
    patient: Link = NOWHERE
    entity: str = ""
    traceparent: str = ""
    correlation_id: UUID | None = None
    resources: tuple[ResourceSeen, ...] = ()
    hides_key: bool = False
    patient_spans: tuple[tuple[int, int, UUID], ...] = ()
    traits: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    key_should_be_unique: bool = False
    key_is_version: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery. A repetition is answered as the first time; `notes` say what holds an encounter.

    `resources` are the versions of what it brought, as they are known now.
    """

    message_id: UUID
    accepted: bool
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    repeated: bool = False
    resources: tuple[ResourceVersion, ...] = ()

    @property
    def rule(self) -> str:
        """The first broken rule, empty where the delivery was accepted."""
        parts = self.findings[0].split(": ", 2) if self.findings else [""]
        return parts[1] if len(parts) > 1 else parts[0]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file: `quarantined` where any of it did not go on."""

    message_id: UUID
    quarantined: bool
    findings: Sequence[str] = ()
    remittances: int = 0
    claims: int = 0
    repeated: bool = False
