"""Writes 276 interchanges (005010X212): claims that are asked about, grouped under payer, provider and subscriber."""

from __future__ import annotations

from collections.abc import Sequence

from x12.claim_loops import write_date, write_person, write_reference
from x12.eligibility import InquiredPerson
from x12.eligibility_writer import (
    by_payer_and_provider,
    write_inquired_demographics,
    write_inquired_payer,
    write_inquiring_provider,
)
from x12.errors import UnwritableValue
from x12.segment_writer import SegmentWriter
from x12.status_inquiry import InformationReceiver, StatusInquiry
from x12.submission_envelope import SubmissionEnvelope
from x12.writable import amount, digits

GUIDE = "005010X212"
_Inquiries = list[tuple[int, StatusInquiry]]


def write_status_inquiries(
    envelope: SubmissionEnvelope, receiver: InformationReceiver, inquiries: Sequence[StatusInquiry]
) -> bytes:
    """One interchange with one set.

    Raises:
        UnwritableValue: a field cannot be written as it is; the message names it as a path such as
            `inquiries[3].subscriber.member_id`, never a value.
    """
    writer = SegmentWriter(envelope)
    writer.open_group("HR", GUIDE)
    writer.open_set("276", GUIDE)
    writer.open_hierarchy("0010", "13")
    for payer, providers in by_payer_and_provider(inquiries).items():
        source = writer.level(0, "20", children=True)
        write_inquired_payer(writer, f"inquiries[{next(iter(providers.values()))[0][0]}].payer", payer)
        between = writer.level(source, "21", children=True)
        name = writer.text("receiver.name", receiver.name, 60)
        identifier = writer.text("receiver.identifier", receiver.identifier, 80, shortest=2)
        writer.add("NM1", "41", "2", name, "", "", "", "", "46", identifier)
        for provider, own in providers.items():
            level = writer.level(between, "19", children=True)
            write_inquiring_provider(writer, f"inquiries[{own[0][0]}].provider", provider)
            _write_subscribers(writer, level, own)
    writer.close_set()
    return writer.close()


def _write_subscribers(writer: SegmentWriter, parent: int, inquiries: _Inquiries) -> None:
    """2000D: the claims of a subscriber that is the patient share its level, those of a dependent stand in 2000E below it."""
    people: dict[tuple[InquiredPerson, bool], dict[InquiredPerson | None, _Inquiries]] = {}
    for index, inquiry in inquiries:
        key = (inquiry.subscriber, inquiry.dependent is None)
        people.setdefault(key, {}).setdefault(inquiry.dependent, []).append((index, inquiry))
    for (subscriber, is_patient), dependents in people.items():
        field = f"inquiries[{next(iter(dependents.values()))[0][0]}].subscriber"
        level = writer.level(parent, "22", children=not is_patient)
        if is_patient:
            _write_patient_description(writer, field, subscriber)
        member = writer.text(f"{field}.member_id", subscriber.member_id, 80, shortest=2)
        write_person(writer, "IL", field, subscriber, "MI", member)
        for dependent, own in dependents.items():
            if dependent is not None:
                place = f"inquiries[{own[0][0]}].dependent"
                writer.level(level, "23", children=None)
                _write_patient_description(writer, place, dependent)
                write_person(writer, "QC", place, dependent)
            for index, inquiry in own:
                _write_claim(writer, f"inquiries[{index}]", inquiry)


def _write_patient_description(writer: SegmentWriter, field: str, person: InquiredPerson) -> None:
    if person.birth_date is None:
        raise UnwritableValue(f"{field}.birth_date", "must be given")
    write_inquired_demographics(writer, field, person)


def _write_claim(writer: SegmentWriter, field: str, inquiry: StatusInquiry) -> None:
    if inquiry.service_to < inquiry.service_from:
        raise UnwritableValue(f"{field}.service_to", "is before the first day")
    writer.add("TRN", "1", writer.text(f"{field}.trace", inquiry.trace, 50))
    write_reference(writer, "1K", f"{field}.payer_control_number", inquiry.payer_control_number)
    if inquiry.bill_type:
        writer.add("REF", "BLT", digits(f"{field}.bill_type", inquiry.bill_type, 3))
    number = writer.text(f"{field}.patient_control_number", inquiry.patient_control_number, 20)
    writer.add("REF", "EJ", number)
    writer.add("AMT", "T3", amount(f"{field}.charge", inquiry.charge))
    write_date(writer, "472", inquiry.service_from, inquiry.service_to)
