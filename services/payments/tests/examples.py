"""Example facts of payments: synthetic, small, and used by several tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment, ProviderAdjustment, RemittanceSummary
from chassis.domain import Event
from chassis.testing.clock import START
from chassis.testing.contexts import context
from payments.domain.account_transfer import AccountTransfer, Moved
from payments.domain.asking import AccountAsking
from payments.domain.deposit import Deposit, DepositKind, DepositSource
from payments.domain.disputes import DisputeState, DisputeStep
from payments.domain.dunning import DunningStep
from payments.domain.gateway_facts import ObjectKind
from payments.domain.gateway_order import GatewayOrder, OrderKind
from payments.domain.gateway_question import GatewayQuestion
from payments.domain.patient_account import PatientAccount, TakenBack, WriteOffKind
from payments.domain.payer_credit import PayerCredit
from payments.domain.payer_overpayment import OverpaymentReason, OverpaymentStep, PayerOverpayment
from payments.domain.payer_words import LineOwed, PayerWord
from payments.domain.payment import Channel, Payment
from payments.domain.payment_plan import Instalment, PaymentPlan, PlanEnd
from payments.domain.payout import Payout, PayoutShare
from payments.domain.provider_balance import ProviderBalance
from payments.domain.provider_items import Move
from payments.domain.refunds import RefundStep, ToldState
from payments.domain.remittance import ReceiptVerdict, Remittance, RemittanceChunk
from payments.domain.remittance_content import RemittanceContent
from payments.domain.visit_guarantor import VisitGuarantor
from payments.domain.write_off import PatientWriteOff
from payments.domain.write_off_rules import WriteOffChange

DAY = date(2026, 3, 2)
PATIENT = derive("test-patient", 1)
ENCOUNTER = derive("test-encounter", 1)
CLAIM = derive("test-claim", 1)
WORD = PayerWord(payer="ACME", sequence=1, charge=Money(10000), paid=Money(7500), left=Money(2500), service_from=DAY)


def claim_payment(position: int = 0, paid: int = 8000) -> ClaimPayment:
    return ClaimPayment(
        position=position,
        patient_control_number=f"T{position:016d}",
        status="1",
        charge=Money(10000),
        paid=Money(paid),
        patient_responsibility=Money(0),
    )


def summary(
    trace: str = "TRACE1", copy: int = 1, content: str = "same", paid: int = 8000, **changes: object
) -> RemittanceSummary:
    facts: dict[str, object] = {
        "remittance_id": derive("remittance", "1999", trace),
        "receipt_id": derive("test-receipt", trace, copy),
        "entity": "NORTH",
        "payer_id": "ACME",
        "payer_identifier": "1999",
        "trace_number": trace,
        "payment": Money(paid),
        "payment_method": "ACH",
        "effective_date": DAY,
        "claim_count": 1,
        "chunk_count": 1,
        "total_charge": Money(10000),
        "total_paid": Money(paid),
        "total_provider_adjustments": Money(0),
        "content_hash": content,
        "message_id": derive("test-message", trace, copy),
    }
    return RemittanceSummary.model_validate(facts | changes)


PROVIDER = "1234567893"


def plb(reason: str, minor: int, reference: str = "", provider: str = PROVIDER) -> ProviderAdjustment:
    return ProviderAdjustment(
        provider=provider, fiscal_date=DAY, reason=reason, reference=reference, amount=Money(minor)
    )


def adjusted(trace: str, *adjustments: ProviderAdjustment, paid: int = 8000, **changes: object) -> RemittanceSummary:
    """The head of a remittance with provider-level adjustments, which pays what is left of `paid` after them."""
    taken = Money.total(adjustment.amount for adjustment in adjustments)
    facts: dict[str, object] = {
        "payment": Money(paid) - taken,
        "total_provider_adjustments": taken,
        "provider_adjustments": adjustments,
    }
    return summary(trace, content=f"of {trace}", paid=paid).model_copy(update=facts | changes)


def move(reason: str, minor: int, reference: str = "", *, day: int = 1, trace: str = "") -> Move:
    """One move of March 2026; each day is another remittance unless the trace says otherwise."""
    name = trace or f"TRACE{day}"
    ordinal = derive("test-ordinal", reason, minor, reference).int % 1000
    return Move(
        remittance_id=derive("remittance", "1999", name),
        adjustment=ordinal,
        reason=reason,
        reference=reference,
        amount=Money(minor),
        effective_date=date(2026, 3, day),
    )


def _event(event_class: type[Event], identity: UUID, /, **fields: object) -> Event:
    envelope = {"originator_id": identity, "originator_version": 1, "timestamp": START, "meta": context().meta}
    return event_class.model_validate(envelope | fields)


EXAMPLES: tuple[Event, ...] = (
    _event(Remittance.Accepted, derive("e", 1), summary=summary()),
    _event(
        Remittance.Refused,
        derive("e", 2),
        receipt_id=derive("e", 3),
        message_id=derive("e", 4),
        verdict=ReceiptVerdict.DUPLICATE,
        entity="NORTH",
        payment=Money(8000),
        trace_number="TRACE1",
        first_message_id=derive("e", 5),
    ),
    _event(
        Remittance.DepositMatched,
        derive("e", 6),
        deposit_id=derive("e", 7),
        entity="NORTH",
        amount=Money(8000),
        effective_date=DAY,
    ),
    _event(
        RemittanceChunk.Accepted,
        derive("e", 8),
        remittance_id=derive("e", 9),
        chunk=0,
        entity="NORTH",
        payer="ACME",
        effective_date=DAY,
        claims=(claim_payment(),),
    ),
    _event(
        Deposit.Recorded,
        derive("e", 10),
        entity="NORTH",
        kind=DepositKind.REMITTANCE,
        amount=Money(8000),
        effective_date=DAY,
        reference="TRACE1",
        message_id=derive("e", 11),
        span_start=120,
        span_length=80,
    ),
    _event(Deposit.Matched, derive("e", 12), matched_to=derive("e", 13)),
    _event(Deposit.Unidentified, derive("e", 90), entity="NORTH", amount=Money(8000), effective_date=DAY),
    _event(
        Deposit.ToldAgain,
        derive("e", 91),
        told_by=derive("e", 92),
        source=DepositSource.NACHA,
        kind=DepositKind.REMITTANCE,
        reference="TRACE1",
        originator="1999",
        message_id=derive("e", 93),
        span_start=94,
        span_length=188,
    ),
    _event(Deposit.Repeated, derive("e", 92), same_as=derive("e", 91), amount=Money(8000), effective_date=DAY),
    _event(
        PatientAccount.ResponsibilityAssigned,
        derive("e", 14),
        entity="NORTH",
        patient_id=PATIENT,
        source_id=derive("e", 15),
        claim_id=CLAIM,
        encounter_id=ENCOUNTER,
        amount=Money(2500),
        effective_date=DAY,
        word=WORD,
        lines=(LineOwed(line="1", amount=Money(2000)), LineOwed(line="2", amount=Money(500))),
    ),
    _event(
        PatientAccount.PaymentReceived,
        derive("e", 16),
        entity="NORTH",
        patient_id=PATIENT,
        payment_id=derive("e", 17),
        applied=Money(2000),
        unapplied=Money(500),
        effective_date=DAY,
    ),
    _event(
        PatientAccount.UnappliedApplied,
        derive("e", 18),
        entity="NORTH",
        patient_id=PATIENT,
        payment_id=derive("e", 19),
        application=1,
        amount=Money(500),
        effective_date=DAY,
    ),
    _event(
        Payment.Succeeded,
        derive("e", 20),
        entity="NORTH",
        gateway_id="pi_1",
        amount=Money(2500),
        effective_date=DAY,
        account_id=derive("e", 21),
        patient_id=PATIENT,
        applied=Money(2500),
        unapplied=Money(0),
        message_id=derive("e", 22),
    ),
    _event(
        Payment.Failed,
        derive("e", 23),
        entity="NORTH",
        gateway_id="pi_2",
        amount=Money(2500),
        reason="card_declined",
        message_id=derive("e", 24),
    ),
    _event(
        Payment.Matched,
        derive("e", 25),
        account_id=derive("e", 26),
        entity="NORTH",
        patient_id=PATIENT,
        applied=Money(100),
        effective_date=DAY,
    ),
    _event(
        Payout.Announced,
        derive("e", 27),
        gateway_id="po_1",
        net=Money(2397),
        arrives_on=DAY,
        message_id=derive("e", 28),
    ),
    _event(
        Payout.Composed,
        derive("e", 29),
        effective_date=DAY,
        shares=(PayoutShare(entity="NORTH", gross=Money(2500), fees=Money(103), net=Money(2397)),),
    ),
    _event(Payout.DepositMatched, derive("e", 30), deposit_id=derive("e", 31)),
    _event(Payout.CameBack, derive("e", 27), reason="account_closed", effective_date=DAY, message_id=derive("e", 28)),
    _event(
        Payout.Returned,
        derive("e", 27),
        effective_date=DAY,
        shares=(PayoutShare(entity="NORTH", gross=Money(-2397), fees=Money(0), net=Money(-2397)),),
    ),
    _event(
        GatewayQuestion.Asked,
        derive("gateway-question", 1),
        gateway="stripe",
        kind=ObjectKind.PAYMENT,
        gateway_id="pi_1",
        entity="NORTH",
        on=DAY,
        message_id=derive("e", 28),
    ),
    _event(GatewayQuestion.Answered, derive("gateway-question", 1), found="PaymentArrived"),
    _event(
        GatewayOrder.Placed,
        derive("gateway-order", 1),
        gateway="stripe",
        kind=OrderKind.REFUND,
        entity="NORTH",
        amount=Money(1000),
        account_id=None,
        refund_id=derive("e", 40),
        of_payment="pi_1",
        method_kind="",
        method="",
        placed_by="user:lead",
    ),
    _event(GatewayOrder.Attempted, derive("gateway-order", 1), at=datetime(2026, 3, 2, 9, tzinfo=UTC)),
    _event(GatewayOrder.AnswerLost, derive("gateway-order", 1), reason="the gateway answered APIConnectionError"),
    _event(GatewayOrder.Known, derive("gateway-order", 1), gateway_id="re_1"),
    _event(GatewayOrder.Refused, derive("gateway-order", 1), reason="charge_already_refunded"),
    _event(GatewayOrder.Decided, derive("gateway-order", 1), decided_by="user:lead", again=False),
    _event(Remittance.SettledWithoutDeposit, derive("e", 32), entity="NORTH", effective_date=DAY),
    _event(
        ProviderBalance.Moved,
        derive("e", 33),
        remittance_id=derive("e", 34),
        adjustment=0,
        entity="NORTH",
        payer="ACME",
        provider=PROVIDER,
        reason="FB",
        reference="REF1",
        amount=Money(-10000),
        item_id=derive("e", 35),
        open_amount=Money(-10000),
        effective_date=DAY,
    ),
    _event(
        PayerOverpayment.Identified,
        derive("e", 94),
        entity="NORTH",
        payer="ACME",
        cause="claim 1",
        reason=OverpaymentReason.DUPLICATE_PAYMENT,
        evidence="paid by TRACE1 and TRACE2",
        amount=Money(8000),
        effective_date=DAY,
        due_on=date(2026, 5, 1),
        identified_by="clerk",
    ),
    _event(
        PayerCredit.Told,
        derive("e", 127),
        claim_id=CLAIM,
        entity="NORTH",
        payer="ACME",
        remittance_id=derive("e", 128),
        position=3,
        overpaid=Money(8000),
        decision=2,
        effective_date=DAY,
    ),
    _event(PayerCredit.Identified, derive("e", 127), overpayment_id=derive("e", 94), amount=Money(8000)),
    _event(
        PayerOverpayment.Moved,
        derive("e", 95),
        move_id=derive("e", 96),
        step=OverpaymentStep.RETURNED,
        entity="NORTH",
        payer="ACME",
        amount=Money(8000),
        open_amount=Money(0),
        evidence="check 4711",
        effective_date=DAY,
    ),
    _event(RemittanceContent.Seen, derive("e", 36), remittance_id=derive("e", 37), trace_number="TRACE1"),
    _event(
        PatientAccount.CashTakenBack,
        derive("e", 60),
        entity="NORTH",
        patient_id=PATIENT,
        payment_id=derive("e", 61),
        cause_id=derive("e", 62),
        reason=TakenBack.REFUND,
        amount=Money(500),
        effective_date=DAY,
    ),
    _event(
        PatientAccount.WrittenOff,
        derive("e", 63),
        entity="NORTH",
        patient_id=PATIENT,
        write_off_id=derive("e", 64),
        kind=WriteOffKind.CHARITY,
        place=CLAIM,
        encounter_id=ENCOUNTER,
        amount=Money(500),
        effective_date=DAY,
        of_write_off=derive("e", 118),
        change=WriteOffChange.RECOVERED,
    ),
    _event(
        PatientAccount.Allocated,
        derive("e", 65),
        entity="NORTH",
        patient_id=PATIENT,
        allocation_id=derive("e", 66),
        payment_id=derive("e", 67),
        target=CLAIM,
        amount=Money(500),
        effective_date=DAY,
        line="2",
    ),
    _event(
        Payment.Processing,
        derive("e", 68),
        entity="NORTH",
        gateway_id="pi_3",
        amount=Money(2500),
        message_id=derive("e", 69),
    ),
    _event(
        Payment.Cancelled,
        derive("e", 70),
        entity="NORTH",
        gateway_id="pi_4",
        amount=Money(2500),
        reason="abandoned",
        message_id=derive("e", 71),
    ),
    _event(
        Payment.RefundRequested,
        derive("e", 72),
        refund_id=derive("e", 73),
        amount=Money(500),
        reason="overpaid",
        requested_by="clerk",
        entity="NORTH",
    ),
    _event(
        Payment.RefundTold,
        derive("e", 74),
        refund_id=derive("e", 73),
        gateway_refund_id="re_1",
        state=ToldState.PENDING,
        amount=Money(500),
        effective_date=DAY,
        message_id=derive("e", 75),
    ),
    _event(
        Payment.RefundMoved,
        derive("e", 76),
        refund_id=derive("e", 73),
        step=RefundStep.APPROVED,
        amount=Money(500),
        channel=Channel.GATEWAY,
        entity="NORTH",
        patient_id=PATIENT,
        effective_date=DAY,
    ),
    _event(Payment.RefundDenied, derive("e", 77), refund_id=derive("e", 78), denied_by="lead"),
    _event(
        Payment.DisputeTold,
        derive("e", 79),
        dispute_id=derive("e", 80),
        gateway_dispute_id="dp_1",
        state=DisputeState.NEEDS_RESPONSE,
        amount=Money(2500),
        fee=Money(1500),
        is_withdrawn=True,
        is_given_back=False,
        respond_by=DAY,
        effective_date=DAY,
        message_id=derive("e", 81),
    ),
    _event(
        Payment.DisputeMoved,
        derive("e", 82),
        dispute_id=derive("e", 80),
        step=DisputeStep.WITHDRAWN,
        amount=Money(2500),
        fee=Money(1500),
        entity="NORTH",
        patient_id=PATIENT,
        effective_date=DAY,
    ),
    _event(
        Payment.ReturnTold,
        derive("e", 83),
        return_id=derive("e", 84),
        amount=Money(2500),
        reason="R01",
        effective_date=DAY,
        message_id=derive("e", 85),
    ),
    _event(
        Payment.Returned,
        derive("e", 86),
        return_id=derive("e", 84),
        amount=Money(2500),
        entity="NORTH",
        patient_id=PATIENT,
        effective_date=DAY,
    ),
    _event(
        PatientAccount.PayerHeard,
        derive("e", 110),
        entity="NORTH",
        patient_id=PATIENT,
        source_id=derive("e", 111),
        claim_id=CLAIM,
        encounter_id=ENCOUNTER,
        effective_date=DAY,
        word=WORD,
    ),
    _event(
        PatientWriteOff.Requested,
        derive("e", 112),
        account_id=derive("e", 113),
        entity="NORTH",
        place=CLAIM,
        kind=WriteOffKind.CHARITY,
        amount=Money(500),
        reason="hardship",
        requested_by="clerk",
    ),
    _event(PatientWriteOff.Approved, derive("e", 114), approved_by="lead", effective_date=DAY),
    _event(PatientWriteOff.TurnedDown, derive("e", 115), turned_down_by="lead", reason="no papers"),
    _event(
        PatientWriteOff.Reversed,
        derive("e", 116),
        reversal_id=derive("e", 117),
        amount=Money(200),
        reason="error",
        reversed_by="lead",
        effective_date=DAY,
    ),
    _event(
        PaymentPlan.Agreed,
        derive("e", 119),
        account_id=derive("e", 113),
        entity="NORTH",
        instalments=(Instalment(due_on=DAY, amount=Money(500)),),
        agreed_by="clerk",
        effective_date=DAY,
    ),
    _event(PaymentPlan.Ended, derive("e", 119), why=PlanEnd.PAID, effective_date=DAY),
    _event(
        AccountTransfer.Made,
        derive("e", 120),
        moved=Moved.CASH,
        source=derive("e", 121),
        entity="NORTH",
        from_account_id=derive("e", 113),
        to_account_id=derive("e", 122),
        from_patient_id=PATIENT,
        to_patient_id=derive("test-patient", 2),
        amount=Money(500),
        reason="paid for a child",
        made_by="clerk",
        effective_date=DAY,
        origin=derive("e", 121),
    ),
    _event(
        AccountAsking.StatementSent,
        derive("e", 126),
        account_id=derive("e", 113),
        entity="NORTH",
        step=DunningStep.STATEMENT_1,
        asked=Money(2500),
        means="mail",
        sent_by="clerk",
        effective_date=DAY,
    ),
    _event(
        PatientAccount.ConcessionExpected,
        derive("e", 113),
        entity="NORTH",
        patient_id=PATIENT,
        place=CLAIM,
        portfolio="NORTH-COMMERCIAL",
        percent=20,
        from_days=0,
        effective_date=DAY,
    ),
    _event(
        PatientAccount.AllowanceMoved,
        derive("e", 113),
        entity="NORTH",
        patient_id=PATIENT,
        place=CLAIM,
        encounter_id=ENCOUNTER,
        portfolio="NORTH-COMMERCIAL",
        move=1,
        amount=Money(500),
        effective_date=DAY,
    ),
    _event(
        AccountTransfer.Requested,
        derive("e", 120),
        moved=Moved.CASH,
        source=derive("e", 121),
        entity="NORTH",
        from_account_id=derive("e", 113),
        to_account_id=derive("e", 122),
        amount=Money(500),
        reason="paid for a child",
        requested_by="clerk",
    ),
    _event(AccountTransfer.TurnedDown, derive("e", 120), turned_down_by="lead", reason="the wrong child"),
    _event(Payment.CashTransferred, derive("e", 121), transfer_id=derive("e", 120), amount=Money(500)),
    _event(
        VisitGuarantor.Named,
        derive("e", 123),
        encounter_id=ENCOUNTER,
        entity="NORTH",
        patient_id=PATIENT,
        guarantor_id=derive("e", 124),
        revision=0,
        posting=1,
        sequence=3,
    ),
)
