"""A ChargeItem to a charge; `priceOverride` is the total of the line, never multiplied, and the charge master's price without."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from canonical.encounter import DentalSite
from canonical.money import USD, Money, MoneyRefused
from pydantic import ValidationError

from intake.adapters.fhir.message import FhirMessage
from intake.adapters.fhir.resources import Entry, code_in, code_of, day_of, diagnosis_in
from intake.domain.facts import NOWHERE, ChargeSeen, ChargeVoided
from intake.domain.identities import charge_id_of

BILLABLE = "billable"
TAKEN_BACK = ("not-billable", "aborted", "entered-in-error")
CHARGE_ID = "the source's id of the charge"
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


def charge_facts(entry: Entry, message: FhirMessage) -> list[ChargeSeen | ChargeVoided]:
    """The charge, or that it is taken back; nothing and findings for what it lacks."""
    item, place = entry.resource, entry.place
    if item.status not in (BILLABLE, *TAKEN_BACK):
        message.find(f"{place}.status", "charge-status", f"one of {', '.join((BILLABLE, *TAKEN_BACK))}")
    number = message.references.own_identifier(entry)[1]
    said_at = message.said_at(item)
    if item.status in TAKEN_BACK:
        _need(message, place, (("identifier", number, CHARGE_ID), ("context", item.context, "the encounter")))
        encounter = message.references.link(item.context)
        return [ChargeVoided(place, charge_id_of(message.source, number), encounter, said_at=said_at)] if number else []
    revenue = code_of(item.code, REVENUE_SYSTEMS)
    procedure = code_of(item.code, PROCEDURE_SYSTEMS) if revenue else code_in(item.code, PROCEDURE_SYSTEMS)
    amount = amount_of(item.priceOverride, f"{place}.priceOverride", message) if item.priceOverride else None
    day = day_of(item.occurrenceDateTime) or day_of(item.occurrencePeriod.start if item.occurrencePeriod else None)
    needs = (
        ("identifier", number, CHARGE_ID),
        ("occurrenceDateTime", day, "the day of service"),
        ("context", item.context, "the encounter"),
        ("code", procedure or revenue, "the procedure, or the revenue code of a room"),
    )
    if not _need(message, place, needs) or day is None:
        return []
    cost_center = item.costCenter.identifier if item.costCenter else None
    performer = next(iter(item.performer or ()), None)
    return [
        ChargeSeen(
            place,
            charge_id_of(message.source, number),
            message.references.link(item.context),
            procedure,
            _modifiers(item, message.names.modifier_extension),
            quantity_of(item.quantity),
            amount,
            day,
            str(cost_center.value or "") if cost_center else "",
            message.references.link(performer.actor) if performer else NOWHERE,
            tuple(filter(None, map(diagnosis_in, item.reason or ()))),
            revenue_code=revenue_code(revenue),
            dental=dental_site(item.bodysite, f"{place}.bodysite", message),
            corrects=entry.request.method == "PUT",
            said_at=said_at,
        )
    ]


def _need(message: FhirMessage, place: str, needs: Iterable[tuple[str, object, str]]) -> bool:
    lacking = [(name, note) for name, value, note in needs if not value]
    for name, note in lacking:
        message.need(f"{place}.{name}", note)
    return not lacking


def revenue_code(code: str) -> str:
    """Four digits, as the NUBC writes them; empty for none."""
    return code.zfill(REVENUE_DIGITS) if code else ""


def dental_site(sites: Any, place: str, message: FhirMessage) -> DentalSite | None:
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
    message.find(place, "dental-site", "one tooth (1 to 32, A to T), its surfaces, areas of two digits")
    return None


def amount_of(money: Any, place: str, message: FhirMessage) -> Money | None:
    """Exact cents of a Money or a Quantity with a currency; nothing and a finding where there are none."""
    if money.value is None:
        message.need(f"{place}.value", "the total price of the charge")
        return None
    try:
        return Money.from_decimal(Decimal(money.value), money.currency or USD)
    except MoneyRefused as refused:
        message.find(f"{place}.value", "money", str(refused))
        return None


def quantity_of(quantity: Any) -> Decimal:
    return Decimal(1) if quantity is None or quantity.value is None else Decimal(quantity.value)


def _modifiers(item: Any, url: str) -> tuple[str, ...]:
    return tuple(str(each.valueCode) for each in item.extension or () if each.url == url and each.valueCode)
