"""Writes the loops that claims of every kind have below the hierarchy: persons, providers, places, drugs, references, HI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from x12.claim_parties import Address, Provider, ServiceFacility
from x12.errors import UnwritableValue
from x12.professional_claim import Attachment, Drug, RelatedCauses
from x12.segment_writer import SegmentWriter
from x12.writable import day, digits, npi, quantity

CODES_OF_A_SEGMENT_MAX = 12
ATTACHMENTS_MAX = 10
MODIFIERS_MAX = 4
_GENDERS = frozenset("FMU")
_DRUG_UNITS = frozenset(["F2", "GR", "ME", "ML", "UN"])
_ASSIGNMENTS = frozenset("ABC")
_BENEFITS = frozenset("NWY")
_RELEASES = frozenset("IY")
_ICD_10_CM = re.compile("[A-Z][0-9A-Z]{2,6}")


class NamedPerson(Protocol):
    """A person as NM1 names one."""

    @property
    def last_name(self) -> str: ...

    @property
    def first_name(self) -> str: ...

    @property
    def middle_name(self) -> str: ...


class DescribedPerson(Protocol):
    """A person as DMG describes one."""

    @property
    def birth_date(self) -> date: ...

    @property
    def gender(self) -> str: ...


class Assigned(Protocol):
    """What the patient has signed, as CLM and OI tell it."""

    @property
    def benefits_assigned(self) -> str: ...

    @property
    def release_of_information(self) -> str: ...


def write_person(
    writer: SegmentWriter, code: str, field: str, person: NamedPerson, qualifier: str = "", identifier: str = ""
) -> None:
    """NM1 of a person. An `IL` without a first name is an organisation."""
    last = writer.text(f"{field}.last_name", person.last_name, 60)
    first = writer.optional(f"{field}.first_name", person.first_name, 35)
    middle = writer.optional(f"{field}.middle_name", person.middle_name, 25)
    kind = "2" if code == "IL" and not first else "1"
    writer.add("NM1", code, kind, last, first, middle, "", "", qualifier, identifier)


def write_address(
    writer: SegmentWriter, field: str, address: Address, postal_lengths: tuple[int, ...] = (5, 9)
) -> None:
    """N3 and N4."""
    line2 = writer.optional(f"{field}.line2", address.line2, 55)
    writer.add("N3", writer.text(f"{field}.line1", address.line1, 55), line2)
    city = writer.text(f"{field}.city", address.city, 30, shortest=2)
    state = writer.text(f"{field}.state", address.state, 2, shortest=2)
    writer.add("N4", city, state, digits(f"{field}.postal_code", address.postal_code, *postal_lengths))


def write_demographics(writer: SegmentWriter, field: str, person: DescribedPerson) -> None:
    """DMG."""
    gender = writer.one_of(f"{field}.gender", person.gender, _GENDERS)
    writer.add("DMG", "D8", day(person.birth_date), gender)


def write_provider(
    writer: SegmentWriter, code: str, field: str, provider: Provider | None, specialty: str = ""
) -> None:
    """NM1 of a provider, where there is one, and PRV with `specialty` as PRV01 where the role has one."""
    if provider is None:
        return
    if provider.is_organisation and (code != "82" or provider.first_name):
        raise UnwritableValue(f"{field}.is_organisation", "is for a rendering provider without a first name")
    last = writer.text(f"{field}.last_name", provider.last_name, 60)
    first = writer.optional(f"{field}.first_name", provider.first_name, 35)
    kind = "2" if provider.is_organisation else "1"
    writer.add("NM1", code, kind, last, first, "", "", "", "XX", npi(f"{field}.npi", provider.npi))
    if specialty and provider.taxonomy_code:
        taxonomy = writer.text(f"{field}.taxonomy_code", provider.taxonomy_code, 10, shortest=10)
        writer.add("PRV", specialty, "PXC", taxonomy)


def write_facility(writer: SegmentWriter, field: str, facility: ServiceFacility | None) -> None:
    """NM1*77 with its address, where there is one."""
    if facility is None:
        return
    name = writer.text(f"{field}.name", facility.name, 60)
    identified = ["XX", npi(f"{field}.npi", facility.npi)] if facility.npi else []
    writer.add("NM1", "77", "2", name, *([""] * 4 if identified else []), *identified)
    write_address(writer, f"{field}.address", facility.address, postal_lengths=(9,))


def write_drug(writer: SegmentWriter, field: str, drug: Drug | None) -> None:
    """LIN and CTP of 2410, where a drug was given."""
    if drug is None:
        return
    writer.add("LIN", "", "N4", digits(f"{field}.ndc", drug.ndc, 11))
    unit = writer.one_of(f"{field}.unit", drug.unit, _DRUG_UNITS)
    writer.add("CTP", "", "", "", quantity(f"{field}.quantity", drug.quantity), unit)
    if drug.prescription_number:
        writer.add("REF", "XZ", writer.text(f"{field}.prescription_number", drug.prescription_number, 50))


def write_attachments(writer: SegmentWriter, field: str, attachments: Sequence[Attachment]) -> None:
    """PWK, at most ten."""
    if len(attachments) > ATTACHMENTS_MAX:
        raise UnwritableValue(field, f"must be at most {ATTACHMENTS_MAX}")
    for index, each in enumerate(attachments):
        place = f"{field}[{index}]"
        kind, by = writer.text(f"{place}.kind", each.kind, 2), writer.text(f"{place}.by", each.by, 2)
        number = writer.optional(f"{place}.control_number", each.control_number, 50, shortest=2)
        writer.add("PWK", kind, by, "", "", *(["AC", number] if number else []))


def write_reference(writer: SegmentWriter, qualifier: str, field: str, value: str, longest: int = 50) -> None:
    """REF, where there is a value."""
    if value:
        writer.add("REF", qualifier, writer.text(field, value, longest))


def write_original_reference(writer: SegmentWriter, field: str, frequency: str, number: str) -> None:
    """REF*F8, which a replacement and a void cannot be without."""
    place = f"{field}.payer_control_number"
    if frequency in "78":
        writer.text(place, number, 50)
    write_reference(writer, "F8", place, number)


def write_date(writer: SegmentWriter, qualifier: str, first: date | None, last: date | None = None) -> None:
    """DTP, where there is a date; a range where there are two different ones."""
    if first is not None and last is not None and last != first:
        writer.add("DTP", qualifier, "RD8", f"{day(first)}-{day(last)}")
    elif first is not None:
        writer.add("DTP", qualifier, "D8", day(first))


def write_service_dates(
    writer: SegmentWriter, field: str, first: date | None, last: date | None, *, needed: bool
) -> None:
    """DTP*472 of a line.

    Raises:
        UnwritableValue: there is no first date although one is needed, or the last one is before it.
    """
    if first is None and (needed or last is not None):
        raise UnwritableValue(f"{field}.service_date", "must be given")
    if first is not None and last is not None and last < first:
        raise UnwritableValue(f"{field}.service_end_date", "is before the first day")
    write_date(writer, "472", first, last)


def write_codes(writer: SegmentWriter, composites: Iterable[str]) -> None:
    """HI of one family, twelve codes to a segment."""
    held = list(composites)
    for start in range(0, len(held), CODES_OF_A_SEGMENT_MAX):
        writer.add("HI", *held[start : start + CODES_OF_A_SEGMENT_MAX])


def diagnosis(field: str, code: str) -> str:
    """An ICD-10-CM code."""
    if not _ICD_10_CM.fullmatch(code):
        raise UnwritableValue(field, "must be an ICD-10-CM code without its point")
    return code


def numbers_of_diagnoses(field: str, pointers: Sequence[int], diagnoses: int, most: int) -> list[str]:
    """Diagnosis pointers as text."""
    if not 1 <= len(pointers) <= most or not all(1 <= pointer <= diagnoses for pointer in pointers):
        raise UnwritableValue(field, f"must be 1 to {most} numbers of the claim's diagnoses")
    return [str(pointer) for pointer in pointers]


def procedure(
    writer: SegmentWriter, field: str, qualifier: str, code: str, modifiers: Sequence[str], description: str = ""
) -> str:
    """The composite of a procedure: qualifier, code, up to four modifiers, description."""
    checked = writer.text(f"{field}.procedure_code", code, 5, shortest=5)
    if not modifiers and not description:
        return writer.composite(qualifier, checked)
    if len(modifiers) > MODIFIERS_MAX:
        raise UnwritableValue(f"{field}.modifiers", f"must be at most {MODIFIERS_MAX}")
    parts = [
        writer.text(f"{field}.modifiers[{index}]", modifier, 2, shortest=2) for index, modifier in enumerate(modifiers)
    ]
    parts += [""] * (MODIFIERS_MAX - len(parts))
    return writer.composite(qualifier, checked, *parts, writer.optional(f"{field}.description", description, 80))


def signatures(writer: SegmentWriter, field: str, claim: Assigned) -> tuple[str, str]:
    """Assignment of benefits and release of information: CLM08 and CLM09, OI03 and OI06."""
    return (
        writer.one_of(f"{field}.benefits_assigned", claim.benefits_assigned, _BENEFITS),
        writer.one_of(f"{field}.release_of_information", claim.release_of_information, _RELEASES),
    )


def assignment(writer: SegmentWriter, field: str, value: str) -> str:
    """CLM07."""
    return writer.one_of(f"{field}.accepts_assignment", value, _ASSIGNMENTS)


def related_causes(writer: SegmentWriter, field: str, causes: RelatedCauses | None, accident: date | None) -> str:
    """CLM11.

    Raises:
        UnwritableValue: more than two causes, an automobile accident without a state, an accident without a date.
    """
    if causes is None:
        return ""
    place = f"{field}.related_causes"
    named = (("AA", causes.automobile), ("EM", causes.employment), ("OA", causes.other_accident))
    codes = [code for code, holds in named if holds]
    if not 1 <= len(codes) <= 2:
        raise UnwritableValue(place, "must name one or two causes")
    if accident is None and (causes.automobile or causes.other_accident):
        raise UnwritableValue(place, "an accident needs its date")
    if causes.automobile and not causes.state:
        raise UnwritableValue(f"{place}.state", "must not be empty for an automobile accident")
    state = writer.optional(f"{place}.state", causes.state, 2, shortest=2) if causes.automobile else ""
    return writer.composite(codes[0], codes[1] if len(codes) == 2 else "", "", state)
