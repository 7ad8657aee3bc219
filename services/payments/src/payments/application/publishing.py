"""Which stored events become which public events."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from canonical.envelope import PublicEvent
from canonical.events.payments import (
    DepositMatched,
    DepositUnidentified,
    PatientBalanceWrittenOff,
    PatientDisputeMoved,
    PatientMoneyTransferred,
    PatientPaymentReturned,
    PatientPaymentSucceeded,
    PatientRefundMoved,
    PayerOverpaymentMoved,
    PaymentApplied,
    PayoutPaid,
    PriceConcessionMoved,
    ProviderBalanceMoved,
    RemittanceAccepted,
    RemittanceChunkAccepted,
    RemittanceRefused,
)
from canonical.ids import derive
from chassis.domain import Event

from payments.domain.account_facts import AccountFacts
from payments.domain.account_transfer import AccountTransfer
from payments.domain.deposit import Deposit
from payments.domain.patient_account import PatientAccount
from payments.domain.payer_overpayment import OverpaymentStep, PayerOverpayment
from payments.domain.payment import Payment
from payments.domain.payout import Payout, returned_share_id_of
from payments.domain.provider_balance import ProviderBalance
from payments.domain.remittance import Remittance, RemittanceChunk


def publish(event: Event) -> Iterable[PublicEvent]:
    """The public events of one stored event, in order."""
    match event:
        case Remittance.Accepted():
            yield RemittanceAccepted(summary=event.summary)
        case Remittance.Refused():
            yield RemittanceRefused(
                remittance_id=event.originator_id,
                reason=event.verdict.value,
                first_message_id=event.first_message_id,
                message_id=event.message_id,
            )
        case RemittanceChunk.Accepted():
            yield RemittanceChunkAccepted.trusted(
                remittance_id=event.remittance_id,
                chunk=event.chunk,
                entity=event.entity,
                payer=event.payer,
                effective_date=event.effective_date,
                claims=event.claims,
            )
        case Remittance.DepositMatched() | Deposit.Unidentified():
            yield _deposit_named(event)
        case PayerOverpayment.Identified() | PayerOverpayment.Moved():
            yield _overpayment_moved(event)
        case ProviderBalance.Moved():
            yield _balance_moved(event)
        case Payment.Succeeded() | Payment.Matched() | PatientAccount.UnappliedApplied():
            yield from _patient_money(event)
        case PatientAccount.AllowanceMoved():
            yield _concession_moved(event)
        case AccountTransfer.Made():
            yield PatientMoneyTransferred(
                transfer_id=event.originator_id,
                moved=event.moved.value,
                entity=event.entity,
                from_patient_id=event.from_patient_id,
                to_patient_id=event.to_patient_id,
                amount=event.amount,
                effective_date=event.effective_date,
            )
        case Payment.RefundMoved() | Payment.DisputeMoved() | Payment.Returned() | PatientAccount.WrittenOff():
            yield _later_move(event)
        case Payout.Composed() | Payout.Returned():
            yield from _payout_shares(event)
        case _:
            return


def _concession_moved(event: AccountFacts.AllowanceMoved) -> PublicEvent:
    return PriceConcessionMoved(
        account_id=event.originator_id,
        move=event.move,
        entity=event.entity,
        patient_id=event.patient_id,
        encounter_id=event.encounter_id,
        portfolio=event.portfolio,
        amount=event.amount,
        effective_date=event.effective_date,
    )


def _payout_shares(event: Payout.Composed | Payout.Returned) -> Iterable[PublicEvent]:
    """One for each entity that it paid, or that it took back from."""
    for share in event.shares:
        yield PayoutPaid(
            payout_id=_share_id(event, share.entity),
            entity=share.entity,
            gross=share.gross,
            fees=share.fees,
            net=share.net,
            effective_date=event.effective_date,
        )


def _share_id(event: Payout.Composed | Payout.Returned, entity: str) -> UUID:
    if isinstance(event, Payout.Returned):
        return returned_share_id_of(event.originator_id, entity)
    return derive("payout-share", event.originator_id, entity)


def _deposit_named(event: Remittance.DepositMatched | Deposit.Unidentified) -> PublicEvent:
    """Whose money a deposit is, or that nobody knows."""
    if isinstance(event, Deposit.Unidentified):
        return DepositUnidentified(
            deposit_id=event.originator_id,
            entity=event.entity,
            amount=event.amount,
            effective_date=event.effective_date,
        )
    return DepositMatched(
        deposit_id=event.deposit_id,
        remittance_id=event.originator_id,
        entity=event.entity,
        amount=event.amount,
        effective_date=event.effective_date,
        was_unidentified=event.was_unidentified,
    )


def _overpayment_moved(event: PayerOverpayment.Identified | PayerOverpayment.Moved) -> PublicEvent:
    if isinstance(event, PayerOverpayment.Identified):
        move_id, step = event.originator_id, OverpaymentStep.IDENTIFIED
    else:
        move_id, step = event.move_id, event.step
    return PayerOverpaymentMoved(
        overpayment_id=event.originator_id,
        move_id=move_id,
        step=step.value,
        entity=event.entity,
        payer=event.payer,
        amount=event.amount,
        effective_date=event.effective_date,
    )


def _balance_moved(event: ProviderBalance.Moved) -> PublicEvent:
    return ProviderBalanceMoved(
        balance_id=event.originator_id,
        remittance_id=event.remittance_id,
        adjustment=event.adjustment,
        entity=event.entity,
        payer=event.payer,
        provider=event.provider,
        reason=event.reason,
        reference=event.reference,
        amount=event.amount,
        item_id=event.item_id,
        open_amount=event.open_amount,
        effective_date=event.effective_date,
    )


def _patient_money(
    event: Payment.Succeeded | Payment.Matched | AccountFacts.UnappliedApplied,
) -> Iterable[PublicEvent]:
    if isinstance(event, Payment.Succeeded):
        yield PatientPaymentSucceeded(
            payment_id=event.originator_id,
            entity=event.entity,
            patient_id=event.patient_id,
            applied=event.applied,
            unapplied=event.unapplied,
            effective_date=event.effective_date,
            channel=event.channel.value,
        )
    elif isinstance(event, PatientAccount.UnappliedApplied):
        yield PaymentApplied(
            payment_id=event.payment_id,
            application=event.application,
            entity=event.entity,
            patient_id=event.patient_id,
            amount=event.amount,
            effective_date=event.effective_date,
        )
    elif event.applied:
        yield PaymentApplied(
            payment_id=event.originator_id,
            application=0,
            entity=event.entity,
            patient_id=event.patient_id,
            amount=event.applied,
            effective_date=event.effective_date,
        )


def _later_move(
    event: Payment.RefundMoved | Payment.DisputeMoved | Payment.Returned | AccountFacts.WrittenOff,
) -> PublicEvent:
    """What happens to a payment after it succeeded, and to what is owed without one."""
    match event:
        case Payment.RefundMoved():
            return PatientRefundMoved(
                refund_id=event.refund_id,
                payment_id=event.originator_id,
                step=event.step.value,
                entity=event.entity,
                patient_id=event.patient_id,
                amount=event.amount,
                channel=event.channel.value,
                effective_date=event.effective_date,
            )
        case Payment.DisputeMoved():
            return PatientDisputeMoved(
                dispute_id=event.dispute_id,
                payment_id=event.originator_id,
                step=event.step.value,
                entity=event.entity,
                patient_id=event.patient_id,
                amount=event.amount,
                fee=event.fee,
                effective_date=event.effective_date,
            )
        case Payment.Returned():
            return PatientPaymentReturned(
                return_id=event.return_id,
                payment_id=event.originator_id,
                entity=event.entity,
                patient_id=event.patient_id,
                amount=event.amount,
                effective_date=event.effective_date,
            )
    return PatientBalanceWrittenOff(
        write_off_id=event.write_off_id,
        account_id=event.originator_id,
        entity=event.entity,
        patient_id=event.patient_id,
        encounter_id=event.encounter_id,
        kind=event.kind.value,
        amount=event.amount,
        effective_date=event.effective_date,
    )
