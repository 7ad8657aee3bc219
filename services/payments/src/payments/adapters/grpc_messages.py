"""Rows of the read models, and the items that follow from them, as messages of the proto."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from billing.common.v1 import common_pb2
from billing.payments.v1 import payments_pb2 as pb
from canonical.money import USD, Money
from chassis.eventstore import Row

from payments.domain.provider_items import Item, Pairing


def text_of(value: object) -> str:
    """An id, a word or a date as text; nothing is the empty text."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def count_of(value: object) -> int:
    """A number of rows; nothing counted is zero."""
    return value if isinstance(value, int) else 0


def money_sent(amount: Money) -> common_pb2.Money:
    return common_pb2.Money(minor=amount.minor, currency=amount.currency)


def minor_sent(value: object) -> common_pb2.Money:
    return common_pb2.Money(minor=count_of(value), currency=USD)


def balance_of(row: Row) -> Money:
    """What the patient owes; below zero only where more was taken off than was ever owed."""
    owed = count_of(row["responsibility_minor"]) - count_of(row["written_off_minor"])
    return Money(owed - count_of(row["applied_minor"]))


def receipt_sent(row: Row) -> pb.Receipt:
    return pb.Receipt(
        receipt_id=text_of(row["receipt_id"]),
        remittance_id=text_of(row["remittance_id"]),
        message_id=text_of(row["message_id"]),
        verdict=text_of(row["verdict"]),
        payment=minor_sent(row["payment_minor"]),
    )


def payout_sent(row: Row) -> pb.Payout:
    return pb.Payout(
        payout_id=text_of(row["payout_id"]),
        gateway_id=text_of(row["gateway_id"]),
        state=text_of(row["state"]),
        net=minor_sent(row["net_minor"]),
        deposit_id=text_of(row["deposit_id"]),
    )


def account_sent(row: Row) -> pb.Account:
    return pb.Account(
        account_id=text_of(row["account_id"]),
        entity=text_of(row["entity"]),
        patient_id=text_of(row["patient_id"]),
        responsibility=minor_sent(row["responsibility_minor"]),
        applied=minor_sent(row["applied_minor"]),
        unapplied=minor_sent(row["unapplied_minor"]),
        balance=money_sent(balance_of(row)),
        written_off=minor_sent(row["written_off_minor"]),
    )


def activity_sent(row: Row) -> pb.Activity:
    return pb.Activity(
        account_id=text_of(row["account_id"]),
        kind=text_of(row["kind"]),
        amount=minor_sent(row["amount_minor"]),
        effective_date=text_of(row["effective_date"]),
        source_id=text_of(row["source_id"]),
        claim_id=text_of(row["claim_id"]),
        encounter_id=text_of(row["encounter_id"]),
    )


def remittance_sent(row: Row) -> pb.Remittance:
    return pb.Remittance(
        remittance_id=text_of(row["remittance_id"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        trace_number=text_of(row["trace_number"]),
        payment=minor_sent(row["payment_minor"]),
        claim_count=count_of(row["claim_count"]),
        effective_date=text_of(row["effective_date"]),
        deposit_id=text_of(row["deposit_id"]),
        message_id=text_of(row["message_id"]),
        receipt_id=text_of(row["receipt_id"]),
        settlement=text_of(row["settlement"]),
        total_charge=minor_sent(row["charge_minor"]),
        total_paid=minor_sent(row["paid_minor"]),
        total_provider_adjustments=minor_sent(row["adjustments_minor"]),
        reversal_count=count_of(row["reversal_count"]),
        chunk_count=count_of(row["chunk_count"]),
        chunks_accepted=count_of(row["chunks_accepted"]),
    )


def deposit_sent(row: Row) -> pb.Deposit:
    return pb.Deposit(
        deposit_id=text_of(row["deposit_id"]),
        entity=text_of(row["entity"]),
        kind=text_of(row["kind"]),
        reference=text_of(row["reference"]),
        amount=minor_sent(row["amount_minor"]),
        effective_date=text_of(row["effective_date"]),
        matched_to=text_of(row["matched_to"]),
        message_id=text_of(row["message_id"]),
    )


def payment_sent(row: Row) -> pb.Payment:
    return pb.Payment(
        payment_id=text_of(row["payment_id"]),
        gateway_id=text_of(row["gateway_id"]),
        entity=text_of(row["entity"]),
        state=text_of(row["state"]),
        amount=minor_sent(row["amount_minor"]),
        effective_date=text_of(row["effective_date"]),
        account_id=text_of(row["account_id"]),
        message_id=text_of(row["message_id"]),
    )


def adjustment_sent(row: Row, items: Sequence[Item], reversals: Sequence[Row]) -> pb.ProviderAdjustment:
    return pb.ProviderAdjustment(
        remittance_id=text_of(row["remittance_id"]),
        adjustment=count_of(row["adjustment"]),
        provider=text_of(row["provider"]),
        reason=text_of(row["reason"]),
        reference=text_of(row["reference"]),
        amount=minor_sent(row["amount_minor"]),
        effective_date=text_of(row["effective_date"]),
        balance_id=text_of(row["balance_id"]),
        item_ids=[str(item.id) for item in items],
        reversed_claims=map(_reversed_claim, reversals),
    )


def _reversed_claim(row: Row) -> pb.ReversedClaim:
    return pb.ReversedClaim(
        remittance_id=text_of(row["remittance_id"]),
        position=count_of(row["position"]),
        patient_control_number=text_of(row["patient_control_number"]),
        payer_control_number=text_of(row["payer_control_number"]),
        paid=minor_sent(row["paid_minor"]),
        effective_date=text_of(row["effective_date"]),
    )


def item_sent(item: Item) -> pb.ProviderItem:
    opened = item.opened_by
    return pb.ProviderItem(
        item_id=str(item.id),
        remittance_id=str(opened.remittance_id),
        adjustment=opened.adjustment,
        reason=opened.reason,
        reference=opened.reference,
        amount=money_sent(item.amount),
        open=money_sent(item.open_amount),
        effective_date=text_of(opened.effective_date),
        state=item.state.value,
        settled_by=[
            pb.SettledPart(
                remittance_id=str(part.move.remittance_id),
                adjustment=part.move.adjustment,
                amount=money_sent(part.amount),
                effective_date=text_of(part.move.effective_date),
            )
            for part in item.settled_by
        ],
    )


def provider_balance_sent(row: Row, pairing: Pairing) -> pb.ProviderBalance:
    still_open = pairing.open_items
    return pb.ProviderBalance(
        balance_id=text_of(row["balance_id"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        provider=text_of(row["provider"]),
        open=minor_sent(row["open_minor"]),
        owed_to_payer=money_sent(Money.total(item.open_amount for item in still_open if not item.is_unexplained)),
        unexplained=money_sent(Money.total(item.open_amount for item in still_open if item.is_unexplained)),
        other=minor_sent(row["other_minor"]),
        open_item_count=len(still_open),
        adjustment_count=count_of(row["move_count"]),
    )
