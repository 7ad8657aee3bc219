"""The read model of patients' write-offs: asked for, allowed, turned down, and what of them stands."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.domain import Event
from chassis.eventstore import Change, Table, add, put

from payments.domain.patient_account import PatientAccount
from payments.domain.write_off import PatientWriteOff, WriteOffState

PATIENT_WRITE_OFFS = Table(
    "patient_write_offs",
    {
        "write_off_id": "uuid",
        "account_id": "uuid",
        "entity": "text",
        "place": "uuid",
        "kind": "text",
        "state": "text",
        "amount_minor": "bigint",
        "stands_minor": "bigint",
        "reason": "text",
        "requested_by": "text",
        "decided_by": "text",
        "requested_at": "timestamptz",
        "effective_date": "date",
    },
    key=("write_off_id",),
    indexes=(("account_id",), ("state",)),
)


def write_off_changes(event: Event) -> Iterable[Change]:
    """The rows that one stored event of a write-off, or of its account, changes."""
    match event:
        case PatientWriteOff.Requested():
            yield _requested(event)
        case PatientWriteOff.Approved():
            yield put(
                PATIENT_WRITE_OFFS,
                write_off_id=event.originator_id,
                state=WriteOffState.APPROVED.value,
                decided_by=event.approved_by,
                effective_date=event.effective_date,
            )
        case PatientWriteOff.TurnedDown():
            state, by = WriteOffState.TURNED_DOWN.value, event.turned_down_by
            yield put(PATIENT_WRITE_OFFS, write_off_id=event.originator_id, state=state, decided_by=by)
        case PatientAccount.WrittenOff():
            key: dict[str, object] = {"write_off_id": event.of_write_off or event.write_off_id}
            yield add(PATIENT_WRITE_OFFS, key, stands_minor=event.amount.minor)
        case _:
            return


def _requested(event: PatientWriteOff.Requested) -> Change:
    return put(
        PATIENT_WRITE_OFFS,
        write_off_id=event.originator_id,
        account_id=event.account_id,
        entity=event.entity,
        place=event.place,
        kind=event.kind.value,
        state=WriteOffState.REQUESTED.value,
        amount_minor=event.amount.minor,
        stands_minor=0,
        reason=event.reason,
        requested_by=event.requested_by,
        requested_at=event.timestamp,
    )
