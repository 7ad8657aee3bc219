"""Everything that was read, by service; what the invariants judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from throughline.checker.announcing import Stream
from throughline.checker.books.claims import ClaimsBook
from throughline.checker.books.every_store import Book
from throughline.checker.books.intake import IntakeBook
from throughline.checker.books.ledger import LedgerBook
from throughline.checker.books.payments import PaymentsBook
from throughline.checker.chain import Followed
from throughline.checker.records import Parked, Published
from throughline.checker.result import Failures
from throughline.checker.rows import Comparison
from throughline.checker.vocabulary import REACTS

B = TypeVar("B", bound=Book)


@dataclass(slots=True)
class Store:
    """One service's store, read in one snapshot, beside its stream."""

    service: str
    book: Book
    log: Followed = field(default_factory=Followed)
    stream: Stream | None = None
    inbox: dict[str, bytes] = field(default_factory=dict)
    inbox_twice: list[str] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    tables: list[Comparison] = field(default_factory=list)
    guards: Failures = field(default_factory=Failures)
    spans: Failures = field(default_factory=Failures)
    span_count: int = 0
    keys: set[str] = field(default_factory=set)
    relay_position: int = 0


@dataclass(slots=True)
class World:
    """All stores; `floors` gives, by consuming service, upstream and partition, the sequence up to which all is done.

    `settled` says that nothing is under way, so that what is in flight is lost; `keys` are those of the key database,
    None where it was not read.
    """

    stores: dict[str, Store]
    floors: Mapping[tuple[str, str], Mapping[int, int]] = field(default_factory=dict)
    settled: bool = True
    keys: frozenset[str] | None = None

    @property
    def intake(self) -> IntakeBook:
        return self._book("intake", IntakeBook)

    @property
    def claims(self) -> ClaimsBook:
        return self._book("claims", ClaimsBook)

    @property
    def payments(self) -> PaymentsBook:
        return self._book("payments", PaymentsBook)

    @property
    def ledger(self) -> LedgerBook:
        return self._book("ledger", LedgerBook)

    def stream(self, service: str) -> Stream:
        """The stream of a service, empty where it was not read."""
        store = self.stores.get(service)
        return (store.stream if store else None) or Stream(service)

    def messages(self, service: str, event_type: str) -> list[Published]:
        return self.stream(service).of(event_type)

    def waiting(self, service: str) -> set[str]:
        """Messages that may be without effect at a service: parked there, or left to a person, or still on their way."""
        store = self.stores[service]
        ids = {parked.message_id for parked in store.parked}
        ids |= {case.message_id for case in store.book.cases.values() if case.message_id and case.how != "retried"}
        if not self.settled:
            ids |= {message.id for message in self.in_flight(service)}
        return ids

    def unbooked(self) -> set[str]:
        """Messages that wait at the ledger and have no posting there."""
        return self.waiting("ledger") - {posting.source for posting in self.ledger.postings.values()}

    def in_flight(self, service: str) -> Iterable[Published]:
        """Messages that a service reacts to and has neither answered nor been asked about in vain."""
        inbox = self.stores[service].inbox
        for upstream, message in self.reacted_to(service):
            floor = self.floors.get((service, upstream), {}).get(message.partition, 0)
            if message.id not in inbox and message.sequence > floor:
                yield message

    def reacted_to(self, service: str) -> Iterable[tuple[str, Published]]:
        """Every message that a service reacts to, with its upstream."""
        for upstream, types in REACTS.get(service, {}).items():
            for event_type in sorted(types):
                for message in self.messages(upstream, event_type):
                    yield upstream, message

    def _book(self, service: str, kind: type[B]) -> B:
        book = self.stores[service].book
        assert isinstance(book, kind)
        return book
