"""IN1 and IN2: who pays, in which order, and by what the payer knows the insured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from canonical.party import CoverageDetails

from intake.adapters.hl7v2.context import Reading, first_value, value_at
from intake.adapters.hl7v2.segments import Message
from intake.domain.facts import CoverageSeen, Fact, Link
from intake.domain.next_coverage import FIRST_RANK, RANKS_MAX

RELATIONSHIPS = {
    **dict.fromkeys(("", "SEL", "18", "self"), "self"),
    **dict.fromkeys(("SPO", "01"), "01"),
    **dict.fromkeys(("CHD", "NCD", "SCH", "FCH", "19"), "19"),
    **dict.fromkeys(("EMC", "20"), "20"),
    **dict.fromkeys(("ODP", "39"), "39"),
    **dict.fromkeys(("DOM", "53"), "53"),
}
"""HL7 table 0063 and the codes of X12 to those of an 837; every other word is another relationship, G8."""
ANOTHER = "G8"
_RANK_DIGITS = 8


def coverages(message: Message, patient: Link, encounter: Link, reading: Reading) -> Iterator[Fact]:
    """The insurances in the order in which they pay; that nobody pays but the patient, where an insurance or PV1-20 says so.

    An insurance that stands after several transactions of the message is told several times, and counts once.
    """
    told = {_insurance(group): group for group in message.groups("IN1")}
    ranked = _ranked(told, 22) or _ranked(told, 1)
    if ranked is None:
        reading.refuse("IN1-1", "coverage-order", "each insurance of a visit has its own place in the order")
    insurances = ranked or []
    paying = [group for group in insurances if not _is_self_pay(group, reading)]
    if not paying and (insurances or (_is_of_self_pay_class(message, reading) and not encounter.is_empty)):
        yield CoverageSeen("IN1" if insurances else "PV1-20", patient, encounter, Link())
    for rank, group in enumerate(paying[:RANKS_MAX], FIRST_RANK):
        yield _coverage(rank, group, patient, encounter, reading)


def relationship_of(said: str, reading: Reading) -> str:
    """`self` or the individual relationship code of X12, for a word of HL7 table 0063 or of the profile."""
    return reading.profile.relationships.get(said) or RELATIONSHIPS.get(said, ANOTHER)


def _insurance(group: Message) -> tuple[str, ...]:
    """What tells an insurance from another: its places in the order, its plan and payer, and the member."""
    return tuple(group.rows[0].field(number) for number in (1, 22, 2, 3, 36))


def _ranked(told: Mapping[tuple[str, ...], Message], number: int) -> list[Message] | None:
    """In the order of a field; None where two have the same place."""
    places = [group.rows[0].field(number).zfill(_RANK_DIGITS) for group in told.values()]
    if len(set(places)) < len(places):
        return None
    return [group for _, group in sorted(zip(places, told.values(), strict=True), key=lambda each: each[0])]


def _is_self_pay(group: Message, reading: Reading) -> bool:
    in1 = group.rows[0]
    return any(in1.field(number).upper() in reading.profile.self_pay_names for number in (2, 3, 4))


def _is_of_self_pay_class(message: Message, reading: Reading) -> bool:
    return value_at("PV1-20.1", message).upper() in reading.profile.self_pay_classes


def _coverage(rank: int, group: Message, patient: Link, encounter: Link, reading: Reading) -> CoverageSeen:
    in1 = group.rows[0]
    payer = first_value(reading.profile.payer, group)
    if not payer:
        reading.need("IN1-3", "the payer's code")
    relationship = relationship_of(in1.field(17), reading)
    details = CoverageDetails(
        member_id=first_value(reading.profile.member_id, group),
        group_number=in1.field(8),
        plan=value_at(reading.profile.plan, group),
        relationship=relationship,
        subscriber_family_name="" if relationship == "self" else in1.field(16),
        subscriber_given_name="" if relationship == "self" else in1.field(16, 2),
    )
    return CoverageSeen("IN1", patient, encounter, Link(code=payer), details, rank)
