"""Writes 837D interchanges (005010X224A2): many claims, grouped under their billing providers and subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from x12.claim_head import check_claim, write_head
from x12.claim_hierarchy import ClaimGuide, write_interchange
from x12.claim_loops import (
    diagnosis,
    numbers_of_diagnoses,
    procedure,
    related_causes,
    write_attachments,
    write_codes,
    write_date,
    write_facility,
    write_original_reference,
    write_provider,
    write_reference,
)
from x12.dental_claim import DentalClaim, DentalLine, Orthodontics, Tooth
from x12.errors import UnwritableValue
from x12.other_payer_loops import ClaimLine, write_decisions, write_other_payers
from x12.segment_writer import SegmentWriter
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.writable import amount

GUIDE = "005010X224A2"
LINES_MAX = 50
DIAGNOSES_MAX = 4
AREAS_MAX = 5
SURFACES_MAX = 5
TEETH_MAX = 32
TOOTH_STATUSES_MAX = 35
QUANTITY_MAX = 99
MONTHS_MAX = 99
_QUALIFIER = "AD"
_FREQUENCIES = frozenset("178")
_STATUSES = frozenset("EM")
_SURFACES = frozenset("BDFILMO")
_PROSTHESES = frozenset("IR")


def write_dental_claims(
    envelope: SubmissionEnvelope, submitter: Submitter, receiver: Receiver, claims: Sequence[DentalClaim]
) -> bytes:
    """One interchange with one group and one transaction set, as ASCII bytes without line breaks.

    Claims keep their order within their billing provider, subscriber and patient; equal ones share their HL.

    Raises:
        UnwritableValue: as `write_professional_claims`.
    """
    return write_interchange(_DENTAL, envelope, submitter, receiver, claims)


def _write_claim(writer: SegmentWriter, field: str, claim: DentalClaim) -> None:
    check_claim(field, claim, LINES_MAX)
    place = writer.text(f"{field}.place_of_service", claim.place_of_service, 2, shortest=2)
    causes = related_causes(writer, field, claim.related_causes, claim.accident_date)
    kind = "PB" if claim.is_predetermination else ""
    write_head(writer, field, claim, (place, "B"), _FREQUENCIES, causes=causes, kind=kind)
    write_date(writer, "439", claim.accident_date)
    if claim.orthodontics:
        write_date(writer, "452", claim.orthodontics.appliance_placed_on)
    write_date(writer, "472", claim.service_date)
    _write_teeth(writer, field, claim)
    write_attachments(writer, f"{field}.attachments", claim.attachments)
    if claim.patient_paid is not None:
        writer.add("AMT", "F5", amount(f"{field}.patient_paid", claim.patient_paid))
    write_reference(writer, "G3", f"{field}.predetermination_number", claim.predetermination_number)
    write_original_reference(writer, field, claim.frequency_code, claim.payer_control_number)
    write_reference(writer, "9F", f"{field}.referral_number", claim.referral_number)
    write_reference(writer, "G1", f"{field}.prior_authorization", claim.prior_authorization)
    if claim.note:
        writer.add("NTE", "ADD", writer.text(f"{field}.note", claim.note, 80))
    _write_diagnoses(writer, f"{field}.diagnosis_codes", claim.diagnosis_codes)
    write_provider(writer, "DN", f"{field}.referring_provider", claim.referring_provider)
    write_provider(writer, "82", f"{field}.rendering_provider", claim.rendering_provider, "PE")
    write_facility(writer, f"{field}.service_facility", claim.service_facility)
    write_provider(writer, "DD", f"{field}.assistant_surgeon", claim.assistant_surgeon, "AS")
    write_provider(writer, "DQ", f"{field}.supervising_provider", claim.supervising_provider)
    write_other_payers(writer, field, claim.other_payers, has_insurance_type=False)
    for index, line in enumerate(claim.lines):
        _write_line(writer, field, index, line, claim)


def _write_teeth(writer: SegmentWriter, field: str, claim: DentalClaim) -> None:
    if claim.orthodontics:
        _write_orthodontics(writer, f"{field}.orthodontics", claim.orthodontics)
    if len(claim.tooth_statuses) > TOOTH_STATUSES_MAX:
        raise UnwritableValue(f"{field}.tooth_statuses", f"must be at most {TOOTH_STATUSES_MAX}")
    for index, each in enumerate(claim.tooth_statuses):
        place = f"{field}.tooth_statuses[{index}]"
        status = writer.one_of(f"{place}.status", each.status, _STATUSES)
        writer.add("DN2", writer.text(f"{place}.tooth", each.tooth, 2), status, "", "", "", "JP")


def _write_orthodontics(writer: SegmentWriter, field: str, told: Orthodontics) -> None:
    months = (told.total_months, told.remaining_months)
    if any(each is not None and not 0 <= each <= MONTHS_MAX for each in months):
        raise UnwritableValue(field, f"months must be 0 to {MONTHS_MAX}")
    total, remaining = ("" if each is None else str(each) for each in months)
    writer.add("DN1", total, remaining, "", "" if total or remaining else "Y")


def _write_diagnoses(writer: SegmentWriter, field: str, codes: Sequence[str]) -> None:
    if len(codes) > DIAGNOSES_MAX:
        raise UnwritableValue(field, f"must be at most {DIAGNOSES_MAX}")
    checked = [diagnosis(f"{field}[{index}]", code) for index, code in enumerate(codes)]
    qualifiers = ["ABK", *["ABF"] * DIAGNOSES_MAX]
    write_codes(writer, [writer.composite(each, code) for each, code in zip(qualifiers, checked, strict=False)])


def _write_line(writer: SegmentWriter, claim_field: str, index: int, line: DentalLine, claim: DentalClaim) -> None:
    field = f"{claim_field}.lines[{index}]"
    writer.add("LX", str(index + 1))
    composite = procedure(writer, field, _QUALIFIER, line.procedure_code, line.modifiers)
    _write_service(writer, field, composite, line, len(claim.diagnosis_codes))
    _write_line_teeth(writer, f"{field}.teeth", line.teeth)
    if line.service_date is None and claim.service_date is None and not claim.is_predetermination:
        raise UnwritableValue(f"{field}.service_date", "must be given, here or at the claim")
    write_date(writer, "472", line.service_date)
    write_date(writer, "441", line.prior_placement_on)
    writer.add("REF", "6R", writer.text(f"{field}.line_control_number", line.line_control_number, 30))
    write_provider(writer, "82", f"{field}.rendering_provider", line.rendering_provider, "PE")
    if claim.other_payers:
        billed = ClaimLine(index + 1, _QUALIFIER, composite, Decimal(line.quantity))
        write_decisions(writer, claim_field, claim.other_payers, billed)


def _write_service(writer: SegmentWriter, field: str, composite: str, line: DentalLine, diagnoses: int) -> None:
    if not 1 <= line.quantity <= QUANTITY_MAX:
        raise UnwritableValue(f"{field}.quantity", f"must be 1 to {QUANTITY_MAX}")
    if len(line.areas) > AREAS_MAX:
        raise UnwritableValue(f"{field}.areas", f"must be at most {AREAS_MAX}")
    if line.prosthesis == "R" and line.prior_placement_on is None:
        raise UnwritableValue(f"{field}.prior_placement_on", "must be given for a replaced prosthesis")
    areas = writer.composite(*(writer.text(f"{field}.areas", area, 3) for area in line.areas))
    prosthesis = writer.one_of(f"{field}.prosthesis", line.prosthesis, _PROSTHESES) if line.prosthesis else ""
    place = writer.optional(f"{field}.place_of_service", line.place_of_service, 2, shortest=2)
    pointers = ""
    if line.diagnosis_pointers:
        told = numbers_of_diagnoses(f"{field}.diagnosis_pointers", line.diagnosis_pointers, diagnoses, DIAGNOSES_MAX)
        pointers = writer.composite(*told)
    charge = amount(f"{field}.charge", line.charge)
    writer.add("SV3", composite, charge, place, areas, prosthesis, str(line.quantity), "", "", "", "", pointers)


def _write_line_teeth(writer: SegmentWriter, field: str, teeth: Sequence[Tooth]) -> None:
    if len(teeth) > TEETH_MAX:
        raise UnwritableValue(field, f"must be at most {TEETH_MAX}")
    for index, tooth in enumerate(teeth):
        place = f"{field}[{index}]"
        if len(tooth.surfaces) > SURFACES_MAX:
            raise UnwritableValue(f"{place}.surfaces", f"must be at most {SURFACES_MAX}")
        surfaces = [writer.one_of(f"{place}.surfaces", each, _SURFACES) for each in tooth.surfaces]
        number = writer.text(f"{place}.number", tooth.number, 2)
        writer.add("TOO", "JP", number, writer.composite(*surfaces))


_DENTAL: ClaimGuide[DentalClaim] = ClaimGuide(
    GUIDE, _write_claim, biller_may_be_a_person=True, has_insurance_type=False
)
