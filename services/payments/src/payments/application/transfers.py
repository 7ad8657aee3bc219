"""Moves of cash and of shares between patients' accounts of one entity, as people decide them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.money import Money
from chassis.eventstore import Work

from payments.domain.account_transfer import AccountTransfer, Moved, NoTransfer, cash_transfer_id
from payments.domain.cash_spread import NOTHING
from payments.domain.patient_account import PatientAccount, TakenBack
from payments.domain.payer_words import ShareOrigin


def transfer_cash(
    work: Work,
    transfer_id: UUID,
    *,
    payment_id: UUID,
    from_account_id: UUID,
    to_account_id: UUID,
    amount: Money,
    reason: str,
    on: date,
) -> None:
    """Moves cash of a payment, also where it pays something: what it paid is owed again.

    Raises:
        UnknownAggregate: no such account.
        NoTransfer, TransferChanged: see there.
    """
    giver, taker = work.require(PatientAccount, from_account_id), work.require(PatientAccount, to_account_id)
    transfer = work.get_or_new(AccountTransfer, transfer_id)
    if transfer.is_known(Moved.CASH, payment_id, giver.id, taker.id, amount):
        return
    held = giver.cash.get(payment_id)
    _refuse_impossible(giver, taker, amount, held.amount if held else NOTHING)
    _make(transfer, Moved.CASH, payment_id, giver, taker, amount, reason, on, work.context.meta.actor)
    giver.take_back(payment_id, transfer_id, reason=TakenBack.TRANSFER, amount=amount, on=on)
    taker.take_over(cash_transfer_id(transfer_id), amount, on)


def transfer_share(
    work: Work,
    transfer_id: UUID,
    *,
    place: UUID,
    from_account_id: UUID,
    to_account_id: UUID,
    amount: Money,
    reason: str,
    on: date,
) -> None:
    """Moves what is open at a claim or encounter to the account of who answers for it.

    Raises:
        UnknownAggregate: no such account.
        NoTransfer, TransferChanged: see there.
    """
    giver, taker = work.require(PatientAccount, from_account_id), work.require(PatientAccount, to_account_id)
    transfer = work.get_or_new(AccountTransfer, transfer_id)
    if transfer.is_known(Moved.SHARE, place, giver.id, taker.id, amount):
        return
    owed = next((entry for entry in giver.owed.values() if entry.place == place), None)
    _refuse_impossible(giver, taker, amount, giver.open_at(place) if owed else NOTHING)
    assert owed is not None, "what is open is owed"
    _make(transfer, Moved.SHARE, place, giver, taker, amount, reason, on, work.context.meta.actor)
    for account, share in ((giver, -amount), (taker, amount)):
        assert account.patient_id is not None, "an account that exists has a patient"
        account.assign(
            entity=account.entity,
            patient_id=account.patient_id,
            source_id=transfer_id,
            claim_id=None if place == owed.encounter_id else place,
            encounter_id=owed.encounter_id,
            amount=share,
            on=on,
            origin=ShareOrigin.TRANSFER,
        )


def _refuse_impossible(giver: PatientAccount, taker: PatientAccount, amount: Money, there: Money) -> None:
    if giver.entity != taker.entity or giver.id == taker.id:
        raise NoTransfer(f"from account {giver.id} of {giver.entity} to {taker.id} of {taker.entity}")
    if not NOTHING < amount <= there:
        raise NoTransfer(f"{there} of account {giver.id} can be moved, not {amount}")


def _make(
    transfer: AccountTransfer,
    moved: Moved,
    source: UUID,
    giver: PatientAccount,
    taker: PatientAccount,
    amount: Money,
    reason: str,
    on: date,
    by: str,
) -> None:
    transfer.trigger_event(
        AccountTransfer.Made,
        moved=moved,
        source=source,
        entity=giver.entity,
        from_account_id=giver.id,
        to_account_id=taker.id,
        from_patient_id=giver.patient_id,
        to_patient_id=taker.patient_id,
        amount=amount,
        reason=reason,
        made_by=by,
        effective_date=on,
    )
