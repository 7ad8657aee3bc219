"""The read models of reconciliation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from canonical.journal import JournalLine
from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Row, Table, add, put

from reconciliation.domain.books import EFT_CLEARING, ClearingEntry, Key, Witnessed
from reconciliation.domain.breaks import Break, BreakState
from reconciliation.domain.drill_down import ConfirmedJournal
from reconciliation.domain.findings import Divergence, Verdict
from reconciliation.domain.runs import ReconciliationRun
from reconciliation.domain.witnessed import ClearingCause, ClearingItem, WitnessedJournal, WitnessedState

ROWS_MAX = 100_000
JOURNALS_MAX = 20_000

WITNESSED_JOURNALS = Table(
    "witnessed_journals",
    {
        "witness_id": "uuid",
        "journal_id": "uuid",
        "entity": "text",
        "external_number": "text",
        "kind": "text",
        "group_id": "uuid",
        "state": "text",
        "effective_date": "date",
        "lines": "jsonb",
        "reason": "text",
        "erp_document": "text",
        "witnessed_at": "timestamptz",
    },
    key=("witness_id",),
    indexes=(("entity", "state"), ("group_id",), ("journal_id",)),
)
CONFIRMED_BALANCES = Table(
    "confirmed_balances",
    {"entity": "text", "account": "text", "party": "text", "confirmed_minor": "bigint"},
    key=("entity", "account", "party"),
)
CLEARING_ITEMS = Table(
    "clearing_items",
    {
        "entity": "text",
        "account": "text",
        "item_id": "uuid",
        "cause": "text",
        "balance_minor": "bigint",
        "accepted_minor": "bigint",
        "is_open": "boolean",
        "effective_date": "date",
        "reference": "text",
    },
    key=("entity", "account", "item_id"),
    indexes=(("is_open", "account"), ("item_id",)),
)
"""`accepted_minor` is what came in by remittances, whatever has been deposited since."""

RUNS = Table(
    "reconciliation_runs",
    {
        "run_id": "uuid",
        "entities": "jsonb",
        "positions": "jsonb",
        "requested_by": "text",
        "started_at": "timestamptz",
        "completed_at": "timestamptz",
        "controls": "integer",
        "explained": "integer",
        "in_motion": "integer",
        "broken": "integer",
        "unexplained_minor": "bigint",
    },
    key=("run_id",),
    indexes=(("completed_at",),),
)
"""`unexplained_minor` adds up what is unexplained without its signs."""

BREAKS = Table(
    "breaks",
    {
        "break_id": "uuid",
        "state": "text",
        "control": "text",
        "compared": "text",
        "entity": "text",
        "account": "text",
        "party": "text",
        "occurrence": "integer",
        "residual_minor": "bigint",
        "divergence": "text",
        "divergence_id": "uuid",
        "divergence_note": "text",
        "run_id": "uuid",
        "reason": "text",
        "requested_by": "text",
        "approved_by": "text",
        "written_off_minor": "bigint",
        "opened_at": "timestamptz",
        "changed_at": "timestamptz",
    },
    key=("break_id",),
    indexes=(("state", "entity"),),
)
TABLES = (WITNESSED_JOURNALS, CONFIRMED_BALANCES, CLEARING_ITEMS, RUNS, BREAKS)


def project_journals(event: Event) -> Iterable[Change]:
    """Rows of witnessed journal entries, and the balances of the confirmed ones."""
    if isinstance(event, WitnessedJournal.Rejected):
        state = WitnessedState.REJECTED.value
        yield put(WITNESSED_JOURNALS, witness_id=event.originator_id, state=state, reason=event.reason)
    elif isinstance(event, WitnessedJournal.Intended | WitnessedJournal.Confirmed):
        yield from _announced(event)


def _announced(event: WitnessedJournal.Intended | WitnessedJournal.Confirmed) -> Iterator[Change]:
    head = event.head
    facts: Row = {"state": WitnessedState.INTENDED.value, "reason": None}
    if isinstance(event, WitnessedJournal.Confirmed):
        facts = {"state": WitnessedState.CONFIRMED.value, "reason": None, "erp_document": event.erp_document}
        for line in event.lines:
            key: Row = {"entity": head.entity, "account": line.account.value, "party": line.party}
            yield add(CONFIRMED_BALANCES, key, confirmed_minor=line.amount.minor)
    else:
        facts["group_id"] = event.group_id
    yield put(
        WITNESSED_JOURNALS,
        witness_id=event.originator_id,
        journal_id=head.journal_id,
        entity=head.entity,
        external_number=head.external_number,
        kind=head.kind,
        effective_date=head.effective_date,
        lines=[line.model_dump(mode="json") for line in event.lines],
        witnessed_at=event.timestamp,
        **facts,
    )


def project_clearing(event: Event) -> Iterable[Change]:
    """Rows of clearing items."""
    if not isinstance(event, ClearingItem.Moved):
        return
    key: Row = {"entity": event.entity, "account": event.account, "item_id": event.item_id}
    facts: Row = {"cause": event.cause.value, "balance_minor": event.balance.minor, "is_open": bool(event.balance)}
    if event.reference:
        facts["reference"] = event.reference
    yield put(CLEARING_ITEMS, **key, effective_date=event.effective_date, **facts)
    if event.cause is ClearingCause.REMITTANCE_ACCEPTED:
        yield add(CLEARING_ITEMS, key, accepted_minor=event.amount.minor)


def project_runs(event: Event) -> Iterable[Change]:
    """Rows of proofs."""
    if isinstance(event, ReconciliationRun.Started):
        yield put(
            RUNS,
            run_id=event.originator_id,
            entities=list(event.entities),
            requested_by=event.requested_by,
            started_at=event.timestamp,
        )
    elif isinstance(event, ReconciliationRun.Completed):
        verdicts = [result.verdict for result in event.results]
        yield put(
            RUNS,
            run_id=event.originator_id,
            positions=event.positions,
            completed_at=event.timestamp,
            controls=len(verdicts),
            explained=verdicts.count(Verdict.EXPLAINED),
            in_motion=verdicts.count(Verdict.IN_MOTION),
            broken=verdicts.count(Verdict.BROKEN),
            unexplained_minor=sum(abs(result.unexplained.minor) for result in event.results),
        )


def project_breaks(event: Event) -> Iterable[Change]:
    """Rows of breaks."""
    changed: Row = {"break_id": event.originator_id, "changed_at": event.timestamp}
    if isinstance(event, Break.Opened):
        yield _opened(event)
    elif isinstance(event, Break.Moved):
        apart = {"residual_minor": event.residual.minor, **_divergence(event.first_divergence)}
        yield put(BREAKS, **changed, state=BreakState.OPENED.value, run_id=event.run_id, **apart)
    elif isinstance(event, Break.Explained):
        yield put(BREAKS, **changed, state=BreakState.EXPLAINED.value, reason=event.reason)
    elif isinstance(event, Break.Resolved):
        reason = event.reason or event.how.value
        yield put(BREAKS, **changed, state=BreakState.RESOLVED.value, residual_minor=0, reason=reason)
    elif isinstance(event, Break.WriteOffRequested):
        yield put(BREAKS, **changed, requested_by=event.requested_by, reason=event.reason)
    elif isinstance(event, Break.WrittenOff):
        yield put(
            BREAKS,
            **changed,
            state=BreakState.WRITTEN_OFF.value,
            residual_minor=0,
            approved_by=event.approved_by,
            reason=event.reason,
        )
        yield add(BREAKS, {"break_id": event.originator_id}, written_off_minor=event.residual.minor)
    elif isinstance(event, Break.WriteOffLapsed):
        yield put(BREAKS, **changed, written_off_minor=0)


def _opened(event: Break.Opened) -> Change:
    place = event.place
    return put(
        BREAKS,
        break_id=event.originator_id,
        state=BreakState.OPENED.value,
        control=place.control.value,
        compared=place.compared.value,
        entity=place.entity,
        account=place.account,
        party=place.party,
        occurrence=event.occurrence,
        residual_minor=event.residual.minor,
        run_id=event.run_id,
        reason=None,
        requested_by=None,
        approved_by=None,
        opened_at=event.timestamp,
        changed_at=event.timestamp,
        **_divergence(event.first_divergence),
    )


def _divergence(found: Divergence | None) -> Row:
    if found is None:
        return {"divergence": None, "divergence_id": None, "divergence_note": None}
    return {"divergence": found.what, "divergence_id": found.subject_id, "divergence_note": found.note}


PROJECTIONS = (project_journals, project_clearing, project_runs, project_breaks)


def witnessed(store: EventStore, groups: Iterable[UUID]) -> Witnessed:
    """Our own record of the public streams; `groups` are the remittances whose payment is asked for."""
    position = store.last_position()
    confirmed: dict[Key, Money] = {
        (str(row["entity"]), str(row["account"]), str(row["party"])): minor(row, "confirmed_minor")
        for row in store.rows(CONFIRMED_BALANCES, {}, limit=ROWS_MAX)
    }
    open_items = store.rows(CLEARING_ITEMS, {"is_open": True}, limit=ROWS_MAX)
    wanted = store.rows(CLEARING_ITEMS, {"item_id": sorted(groups, key=str)}, limit=ROWS_MAX)
    payments = {identity(row, "item_id"): minor(row, "accepted_minor") for row in wanted}
    return Witnessed(position, confirmed, tuple(clearing_entry(row) for row in open_items), payments)


def written_off(store: EventStore, entities: Iterable[str]) -> dict[UUID, Money]:
    """What was given up at each place, by the id of its break."""
    rows = store.rows(BREAKS, {"entity": list(entities)}, limit=ROWS_MAX)
    return {identity(row, "break_id"): amount for row in rows if (amount := minor(row, "written_off_minor"))}


def clearing_entry(row: Row) -> ClearingEntry:
    on = row["effective_date"]
    assert on is None or hasattr(on, "isoformat"), "a date"
    return ClearingEntry(
        entity=str(row["entity"]),
        account=str(row["account"]),
        item_id=identity(row, "item_id"),
        kind=str(row["cause"]),
        amount=minor(row, "balance_minor"),
        on=on,  # type: ignore[arg-type]  # a date column holds a date
        reference=str(row["reference"] or ""),
    )


def confirmed_journals(store: EventStore, entity: str) -> tuple[ConfirmedJournal, ...]:
    """The confirmed entries of an entity as they were announced, the earliest first."""
    where = {"entity": entity, "state": WitnessedState.CONFIRMED.value}
    rows = store.rows(WITNESSED_JOURNALS, where, order=("witnessed_at", "external_number"), limit=JOURNALS_MAX)
    return tuple(
        ConfirmedJournal(identity(row, "journal_id"), str(row["external_number"]), _lines(row["lines"])) for row in rows
    )


def _lines(value: object) -> tuple[JournalLine, ...]:
    assert isinstance(value, list), "lines are kept as a list"
    return tuple(JournalLine.model_validate(line) for line in value)


def minor(row: Row, column: str) -> Money:
    """An amount column; zero where nothing was ever added."""
    value = row[column]
    assert value is None or isinstance(value, int), f"{column} is an amount"
    return Money(value or 0)


def identity(row: Row, column: str) -> UUID:
    value = row[column]
    assert isinstance(value, UUID), f"{column} is an id"
    return value


def remittances_in_no_entry(store: EventStore, entity: str) -> tuple[ClearingEntry, ...]:
    """Accepted remittances with a payment of which no journal entry was ever announced, the earliest first."""
    where = {"entity": entity, "account": EFT_CLEARING}
    accepted = store.rows(CLEARING_ITEMS, where, order=("effective_date",), limit=ROWS_MAX)
    entered = {row["group_id"] for row in store.rows(WITNESSED_JOURNALS, {"kind": "remittance"}, limit=ROWS_MAX)}
    return tuple(
        replace(clearing_entry(row), amount=minor(row, "accepted_minor"))
        for row in accepted
        if row["accepted_minor"] and row["item_id"] not in entered
    )
