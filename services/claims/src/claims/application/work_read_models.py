"""The tables of people's work on claims, and how each stored event changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chassis.domain import Event
from chassis.eventstore import Change, Table, put

from claims.domain.rules.edit_history import EditHistory

EDIT_RUNS = Table(
    "edit_runs",
    {
        "claim_id": "uuid",
        "number": "integer",
        "stage": "text",
        "rules_version": "text",
        "rules_digest": "text",
        "rules_run": "integer",
        "findings": "text",
        "ran_at": "timestamptz",
    },
    key=("claim_id", "number"),
)
"""One row a run of the edits. `findings` holds one a line: rule, version, owner and reason."""

WORK_TABLES = (EDIT_RUNS,)


def project_work(event: Event) -> Iterable[Change]:
    """The rows that a stored event changes."""
    projecting = _PROJECTING.get(type(event))
    return () if projecting is None else projecting(event)


def _ran(event: EditHistory.Ran) -> Iterator[Change]:
    yield put(
        EDIT_RUNS,
        claim_id=event.claim_id,
        number=event.number,
        stage=event.stage.value,
        rules_version=event.rules_version,
        rules_digest=event.rules_digest,
        rules_run=event.rules_run,
        findings="\n".join(f"{each.rule} {each.rule_version} {each.owner} {each.reason}" for each in event.findings),
        ran_at=event.timestamp,
    )


_PROJECTING: dict[type[Event], Callable[[Any], Iterator[Change]]] = {
    EditHistory.Ran: _ran,
}
