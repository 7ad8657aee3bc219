"""Messages as the core sees them, whatever carried them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message handed to a consumer; it may come again, late, and beside its successors.

    `behind` is how many the stream held for the consumer after it, when it was handed out.
    """

    subject: str
    headers: Mapping[str, str]
    data: bytes
    stream_sequence: int = 0
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One public event ready for its stream. `position` is that of the stored event behind it."""

    subject: str
    headers: Mapping[str, str]
    data: bytes
    position: int

    @property
    def message_id(self) -> str:
        return self.headers["Nats-Msg-Id"]
