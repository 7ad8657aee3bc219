"""An EHR that calls a payer by a name of its own, as after a change of its dictionary that nobody told us of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sandbox.world.ehr import Delivery, DeliveryKind


@dataclass(frozen=True, slots=True)
class OwnWord:
    """What one source calls a payer of ours."""

    source: str
    payer: str
    word: str


def in_own_words(deliveries: Iterable[Delivery], own: OwnWord) -> Iterator[Delivery]:
    """The same deliveries, that source's with its word as the payer's code."""
    for delivery in deliveries:
        if delivery.source != own.source:
            yield delivery
            continue
        quote = "|{}|" if delivery.kind is DeliveryKind.MLLP else '"{}"'
        ours, theirs = (quote.format(name).encode() for name in (own.payer, own.word))
        # An HL7 field ends where the next begins, so that neighbours are found one by one.
        messages = tuple(message.replace(ours, theirs).replace(ours, theirs) for message in delivery.messages)
        yield replace(delivery, messages=messages)
