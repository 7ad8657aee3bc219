"""X12 as read to canonical values; only what is known to be sound comes here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from canonical.codes import AdjustmentGroup
from canonical.money import Money
from canonical.remittance import ClaimAdjustment, ClaimPayment, ProviderAdjustment, ServicePayment
from x12.acknowledgement import ClaimAcknowledgement, GroupAcknowledgement, InterchangeAcknowledgement, Outcome
from x12.remittance import Adjustment, ServiceLine
from x12.remittance import ClaimPayment as ReadClaim
from x12.remittance import ProviderAdjustment as ReadProviderAdjustment
from x12.segments import element_of

from intake.domain.payer_answer import Acknowledgement, ClaimStatus, InquiryAnswer

NOTES_MAX = 20
REJECTED_SETS_MAX = 1_000
_amount = lru_cache(65_536)(Money)


@lru_cache(65_536)
def _adjustment(group: str, reason: str, minor: int) -> ClaimAdjustment:
    return ClaimAdjustment.trusted(group=AdjustmentGroup(group), reason=reason, amount=_amount(minor))


def _adjustments(adjustments: Iterable[Adjustment]) -> tuple[ClaimAdjustment, ...]:
    return tuple([_adjustment(each.group, each.reason, each.amount_minor) for each in adjustments])


def claim_payment_of(claim: ReadClaim) -> ClaimPayment:
    """One claim; built without validating again, because the reader has checked every part and this is the hot path."""
    return ClaimPayment.trusted(
        position=claim.index,
        patient_control_number=claim.patient_control_number,
        status=claim.status,
        charge=_amount(claim.charge_minor),
        paid=_amount(claim.paid_minor),
        patient_responsibility=_amount(_patient_share(claim)),
        payer_control_number=claim.payer_control_number,
        adjustments=_adjustments(claim.adjustments),
        services=tuple([_service(line) for line in claim.lines]),
        remark_codes=tuple(claim.remark_codes),
        crossover_carrier=element_of(claim.parties["TT"], 9) if "TT" in claim.parties else "",
        earlier_control_number=next((value for code, value in claim.references if code == "F8"), ""),
        span_start=claim.offset,
        span_length=claim.length,
    )


def _patient_share(claim: ReadClaim) -> int:
    """CLP05, or what it would be: payers may leave it out, and the PR adjustments say what the patient owes."""
    if claim.patient_responsibility_stated:
        return claim.patient_responsibility_minor
    groups = (claim.adjustments, *(line.adjustments for line in claim.lines))
    return sum(each.amount_minor for group in groups for each in group if each.group == AdjustmentGroup.PATIENT.value)


def _service(line: ServiceLine) -> ServicePayment:
    return ServicePayment.trusted(
        procedure_code=line.procedure_code,
        modifiers=line.modifiers,
        charge=_amount(line.charge_minor),
        paid=_amount(line.paid_minor),
        line_control_number=line.line_control_number,
        adjustments=_adjustments(line.adjustments),
        remark_codes=tuple(line.remark_codes),
    )


def provider_adjustments_of(adjustments: Iterable[ReadProviderAdjustment]) -> tuple[ProviderAdjustment, ...]:
    """PLB pairs of a remittance without findings, so that each has a date."""
    return tuple(
        ProviderAdjustment(
            provider=each.provider_id,
            fiscal_date=each.fiscal_date,
            reason=each.reason,
            reference=each.reference,
            amount=each.amount,
            span_start=each.offset,
            span_length=each.length,
        )
        for each in adjustments
        if each.fiscal_date is not None
    )


def acknowledgement_of(answer: InterchangeAcknowledgement | GroupAcknowledgement) -> Acknowledgement:
    """A TA1, or a 999's word on one group. Notes hold codes and positions, never a copy of faulty data."""
    if isinstance(answer, InterchangeAcknowledgement):
        return Acknowledgement(
            kind="TA1",
            interchange_control_number=answer.control_number,
            code=answer.code,
            notes=(f"TA105 {answer.note_code}",) if answer.note_code.strip("0") else (),
        )
    rejected = [each.control_number for each in answer.sets if each.outcome is Outcome.REJECTED]
    notes = [f"AK905 {code}" for code in answer.error_codes]
    for each in answer.sets:
        notes += [f"set {each.control_number} IK502 {code}" for code in each.error_codes]
        notes += [
            f"set {each.control_number} {fault.segment} at {fault.position}: {fault.code}" for fault in each.errors
        ]
    return Acknowledgement(
        kind="999",
        group_control_number=answer.control_number,
        code=answer.code,
        rejected_sets=tuple(rejected[:REJECTED_SETS_MAX]),
        notes=tuple(notes[:NOTES_MAX]),
    )


def status_of(claim: ClaimAcknowledgement) -> ClaimStatus:
    """One claim's status in a 277CA that accepts or rejects it."""
    amounts = [status.amount_minor for status in claim.statuses if status.amount_minor is not None]
    codes = (category for status in claim.statuses for category, _, _ in status.codes)
    return ClaimStatus(
        patient_control_number=claim.patient_control_number,
        accepted=claim.outcome is Outcome.ACCEPTED,
        payer_control_number=claim.payer_control_number,
        category_codes=tuple(dict.fromkeys(codes)),
        charge=Money(amounts[0] if amounts else 0),
        reporter=claim.reporter.value,
        submission_reference=claim.submission_reference,
    )


def inquiry_answer_of(claim: ClaimAcknowledgement) -> InquiryAnswer:
    """Where the payer says that a claim stands, from a 277 that answers a 276."""
    codes = [code for status in claim.statuses for code in status.codes]
    latest = claim.statuses[-1] if claim.statuses else None
    return InquiryAnswer(
        patient_control_number=claim.patient_control_number,
        inquiry_reference=claim.inquiry_reference,
        category_codes=tuple(dict.fromkeys(category for category, _, _ in codes)),
        status_codes=tuple(dict.fromkeys(status for _, status, _ in codes)),
        payer_control_number=claim.payer_control_number,
        charge=latest.amount if latest else None,
        paid=latest.paid if latest else None,
        status_date=latest.date if latest else None,
    )
