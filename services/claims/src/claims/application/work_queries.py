"""Questions about people's work on claims, answered from its read models and from histories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.domain import Event
from chassis.eventstore import EventStore, Row, Where

from claims.application.work_read_models import DENIALS, EDIT_RUNS, UNDERPAYMENTS
from claims.domain.denial import Denial

FOUND_MAX = 500


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a denial, in words without PHI."""

    at: datetime
    actor: str
    what: str


def edit_runs_of(store: EventStore, claim_id: UUID) -> list[Row]:
    return store.rows(EDIT_RUNS, {"claim_id": claim_id}, order=("number",), limit=FOUND_MAX)


def denials_of(store: EventStore, claim_id: UUID) -> list[Row]:
    return store.rows(DENIALS, {"claim_id": claim_id}, order=("number",), limit=FOUND_MAX)


def underpayments_of(store: EventStore, claim_id: UUID) -> list[Row]:
    return store.rows(UNDERPAYMENTS, {"claim_id": claim_id}, order=("number",), limit=FOUND_MAX)


def denial_rows(store: EventStore, where: Where, *, skip: int, size: int) -> list[Row]:
    """A page of denials, the nearest appeal limit first, and one more where there is a next page."""
    return store.rows(DENIALS, where, order=("appeal_by", "denial_id"), limit=skip + size + 1)[skip:]


def denial_row(store: EventStore, denial_id: UUID) -> Row | None:
    rows = store.rows(DENIALS, {"denial_id": denial_id}, limit=1)
    return rows[0] if rows else None


def underpayment_rows(store: EventStore, where: Where, size: int) -> list[Row]:
    """The greatest shortfall first."""
    return store.rows(UNDERPAYMENTS, where, order=("-shortfall_minor", "claim_id"), limit=size)


def history_of_denial(store: EventStore, denial_id: UUID) -> Iterator[Happening]:
    """Everything that happened to it, the first first."""
    for event in store.story(denial_id):
        yield Happening(event.timestamp, event.meta.actor, _told(event))


def _told(event: Event) -> str:
    match event:
        case Denial.Opened():
            reasons = ", ".join(map(str, event.facts.reasons))
            return f"{event.facts.payer} denied {event.amount}: {reasons}"
        case Denial.Resettled():
            return f"the payer decided again: {event.at_risk} at risk, {event.recovered} recovered"
        case Denial.Assigned():
            return f"given to {event.owner}, queue {event.queue}"
        case Denial.ActedOn():
            reference = f" ({event.reference})" if event.reference else ""
            return f"{event.action.value.replace('-', ' ')}{reference}: {event.note}"
        case Denial.WriteOffRequested():
            return f"asked to write off {event.amount}: {event.reason}"
        case Denial.WriteOffTurnedDown():
            return f"turned the write-off down: {event.reason}"
        case Denial.WrittenOff():
            did = "wrote off" if event.change.minor > 0 else "took back of the write-off"
            return f"{event.approved_by} {did} {abs(event.change)}: {event.reason}"
        case Denial.DeadlineNear():
            return f"{event.clock.value.replace('-', ' ')} ends on {event.deadline}"
    return event.TOPIC
