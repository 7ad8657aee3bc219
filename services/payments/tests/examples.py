"""Example facts of payments: synthetic, small, and used by several tests."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment, ProviderAdjustment, RemittanceSummary
from chassis.domain import Event
from chassis.testing.clock import START
from chassis.testing.contexts import context
from payments.domain.deposit import Deposit, DepositKind
from payments.domain.patient_account import PatientAccount
from payments.domain.payment import Payment, Payout, PayoutShare
from payments.domain.provider_balance import ProviderBalance
from payments.domain.provider_items import Move
from payments.domain.remittance import ReceiptVerdict, Remittance, RemittanceChunk
from payments.domain.remittance_content import RemittanceContent

DAY = date(2026, 3, 2)
PATIENT = derive("test-patient", 1)
ENCOUNTER = derive("test-encounter", 1)
CLAIM = derive("test-claim", 1)


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
    _event(RemittanceContent.Seen, derive("e", 36), remittance_id=derive("e", 37), trace_number="TRACE1"),
)
