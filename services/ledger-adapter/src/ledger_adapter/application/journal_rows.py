"""Rows of journal entries: how far each is, and what of the balances is intended and confirmed."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.codes import Dimension
from canonical.journal import JournalLine
from chassis.domain import Event
from chassis.eventstore import Change, add, put
from chassis.eventstore.projecting import of

from ledger_adapter.application.journal_events import reason_of, state_after
from ledger_adapter.application.lanes import LANE_OF
from ledger_adapter.application.queries import BALANCES, DIMENSION_BALANCES, JOURNALS, POSTINGS
from ledger_adapter.domain.journal_entry import JournalEntry, JournalState


@of(JournalEntry)
def project_journals(event: Event) -> Iterable[Change]:
    """Rows of journal entries, and what of the balances is intended and confirmed."""
    if isinstance(event, JournalEntry.Intended):
        yield _intended(event)
        yield from _balances(event.head.entity, event.lines, "intended_minor")
        if not event.group_kind.is_of_many:
            yield put(POSTINGS, posting_id=event.group_id, journal_id=event.originator_id)
        return
    if isinstance(event, JournalEntry.Confirmed):
        yield from _balances(event.head.entity, event.lines, "confirmed_minor")
        yield from _by_dimension(event.head.entity, event.lines)
    state = state_after(event)
    if state is None:
        return
    changed: dict[str, object] = {
        "state": state.value,
        "version": event.originator_version,
        "changed_at": event.timestamp,
        "reason": reason_of(event),
    }
    if isinstance(event, JournalEntry.Probed):
        changed |= {"posting_date": event.posting_date}
    if isinstance(event, JournalEntry.HeldForPeriod):
        changed |= {"refused_day": event.refused_day}
    if isinstance(event, JournalEntry.Posted):
        changed |= {"erp": event.erp, "erp_document": event.erp_document}
    yield put(JOURNALS, journal_id=event.originator_id, **changed)


def _by_dimension(entity: str, lines: Iterable[JournalLine]) -> Iterable[Change]:
    for line in lines:
        for dimension in Dimension if line.account.is_of_income else ():
            key: dict[str, object] = {"entity": entity, "account": line.account.value, "dimension": dimension.value}
            key["value"] = getattr(line, dimension.value)
            yield add(DIMENSION_BALANCES, key, confirmed_minor=line.amount.minor)


def _intended(event: JournalEntry.Intended) -> Change:
    return put(
        JOURNALS,
        journal_id=event.originator_id,
        external_number=event.head.external_number,
        entity=event.head.entity,
        kind=event.head.kind,
        lane=LANE_OF[event.group_kind].value,
        group_id=event.group_id,
        effective_date=event.head.effective_date,
        state=JournalState.INTENDED.value,
        version=event.originator_version,
        debit_minor=sum(line.amount.minor for line in event.lines if line.amount.minor > 0),
        line_count=len(event.lines),
        lines=[line.model_dump(mode="json") for line in event.lines],
        posting_count=event.posting_count,
        posting_digest=event.posting_digest,
        rules_version=event.head.rules_version,
        intended_at=event.timestamp,
        changed_at=event.timestamp,
    )


def _balances(entity: str, lines: Iterable[JournalLine], column: str) -> Iterable[Change]:
    for line in lines:
        key: dict[str, object] = {"entity": entity, "account": line.account.value, "party": line.party}
        yield add(BALANCES, key, **{column: line.amount.minor})
