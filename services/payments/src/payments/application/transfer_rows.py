"""The read model of transfers between patients' accounts: asked for, made, turned down."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.domain import Event
from chassis.eventstore import Change, Table, put
from chassis.eventstore.projecting import of

from payments.domain.account_transfer import AccountTransfer, TransferState, cash_transfer_id

ACCOUNT_TRANSFERS = Table(
    "account_transfers",
    {
        "transfer_id": "uuid",
        "moved": "text",
        "source": "uuid",
        "cash_id": "uuid",
        "origin": "uuid",
        "entity": "text",
        "from_account_id": "uuid",
        "to_account_id": "uuid",
        "state": "text",
        "amount_minor": "bigint",
        "reason": "text",
        "requested_by": "text",
        "decided_by": "text",
        "requested_at": "timestamptz",
        "effective_date": "date",
    },
    key=("transfer_id",),
    indexes=(("from_account_id",), ("to_account_id",), ("state",), ("cash_id",)),
)
"""`cash_id` is what moved cash is called on the account that it came to, `origin` the payment that brought it."""


@of(AccountTransfer)
def project_transfers(event: Event) -> Iterable[Change]:
    """The row of a transfer that one stored event changes."""
    match event:
        case AccountTransfer.Requested():
            yield put(
                ACCOUNT_TRANSFERS,
                **_what(event),
                state=TransferState.REQUESTED.value,
                reason=event.reason,
                requested_by=event.requested_by,
                requested_at=event.timestamp,
            )
        case AccountTransfer.Made():
            yield put(
                ACCOUNT_TRANSFERS,
                **_what(event),
                state=TransferState.MADE.value,
                cash_id=cash_transfer_id(event.originator_id),
                origin=event.origin,
                reason=event.reason,
                decided_by=event.made_by,
                effective_date=event.effective_date,
            )
        case AccountTransfer.TurnedDown():
            state, by = TransferState.TURNED_DOWN.value, event.turned_down_by
            yield put(ACCOUNT_TRANSFERS, transfer_id=event.originator_id, state=state, decided_by=by)
        case _:
            return


def _what(event: AccountTransfer.Requested | AccountTransfer.Made) -> dict[str, object]:
    return {
        "transfer_id": event.originator_id,
        "moved": event.moved.value,
        "source": event.source,
        "entity": event.entity,
        "from_account_id": event.from_account_id,
        "to_account_id": event.to_account_id,
        "amount_minor": event.amount.minor,
    }
