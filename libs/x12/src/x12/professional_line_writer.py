"""Writes the service lines of an 837P (2400)."""

from __future__ import annotations

from decimal import Decimal

from x12.claim_loops import (
    numbers_of_diagnoses,
    procedure,
    write_drug,
    write_facility,
    write_provider,
    write_reference,
    write_service_dates,
)
from x12.errors import UnwritableValue
from x12.other_payer_loops import ClaimLine, write_decisions
from x12.professional_claim import ProfessionalClaim, ProfessionalLine
from x12.segment_writer import SegmentWriter
from x12.writable import amount, quantity

POINTERS_MAX = 4
_QUALIFIER = "HC"


def write_line(
    writer: SegmentWriter, claim_field: str, index: int, line: ProfessionalLine, claim: ProfessionalClaim
) -> None:
    """2400 with its drug, its own providers and what other payers decided on it."""
    field = f"{claim_field}.lines[{index}]"
    writer.add("LX", str(index + 1))
    composite = procedure(writer, field, _QUALIFIER, line.procedure_code, line.modifiers, line.description)
    units = _units(field, line)
    pointers = numbers_of_diagnoses(
        f"{field}.diagnosis_pointers", line.diagnosis_pointers, len(claim.diagnosis_codes), POINTERS_MAX
    )
    place = writer.optional(f"{field}.place_of_service", line.place_of_service, 2, shortest=2)
    writer.add(
        "SV1",
        composite,
        amount(f"{field}.charge", line.charge),
        "MJ" if line.minutes else "UN",
        quantity(f"{field}.units", units),
        place,
        "",
        writer.composite(*pointers),
        "",
        "Y" if line.is_emergency else "",
    )
    write_service_dates(writer, field, line.service_date, line.service_end_date, needed=True)
    write_reference(writer, "G1", f"{field}.prior_authorization", line.prior_authorization)
    writer.add("REF", "6R", writer.text(f"{field}.line_control_number", line.line_control_number, 30))
    if line.note:
        writer.add("NTE", "ADD", writer.text(f"{field}.note", line.note, 80))
    write_drug(writer, f"{field}.drug", line.drug)
    write_provider(writer, "82", f"{field}.rendering_provider", line.rendering_provider, "PE")
    write_facility(writer, f"{field}.service_facility", line.service_facility)
    write_provider(writer, "DQ", f"{field}.supervising_provider", line.supervising_provider)
    write_provider(writer, "DK", f"{field}.ordering_provider", line.ordering_provider)
    if claim.other_payers:
        billed = ClaimLine(index + 1, _QUALIFIER, composite, units)
        write_decisions(writer, claim_field, claim.other_payers, billed)


def _units(field: str, line: ProfessionalLine) -> Decimal:
    if line.minutes < 0 or (line.minutes and line.units != 1):
        raise UnwritableValue(f"{field}.minutes", "must be above zero, and take the place of units")
    return Decimal(line.minutes) if line.minutes else line.units
