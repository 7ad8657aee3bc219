"""What reconciliation keeps when the ledger adapter or payments announces something."""

from __future__ import annotations

from uuid import UUID

from canonical.envelope import Envelope
from canonical.events.ledger import JournalConfirmed, JournalIntended, JournalRejected
from canonical.events.payments import (
    DepositMatched,
    DepositUnidentified,
    PatientDisputeMoved,
    PatientPaymentReturned,
    PatientPaymentSucceeded,
    PatientRefundMoved,
    PayoutPaid,
    RemittanceAccepted,
)
from canonical.money import Money
from chassis.eventstore import Work
from chassis.messaging.reactions import Reaction

from reconciliation.domain.books import EFT_CLEARING, GATEWAY_CLEARING, UNIDENTIFIED_RECEIPTS
from reconciliation.domain.witnessed import (
    ClearingCause,
    ClearingItem,
    WitnessedJournal,
    clearing_item_id,
    witnessed_journal_id,
)

GATEWAY = "gateway"
"""The channel of payments that come in a payout."""


def when_journal_intended_witness_it(work: Work, event: JournalIntended, envelope: Envelope) -> None:
    journal = work.get_or_new(WitnessedJournal, witnessed_journal_id(event.head.journal_id))
    journal.intend(event.head, event.lines, event.group_id)


def when_journal_confirmed_witness_it(work: Work, event: JournalConfirmed, envelope: Envelope) -> None:
    journal = work.get_or_new(WitnessedJournal, witnessed_journal_id(event.head.journal_id))
    journal.confirm(event.head, event.lines, event.erp, event.erp_document)


def when_journal_rejected_witness_it(work: Work, event: JournalRejected, envelope: Envelope) -> None:
    work.get_or_new(WitnessedJournal, witnessed_journal_id(event.journal_id)).reject(event.journal_id, event.reason)


def when_remittance_accepted_expect_its_deposit(work: Work, event: RemittanceAccepted, envelope: Envelope) -> None:
    """The payer owes the bank this much; EFT clearing holds it until then."""
    summary = event.summary
    identity = clearing_item_id(summary.entity, EFT_CLEARING, summary.remittance_id)
    work.get_or_new(ClearingItem, identity).move(
        entity=summary.entity,
        account=EFT_CLEARING,
        item_id=summary.remittance_id,
        cause=ClearingCause.REMITTANCE_ACCEPTED,
        cause_id=summary.remittance_id,
        amount=summary.payment,
        on=summary.effective_date,
        reference=summary.trace_number,
    )


def when_deposit_matched_clear_its_remittance(work: Work, event: DepositMatched, envelope: Envelope) -> None:
    identity = clearing_item_id(event.entity, EFT_CLEARING, event.remittance_id)
    work.get_or_new(ClearingItem, identity).move(
        entity=event.entity,
        account=EFT_CLEARING,
        item_id=event.remittance_id,
        cause=ClearingCause.DEPOSIT_MATCHED,
        cause_id=event.deposit_id,
        amount=-event.amount,
        on=event.effective_date,
    )
    if event.was_unidentified:
        _move_unidentified(work, event, ClearingCause.DEPOSIT_MATCHED, event.remittance_id, event.amount)


def when_deposit_unidentified_expect_its_remittance(work: Work, event: DepositUnidentified, envelope: Envelope) -> None:
    """The bank has money that nobody can name, until a remittance does."""
    _move_unidentified(work, event, ClearingCause.DEPOSIT_UNIDENTIFIED, event.deposit_id, -event.amount)


def _move_unidentified(
    work: Work, event: DepositMatched | DepositUnidentified, cause: ClearingCause, cause_id: UUID, amount: Money
) -> None:
    work.get_or_new(ClearingItem, _unidentified_item(event)).move(
        entity=event.entity,
        account=UNIDENTIFIED_RECEIPTS,
        item_id=event.deposit_id,
        cause=cause,
        cause_id=cause_id,
        amount=amount,
        on=event.effective_date,
    )


def _unidentified_item(event: DepositMatched | DepositUnidentified) -> UUID:
    return clearing_item_id(event.entity, UNIDENTIFIED_RECEIPTS, event.deposit_id)


def when_patient_payment_succeeded_expect_its_payout(
    work: Work, event: PatientPaymentSucceeded, envelope: Envelope
) -> None:
    """What a front desk took is in no payout; it is banked by hand, which no event tells."""
    if event.channel != GATEWAY:
        return
    identity = clearing_item_id(event.entity, GATEWAY_CLEARING, event.payment_id)
    work.get_or_new(ClearingItem, identity).move(
        entity=event.entity,
        account=GATEWAY_CLEARING,
        item_id=event.payment_id,
        cause=ClearingCause.PAYMENT_SUCCEEDED,
        cause_id=event.payment_id,
        amount=event.applied + event.unapplied,
        on=event.effective_date,
    )


def when_payout_paid_clear_the_gateway(work: Work, event: PayoutPaid, envelope: Envelope) -> None:
    """A payout is an item of its own: it clears many payments at once, fees included."""
    identity = clearing_item_id(event.entity, GATEWAY_CLEARING, event.payout_id)
    work.get_or_new(ClearingItem, identity).move(
        entity=event.entity,
        account=GATEWAY_CLEARING,
        item_id=event.payout_id,
        cause=ClearingCause.PAYOUT_PAID,
        cause_id=event.payout_id,
        amount=-event.gross,
        on=event.effective_date,
    )


def when_refund_moved_follow_the_gateway(work: Work, event: PatientRefundMoved, envelope: Envelope) -> None:
    """A refund leaves the gateway's balance when it is paid, and comes back there when that failed."""
    causes = {"paid": (ClearingCause.REFUND_PAID, -event.amount), "failed": (ClearingCause.REFUND_FAILED, event.amount)}
    if event.channel == GATEWAY and event.step in causes:
        cause, amount = causes[event.step]
        _move_gateway(work, event, event.refund_id, cause, amount)


def when_dispute_moved_follow_the_gateway(work: Work, event: PatientDisputeMoved, envelope: Envelope) -> None:
    """The gateway takes amount and fee at once, and gives the amount back where we win."""
    causes = {
        "withdrawn": (ClearingCause.DISPUTE_WITHDRAWN, -(event.amount + event.fee)),
        "won": (ClearingCause.DISPUTE_WON, event.amount),
    }
    if event.step in causes:
        cause, amount = causes[event.step]
        _move_gateway(work, event, event.dispute_id, cause, amount)


def when_payment_returned_follow_the_gateway(work: Work, event: PatientPaymentReturned, envelope: Envelope) -> None:
    _move_gateway(work, event, event.return_id, ClearingCause.PAYMENT_RETURNED, -event.amount)


Moved = PatientRefundMoved | PatientDisputeMoved | PatientPaymentReturned


def _move_gateway(work: Work, event: Moved, item_id: UUID, cause: ClearingCause, amount: Money) -> None:
    work.get_or_new(ClearingItem, clearing_item_id(event.entity, GATEWAY_CLEARING, item_id)).move(
        entity=event.entity,
        account=GATEWAY_CLEARING,
        item_id=item_id,
        cause=cause,
        cause_id=item_id,
        amount=amount,
        on=event.effective_date,
    )


FROM_LEDGER = (
    Reaction(
        JournalIntended, when_journal_intended_witness_it, lambda event: [witnessed_journal_id(event.head.journal_id)]
    ),
    Reaction(
        JournalConfirmed, when_journal_confirmed_witness_it, lambda event: [witnessed_journal_id(event.head.journal_id)]
    ),
    Reaction(JournalRejected, when_journal_rejected_witness_it, lambda event: [witnessed_journal_id(event.journal_id)]),
)
FROM_PAYMENTS = (
    Reaction(
        RemittanceAccepted,
        when_remittance_accepted_expect_its_deposit,
        lambda event: [clearing_item_id(event.summary.entity, EFT_CLEARING, event.summary.remittance_id)],
    ),
    Reaction(
        DepositMatched,
        when_deposit_matched_clear_its_remittance,
        lambda event: [clearing_item_id(event.entity, EFT_CLEARING, event.remittance_id), _unidentified_item(event)],
    ),
    Reaction(
        DepositUnidentified,
        when_deposit_unidentified_expect_its_remittance,
        lambda event: [_unidentified_item(event)],
    ),
    Reaction(
        PatientPaymentSucceeded,
        when_patient_payment_succeeded_expect_its_payout,
        lambda event: (
            [clearing_item_id(event.entity, GATEWAY_CLEARING, event.payment_id)] if event.channel == GATEWAY else []
        ),
    ),
    Reaction(
        PatientRefundMoved,
        when_refund_moved_follow_the_gateway,
        lambda event: [clearing_item_id(event.entity, GATEWAY_CLEARING, event.refund_id)],
    ),
    Reaction(
        PatientDisputeMoved,
        when_dispute_moved_follow_the_gateway,
        lambda event: [clearing_item_id(event.entity, GATEWAY_CLEARING, event.dispute_id)],
    ),
    Reaction(
        PatientPaymentReturned,
        when_payment_returned_follow_the_gateway,
        lambda event: [clearing_item_id(event.entity, GATEWAY_CLEARING, event.return_id)],
    ),
    Reaction(
        PayoutPaid,
        when_payout_paid_clear_the_gateway,
        lambda event: [clearing_item_id(event.entity, GATEWAY_CLEARING, event.payout_id)],
    ),
)
