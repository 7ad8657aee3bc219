"""How a payer reads an 837: strictly, with its own few lines, so that it can disagree with whoever wrote the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.world.claim_set_reader import ClaimSetReader, element_at
from sandbox.world.received_claims import ReceivedClaim

ISA_BYTES = 106


class Unreadable(ValueError):
    """Bytes that do not even begin with an interchange header; nobody can be answered."""


@dataclass(frozen=True, slots=True)
class ReceivedSet:
    """One ST to SE; `fault` is an IK502 code (3, 4, 5) or empty."""

    control_number: str
    code: str
    reference: str
    submitter_reference: str
    fault: str
    claims: tuple[ReceivedClaim, ...]


@dataclass(frozen=True, slots=True)
class ReceivedGroup:
    """One GS to GE; `fault` is an AK905 code (4, 5) or empty."""

    functional_id: str
    control_number: str
    version: str
    fault: str
    sets: tuple[ReceivedSet, ...]


@dataclass(frozen=True, slots=True)
class ReceivedInterchange:
    """One ISA to IEA; `fault` is a TA105 code other than 000, or empty."""

    sender: str
    receiver: str
    control_number: str
    date: str
    time: str
    fault: str
    groups: tuple[ReceivedGroup, ...]


def read_interchange(content: bytes) -> ReceivedInterchange:
    """Read the one interchange of a file, its delimiters taken from its header.

    Raises:
        Unreadable: no ISA of 106 characters at the start.
    """
    text = content.decode("latin-1")
    if len(text) < ISA_BYTES or not text.startswith("ISA"):
        raise Unreadable(f"{len(text)} characters without a full ISA segment at the start")
    element, terminator = text[3], text[105]
    isa = text[: ISA_BYTES - 1].split(element)
    rows = [row.strip("\r\n").split(element) for row in text[ISA_BYTES:].split(terminator) if row.strip()]
    if len(isa) != 17:
        raise Unreadable(f"the ISA segment has {len(isa) - 1} elements, not 16")
    groups = tuple(_groups(rows, isa[16]))
    return ReceivedInterchange(
        sender=isa[6].strip(),
        receiver=isa[8].strip(),
        control_number=isa[13],
        date=isa[9],
        time=isa[10],
        fault=_interchange_fault(rows, isa[13], len(groups)),
        groups=groups,
    )


def _interchange_fault(rows: Sequence[list[str]], control_number: str, group_count: int) -> str:
    if not rows or rows[-1][0] != "IEA" or len(rows[-1]) < 3:
        return "023"
    _, count, trailer_number = rows[-1][:3]
    if trailer_number != control_number:
        return "001"
    if not count.isdigit() or int(count) != group_count:
        return "021"
    return ""


def _groups(rows: Sequence[list[str]], component: str) -> Iterator[ReceivedGroup]:
    start = 0
    for index, row in enumerate(rows):
        if row[0] == "GS":
            start = index
        elif row[0] == "GE":
            yield _group(rows[start : index + 1], component)


def _group(rows: Sequence[list[str]], component: str) -> ReceivedGroup:
    header, trailer = rows[0], rows[-1]
    sets = tuple(_sets(rows[1:-1], component))
    fault = ""
    if element_at(trailer, 2) != element_at(header, 6):
        fault = "4"
    elif element_at(trailer, 1) != str(len(sets)):
        fault = "5"
    return ReceivedGroup(element_at(header, 1), element_at(header, 6), element_at(header, 8), fault, sets)


def _sets(rows: Sequence[list[str]], component: str) -> Iterator[ReceivedSet]:
    start = 0
    for index, row in enumerate(rows):
        if row[0] == "ST":
            start = index
        elif row[0] == "SE":
            yield _set(rows[start : index + 1], component)


def _set(rows: Sequence[list[str]], component: str) -> ReceivedSet:
    header, trailer = rows[0], rows[-1]
    reader = ClaimSetReader(component)
    fault = ""
    try:
        for row in rows[1:-1]:
            reader.take(row)
        reader.close_claim()
    except (IndexError, ValueError):
        fault = "5"
    if element_at(trailer, 2) != element_at(header, 2):
        fault = "3"
    elif element_at(trailer, 1) != str(len(rows)):
        fault = "4"
    elif not reader.claims:
        fault = "5"
    return ReceivedSet(
        element_at(header, 2),
        element_at(header, 1),
        element_at(header, 3),
        reader.submitter_reference,
        fault,
        tuple(reader.claims),
    )
