"""Writes the other payers of a claim: 2320 and 2330 at the claim, 2430 at each line. What they say has been checked before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from canonical.money import Money

from x12.claim_hierarchy import RESPONSIBILITIES, write_payer
from x12.claim_loops import procedure, signatures, write_address, write_date, write_person, write_reference
from x12.errors import UnwritableValue
from x12.other_payers import AdjudicatedLine, OtherPayer, PriorAdjustment
from x12.segment_writer import SegmentWriter
from x12.writable import amount, quantity, signed_amount

REASONS_OF_A_GROUP_MAX = 6
REMARKS_MAX = 5
_GROUPS = frozenset(["CO", "CR", "OA", "PI", "PR"])


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """What a decision on a line takes from the line itself. `procedure` is the composite that was billed."""

    number: int
    qualifier: str
    procedure: str
    units: Decimal
    revenue_code: str = ""


def write_other_payers(
    writer: SegmentWriter, field: str, other_payers: Sequence[OtherPayer], *, has_insurance_type: bool
) -> None:
    """2320 with 2330A and 2330B, in the order given."""
    for index, other in enumerate(other_payers):
        place = f"{field}.other_payers[{index}]"
        _write_coverage(writer, place, other, has_insurance_type=has_insurance_type)
        _write_adjustments(writer, f"{place}.adjustments", other.adjustments)
        _write_money(writer, "D", f"{place}.paid", other.paid)
        _write_money(writer, "A8", f"{place}.noncovered", other.noncovered)
        _write_money(writer, "EAF", f"{place}.remaining_liability", other.remaining_liability)
        assigned, release = signatures(writer, place, other)
        writer.add("OI", "", "", assigned, "", "", release)
        _write_remarks(writer, f"{place}.remark_codes", other.remark_codes)
        _write_names(writer, place, other)


def _write_remarks(writer: SegmentWriter, field: str, codes: Sequence[str]) -> None:
    if len(codes) > REMARKS_MAX:
        raise UnwritableValue(field, f"must be at most {REMARKS_MAX}")
    if codes:
        writer.add("MOA", "", "", *(writer.text(field, code, 5, shortest=2) for code in codes))


def _write_coverage(writer: SegmentWriter, place: str, other: OtherPayer, *, has_insurance_type: bool) -> None:
    responsibility = writer.one_of(f"{place}.responsibility", other.responsibility, RESPONSIBILITIES)
    relationship = writer.text(f"{place}.relationship", other.relationship, 2, shortest=2)
    group = writer.optional(f"{place}.group_number", other.group_number, 50)
    plan = "" if group else writer.optional(f"{place}.plan_name", other.plan_name, 60)
    kind = writer.optional(f"{place}.insurance_type", other.insurance_type, 2) if has_insurance_type else ""
    filing = writer.text(f"{place}.payer.filing_indicator", other.payer.filing_indicator, 2)
    writer.add("SBR", responsibility, relationship, group, plan, kind, "", "", "", filing)


def _write_names(writer: SegmentWriter, place: str, other: OtherPayer) -> None:
    subscriber, field = other.subscriber, f"{place}.subscriber"
    member = writer.text(f"{field}.member_id", subscriber.member_id, 80, shortest=2)
    write_person(writer, "IL", field, subscriber, "MI", member)
    if subscriber.address:
        write_address(writer, f"{field}.address", subscriber.address)
    write_payer(writer, f"{place}.payer", other.payer)
    write_date(writer, "573", other.adjudicated_on)
    write_reference(writer, "G1", f"{place}.prior_authorization", other.prior_authorization)
    write_reference(writer, "F8", f"{place}.claim_control_number", other.claim_control_number)


def write_decisions(
    writer: SegmentWriter, claim_field: str, other_payers: Sequence[OtherPayer], billed: ClaimLine
) -> None:
    """2430 for each decision on the billed line."""
    for index, other in enumerate(other_payers):
        for place, decision in enumerate(other.lines):
            if decision.line == billed.number:
                field = f"{claim_field}.other_payers[{index}].lines[{place}]"
                _write_decision(writer, field, other.payer.identifier, billed, decision)


def _write_decision(writer: SegmentWriter, field: str, payer: str, line: ClaimLine, decision: AdjudicatedLine) -> None:
    composite = line.procedure
    if decision.procedure_code:
        composite = procedure(writer, field, line.qualifier, decision.procedure_code, decision.modifiers)
    units = quantity(f"{field}.units", line.units if decision.units is None else decision.units)
    if not 0 <= decision.bundled_into <= 999_999 or decision.bundled_into == line.number:
        raise UnwritableValue(f"{field}.bundled_into", "must be the number of another line")
    bundled = str(decision.bundled_into) if decision.bundled_into else ""
    paid = amount(f"{field}.paid", decision.paid)
    writer.add("SVD", payer, paid, composite, line.revenue_code, units, bundled)
    _write_adjustments(writer, f"{field}.adjustments", decision.adjustments)
    write_date(writer, "573", decision.adjudicated_on)
    _write_money(writer, "EAF", f"{field}.remaining_liability", decision.remaining_liability)


def _write_adjustments(writer: SegmentWriter, field: str, adjustments: Sequence[PriorAdjustment]) -> None:
    """One CAS per group, its reasons in the order in which they were first named."""
    groups: dict[str, dict[str, list[PriorAdjustment]]] = {}
    for index, each in enumerate(adjustments):
        group = writer.one_of(f"{field}[{index}].group", each.group, _GROUPS)
        reason = writer.text(f"{field}[{index}].reason", each.reason, 5)
        groups.setdefault(group, {}).setdefault(reason, []).append(each)
    for group, reasons in groups.items():
        if len(reasons) > REASONS_OF_A_GROUP_MAX:
            raise UnwritableValue(field, f"group {group} has more than {REASONS_OF_A_GROUP_MAX} reasons")
        elements: list[str] = []
        for reason, own in reasons.items():
            total = signed_amount(field, Money.total(each.amount for each in own))
            units = sum((each.quantity for each in own if each.quantity is not None), Decimal(0))
            elements += [reason, total, quantity(field, units) if units else ""]
        writer.add("CAS", group, *elements)


def _write_money(writer: SegmentWriter, qualifier: str, field: str, value: Money | None) -> None:
    if value is not None:
        writer.add("AMT", qualifier, amount(field, value))
