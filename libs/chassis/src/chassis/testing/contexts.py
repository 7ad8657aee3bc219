"""A cause for tests: who, why and when, with only what matters spelled out."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from canonical.ids import derive

from chassis.domain import Context, Meta
from chassis.testing.clock import START

CAUSE = derive("test-cause")


def context(
    *,
    now: datetime = START,
    actor: str = "test",
    correlation_id: UUID = CAUSE,
    causation_id: UUID = CAUSE,
    source_system: str = "",
    source_reference: str = "",
) -> Context:
    """The context of one message or command."""
    meta = Meta(
        correlation_id=correlation_id,
        causation_id=causation_id,
        actor=actor,
        source_system=source_system,
        source_reference=source_reference,
    )
    return Context(now, meta)
