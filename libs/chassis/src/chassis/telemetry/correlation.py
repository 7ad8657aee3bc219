"""The cause of what this thread or task does now: who called, under which correlation id and trace."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from chassis.domain import Context, Meta

CORRELATION_HEADER = "x-correlation-id"
TRACE_HEADER = "traceparent"
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Cause:
    """`actor` is the verified caller (`user:...` or `service:...`); `call_id` names this one call."""

    actor: str
    correlation_id: UUID
    call_id: UUID
    traceparent: str


# These ids tell calls apart and keep no secret; asking the system for each would make every call wait for its turn again.
_RANDOM = random.Random(os.urandom(32))  # noqa: S311
os.register_at_fork(after_in_child=lambda: _RANDOM.seed(os.urandom(32)))
_CURRENT: ContextVar[Cause | None] = ContextVar("throughline_cause", default=None)


class OutsideCall(LookupError):
    """Asked for the cause of a call outside any call."""


def incoming(actor: str, correlation_id: str | None, traceparent: str | None) -> Cause:
    """The cause of a call from what its caller sent; what is missing or malformed is made anew."""
    try:
        correlation = UUID(correlation_id or "")
    except ValueError:
        correlation = _drawn_id()
    trace = traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else new_traceparent()
    return Cause(actor, correlation, _drawn_id(), trace)


def new_traceparent() -> str:
    """A fresh W3C trace context, not sampled."""
    drawn = _RANDOM.getrandbits(192)
    return f"00-{drawn >> 64:032x}-{drawn & 0xFFFF_FFFF_FFFF_FFFF:016x}-00"


def _drawn_id() -> UUID:
    return UUID(int=_RANDOM.getrandbits(128), version=4)


@contextmanager
def caused_by(cause: Cause) -> Iterator[Cause]:
    """Everything inside belongs to this call; its ids stand on every log line."""
    token = _CURRENT.set(cause)
    bound = structlog.contextvars.bind_contextvars(correlation_id=str(cause.correlation_id), actor=cause.actor)
    try:
        yield cause
    finally:
        structlog.contextvars.reset_contextvars(**bound)
        _CURRENT.reset(token)


def current_cause() -> Cause | None:
    """The call in hand, or None outside any."""
    return _CURRENT.get()


def call_context(now: datetime, *, causation_id: UUID | None = None) -> Context:
    """The context of a command that arrived by gRPC or HTTP; `causation_id` is its own id where it has one.

    Raises:
        OutsideCall: no call is in hand.
    """
    cause = _CURRENT.get()
    if cause is None:
        raise OutsideCall("a command's context is known only inside a gRPC or HTTP call")
    meta = Meta(
        correlation_id=cause.correlation_id,
        causation_id=causation_id or cause.call_id,
        actor=cause.actor,
        traceparent=cause.traceparent,
    )
    return Context(now, meta, is_one_call=causation_id is None)
