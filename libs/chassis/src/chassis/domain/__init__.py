"""What a service's domain is made of: aggregates, their events, and the three families of failure."""

from chassis.domain.aggregate import Aggregate, Context, ContextSource, Event, Meta
from chassis.domain.failures import Bug, Conflict, NotYet, Refusal, Transient, Unavailable, UnsafeSetting

__all__ = [
    "Aggregate",
    "Bug",
    "Conflict",
    "Context",
    "ContextSource",
    "Event",
    "Meta",
    "NotYet",
    "Refusal",
    "Transient",
    "Unavailable",
    "UnsafeSetting",
]
