"""What reconciliation announces: breaks, and when they end."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.envelope import PublicEvent
from canonical.money import Money


class BreakOpened(PublicEvent):
    """Two sides that must agree do not; `residual` is ours minus theirs, less what is explained.

    `control` says which balances, `compared` which two sides; `account` and `party` are given where the control is of one
    account or party. `occurrence` counts how often the same two sides came apart, from 1. `first_divergence` is the id
    of the earliest claim, journal entry or item that differs, where one could be found.
    """

    SERVICE = "reconciliation"
    TYPE = "break-opened"

    break_id: UUID
    entity: Public[str]
    control: Public[str]
    compared: Public[str] = ""
    account: Public[str] = ""
    party: Public[str] = ""
    occurrence: int = 1
    residual: Money
    first_divergence: UUID | None = None


class BreakResolved(PublicEvent):
    """`how` is `agrees`, `corrected` or `written-off`."""

    SERVICE = "reconciliation"
    TYPE = "break-resolved"

    break_id: UUID
    how: Public[str]
