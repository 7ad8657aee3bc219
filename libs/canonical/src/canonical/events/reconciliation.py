"""What reconciliation announces: breaks, and when they end."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.envelope import PublicEvent
from canonical.money import Money


class BreakOpened(PublicEvent):
    """Two sides that must agree do not; `residual` is ours minus theirs."""

    SERVICE = "reconciliation"
    TYPE = "break-opened"

    break_id: UUID
    entity: Public[str]
    control: Public[str]
    residual: Money
    first_divergence: UUID | None = None


class BreakResolved(PublicEvent):
    SERVICE = "reconciliation"
    TYPE = "break-resolved"

    break_id: UUID
    how: Public[str]
