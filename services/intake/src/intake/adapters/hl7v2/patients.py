"""PID and MRG: who the patient is, by which numbers, and which numbers are one person."""

from __future__ import annotations

from collections.abc import Iterator

from canonical.party import Address, PatientDetails

from intake.adapters.hl7v2.context import Reading
from intake.adapters.hl7v2.segments import Message, Segment
from intake.adapters.hl7v2.stamps import day_of
from intake.domain.facts import (
    NOWHERE,
    Fact,
    Link,
    PatientIdentifier,
    PatientSeen,
    PatientsMerged,
    PatientsUnmerged,
)

SEXES = ("M", "F")
OPTIONAL_FIELDS = (("sex", 8), ("address", 11))


def patient_link(pid: Segment | None, reading: Reading) -> Link:
    """The patient by medical record number; nowhere where PID has none."""
    number = _medical_record_number(pid, 3, reading) if pid else ""
    return Link(id=reading.patient_id(number)) if number else NOWHERE


def patient_seen(pid: Segment, reading: Reading) -> list[Fact]:
    """The patient as PID says; what is lacking is found."""
    found = _seen(pid, reading)
    if found is None:
        for place, value, note in _needs(pid, reading):
            if not value:
                reading.need(place, note)
        return []
    return [found]


def merges(message: Message, reading: Reading) -> Iterator[Fact]:
    """A34 and A40: in each group PID is who stays, and every repetition of MRG-1 a number that is given up."""
    for group in message.groups("PID"):
        pid, mrg = group.rows[0], group.first("MRG")
        survivor = patient_link(pid, reading)
        retired = _retired(mrg, reading) if mrg else []
        if survivor.id is None:
            reading.need("PID-3", "the number that stays")
        if not retired:
            reading.need("MRG-1", "the number that is given up")
        seen = _seen(pid, reading)
        if seen:
            yield seen
        for link in retired:
            yield PatientsMerged("MRG", survivor, link, said_at=reading.said_at)


def unmerges(message: Message, reading: Reading) -> Iterator[Fact]:
    """A37: two PIDs that are two persons."""
    links = [patient_link(pid, reading) for pid in message.segments("PID")]
    if len(links) != 2 or any(link.id is None for link in links):
        reading.need("PID", "two patients, each with a number")
        return
    yield PatientsUnmerged("PID", links[0], links[1], said_at=reading.said_at)


def _needs(pid: Segment, reading: Reading) -> tuple[tuple[str, object, str], ...]:
    return (
        ("PID-3", _medical_record_number(pid, 3, reading), "a medical record number"),
        ("PID-5.1", pid.field(5), "the family name"),
        ("PID-5.2", pid.field(5, 2), "the given name"),
        ("PID-7", day_of(pid.field(7)), "the day of birth, as YYYYMMDD"),
    )


def _seen(pid: Segment, reading: Reading) -> PatientSeen | None:
    link, born = patient_link(pid, reading), day_of(pid.field(7))
    if link.id is None or born is None or not all(value for _, value, _ in _needs(pid, reading)):
        return None
    details = PatientDetails(
        family_name=pid.field(5),
        given_name=pid.field(5, 2),
        birth_date=born,
        sex=pid.field(8) if pid.field(8) in SEXES else "U",
        address=Address(
            line=pid.field(11), city=pid.field(11, 3), state=pid.field(11, 4), postal_code=pid.field(11, 5)
        ),
        identifiers=tuple(pid.repetitions(3)),
    )
    return PatientSeen("PID", link.id, details, identifiers=tuple(_identifiers(pid)), unsaid=_unsaid(pid))


def _unsaid(pid: Segment) -> tuple[str, ...]:
    """An empty field says nothing; one of two quotation marks says that there is nothing any more."""
    return tuple(name for name, number in OPTIONAL_FIELDS if pid.is_empty(number))


def _identifiers(pid: Segment) -> Iterator[PatientIdentifier]:
    for place in range(1, pid.repetition_count(3) + 1):
        if value := pid.field(3, repetition=place):
            yield PatientIdentifier(pid.field(3, 4, repetition=place), pid.field(3, 5, repetition=place), value)


def _retired(mrg: Segment, reading: Reading) -> list[Link]:
    numbers = _numbers(mrg, 1, reading) or mrg.repetitions(1)[:1]
    return [Link(id=reading.patient_id(number)) for number in dict.fromkeys(numbers)]


def _medical_record_number(segment: Segment, number: int, reading: Reading) -> str:
    """The first repetition of a kind that the profile names, or the first of all."""
    return next(iter(_numbers(segment, number, reading) or segment.repetitions(number)[:1]), "")


def _numbers(segment: Segment, number: int, reading: Reading) -> list[str]:
    kinds = reading.profile.medical_record_kinds
    places = range(1, segment.repetition_count(number) + 1)
    found = (
        segment.field(number, repetition=place)
        for place in places
        if segment.field(number, 5, repetition=place) in kinds
    )
    return [value for value in found if value]
