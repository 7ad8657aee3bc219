"""The read models of what stays open between payers and providers, and of the reversals that it mostly comes from."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.eventstore import Change, Table, add, put

from payments.domain.provider_balance import ProviderBalance
from payments.domain.provider_items import ITEM_REASONS
from payments.domain.remittance import RemittanceChunk

REVERSAL_STATUS = "22"
PROVIDER_BALANCES = Table(
    "provider_balances",
    {
        "balance_id": "uuid",
        "entity": "text",
        "payer": "text",
        "provider": "text",
        "open_minor": "bigint",
        "other_minor": "bigint",
        "move_count": "integer",
    },
    key=("balance_id",),
    indexes=(("payer",), ("provider",)),
)
PROVIDER_MOVES = Table(
    "provider_moves",
    {
        "remittance_id": "uuid",
        "adjustment": "integer",
        "balance_id": "uuid",
        "entity": "text",
        "payer": "text",
        "provider": "text",
        "reason": "text",
        "reference": "text",
        "amount_minor": "bigint",
        "effective_date": "date",
    },
    key=("remittance_id", "adjustment"),
    indexes=(("balance_id",), ("reason",)),
)
REVERSALS = Table(
    "remittance_reversals",
    {
        "remittance_id": "uuid",
        "position": "integer",
        "payer": "text",
        "patient_control_number": "text",
        "payer_control_number": "text",
        "paid_minor": "bigint",
        "effective_date": "date",
    },
    key=("remittance_id", "position"),
    indexes=(("payer",),),
)
PROVIDER_TABLES = (PROVIDER_BALANCES, PROVIDER_MOVES, REVERSALS)


def provider_move(event: ProviderBalance.Moved) -> Iterable[Change]:
    """One adjustment, and the sums it moves. Sums alone: which item it settles follows from all moves together."""
    names = {"entity": event.entity, "payer": event.payer, "provider": event.provider}
    moves_item = event.reason in ITEM_REASONS
    key: dict[str, object] = {"balance_id": event.originator_id}
    yield put(PROVIDER_BALANCES, **key, **names)
    yield add(
        PROVIDER_BALANCES,
        key,
        open_minor=event.amount.minor if moves_item else 0,
        other_minor=0 if moves_item else event.amount.minor,
        move_count=1,
    )
    yield put(
        PROVIDER_MOVES,
        remittance_id=event.remittance_id,
        adjustment=event.adjustment,
        balance_id=event.originator_id,
        reason=event.reason,
        reference=event.reference,
        amount_minor=event.amount.minor,
        effective_date=event.effective_date,
        **names,
    )


def reversals(event: RemittanceChunk.Accepted) -> Iterable[Change]:
    """The claims of a part that take an earlier payment back."""
    for claim in event.claims:
        if claim.status == REVERSAL_STATUS:
            yield put(
                REVERSALS,
                remittance_id=event.remittance_id,
                position=claim.position,
                payer=event.payer,
                patient_control_number=claim.patient_control_number,
                payer_control_number=claim.payer_control_number,
                paid_minor=claim.paid.minor,
                effective_date=event.effective_date,
            )
