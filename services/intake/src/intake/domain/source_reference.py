"""A resource of a source: what its own reference stands for, and in which version it is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from chassis.domain import Aggregate, Event


class Fate(StrEnum):
    """What became of a resource. `matched` is a conditional create of what was there already."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MATCHED = "matched"


@dataclass(frozen=True, slots=True)
class ResourceSeen:
    """A resource of a message, under the reference by which the source knows it (`Patient/123`).

    `content` is what it says, in one form for equal content; `entry` is its number in the message, -1 where the message is the
    resource. It stands for the id or code. `expected_version` is 0 where any will do; with `only_if_new` nothing of it
    is taken where it is known. `is_update` says that the sender asked for an update, not for a create, `may_update` that it may do
    one: a create of what is known is an update too.
    """

    place: str
    kind: str
    entry: int
    reference: str = field(repr=False)
    content: bytes = field(repr=False)
    target_id: UUID | None = None
    code: str = ""
    expected_version: int = 0
    only_if_new: bool = False
    is_update: bool = False
    may_update: bool = True


@dataclass(frozen=True, slots=True)
class ResourceVersion:
    """What a door answers of one resource."""

    entry: int
    reference: str = field(repr=False)
    version: int
    fate: Fate
    changed_at: datetime | None = None


class SourceReference(Aggregate):
    """Id: source and reference, so that resources may come in one by one. `content` and `delivery` are keyed hashes."""

    def start(self) -> None:
        self.target_id: UUID | None = None
        self.code = ""
        self.content = ""
        self.delivery = ""
        self.message_id: UUID | None = None
        self.entry = -1
        self.revision = 0
        self.changed_at: datetime | None = None

    class Named(Event):
        """What it stands for, of a time when versions were not counted."""

        TOPIC = "intake.source-reference.named"
        target_id: UUID | None
        code: Public[str]

        def apply(self, reference: SourceReference) -> None:
            reference.target_id = self.target_id
            reference.code = self.code
            reference.revision += 1
            reference.changed_at = self.timestamp

    class Versioned(Event):
        """A new version; its content lies in the raw bytes of the message."""

        TOPIC = "intake.source-reference.versioned"
        kind: Public[str]
        target_id: UUID | None
        code: Public[str]
        content: Public[str]
        delivery: Public[str]
        message_id: UUID
        entry: int

        def apply(self, reference: SourceReference) -> None:
            reference.target_id = self.target_id
            reference.code = self.code
            reference.content = self.content
            reference.delivery = self.delivery
            reference.message_id = self.message_id
            reference.entry = self.entry
            reference.revision += 1
            reference.changed_at = self.timestamp

    def holds(self, seen: ResourceSeen, content: str) -> bool:
        """Whether it is known, and says just this."""
        return self.exists and (seen.target_id, seen.code, content) == (self.target_id, self.code, self.content)

    def see(self, seen: ResourceSeen, content: str, delivery: str, message_id: UUID) -> Fate:
        """Takes a new version; the same content again changes nothing."""
        if self.holds(seen, content):
            return Fate.UNCHANGED
        fate = Fate.UPDATED if self.exists else Fate.CREATED
        self.trigger_event(
            self.Versioned,
            kind=seen.kind,
            target_id=seen.target_id,
            code=seen.code,
            content=content,
            delivery=delivery,
            message_id=message_id,
            entry=seen.entry,
        )
        return fate
