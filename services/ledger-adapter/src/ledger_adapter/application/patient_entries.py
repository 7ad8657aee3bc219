"""Journal entries of patients' refunds, disputes, returned payments, write-offs and price concessions: each fact an entry by itself."""

from __future__ import annotations

from typing import Any

from canonical.envelope import Envelope
from canonical.events.payments import (
    PatientBalanceWrittenOff,
    PatientDisputeMoved,
    PatientMoneyTransferred,
    PatientPaymentReturned,
    PatientRefundMoved,
    PriceConcessionMoved,
)
from chassis.eventstore import Work
from chassis.messaging.reactions import Reaction

from ledger_adapter.application.single_entries import SingleFact, intend_single
from ledger_adapter.domain import patient_lines as lines
from ledger_adapter.domain.subledger import GroupKind, single_posting_id


def when_refund_moved_intend_entry(work: Work, event: PatientRefundMoved, envelope: Envelope) -> None:
    """J18."""
    intend_single(work, event, envelope, of_refund(event), lambda: lines.lines_for_refund(event))


def when_dispute_moved_intend_entry(work: Work, event: PatientDisputeMoved, envelope: Envelope) -> None:
    """J19."""
    intend_single(work, event, envelope, of_dispute(event), lambda: lines.lines_for_dispute(event))


def when_payment_returned_intend_entry(work: Work, event: PatientPaymentReturned, envelope: Envelope) -> None:
    """J19, by the payer's bank."""
    intend_single(work, event, envelope, of_return(event), lambda: lines.lines_for_return(event))


def when_patient_balance_written_off_intend_entry(
    work: Work, event: PatientBalanceWrittenOff, envelope: Envelope
) -> None:
    """J21, J22, J23, J24."""
    intend_single(work, event, envelope, of_write_off(event), lambda: lines.lines_for_patient_write_off(event))


def when_price_concession_moved_intend_entry(work: Work, event: PriceConcessionMoved, envelope: Envelope) -> None:
    """J22."""
    intend_single(work, event, envelope, of_price_concession(event), lambda: lines.lines_for_price_concession(event))


def when_patient_money_transferred_intend_entry(work: Work, event: PatientMoneyTransferred, envelope: Envelope) -> None:
    """Between two patients; where the ledger's lines know no patients, there is nothing to post at the ERP."""
    intend_single(work, event, envelope, of_transfer(event), lambda: lines.lines_for_transfer(event))


def of_refund(event: PatientRefundMoved) -> SingleFact:
    return SingleFact(
        GroupKind.REFUND, single_posting_id(GroupKind.REFUND, event.refund_id, event.step), event.refund_id
    )


def of_dispute(event: PatientDisputeMoved) -> SingleFact:
    return SingleFact(
        GroupKind.DISPUTE, single_posting_id(GroupKind.DISPUTE, event.dispute_id, event.step), event.dispute_id
    )


def of_return(event: PatientPaymentReturned) -> SingleFact:
    return SingleFact(GroupKind.RETURN, single_posting_id(GroupKind.RETURN, event.return_id), event.payment_id)


def of_write_off(event: PatientBalanceWrittenOff) -> SingleFact:
    posting_id = single_posting_id(GroupKind.PATIENT_WRITE_OFF, event.write_off_id)
    return SingleFact(GroupKind.PATIENT_WRITE_OFF, posting_id, event.write_off_id)


def of_price_concession(event: PriceConcessionMoved) -> SingleFact:
    posting_id = single_posting_id(GroupKind.PRICE_CONCESSION, event.account_id, event.move)
    return SingleFact(GroupKind.PRICE_CONCESSION, posting_id, event.account_id)


def of_transfer(event: PatientMoneyTransferred) -> SingleFact:
    posting_id = single_posting_id(GroupKind.PATIENT_TRANSFER, event.transfer_id)
    return SingleFact(GroupKind.PATIENT_TRANSFER, posting_id, event.transfer_id)


PATIENT_REACTIONS: tuple[Reaction[Any], ...] = (
    Reaction(PatientRefundMoved, when_refund_moved_intend_entry, lambda event: of_refund(event).ids),
    Reaction(PatientDisputeMoved, when_dispute_moved_intend_entry, lambda event: of_dispute(event).ids),
    Reaction(PatientPaymentReturned, when_payment_returned_intend_entry, lambda event: of_return(event).ids),
    Reaction(
        PatientBalanceWrittenOff,
        when_patient_balance_written_off_intend_entry,
        lambda event: of_write_off(event).ids,
    ),
    Reaction(
        PriceConcessionMoved,
        when_price_concession_moved_intend_entry,
        lambda event: of_price_concession(event).ids,
    ),
    Reaction(
        PatientMoneyTransferred,
        when_patient_money_transferred_intend_entry,
        lambda event: of_transfer(event).ids,
    ),
)
