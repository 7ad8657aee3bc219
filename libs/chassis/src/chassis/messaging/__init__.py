"""Public events between services: the one consume path, the one publish path, and the relay that is the outbox."""

from chassis.messaging.consumer import BatchConsumer, Handled, Mending, retry_case
from chassis.messaging.delivery import Delivery, Outgoing
from chassis.messaging.reactions import Reaction, no_needs
from chassis.messaging.relay import Publishing, RefillNeeded, Relay, StreamPort, StreamTail

__all__ = [
    "BatchConsumer",
    "Delivery",
    "Handled",
    "Mending",
    "Outgoing",
    "Publishing",
    "Reaction",
    "RefillNeeded",
    "Relay",
    "StreamPort",
    "StreamTail",
    "no_needs",
    "retry_case",
]
