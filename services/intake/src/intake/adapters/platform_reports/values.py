"""A report's lines as canonical values, and what in them does not add up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimAdjustment, ClaimPayment, ProviderAdjustment, ServicePayment

from intake.adapters.platform_reports.records import Adjustment, PatientPayment, Payment, RemittanceHead, Status
from intake.domain.facts import AdjustmentSeen, Link, PatientPaymentSeen
from intake.domain.payer_answer import ClaimStatus

PAYER = "payer"


def status_of(status: Status) -> ClaimStatus:
    """The platform speaks for the payer: there is no clearinghouse of ours between."""
    return ClaimStatus(
        patient_control_number=status.control_number,
        accepted=status.accepted,
        payer_control_number=status.number,
        category_codes=status.codes,
        charge=status.charge,
        reporter=PAYER,
        submission_reference=status.batch,
    )


def claim_payment_of(payment: Payment, position: int, start: int, length: int) -> ClaimPayment:
    return ClaimPayment.trusted(
        position=position,
        patient_control_number=payment.control_number,
        status=payment.status,
        charge=payment.charge,
        paid=payment.paid,
        patient_responsibility=payment.patient_responsibility,
        payer_control_number=payment.number,
        adjustments=payment.adjustments,
        services=tuple(
            ServicePayment.trusted(
                procedure_code=line.procedure_code,
                modifiers=line.modifiers,
                charge=line.charge,
                paid=line.paid,
                line_control_number=str(line.line) if line.line else "",
                adjustments=line.adjustments,
                remark_codes=line.remark_codes,
            )
            for line in payment.lines
        ),
        remark_codes=payment.remark_codes,
        crossover_carrier=payment.crossover_carrier,
        earlier_control_number=payment.earlier_number,
        span_start=start,
        span_length=length,
    )


def provider_adjustments_of(head: RemittanceHead, start: int, length: int) -> tuple[ProviderAdjustment, ...]:
    return tuple(
        ProviderAdjustment(
            provider=head.payee_npi,
            fiscal_date=head.effective_date,
            reason=each.reason,
            reference=each.reference,
            amount=each.amount,
            span_start=start,
            span_length=length,
        )
        for each in head.provider_adjustments
    )


def payment_fact(platform: str, payment: PatientPayment, place: str) -> PatientPaymentSeen:
    return PatientPaymentSeen(
        place=place,
        payment_id=derive("platform-payment", platform, payment.id),
        patient=Link(),
        encounter=Link(id=payment.encounter_id),
        amount=payment.amount,
        method=payment.method,
        day=payment.received_on,
    )


def adjustment_fact(platform: str, adjustment: Adjustment, place: str) -> AdjustmentSeen:
    return AdjustmentSeen(
        place=place,
        adjustment_id=derive("platform-adjustment", platform, adjustment.id),
        encounter=Link(id=adjustment.encounter_id),
        amount=adjustment.amount,
        code=adjustment.code,
        day=adjustment.adjusted_on,
    )


def residuals_of(payment: Payment) -> Iterator[tuple[str, Money]]:
    """What of a payment does not add up, by rule: each line, the lines to the claim, and the claim itself."""
    for line in payment.lines:
        residual = line.charge - _sum(line.adjustments) - line.paid
        if residual:
            yield "line-balance", residual
    if payment.lines and (residual := payment.charge - Money.total(line.charge for line in payment.lines)):
        yield "charge-of-lines", residual
    taken = _sum(payment.adjustments) + Money.total(_sum(line.adjustments) for line in payment.lines)
    if residual := payment.charge - taken - payment.paid:
        yield "claim-balance", residual


def _sum(adjustments: Iterable[ClaimAdjustment]) -> Money:
    return Money.total(each.amount for each in adjustments)


class ReportDigest:
    """The content hash of one remittance of a report: what its head and its payments say, not where they stand."""

    def __init__(self, head: RemittanceHead) -> None:
        self._hash = hashlib.sha256(head.model_dump_json().encode())

    def add(self, payment: Payment) -> None:
        self._hash.update(payment.model_dump_json().encode())

    def finish(self) -> str:
        """The hash, in hexadecimal."""
        return self._hash.hexdigest()
