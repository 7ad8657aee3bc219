"""837s as short as the payers' reader needs them, what an independent validator says of answers, and rows of a file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import datetime

import pyx12.params
import pyx12.x12n_document
from canonical.codes import AdjustmentGroup, ClaimType
from sandbox.world.received_claims import Adjustment, PriorPayment, ReceivedClaim, ReceivedLine
from sandbox.world.x12_writing import Route, TransactionSet, amount_text, interchange, segment

NOW = datetime(2026, 11, 20, 8, 30)
VERSION = "005010X222A1"


def claim_file(claims: Iterable[ReceivedClaim], control_number: int = 1) -> bytes:
    """One interchange with one set of these claims, earlier payers' payments and all."""
    rows = [segment("BHT", "0019", "00", f"B{control_number}", "20261120", "0830", "CH")]
    for level, claim in enumerate(claims):
        rows += _claim(claim, 2 * level + 1)
    return interchange(
        Route("TLNORTH", "ACMEEDI", control_number, NOW), "HC", VERSION, [TransactionSet("837", VERSION, rows)]
    )


def _claim(claim: ReceivedClaim, level: int) -> Iterator[str]:
    yield segment("HL", str(level), "", "20", "1")
    yield segment("NM1", "85", "2", "CLINIC", "", "", "", "", "XX", claim.billing_npi)
    yield segment("HL", str(level + 1), str(level), "22", "0")
    yield segment("SBR", claim.sequence, "18", "", "", "", "", "", "", "CI")
    yield segment("NM1", "IL", "1", claim.family_name, claim.given_name, "", "", "", "MI", claim.member_id)
    yield segment("NM1", "PR", "2", "PAYER", "", "", "", "", "PI", claim.payer_identifier)
    is_facility = claim.claim_type is ClaimType.INSTITUTIONAL
    facility = f"{claim.place_of_service}:A:{claim.frequency}" if is_facility else f"11:B:{claim.frequency}"
    yield segment("CLM", claim.patient_control_number, amount_text(claim.charge), "", "", facility, "Y", "A", "Y", "Y")
    if is_facility:
        yield segment("DTP", "434", "RD8", "-".join(claim.statement))
        yield segment("DTP", "435", "DT", f"{claim.admitted_on}0830")
        yield segment("CL1", "1", "1", "01")
    if claim.payer_reference:
        yield segment("REF", "F8", claim.payer_reference)
    if claim.drg:
        yield segment("HI", f"DR:{claim.drg}")
    for prior in claim.prior:
        yield from _prior(prior)
    for number, line in enumerate(claim.lines, 1):
        yield from _line(line, number, claim.claim_type)


def _prior(prior: PriorPayment) -> Iterator[str]:
    yield segment("SBR", prior.sequence, "18", "", "", "", "", "", "", "CI")
    yield from _adjustments(prior.adjustments)
    if prior.paid is not None:
        yield segment("AMT", "D", amount_text(prior.paid))
    yield segment("NM1", "IL", "1", "SOMEBODY", "ELSE", "", "", "", "MI", "X1")
    yield segment("NM1", "PR", "2", "EARLIER PAYER", "", "", "", "", "PI", prior.payer_identifier)


def _line(line: ReceivedLine, number: int, claim_type: ClaimType) -> Iterator[str]:
    qualifier = "AD" if claim_type is ClaimType.DENTAL else "HC"
    procedure = ":".join((qualifier, line.procedure_code, *line.modifiers)) if line.procedure_code else ""
    yield segment("LX", str(number))
    match claim_type:
        case ClaimType.INSTITUTIONAL:
            yield segment("SV2", line.revenue_code, procedure, amount_text(line.charge), "UN", line.units)
        case ClaimType.DENTAL:
            yield segment("SV3", procedure, amount_text(line.charge), "", "", "", line.units)
            yield segment("TOO", "JP", line.tooth)
        case _:
            yield segment("SV1", procedure, amount_text(line.charge), "UN", line.units)
    yield segment("DTP", "472", "D8", line.service_date)
    yield segment("REF", "6R", line.control_number)
    for prior in line.prior:
        yield segment("SVD", prior.payer_identifier, amount_text(prior.paid), procedure, "", line.units)
        yield from _adjustments(prior.adjustments)
        yield segment("DTP", "573", "D8", prior.paid_on)


def _adjustments(adjustments: Iterable[Adjustment]) -> Iterator[str]:
    own = list(adjustments)
    for group in AdjustmentGroup:
        triplets = [text for each in own if each.group is group for text in (each.reason, amount_text(each.amount), "")]
        if triplets:
            yield segment("CAS", group.value, *triplets)


def rows(content: bytes, name: str) -> list[list[str]]:
    """The segments of this name, as elements."""
    return [row.split("*") for row in content.decode().replace("\r\n", "").split("~") if row.split("*")[0] == name]


def is_valid(content: bytes) -> bool:
    """What pyx12, which shares nothing with the writer, says of it."""
    parameters = pyx12.params.ParamsBase()
    return bool(pyx12.x12n_document.x12n_document(parameters, io.StringIO(content.decode()), None, None))
