"""How one entity's books are named at its ERP, edition by edition: which code stood for what, and since when."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event


class MappedCode(CanonicalModel):
    """One of our codes and the ERP's."""

    ours: Public[str]
    theirs: Public[str]


class NamedBooks(CanonicalModel):
    """Everything that the configuration says of how one entity's books are named; codes are sorted by ours."""

    entity: Public[str]
    erp: Public[str]
    company: Public[str]
    accounts: tuple[MappedCode, ...] = ()
    parties: tuple[MappedCode, ...] = ()
    dimensions: tuple[MappedCode, ...] = ()


def mapping_id(entity: str) -> UUID:
    """The mapping of one entity's books."""
    return derive("books-mapping", entity)


class BooksMapping(Aggregate):
    """The editions of one entity's mapping; a new one begins when the service starts with another configuration."""

    def start(self) -> None:
        self.in_force: NamedBooks | None = None

    class PutInForce(Event):
        """Holds from its timestamp until the next."""

        TOPIC = "ledger.books-mapping.put-in-force"
        books: NamedBooks

        def apply(self, mapping: BooksMapping) -> None:
            mapping.in_force = self.books

    def put_in_force(self, books: NamedBooks) -> bool:
        """Whether this is news."""
        if books == self.in_force:
            return False
        self.trigger_event(self.PutInForce, books=books)
        return True
