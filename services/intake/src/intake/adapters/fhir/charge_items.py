"""A ChargeItem to a charge; `priceOverride` is the total of the line, never multiplied."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from canonical.encounter import DentalSite
from canonical.money import Money, MoneyRefused
from pydantic import ValidationError

from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.references import References
from intake.adapters.fhir.resources import Entry, code_in, code_of, day_of, identifier_in
from intake.domain.facts import NOWHERE, ChargeSeen
from intake.domain.identities import charge_id_of
from intake.domain.refusals import Finding

PROCEDURE_SYSTEMS = (
    "http://www.ama-assn.org/go/cpt",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "http://www.ada.org/cdt",
)
REVENUE_SYSTEMS = ("https://www.nubc.org/CodeSystem/RevenueCodes",)
TOOTH_SYSTEMS = ("http://www.ada.org/tooth", "http://terminology.hl7.org/CodeSystem/ex-tooth")
SURFACE_SYSTEMS = ("http://terminology.hl7.org/CodeSystem/FDI-surface",)
AREA_SYSTEMS = ("http://www.ada.org/oral-cavity",)
REVENUE_DIGITS = 4


def charge_fact(
    entry: Entry, source: str, names: FhirNames, references: References, findings: list[Finding]
) -> list[ChargeSeen]:
    """The charge, or nothing and findings for what it lacks."""
    item, place = entry.resource, entry.place
    number = identifier_in(item.identifier, names.of_source(source, "charge"))
    amount = _amount(item.priceOverride, f"{place}.priceOverride", findings)
    day = day_of(item.occurrenceDateTime) or day_of(item.occurrencePeriod.start if item.occurrencePeriod else None)
    revenue = code_of(item.code, REVENUE_SYSTEMS)
    procedure = code_of(item.code, PROCEDURE_SYSTEMS) if revenue else code_in(item.code, PROCEDURE_SYSTEMS)
    if item.status != "billable":
        findings.append(Finding(f"{place}.status", "charge-status", "only billable charges are taken"))
    needs = (
        ("identifier", number, "the source's id of the charge"),
        ("occurrenceDateTime", day, "the day of service"),
        ("context", item.context, "the encounter"),
        ("code", procedure or revenue, "the procedure, or the revenue code of a room"),
    )
    lacking = [Finding(f"{place}.{name}", "required", note) for name, value, note in needs if not value]
    findings.extend(lacking)
    if lacking or amount is None or day is None:
        return []
    cost_center = item.costCenter.identifier if item.costCenter else None
    performer = next(iter(item.performer or ()), None)
    return [
        ChargeSeen(
            place,
            charge_id_of(source, number),
            references.link(item.context),
            procedure,
            _modifiers(item, names.modifier_extension),
            _units(item.quantity),
            amount,
            day,
            str(cost_center.value or "") if cost_center else "",
            references.link(performer.actor) if performer else NOWHERE,
            tuple(filter(None, (code_in(reason) for reason in item.reason or ()))),
            revenue_code=revenue.zfill(REVENUE_DIGITS) if revenue else "",
            dental=_dental(item.bodysite, f"{place}.bodysite", findings),
        )
    ]


def _dental(sites: Any, place: str, findings: list[Finding]) -> DentalSite | None:
    """Tooth, surfaces and areas of the mouth among the body sites, each by its code system."""
    codings = [coding for concept in sites or () for coding in concept.coding or ()]
    teeth, surfaces, areas = (
        tuple(str(coding.code) for coding in codings if coding.system in systems and coding.code)
        for systems in (TOOTH_SYSTEMS, SURFACE_SYSTEMS, AREA_SYSTEMS)
    )
    if not (teeth or surfaces or areas):
        return None
    try:
        if len(teeth) <= 1:
            return DentalSite(tooth="".join(teeth), surfaces=surfaces, areas=areas)
    except ValidationError:
        pass
    findings.append(Finding(place, "dental-site", "one tooth (1 to 32, A to T), its surfaces, areas of two digits"))
    return None


def _amount(price: Any, place: str, findings: list[Finding]) -> Money | None:
    if price is None or price.value is None:
        findings.append(Finding(f"{place}.value", "required", "the total price of the charge"))
        return None
    try:
        return Money.from_decimal(Decimal(price.value), price.currency or "USD")
    except MoneyRefused as refused:
        findings.append(Finding(f"{place}.value", "money", str(refused)))
        return None


def _units(quantity: Any) -> Decimal:
    return Decimal(1) if quantity is None or quantity.value is None else Decimal(quantity.value)


def _modifiers(item: Any, url: str) -> tuple[str, ...]:
    return tuple(str(each.valueCode) for each in item.extension or () if each.url == url and each.valueCode)
