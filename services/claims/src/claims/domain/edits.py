"""The edits: rules that a claim must pass before it may go out, each a pure function from content to reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from canonical.encounter import DIAGNOSES_PER_CLAIM_MAX, LINES_PER_CLAIM_MAX
from canonical.master_data import MasterData, UnknownMasterData
from canonical.money import Money

from claims.domain.claim_content import ClaimContent, HoldReason
from claims.domain.npi import has_valid_check_digit

POINTERS_PER_LINE_MAX = 4

Edit = Callable[[ClaimContent], Iterator[HoldReason]]


def member_id_present(claim: ClaimContent) -> Iterator[HoldReason]:
    if not claim.has_member_id:
        yield HoldReason(code="MissingMemberId", needs="the subscriber's member id at the payer (2010BA NM109)")


def diagnoses_present(claim: ClaimContent) -> Iterator[HoldReason]:
    if claim.diagnosis_count < 1:
        yield HoldReason(code="MissingDiagnosis", needs="at least one diagnosis code (HI)")
    if claim.diagnosis_count > DIAGNOSES_PER_CLAIM_MAX:
        needs = f"at most {DIAGNOSES_PER_CLAIM_MAX} diagnosis codes, there are {claim.diagnosis_count}"
        yield HoldReason(code="TooManyDiagnoses", needs=needs)


def pointers_lead_to_diagnoses(claim: ClaimContent) -> Iterator[HoldReason]:
    for number, line in enumerate(claim.lines, 1):
        pointers = line.diagnosis_pointers
        if not 1 <= len(pointers) <= POINTERS_PER_LINE_MAX or len(set(pointers)) < len(pointers):
            needs = f"line {number}: one to {POINTERS_PER_LINE_MAX} different diagnosis pointers, not {len(pointers)}"
            yield HoldReason(code="DiagnosisPointer", needs=needs)
        elif not all(1 <= pointer <= claim.diagnosis_count for pointer in pointers):
            needs = f"line {number}: diagnosis pointers from 1 to {claim.diagnosis_count}"
            yield HoldReason(code="DiagnosisPointer", needs=needs)


def line_count_in_bounds(claim: ClaimContent) -> Iterator[HoldReason]:
    if not 1 <= len(claim.lines) <= LINES_PER_CLAIM_MAX:
        needs = f"1 to {LINES_PER_CLAIM_MAX} lines, there are {len(claim.lines)}"
        yield HoldReason(code="LineCount", needs=needs)


def amounts_add_up(claim: ClaimContent) -> Iterator[HoldReason]:
    for number, line in enumerate(claim.lines, 1):
        if line.amount.minor <= 0:
            yield HoldReason(code="LineAmount", needs=f"line {number}: a charge above zero, not {line.amount}")
        if line.units <= 0:
            yield HoldReason(code="LineUnits", needs=f"line {number}: units above zero, not {line.units}")
    charged = Money.total((line.amount for line in claim.lines), claim.total.currency)
    if charged != claim.total:
        yield HoldReason(code="TotalCharge", needs=f"a total of {charged}, the sum of the lines, not {claim.total}")


def dates_in_order(claim: ClaimContent) -> Iterator[HoldReason]:
    if claim.service_from > claim.service_to:
        needs = f"a first service date on or before the last, {claim.service_from} > {claim.service_to}"
        yield HoldReason(code="ServiceDates", needs=needs)
        return
    for number, line in enumerate(claim.lines, 1):
        if not claim.service_from <= line.service_date <= claim.service_to:
            needs = f"line {number}: a service date from {claim.service_from} to {claim.service_to}"
            yield HoldReason(code="ServiceDates", needs=needs)


def parties_known(claim: ClaimContent, master_data: MasterData) -> Iterator[HoldReason]:
    """Entity, payer and provider must stand in master data on the first service date, with NPIs that can be true."""
    day = claim.service_from
    try:
        entity = master_data.entity(claim.entity, day)
        if not has_valid_check_digit(entity.npi):
            yield HoldReason(code="EntityNpi", needs=f"entity {entity.code}: an NPI with a valid check digit")
    except UnknownMasterData as unknown:
        yield HoldReason(code="UnknownEntity", needs=f"{unknown} in master data")
    try:
        master_data.payer(claim.payer, day)
    except UnknownMasterData as unknown:
        yield HoldReason(code="UnknownPayer", needs=f"{unknown} in master data")
    try:
        provider = master_data.provider(claim.rendering_provider, day)
        if not has_valid_check_digit(provider.npi):
            yield HoldReason(code="ProviderNpi", needs=f"provider {provider.code}: an NPI with a valid check digit")
    except UnknownMasterData as unknown:
        yield HoldReason(code="UnknownProvider", needs=f"{unknown} in master data")


CONTENT_EDITS: tuple[Edit, ...] = (
    member_id_present,
    diagnoses_present,
    pointers_lead_to_diagnoses,
    line_count_in_bounds,
    amounts_add_up,
    dates_in_order,
)


def reasons_to_hold(claim: ClaimContent, master_data: MasterData) -> tuple[HoldReason, ...]:
    """Everything that is wrong with the claim; nothing means it may go out."""
    found = [reason for edit in CONTENT_EDITS for reason in edit(claim)]
    return (*found, *parties_known(claim, master_data))
