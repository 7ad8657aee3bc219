"""Writes 837P interchanges (005010X222A1): many claims, grouped under their billing providers and subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from x12.claim_head import check_claim, write_head
from x12.claim_hierarchy import ClaimGuide, write_interchange
from x12.claim_loops import (
    CODES_OF_A_SEGMENT_MAX,
    diagnosis,
    related_causes,
    write_address,
    write_attachments,
    write_codes,
    write_date,
    write_facility,
    write_original_reference,
    write_provider,
    write_reference,
)
from x12.errors import UnwritableValue
from x12.other_payer_loops import write_other_payers
from x12.professional_claim import AmbulanceTransport, ClaimDates, ProfessionalClaim
from x12.professional_line_writer import write_line
from x12.segment_writer import SegmentWriter
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.writable import amount, quantity

GUIDE = "005010X222A1"
LINES_MAX = 50
DIAGNOSES_MAX = 12
ANESTHESIA_PROCEDURES_MAX = 2
CONDITIONS_MAX = 24
TRANSPORT_CONDITIONS_MAX = 5
_FREQUENCIES = frozenset("178")
_NOTES = frozenset(["ADD", "CER", "DCP", "DGN", "TPO"])
_TRANSPORT_REASONS = frozenset("ABCDE")


def write_professional_claims(
    envelope: SubmissionEnvelope, submitter: Submitter, receiver: Receiver, claims: Sequence[ProfessionalClaim]
) -> bytes:
    """One interchange with one group and one transaction set, as ASCII bytes without line breaks.

    Claims keep their order within their billing provider, subscriber and patient; equal ones share their HL.

    Raises:
        UnwritableValue: a field cannot be written as it is, or what other payers decided does not add up; the message
            names the field as a path such as `claims[3].subscriber.last_name` and never holds what names a patient.
    """
    return write_interchange(_PROFESSIONAL, envelope, submitter, receiver, claims)


def _write_claim(writer: SegmentWriter, field: str, claim: ProfessionalClaim) -> None:
    check_claim(field, claim, LINES_MAX)
    place = writer.text(f"{field}.place_of_service", claim.place_of_service, 2, shortest=2)
    causes = related_causes(writer, field, claim.related_causes, claim.dates.accident)
    write_head(writer, field, claim, (place, "B"), _FREQUENCIES, causes=causes)
    _write_dates(writer, field, claim.dates)
    write_attachments(writer, f"{field}.attachments", claim.attachments)
    if claim.patient_paid is not None:
        writer.add("AMT", "F5", amount(f"{field}.patient_paid", claim.patient_paid))
    _write_references(writer, field, claim)
    if claim.note:
        code = writer.one_of(f"{field}.note_code", claim.note_code, _NOTES)
        writer.add("NTE", code, writer.text(f"{field}.note", claim.note, 80))
    if claim.ambulance:
        _write_transport(writer, f"{field}.ambulance", claim.ambulance)
    _write_codes(writer, field, claim)
    _write_providers(writer, field, claim)
    write_other_payers(writer, field, claim.other_payers, has_insurance_type=True)
    for index, line in enumerate(claim.lines):
        write_line(writer, field, index, line, claim)


def _write_dates(writer: SegmentWriter, field: str, dates: ClaimDates) -> None:
    if dates == _NO_DATES:
        return
    for qualifier, value in (
        ("431", dates.onset),
        ("454", dates.initial_treatment),
        ("304", dates.last_seen),
        ("453", dates.acute_manifestation),
        ("439", dates.accident),
        ("484", dates.last_menstrual_period),
        ("455", dates.last_x_ray),
    ):
        write_date(writer, qualifier, value)
    began, ended = dates.disability_began, dates.disability_ended
    if began and ended and ended < began:
        raise UnwritableValue(f"{field}.dates.disability_ended", "is before the first day")
    if began and ended:
        write_date(writer, "314", began, ended)
    else:
        write_date(writer, "360" if began else "361", began or ended)
    for qualifier, value in (
        ("297", dates.last_worked),
        ("296", dates.return_to_work),
        ("435", dates.admission),
        ("096", dates.discharge),
    ):
        write_date(writer, qualifier, value)


def _write_references(writer: SegmentWriter, field: str, claim: ProfessionalClaim) -> None:
    write_reference(writer, "9F", f"{field}.referral_number", claim.referral_number)
    write_reference(writer, "G1", f"{field}.prior_authorization", claim.prior_authorization)
    write_original_reference(writer, field, claim.frequency_code, claim.payer_control_number)
    write_reference(writer, "X4", f"{field}.clia_number", claim.clia_number)
    write_reference(writer, "EA", f"{field}.medical_record_number", claim.medical_record_number)


def _write_transport(writer: SegmentWriter, field: str, transport: AmbulanceTransport) -> None:
    weight = [] if transport.weight is None else ["LB", quantity(f"{field}.weight", Decimal(transport.weight))]
    reason = writer.one_of(f"{field}.reason", transport.reason, _TRANSPORT_REASONS)
    miles = quantity(f"{field}.miles", transport.miles) if transport.miles else "0"
    round_trip = writer.optional(f"{field}.round_trip_purpose", transport.round_trip_purpose, 80)
    stretcher = writer.optional(f"{field}.stretcher_purpose", transport.stretcher_purpose, 80)
    writer.add("CR1", *(weight or ["", ""]), "", reason, "DH", miles, "", "", round_trip, stretcher)
    if not 1 <= len(transport.conditions) <= TRANSPORT_CONDITIONS_MAX:
        raise UnwritableValue(f"{field}.conditions", f"must be 1 to {TRANSPORT_CONDITIONS_MAX}")
    conditions = [
        writer.text(f"{field}.conditions[{index}]", code, 2, shortest=2)
        for index, code in enumerate(transport.conditions)
    ]
    writer.add("CRC", "07", "Y" if transport.applies else "N", *conditions)


def _write_codes(writer: SegmentWriter, field: str, claim: ProfessionalClaim) -> None:
    codes = claim.diagnosis_codes
    if not 1 <= len(codes) <= DIAGNOSES_MAX:
        raise UnwritableValue(f"{field}.diagnosis_codes", f"must be 1 to {DIAGNOSES_MAX}")
    checked = [diagnosis(f"{field}.diagnosis_codes[{index}]", code) for index, code in enumerate(codes)]
    composites = [writer.composite("ABF", code) for code in checked[1:]]
    write_codes(writer, [writer.composite("ABK", checked[0]), *composites])
    if len(claim.anesthesia_procedures) > ANESTHESIA_PROCEDURES_MAX:
        raise UnwritableValue(f"{field}.anesthesia_procedures", f"must be at most {ANESTHESIA_PROCEDURES_MAX}")
    procedures = [
        writer.composite(qualifier, writer.text(f"{field}.anesthesia_procedures", code, 5, shortest=5))
        for qualifier, code in zip(("BP", "BO"), claim.anesthesia_procedures, strict=False)
    ]
    write_codes(writer, procedures)
    if len(claim.condition_codes) > CONDITIONS_MAX:
        raise UnwritableValue(f"{field}.condition_codes", f"must be at most {2 * CODES_OF_A_SEGMENT_MAX}")
    conditions = [writer.text(f"{field}.condition_codes", code, 2, shortest=2) for code in claim.condition_codes]
    write_codes(writer, [writer.composite("BG", code) for code in conditions])


def _write_providers(writer: SegmentWriter, field: str, claim: ProfessionalClaim) -> None:
    write_provider(writer, "DN", f"{field}.referring_provider", claim.referring_provider)
    write_provider(writer, "82", f"{field}.rendering_provider", claim.rendering_provider, "PE")
    write_facility(writer, f"{field}.service_facility", claim.service_facility)
    write_provider(writer, "DQ", f"{field}.supervising_provider", claim.supervising_provider)
    if claim.ambulance:
        writer.add("NM1", "PW", "2")
        write_address(writer, f"{field}.ambulance.pick_up", claim.ambulance.pick_up)
        name = writer.optional(f"{field}.ambulance.drop_off_name", claim.ambulance.drop_off_name, 60)
        writer.add("NM1", "45", "2", name)
        write_address(writer, f"{field}.ambulance.drop_off", claim.ambulance.drop_off)


_NO_DATES = ClaimDates()
_PROFESSIONAL: ClaimGuide[ProfessionalClaim] = ClaimGuide(
    GUIDE, _write_claim, biller_may_be_a_person=True, has_insurance_type=True
)
