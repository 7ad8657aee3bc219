"""The cause of work that no message asked for: sweeps and commands of people."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.domain import Context, Meta

SERVICE_ACTOR = "service:claims"


def caused_by(now: datetime, cause: UUID, actor: str = SERVICE_ACTOR) -> Context:
    """The context of work whose first cause is `cause`."""
    return Context(now, Meta(correlation_id=cause, causation_id=cause, actor=actor))
