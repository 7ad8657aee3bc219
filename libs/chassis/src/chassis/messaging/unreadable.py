"""What to do with bytes that are no event: an envelope of our own for them, and words for what is wrong, without the input."""

from __future__ import annotations

from datetime import datetime

from canonical.envelope import Envelope
from canonical.ids import derive
from pydantic import ValidationError

from chassis.messaging.delivery import Delivery


def poison_envelope(delivery: Delivery, digest: bytes, now: datetime) -> Envelope:
    """An envelope for bytes that have none, so that they can be kept and shown."""
    identity = derive("poison", delivery.subject, digest.hex())
    return Envelope.model_construct(
        id=identity,
        service="unknown",
        type="unreadable-message",
        version=1,
        key=identity,
        sequence=0,
        ordinal=0,
        position=0,
        time=now,
        correlation_id=identity,
        causation_id=identity,
        actor="unknown",
        source_system="",
        source_reference="",
        traceparent="",
        tier="clear",
    )


def places(error: ValidationError) -> str:
    """Where a model did not fit, and the rule; never the input."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in faults[:5])
