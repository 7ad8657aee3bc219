"""Reads the books of all services together, and tells whether they stood still while they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chassis.eventstore import EventStore

from reconciliation.application.ports import ClaimsBooks, LedgerBooks, PatientBooks
from reconciliation.application.queries import witnessed
from reconciliation.domain.books import Books, ErpDocument, PendingJournal, Progress

NUMBERS_MAX = 200


@dataclass(frozen=True)
class Sources:
    """Where the books are. `entities` gives those that master data knows; what the ledger has beside them is added.

    `backlog` is how many messages we have not answered ourselves.
    """

    store: EventStore
    claims: ClaimsBooks
    patients: PatientBooks
    ledger: LedgerBooks
    entities: Callable[[], tuple[str, ...]]
    backlog: Callable[[], int] = int

    def all_entities(self) -> tuple[str, ...]:
        return tuple(sorted({*self.entities(), *self.ledger.entities()}))


def read_books(sources: Sources, entities: Sequence[str]) -> Books:
    """All books once: billing first and the ERP last, so that what is on its way is seen at its source."""
    claims = sources.claims.read(entities)
    patients = sources.patients.read(entities)
    ledger = sources.ledger.read(entities)
    own = witnessed(sources.store, [group.group_id for group in ledger.open_groups])
    held = documents(sources.ledger, ledger.pending)
    cases = (*sources.claims.cases(), *sources.patients.cases(), *sources.ledger.cases())
    return Books(
        entities=tuple(entities),
        progress={
            "claims": claims.progress,
            "payments": patients.progress,
            "ledger": ledger.progress,
            "reconciliation": Progress(
                own.position, own.position == sources.store.last_position(), lags=sources.backlog() > 0
            ),
        },
        payers=claims.payers,
        platforms=claims.platforms,
        patients=patients.patients,
        subledger=ledger.subledger,
        open_groups=ledger.open_groups,
        pending=ledger.pending,
        erp=ledger.erp,
        held=held,
        not_paid_out=patients.not_paid_out,
        providers=patients.providers,
        overpayments=patients.overpayments,
        cases=cases,
        witnessed=own,
    )


def documents(ledger: LedgerBooks, pending: Iterable[PendingJournal]) -> dict[str, ErpDocument]:
    """What the ERPs hold of entries that are not confirmed."""
    by_entity: dict[str, list[str]] = {}
    for journal in pending:
        by_entity.setdefault(journal.entity, []).append(journal.external_number)
    found: dict[str, ErpDocument] = {}
    for entity, numbers in by_entity.items():
        found |= documents_of(ledger, entity, numbers)
    return found


def documents_of(ledger: LedgerBooks, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument]:
    """What one entity's ERP holds under these numbers, asked for in portions."""
    found: dict[str, ErpDocument] = {}
    for start in range(0, len(numbers), NUMBERS_MAX):
        found |= ledger.erp_documents(entity, numbers[start : start + NUMBERS_MAX])
    return found
