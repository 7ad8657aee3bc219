"""What the services keep of a fact: the state of its event, the estimate of a charge, and where its bytes are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from canonical.money import Money

from throughline.connection import Service
from throughline.tracing.books import Books, State
from throughline.tracing.records import Place


class OriginMissing(Exception):
    """The service that owns the fact does not know it; the message says which and where."""


class StoredFacts:
    """Reads the facts behind parts from the histories of their aggregates."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def state(self, service: Service, aggregate_id: str, topic: str) -> State:
        """The state of the first event of this topic.

        Raises:
            OriginMissing: there is none.
        """
        for found, state in self._books.events(service, aggregate_id) if aggregate_id else ():
            if found == topic:
                return state
        raise OriginMissing(f"{service} has no {topic} of {aggregate_id or 'this'}")

    def estimate_in(self, posting_id: str) -> Money:
        """The J03 amount in the posting of some charges."""
        lines = [
            line for _, state in self._books.events("ledger", posting_id) for line in mappings_in(state.get("lines"))
        ]
        return -Money.total(money_in(line["amount"]) for line in lines if line.get("account") == "ar-allowance")

    def places(
        self, service: Service, message_ids: Sequence[str], start: int = 0, length: int = 0
    ) -> tuple[Place, ...]:
        """The span in each message; a length of 0 is the whole message."""
        messages = [self._books.message(service, identity) for identity in message_ids]
        return tuple(Place(found, start, length or found.size_bytes) for found in messages if found)


def money_in(value: object) -> Money:
    """An amount as events carry it, `"12.30 USD"`."""
    return Money.parse_wire(value)


def number_in(value: object) -> int:
    """A number as events carry it; nothing is zero."""
    return int(str(value or 0))


def mapping_in(value: object) -> Mapping[str, object]:
    """An object in an event; anything else is empty."""
    return value if isinstance(value, Mapping) else {}


def mappings_in(value: object) -> Sequence[Mapping[str, object]]:
    """The objects of a list in an event."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def span_in(state: State) -> tuple[int, int]:
    """Where a fact's bytes begin in their message, and how many they are."""
    return number_in(state.get("span_start")), number_in(state.get("span_length"))
