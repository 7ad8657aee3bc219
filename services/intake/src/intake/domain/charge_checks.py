"""Whether charges can be right by themselves: their prices by the charge master, units, modifiers and days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from canonical.encounter import ChargeLine
from canonical.master_data import ChargeMasterRow, MasterData
from canonical.money import Money

from intake.domain.clinical import ClinicalDetails
from intake.domain.encounter_content import CapturedCharge, EncounterFacts, HoldReason
from intake.domain.unmapped_code import PRICE, SourceCode, charge_row

DAYS_BEFORE_MAX = timedelta(days=3)
"""What is done so shortly before a stay is billed with it (42 CFR 412.2(c)(5))."""

CONTRADICTING_MODIFIERS = (frozenset({"26", "TC"}), frozenset({"50", "LT"}), frozenset({"50", "RT"}))


def checked_charges(
    facts: EncounterFacts, charges: Sequence[CapturedCharge], clinical: ClinicalDetails, master_data: MasterData
) -> tuple[tuple[CapturedCharge, ...], tuple[HoldReason, ...]]:
    """The charges, each with a price and pointing at the diagnoses that are billed, and why they cannot be billed.

    Reasons name a charge by its place, from 1.
    """
    priced: list[CapturedCharge] = []
    reasons: list[HoldReason] = []
    for place, charge in enumerate(charges, 1):
        field = f"charge {place}"
        line = charge.line
        wanted = (facts.source, line.procedure_code or line.revenue_code, line.department, line.service_date)
        row = charge_row(master_data, *wanted)
        reasons += _prices(field, charge, row, facts.source)
        reasons += _modifiers(field, charge.line)
        reasons += _days(field, charge.line.service_date, clinical)
        reasons += _diagnoses(field, line, clinical)
        changes: dict[str, object] = {"diagnosis_pointers": clinical.billed_pointers(line.diagnosis_pointers)}
        if row is not None and not charge.is_priced:
            changes["amount"] = price_of(row, line.units)
        priced.append(charge.model_copy(update={"line": line.model_copy(update=changes)}))
    return tuple(priced), tuple(reasons)


def price_of(row: ChargeMasterRow, units: Decimal) -> Money:
    """The price of so many units; a part of a cent goes to the even cent, so that many prices do not drift one way."""
    minor = (row.price.minor * units).to_integral_value(ROUND_HALF_EVEN)
    return Money(int(minor), row.price.currency)


def _prices(field: str, charge: CapturedCharge, row: ChargeMasterRow | None, source: str) -> Iterator[HoldReason]:
    line = charge.line
    if row is None:
        if not charge.is_priced:
            code = line.procedure_code or line.revenue_code
            wanted = SourceCode(source=source, kind=PRICE, code=code, day=line.service_date, department=line.department)
            note = "no price came, and the charge master has none"
            yield HoldReason(field=field, rule="price-unknown", note=note, unmapped=wanted)
        return
    if row.units_max and line.units > row.units_max:
        yield HoldReason(field=field, rule="units-above-maximum", note=f"{line.units} units, at most {row.units_max}")
    expected = price_of(row, line.units)
    if charge.is_priced and abs(line.amount - expected) > expected.share_half_even(row.tolerance_percent, 100):
        note = f"{line.amount} is charged for {line.units} units, the charge master says {expected}"
        yield HoldReason(field=field, rule="price-differs", note=note)


def _modifiers(field: str, line: ChargeLine) -> Iterator[HoldReason]:
    given = frozenset(line.modifiers)
    if len(given) < len(line.modifiers):
        yield HoldReason(field=field, rule="modifier-repeated", note="each modifier stands once")
    for pair in CONTRADICTING_MODIFIERS:
        if pair <= given:
            note = f"{' and '.join(sorted(pair))} contradict each other"
            yield HoldReason(field=field, rule="modifiers-contradict", note=note)


def _days(field: str, day: date, clinical: ClinicalDetails) -> Iterator[HoldReason]:
    starts_on, ends_on = clinical.days
    too_early = starts_on is not None and day < starts_on - DAYS_BEFORE_MAX
    too_late = ends_on is not None and day > ends_on
    if too_early or too_late:
        note = "its day of service lies outside of the visit"
        yield HoldReason(field=field, rule="service-outside-visit", note=note)


def _diagnoses(field: str, line: ChargeLine, clinical: ClinicalDetails) -> Iterator[HoldReason]:
    if not clinical.billed_pointers(line.diagnosis_pointers):
        note = "the source took back every diagnosis that it names"
        yield HoldReason(field=field, rule="diagnosis-withdrawn", note=note)
