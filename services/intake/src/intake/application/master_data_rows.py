"""The read models of master data: who changed what, and every row that ever held, by version."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Row, Table, put
from chassis.eventstore.projecting import of

from intake.domain.master_data_change import ChangeState, MasterDataChange

CHANGES = Table(
    "master_data_changes",
    {
        "change_id": "uuid",
        "state": "text",
        "reason": "text",
        "lists": "text",
        "row_count": "integer",
        "needs_another": "boolean",
        "base_version": "integer",
        "version": "integer",
        "proposer": "text",
        "proposed_at": "timestamptz",
        "decider": "text",
        "decided_at": "timestamptz",
        "decision_reason": "text",
    },
    key=("change_id",),
    indexes=(("state",), ("version",)),
)
ROW_CHANGES = Table(
    "master_data_row_changes",
    {"change_id": "uuid", "list_name": "text", "row_key": "text", "code": "text", "row": "text", "before": "text"},
    key=("change_id", "list_name", "row_key"),
    indexes=(("list_name", "code"),),
)
MASTER_DATA_TABLES = (CHANGES, ROW_CHANGES)
ROWS_MAX = 10_000


@of(MasterDataChange)
def project_master_data(event: Event) -> Iterable[Change]:
    """The rows that one stored event changes."""
    match event:
        case MasterDataChange.Proposed():
            yield put(
                CHANGES,
                change_id=event.originator_id,
                state=ChangeState.PROPOSED.value,
                reason=event.reason,
                lists=", ".join(event.lists),
                row_count=event.row_count,
                needs_another=event.needs_another,
                base_version=event.base_version,
                proposer=event.meta.actor,
                proposed_at=event.timestamp,
            )
        case MasterDataChange.RowsGiven():
            for each in event.rows:
                yield put(
                    ROW_CHANGES,
                    change_id=event.originator_id,
                    list_name=each.list_name,
                    row_key=each.key,
                    code=each.code,
                    row=each.row,
                    before=each.before,
                )
        case MasterDataChange.Approved():
            yield _decided(event, state=ChangeState.APPROVED.value, version=event.version)
        case MasterDataChange.Rejected():
            yield _decided(event, state=ChangeState.REJECTED.value, decision_reason=event.reason)


def _decided(event: MasterDataChange.Approved | MasterDataChange.Rejected, **columns: object) -> Change:
    decided = {"decider": event.meta.actor, "decided_at": event.timestamp}
    return put(CHANGES, change_id=event.originator_id, **decided, **columns)


def rows_of_code(store: EventStore, list_name: str, code: str, version: int) -> list[tuple[int, str]]:
    """The rows of one code as they were known at a version, each with the version that brought it."""
    told = store.rows(ROW_CHANGES, {"list_name": list_name, "code": code}, limit=ROWS_MAX)
    versions = _versions(store, [row["change_id"] for row in told])
    known: dict[str, tuple[int, str]] = {}
    for row in sorted(told, key=lambda each: versions.get(each["change_id"], 0)):
        at = versions.get(row["change_id"], 0)
        if 0 < at <= version:
            known[str(row["row_key"])] = (at, str(row["row"]))
    return [(at, row) for at, row in known.values() if row]


def _versions(store: EventStore, change_ids: list[object]) -> dict[object, int]:
    where: dict[str, object] = {"change_id": list(dict.fromkeys(change_ids)), "state": ChangeState.APPROVED.value}
    found: list[Row] = store.rows(CHANGES, where, limit=ROWS_MAX) if change_ids else []
    return {row["change_id"]: row["version"] for row in found if isinstance(row["version"], int)}


def row_changes_of(store: EventStore, change_id: UUID, limit: int) -> list[Row]:
    """The rows of a change, list by list."""
    return store.rows(ROW_CHANGES, {"change_id": change_id}, order=("list_name", "row_key"), limit=limit)
