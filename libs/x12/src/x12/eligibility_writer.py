"""Writes 270 interchanges (005010X279A1): questions about coverage, grouped under payer, provider and subscriber."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from x12.claim_loops import write_person
from x12.eligibility import EligibilityInquiry, InquiredPayer, InquiredPerson, InquiringProvider
from x12.errors import UnwritableValue
from x12.segment_writer import SegmentWriter
from x12.submission_envelope import SubmissionEnvelope
from x12.writable import day, npi

GUIDE = "005010X279A1"
INQUIRIES_MAX = 5_000
SERVICE_TYPES_MAX = 99
_GENDERS = frozenset("FM")


class Addressed(Protocol):
    """An inquiry about coverage or about a claim: who is asked, and who asks."""

    @property
    def payer(self) -> InquiredPayer: ...

    @property
    def provider(self) -> InquiringProvider: ...


Inquiry = TypeVar("Inquiry", bound=Addressed)


def write_eligibility_inquiries(
    envelope: SubmissionEnvelope, inquiries: Sequence[EligibilityInquiry], originator: str
) -> bytes:
    """One interchange with one set; a single inquiry is what a payer answers in real time.

    `originator` is TRN03: ten characters that name who made the traces, mostly 1 and a tax id or 9 and a DUNS number.

    Raises:
        UnwritableValue: a field cannot be written as it is; the message names it as a path such as
            `inquiries[3].subscriber.member_id`, never a value.
    """
    writer = SegmentWriter(envelope)
    writer.open_group("HS", GUIDE)
    writer.open_set("270", GUIDE)
    writer.open_hierarchy("0022", "13")
    for payer, providers in by_payer_and_provider(inquiries).items():
        first = next(iter(providers.values()))[0][0]
        source = writer.level(0, "20", children=True)
        write_inquired_payer(writer, f"inquiries[{first}].payer", payer)
        for provider, own in providers.items():
            receiver = writer.level(source, "21", children=True)
            write_inquiring_provider(writer, f"inquiries[{own[0][0]}].provider", provider)
            for index, inquiry in own:
                _write_inquiry(writer, f"inquiries[{index}]", receiver, inquiry, originator)
    writer.close_set()
    return writer.close()


def by_payer_and_provider(
    inquiries: Sequence[Inquiry],
) -> dict[InquiredPayer, dict[InquiringProvider, list[tuple[int, Inquiry]]]]:
    """Inquiries with their ordinals, in the order of the levels that they stand in.

    Raises:
        UnwritableValue: there are none, or more than one set may hold.
    """
    if not 1 <= len(inquiries) <= INQUIRIES_MAX:
        raise UnwritableValue("inquiries", f"must be 1 to {INQUIRIES_MAX} in one transaction set")
    levels: dict[InquiredPayer, dict[InquiringProvider, list[tuple[int, Inquiry]]]] = {}
    for index, inquiry in enumerate(inquiries):
        levels.setdefault(inquiry.payer, {}).setdefault(inquiry.provider, []).append((index, inquiry))
    return levels


def write_inquired_payer(writer: SegmentWriter, field: str, payer: InquiredPayer) -> None:
    """NM1*PR of 2100A."""
    name = writer.text(f"{field}.name", payer.name, 60)
    identifier = writer.text(f"{field}.identifier", payer.identifier, 80, shortest=2)
    writer.add("NM1", "PR", "2", name, "", "", "", "", "PI", identifier)


def write_inquiring_provider(writer: SegmentWriter, field: str, provider: InquiringProvider) -> None:
    """NM1*1P of the provider's level."""
    name = writer.text(f"{field}.name", provider.name, 60)
    first = writer.optional(f"{field}.first_name", provider.first_name, 35)
    number = npi(f"{field}.npi", provider.npi)
    writer.add("NM1", "1P", "1" if first else "2", name, first, "", "", "", "XX", number)


def write_inquired_demographics(writer: SegmentWriter, field: str, person: InquiredPerson) -> None:
    """DMG, where the birth date is known."""
    gender = writer.one_of(f"{field}.gender", person.gender, _GENDERS) if person.gender else ""
    if person.birth_date is not None:
        writer.add("DMG", "D8", day(person.birth_date), gender)
    elif gender:
        raise UnwritableValue(f"{field}.birth_date", "must be given where the gender is")


def _write_inquiry(
    writer: SegmentWriter, field: str, parent: int, inquiry: EligibilityInquiry, originator: str
) -> None:
    """2000C, and 2000D below it where a dependent is asked about: the trace stands with whoever is asked about."""
    dependent = inquiry.dependent
    level = writer.level(parent, "22", children=dependent is not None)
    trace = writer.text(f"{field}.trace", inquiry.trace, 50)
    company = writer.text("originator", originator, 10, shortest=10)
    subscriber = inquiry.subscriber
    if dependent is None:
        writer.add("TRN", "1", trace, company)
    member = writer.optional(f"{field}.subscriber.member_id", subscriber.member_id, 80, shortest=2)
    qualifier = "MI" if member else ""
    write_person(writer, "IL", f"{field}.subscriber", subscriber, qualifier, member)
    if dependent is not None:
        writer.level(level, "23", children=False)
        writer.add("TRN", "1", trace, company)
        write_person(writer, "03", f"{field}.dependent", dependent)
    asked, place = (subscriber, "subscriber") if dependent is None else (dependent, "dependent")
    write_inquired_demographics(writer, f"{field}.{place}", asked)
    writer.add("DTP", "291", "D8", day(inquiry.service_date))
    _write_service_types(writer, f"{field}.service_types", inquiry.service_types)


def _write_service_types(writer: SegmentWriter, field: str, service_types: Sequence[str]) -> None:
    if not 1 <= len(service_types) <= SERVICE_TYPES_MAX:
        raise UnwritableValue(field, f"must be 1 to {SERVICE_TYPES_MAX}")
    writer.add("EQ", writer.repeated(*(writer.text(field, each, 2) for each in service_types)))
