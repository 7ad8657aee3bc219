"""What reading a kept message again starts from and comes to, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.domain import Refusal

from intake.application.deliveries import InboundDelivery
from intake.application.ports import PayerFile

REASON = "read again"


class NotReadable(Refusal):
    """Messages of this format are not read again, or not by a reader of this name."""


@dataclass(frozen=True, slots=True)
class Original:
    """A message as it is known: who sent it, when it came, and to which encounters it brought something."""

    message_id: UUID
    source: str
    delivery_key: str
    format: str
    received_at: datetime
    encounters: tuple[UUID, ...] = ()


class Reader(Protocol):
    """Reads the bytes of a kept message as a door would now; `reader` names another way of reading than today's.

    What a payer sends is a file, which is read in passes.
    """

    def __call__(self, raw: bytes, original: Original, reader: str) -> InboundDelivery | PayerFile:
        """Raises NotReadable."""
        ...


@dataclass(frozen=True, slots=True)
class Reread:
    """What another reading came to. `differences` are the events that it leads to, in words; none: it is as it was.

    Where an accepted message would now be refused, nothing changes, and `findings` say why.
    """

    message_id: UUID
    before: str
    after: str
    differences: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        return bool(self.differences) or self.before != self.after
