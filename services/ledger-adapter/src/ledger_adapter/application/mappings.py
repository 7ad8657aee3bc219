"""Which mappings of accounts, parties and dimensions were in force when: recorded at each start, and asked for by instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Row, Table, Work, put, transact
from chassis.eventstore.projecting import of

from ledger_adapter.application.drafting import context_for
from ledger_adapter.domain.books_mapping import BooksMapping, NamedBooks, mapping_id

EDITIONS_MAX = 10_000
MAPPINGS = Table(
    "books_mappings",
    {"entity": "text", "edition": "integer", "valid_from": "timestamptz", "books": "jsonb"},
    key=("entity", "edition"),
)


@of(BooksMapping)
def project_mappings(event: Event) -> Iterable[Change]:
    """A row per edition."""
    if isinstance(event, BooksMapping.PutInForce):
        yield put(
            MAPPINGS,
            entity=event.books.entity,
            edition=event.originator_version,
            valid_from=event.timestamp,
            books=event.books.model_dump(mode="json"),
        )


class MappingRecording:
    """Puts the mappings that the service was configured with in force, once after each start."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], configured: Iterable[NamedBooks]) -> None:
        self._store = store
        self._clock = clock
        self._left = list(configured)

    def run(self) -> int:
        """How many were news."""
        news = 0
        while self._left:
            news += self._record(self._left[-1])
            self._left.pop()
        return news

    def _record(self, books: NamedBooks) -> int:
        identity = mapping_id(books.entity)

        def decide(work: Work) -> int:
            return int(work.get_or_new(BooksMapping, identity).put_in_force(books))

        return transact(self._store, context_for(identity, self._clock()), decide)


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of an entity's mapping; it has no end while it is in force."""

    ordinal: int
    books: NamedBooks
    valid_from: datetime
    valid_until: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


def editions(store: EventStore, entity: str = "") -> list[Edition]:
    """Every edition by entity, the earliest first."""
    rows = store.rows(MAPPINGS, {"entity": entity} if entity else {}, order=("entity", "edition"), limit=EDITIONS_MAX)
    return [_edition(row, rows[place + 1 : place + 2]) for place, row in enumerate(rows)]


def _edition(row: Row, following: Sequence[Row]) -> Edition:
    ordinal, begun = row["edition"], row["valid_from"]
    assert isinstance(ordinal, int)
    assert isinstance(begun, datetime)
    until = following[0]["valid_from"] if following and following[0]["entity"] == row["entity"] else None
    assert until is None or isinstance(until, datetime)
    return Edition(ordinal, NamedBooks.model_validate(row["books"]), begun, until)
