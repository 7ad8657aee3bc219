"""Moves of cash and of shares between patients' accounts of one entity, as people ask for and decide them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.money import Money
from chassis.eventstore import Work

from payments.application.row_values import uuid_of
from payments.application.transfer_rows import ACCOUNT_TRANSFERS
from payments.domain.account_transfer import AccountTransfer, Moved, NoTransfer, TransferOf, cash_transfer_id
from payments.domain.cash_spread import NOTHING
from payments.domain.patient_account import PatientAccount, TakenBack
from payments.domain.payer_words import ShareOrigin
from payments.domain.payment import Payment
from payments.domain.price_concession import NONE_EXPECTED


def request_transfer(work: Work, transfer_id: UUID, wanted: TransferOf, reason: str) -> None:
    """The actor asks to move cash of a payment, or what is open at a claim or encounter, to another patient's account.

    Raises:
        UnknownAggregate: no such account.
        NoTransfer, TransferChanged: see there.
    """
    giver = work.require(PatientAccount, wanted.from_account_id)
    taker = work.require(PatientAccount, wanted.to_account_id)
    transfer = work.get_or_new(AccountTransfer, transfer_id)
    if transfer.is_known(wanted):
        return
    _refuse_impossible(giver, taker, wanted)
    transfer.trigger_event(
        AccountTransfer.Requested,
        moved=wanted.moved,
        source=wanted.source,
        entity=giver.entity,
        from_account_id=giver.id,
        to_account_id=taker.id,
        amount=wanted.amount,
        reason=reason,
        requested_by=work.context.meta.actor,
    )


def approve_transfer(work: Work, transfer_id: UUID, *, amount: Money, limit: Money, on: date) -> None:
    """The actor allows it, and it is made; above the limit by a second person.

    Raises:
        UnknownAggregate: no such transfer.
        TransferDecided, OtherAmountMoved, OwnTransfer: see there.
        NoTransfer: less is there by now.
    """
    transfer = work.require(AccountTransfer, transfer_id)
    transfer.refuse_approval(amount, by=work.context.meta.actor, limit=limit)
    assert transfer.asked is not None, "a transfer that exists was asked for"
    make_transfer(work, transfer_id, transfer.asked, transfer.reason, on)


def turn_transfer_down(work: Work, transfer_id: UUID, reason: str) -> None:
    """Raises UnknownAggregate, TransferDecided; whoever asked may take the request back."""
    work.require(AccountTransfer, transfer_id).turn_down(by=work.context.meta.actor, reason=reason)


def make_transfer(work: Work, transfer_id: UUID, wanted: TransferOf, reason: str, on: date) -> None:
    """Moves it, once. Cash moves also where it pays something: what it paid is owed again.

    Raises:
        UnknownAggregate: no such account.
        NoTransfer, TransferChanged: see there.
    """
    giver = work.require(PatientAccount, wanted.from_account_id)
    taker = work.require(PatientAccount, wanted.to_account_id)
    transfer = work.get_or_new(AccountTransfer, transfer_id)
    if transfer.is_known(wanted) and transfer.is_made:
        return
    transfer.refuse_decided()
    _refuse_impossible(giver, taker, wanted)
    payment = _origin_of(work, wanted)
    _make(work, transfer, wanted, giver, taker, payment.id if payment else None, reason, on)
    if wanted.moved is Moved.CASH:
        giver.take_back(wanted.source, transfer_id, reason=TakenBack.TRANSFER, amount=wanted.amount, on=on)
        taker.take_over(cash_transfer_id(transfer_id), wanted.amount, on)
        if payment is not None:
            payment.note_transfer(transfer_id, giver.id, taker.id, wanted.amount)
    else:
        _move_share(transfer_id, wanted, giver, taker, on)


def _origin_of(work: Work, wanted: TransferOf) -> Payment | None:
    """The payment that brought the cash which moves: itself, or behind the transfers that it came by."""
    if wanted.moved is Moved.SHARE:
        return None
    payment = work.get(Payment, wanted.source)
    if payment is None:
        (row, *_) = work.rows(ACCOUNT_TRANSFERS, {"cash_id": wanted.source}) or [{}]
        payment = work.get(Payment, uuid_of(row["origin"])) if row.get("origin") else None
    return payment


def _move_share(transfer_id: UUID, wanted: TransferOf, giver: PatientAccount, taker: PatientAccount, on: date) -> None:
    owed = next(entry for entry in giver.owed.values() if entry.place == wanted.source)
    for account, share in ((giver, -wanted.amount), (taker, wanted.amount)):
        assert account.patient_id is not None, "an account that exists has a patient"
        account.assign(
            entity=account.entity,
            patient_id=account.patient_id,
            source_id=transfer_id,
            claim_id=None if wanted.source == owed.encounter_id else wanted.source,
            encounter_id=owed.encounter_id,
            amount=share,
            on=on,
            origin=ShareOrigin.TRANSFER,
        )
    taker.expect_concession(wanted.source, giver.expected.get(wanted.source, NONE_EXPECTED), on)


def _refuse_impossible(giver: PatientAccount, taker: PatientAccount, wanted: TransferOf) -> None:
    if giver.entity != taker.entity or giver.id == taker.id:
        raise NoTransfer(f"from account {giver.id} of {giver.entity} to {taker.id} of {taker.entity}")
    there = _movable(giver, wanted)
    if not NOTHING < wanted.amount <= there:
        raise NoTransfer(f"{there} of account {giver.id} can be moved, not {wanted.amount}")


def _movable(giver: PatientAccount, wanted: TransferOf) -> Money:
    if wanted.moved is Moved.CASH:
        held = giver.cash.get(wanted.source)
        return held.amount if held else NOTHING
    is_owed = any(entry.place == wanted.source for entry in giver.owed.values())
    return giver.open_at(wanted.source) if is_owed else NOTHING


def _make(
    work: Work,
    transfer: AccountTransfer,
    wanted: TransferOf,
    giver: PatientAccount,
    taker: PatientAccount,
    origin: UUID | None,
    reason: str,
    on: date,
) -> None:
    transfer.trigger_event(
        AccountTransfer.Made,
        moved=wanted.moved,
        source=wanted.source,
        entity=giver.entity,
        from_account_id=giver.id,
        to_account_id=taker.id,
        from_patient_id=giver.patient_id,
        to_patient_id=taker.patient_id,
        amount=wanted.amount,
        reason=reason,
        made_by=work.context.meta.actor,
        effective_date=on,
        origin=origin,
    )
