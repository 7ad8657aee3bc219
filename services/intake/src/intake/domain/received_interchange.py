"""An interchange by its sender's own number: which content it first had, and every time the number came again."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event


class Sighting(StrEnum):
    """What one more interchange of a number is: the first, the same content again, or other content."""

    FIRST = "first"
    REPEATED = "repeated"
    REUSED = "reused"


class ReceivedInterchange(Aggregate):
    """Id: ISA06, ISA08 and ISA13. Content is compared by a keyed hash that ignores delimiters and line breaks."""

    def start(self) -> None:
        self.content = ""
        self.seen: dict[tuple[UUID, int], Sighting] = {}

    class Seen(Event):
        """`ordinal` counts the interchanges of one message from 0."""

        TOPIC = "intake.received-interchange.seen"
        message_id: UUID
        ordinal: int
        sender: Public[str]
        control_number: Public[str]
        content: Public[str]
        sighting: Sighting

        def apply(self, interchange: ReceivedInterchange) -> None:
            interchange.seen[self.message_id, self.ordinal] = self.sighting
            interchange.content = interchange.content or self.content

    def see(self, message_id: UUID, ordinal: int, sender: str, control_number: str, content: str) -> Sighting:
        """What this one is; the same place of the same message again changes nothing."""
        known = self.seen.get((message_id, ordinal))
        if known is not None:
            return known
        same = Sighting.REPEATED if self.content == content else Sighting.REUSED
        sighting = same if self.exists else Sighting.FIRST
        self.trigger_event(
            self.Seen,
            message_id=message_id,
            ordinal=ordinal,
            sender=sender,
            control_number=control_number,
            content=content,
            sighting=sighting,
        )
        return sighting


def received_interchange_id_of(sender: str, receiver: str, control_number: str) -> UUID:
    return derive("received-interchange", sender, receiver, control_number)
