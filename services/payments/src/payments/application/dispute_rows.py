"""The read model of disputes: what the gateway told, what moved the books, and how each of them ended."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.domain import Event
from chassis.eventstore import Change, Table, put

from payments.domain.disputes import DisputeState
from payments.domain.payment import Payment

DISPUTES = Table(
    "disputes",
    {
        "dispute_id": "uuid",
        "payment_id": "uuid",
        "entity": "text",
        "gateway_id": "text",
        "amount_minor": "bigint",
        "fee_minor": "bigint",
        "step": "text",
        "outcome": "text",
        "respond_by": "date",
    },
    key=("dispute_id",),
    indexes=(("payment_id",), ("outcome",)),
)
"""`step` is the last that moved the books, `outcome` how it ended; each is empty until then."""
ENDED = (DisputeState.CLOSED, DisputeState.WON, DisputeState.LOST)


def project_disputes(event: Event) -> Iterable[Change]:
    """The row of a dispute that one stored event changes."""
    match event:
        case Payment.DisputeTold():
            told: dict[str, object] = {"gateway_id": event.gateway_dispute_id, "amount_minor": event.amount.minor}
            if event.respond_by is not None:
                told["respond_by"] = event.respond_by
            if event.state in ENDED:
                told["outcome"] = event.state.value
            yield put(DISPUTES, dispute_id=event.dispute_id, payment_id=event.originator_id, **told)
        case Payment.DisputeMoved():
            moved = {"entity": event.entity, "fee_minor": event.fee.minor, "step": event.step.value}
            yield put(DISPUTES, dispute_id=event.dispute_id, **moved)
        case _:
            return
