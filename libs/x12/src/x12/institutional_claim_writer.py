"""Writes 837I interchanges (005010X223A2): many claims, grouped under their billing providers and subscribers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from x12.claim_head import check_claim, write_head
from x12.claim_hierarchy import ClaimGuide, write_interchange
from x12.claim_loops import (
    procedure,
    write_attachments,
    write_drug,
    write_facility,
    write_original_reference,
    write_provider,
    write_reference,
    write_service_dates,
)
from x12.errors import UnwritableValue
from x12.institutional_claim import InstitutionalClaim, InstitutionalLine, Stay
from x12.institutional_codes_writer import write_institutional_codes
from x12.other_payer_loops import ClaimLine, write_decisions, write_other_payers
from x12.segment_writer import SegmentWriter
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.writable import amount, day, digits, quantity

GUIDE = "005010X223A2"
LINES_MAX = 999
_FREQUENCIES = frozenset("012345789")
_UNITS = frozenset(["DA", "UN"])
_QUALIFIER = "HC"
_HOUR = re.compile("(?:[01][0-9]|2[0-3])[0-5][0-9]")


def write_institutional_claims(
    envelope: SubmissionEnvelope, submitter: Submitter, receiver: Receiver, claims: Sequence[InstitutionalClaim]
) -> bytes:
    """One interchange with one group and one transaction set, as ASCII bytes without line breaks.

    Claims keep their order within their billing provider, subscriber and patient; equal ones share their HL.

    Raises:
        UnwritableValue: as `write_professional_claims`.
    """
    return write_interchange(_INSTITUTIONAL, envelope, submitter, receiver, claims)


def _write_claim(writer: SegmentWriter, field: str, claim: InstitutionalClaim) -> None:
    check_claim(field, claim, LINES_MAX)
    facility = digits(f"{field}.bill_type", claim.bill_type, 2)
    write_head(writer, field, claim, (facility, "A"), _FREQUENCIES, signature="")
    _write_stay(writer, f"{field}.stay", claim.stay)
    write_attachments(writer, f"{field}.attachments", claim.attachments)
    if claim.patient_due is not None:
        writer.add("AMT", "F3", amount(f"{field}.patient_due", claim.patient_due))
    _write_references(writer, field, claim)
    if claim.billing_note:
        writer.add("NTE", "ADD", writer.text(f"{field}.billing_note", claim.billing_note, 80))
    write_institutional_codes(writer, field, claim.principal_diagnosis, claim.codes)
    _write_providers(writer, field, claim)
    write_other_payers(writer, field, claim.other_payers, has_insurance_type=False)
    for index, line in enumerate(claim.lines):
        _write_line(writer, field, index, line, claim)


def _write_stay(writer: SegmentWriter, field: str, stay: Stay) -> None:
    if stay.statement_to < stay.statement_from:
        raise UnwritableValue(f"{field}.statement_to", "is before the first day")
    if stay.discharge_hour:
        writer.add("DTP", "096", "TM", _hour(f"{field}.discharge_hour", stay.discharge_hour))
    writer.add("DTP", "434", "RD8", f"{day(stay.statement_from)}-{day(stay.statement_to)}")
    _write_admission(writer, field, stay.admitted_on, stay.admission_hour)
    kind = writer.text(f"{field}.admission_type", stay.admission_type, 1)
    source = writer.optional(f"{field}.admission_source", stay.admission_source, 1)
    writer.add("CL1", kind, source, writer.text(f"{field}.patient_status", stay.patient_status, 2, shortest=2))


def _write_admission(writer: SegmentWriter, field: str, admitted_on: date | None, hour: str) -> None:
    if admitted_on is None:
        if hour:
            raise UnwritableValue(f"{field}.admission_hour", "has no day")
        return
    if hour:
        writer.add("DTP", "435", "DT", day(admitted_on) + _hour(f"{field}.admission_hour", hour))
    else:
        writer.add("DTP", "435", "D8", day(admitted_on))


def _hour(field: str, value: str) -> str:
    if not _HOUR.fullmatch(value):
        raise UnwritableValue(field, "must be a time as HHMM")
    return value


def _write_references(writer: SegmentWriter, field: str, claim: InstitutionalClaim) -> None:
    write_reference(writer, "9F", f"{field}.referral_number", claim.referral_number)
    write_reference(writer, "G1", f"{field}.prior_authorization", claim.prior_authorization)
    write_original_reference(writer, field, claim.frequency_code, claim.payer_control_number)
    write_reference(writer, "LU", f"{field}.accident_state", claim.accident_state, 2)
    write_reference(writer, "EA", f"{field}.medical_record_number", claim.medical_record_number)


def _write_providers(writer: SegmentWriter, field: str, claim: InstitutionalClaim) -> None:
    write_provider(writer, "71", f"{field}.attending_provider", claim.attending_provider, "AT")
    write_provider(writer, "72", f"{field}.operating_provider", claim.operating_provider)
    write_provider(writer, "ZZ", f"{field}.other_operating_provider", claim.other_operating_provider)
    rendering = claim.rendering_provider
    if rendering and rendering.is_organisation:
        raise UnwritableValue(f"{field}.rendering_provider.is_organisation", "must be a person")
    write_provider(writer, "82", f"{field}.rendering_provider", rendering)
    write_facility(writer, f"{field}.service_facility", claim.service_facility)
    write_provider(writer, "DN", f"{field}.referring_provider", claim.referring_provider)


def _write_line(
    writer: SegmentWriter, claim_field: str, index: int, line: InstitutionalLine, claim: InstitutionalClaim
) -> None:
    field = f"{claim_field}.lines[{index}]"
    writer.add("LX", str(index + 1))
    composite = ""
    if line.procedure_code:
        composite = procedure(writer, field, _QUALIFIER, line.procedure_code, line.modifiers, line.description)
    elif line.modifiers or line.description:
        raise UnwritableValue(f"{field}.procedure_code", "must not be empty where there are modifiers or a description")
    revenue = digits(f"{field}.revenue_code", line.revenue_code, 4)
    unit = writer.one_of(f"{field}.unit", line.unit, _UNITS)
    units = quantity(f"{field}.units", line.units)
    noncovered = "" if line.noncovered is None else amount(f"{field}.noncovered", line.noncovered)
    charge = amount(f"{field}.charge", line.charge)
    writer.add("SV2", revenue, composite, charge, unit, units, "", noncovered)
    write_service_dates(writer, field, line.service_date, line.service_end_date, needed=False)
    writer.add("REF", "6R", writer.text(f"{field}.line_control_number", line.line_control_number, 30))
    write_drug(writer, f"{field}.drug", line.drug)
    write_provider(writer, "72", f"{field}.operating_provider", line.operating_provider)
    write_provider(writer, "82", f"{field}.rendering_provider", line.rendering_provider)
    if claim.other_payers:
        billed = ClaimLine(index + 1, _QUALIFIER, composite, line.units, revenue)
        write_decisions(writer, claim_field, claim.other_payers, billed)


_INSTITUTIONAL: ClaimGuide[InstitutionalClaim] = ClaimGuide(
    GUIDE, _write_claim, biller_may_be_a_person=False, has_insurance_type=False
)
