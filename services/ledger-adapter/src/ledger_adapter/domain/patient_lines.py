"""From what happens to patients' money after it was paid, and to what patients owe, to the lines that it books."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from canonical.codes import PayerClass
from canonical.events.payments import (
    PatientBalanceWrittenOff,
    PatientDisputeMoved,
    PatientMoneyTransferred,
    PatientPaymentReturned,
    PatientRefundMoved,
    PriceConcessionMoved,
)
from canonical.journal import LedgerLine
from chassis.domain import Refusal

from ledger_adapter.domain.fact_lines import FRONT_DESK
from ledger_adapter.domain.posting_rules import Dimensions, Fact, booked

Lines = tuple[LedgerLine, ...]


class UnknownStep(Refusal):
    """The fact names a step or kind that no posting rule covers; it waits until there is one."""


GIVEN_UP: Final = {
    "charity": Fact.CHARITY_GIVEN,
    "bad-debt": Fact.BAD_DEBT_GIVEN_UP,
    "small-balance": Fact.SMALL_BALANCE_GIVEN_UP,
    "price-concession": Fact.PRICE_CONCESSION_GIVEN,
}


def lines_for_refund(event: PatientRefundMoved) -> Lines:
    """J18: owed to the patient when approved, paid or come back by the gateway, no longer owed when cancelled.

    Raises:
        UnknownStep: none of these.
    """
    dimensions = _of(event.entity, event.patient_id)
    paid = Fact.REFUND_PAID_AT_FRONT_DESK if event.channel == FRONT_DESK else Fact.REFUND_PAID
    steps = {
        "approved": (Fact.REFUND_APPROVED, event.amount),
        "paid": (paid, event.amount),
        "failed": (paid, -event.amount),
        "cancelled": (Fact.REFUND_APPROVED, -event.amount),
    }
    if event.step not in steps:
        raise UnknownStep(f"refund {event.refund_id}: {event.step}")
    fact, amount = steps[event.step]
    return booked(fact, amount, dimensions)


def lines_for_dispute(event: PatientDisputeMoved) -> Lines:
    """J19: the gateway took amount and fee, gave the amount back, or keeps it.

    Raises:
        UnknownStep: none of these.
    """
    dimensions = _of(event.entity, event.patient_id)
    steps = {
        "withdrawn": (Fact.DISPUTE_WITHDRAWN, event.amount),
        "won": (Fact.DISPUTE_WITHDRAWN, -event.amount),
        "lost": (Fact.DISPUTE_LOST, event.amount),
        "recovered": (Fact.DISPUTE_LOST, -event.amount),
    }
    if event.step not in steps:
        raise UnknownStep(f"dispute {event.dispute_id}: {event.step}")
    fact, amount = steps[event.step]
    fee = booked(Fact.DISPUTE_FEE, event.fee, dimensions) if event.step == "withdrawn" else ()
    return booked(fact, amount, dimensions) + fee


def lines_for_return(event: PatientPaymentReturned) -> Lines:
    """J19, by the payer's bank: the gateway no longer has the money."""
    return booked(Fact.PAYMENT_RETURNED, event.amount, _of(event.entity, event.patient_id))


def lines_for_patient_write_off(event: PatientBalanceWrittenOff) -> Lines:
    """J21, J22, J23 or J24 by its kind; below zero the mirror.

    Raises:
        UnknownStep: another kind.
    """
    fact = GIVEN_UP.get(event.kind)
    if fact is None:
        raise UnknownStep(f"write-off {event.write_off_id}: {event.kind}")
    return booked(fact, event.amount, _of(event.entity, event.patient_id))


def lines_for_price_concession(event: PriceConcessionMoved) -> Lines:
    """J22: what is not expected to be paid, off revenue into the allowance; below zero the true-up."""
    dimensions = replace(_of(event.entity, event.patient_id), encounter_id=event.encounter_id)
    return booked(Fact.PRICE_CONCESSION_EXPECTED, event.amount, dimensions)


def lines_for_transfer(event: PatientMoneyTransferred) -> Lines:
    """Between two patients on one account: the cash of the one is the other's, or the other owes the share.

    Raises:
        UnknownStep: neither cash nor a share.
    """
    giver, taker = _of(event.entity, event.from_patient_id), _of(event.entity, event.to_patient_id)
    if event.moved == "cash":
        return booked(Fact.PATIENT_CASH_TRANSFERRED, event.amount, taker, debited=giver)
    if event.moved == "share":
        return booked(Fact.PATIENT_SHARE_TRANSFERRED, event.amount, giver, debited=taker)
    raise UnknownStep(f"transfer {event.transfer_id}: {event.moved}")


def _of(entity: str, patient_id: UUID | None) -> Dimensions:
    return Dimensions(entity, payer_class=PayerClass.SELF_PAY.value, patient_id=patient_id)
