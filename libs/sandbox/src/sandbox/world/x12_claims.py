"""How a payer reads an 837P: strictly, with its own few lines, so that it can disagree with whoever wrote the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from canonical.money import Money, MoneyRefused, parse_x12_amount

ISA_BYTES = 106


class Unreadable(ValueError):
    """Bytes that do not even begin with an interchange header; nobody can be answered."""


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """One 2400 loop; `service_date` is the first day, as CCYYMMDD."""

    procedure_code: str
    modifiers: tuple[str, ...]
    charge: Money
    units: str
    service_date: str
    control_number: str


@dataclass(frozen=True, slots=True)
class ReceivedClaim:
    """One 2300 loop with what stands above it."""

    patient_control_number: str
    charge: Money
    place_of_service: str
    frequency: str
    billing_npi: str
    payer_identifier: str
    member_id: str
    family_name: str
    given_name: str
    lines: tuple[ReceivedLine, ...]

    @property
    def service_from(self) -> str:
        return min((line.service_date for line in self.lines if line.service_date), default="")

    @property
    def service_to(self) -> str:
        return max((line.service_date for line in self.lines if line.service_date), default="")


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
    if _at(trailer, 2) != _at(header, 6):
        fault = "4"
    elif _at(trailer, 1) != str(len(sets)):
        fault = "5"
    return ReceivedGroup(_at(header, 1), _at(header, 6), _at(header, 8), fault, sets)


def _sets(rows: Sequence[list[str]], component: str) -> Iterator[ReceivedSet]:
    start = 0
    for index, row in enumerate(rows):
        if row[0] == "ST":
            start = index
        elif row[0] == "SE":
            yield _set(rows[start : index + 1], component)


def _set(rows: Sequence[list[str]], component: str) -> ReceivedSet:
    header, trailer = rows[0], rows[-1]
    reader = _SetReader(component)
    fault = ""
    try:
        for row in rows[1:-1]:
            reader.take(row)
        reader.close_claim()
    except (MoneyRefused, IndexError):
        fault = "5"
    if _at(trailer, 2) != _at(header, 2):
        fault = "3"
    elif _at(trailer, 1) != str(len(rows)):
        fault = "4"
    elif not reader.claims:
        fault = "5"
    return ReceivedSet(
        _at(header, 2), _at(header, 1), _at(header, 3), reader.submitter_reference, fault, tuple(reader.claims)
    )


def _at(row: Sequence[str], index: int) -> str:
    return row[index] if index < len(row) else ""


@dataclass(slots=True)
class _OpenLine:
    procedure: list[str]
    charge: Money
    units: str
    service_date: str = ""
    control_number: str = ""


@dataclass(slots=True)
class _OpenClaim:
    patient_control_number: str
    charge: Money
    facility: list[str]
    lines: list[_OpenLine] = field(default_factory=list)


class _SetReader:
    """Takes the segments of one 837P in order and collects its claims."""

    def __init__(self, component: str) -> None:
        self._component = component
        self._claim: _OpenClaim | None = None
        self._billing_npi = self._payer = self._member = self._family = self._given = ""
        self.submitter_reference = ""
        self.claims: list[ReceivedClaim] = []

    def take(self, row: list[str]) -> None:
        match row[0]:
            case "BHT":
                self.submitter_reference = _at(row, 3)
            case "HL":
                self._start_level(row)
            case "NM1":
                self._name(row)
            case "CLM":
                self.close_claim()
                self._claim = _OpenClaim(row[1], parse_x12_amount(row[2]), row[5].split(self._component))
            case "SV1" if self._claim:
                self._claim.lines.append(
                    _OpenLine(row[1].split(self._component), parse_x12_amount(row[2]), _at(row, 4))
                )
            case "DTP" | "REF" if self._claim and self._claim.lines:
                self._line_detail(row, self._claim.lines[-1])

    def _start_level(self, row: list[str]) -> None:
        self.close_claim()
        if row[3] == "20":
            self._billing_npi = ""
        if row[3] in ("20", "22"):
            self._payer = self._member = self._family = self._given = ""

    def _name(self, row: list[str]) -> None:
        if self._claim:
            return
        match row[1]:
            case "85":
                self._billing_npi = _at(row, 9)
            case "PR":
                self._payer = _at(row, 9)
            case "IL":
                self._member, self._family, self._given = _at(row, 9), _at(row, 3), _at(row, 4)
            case "QC":
                self._family, self._given = _at(row, 3), _at(row, 4)

    def _line_detail(self, row: list[str], line: _OpenLine) -> None:
        if row[0] == "DTP" and row[1] == "472":
            line.service_date = row[3][:8]
        elif row[0] == "REF" and row[1] == "6R":
            line.control_number = row[2]

    def close_claim(self) -> None:
        if self._claim is None:
            return
        claim, self._claim = self._claim, None
        self.claims.append(
            ReceivedClaim(
                patient_control_number=claim.patient_control_number,
                charge=claim.charge,
                place_of_service=_at(claim.facility, 0),
                frequency=_at(claim.facility, 2),
                billing_npi=self._billing_npi,
                payer_identifier=self._payer,
                member_id=self._member,
                family_name=self._family,
                given_name=self._given,
                lines=tuple(_closed(line) for line in claim.lines),
            )
        )


def _closed(line: _OpenLine) -> ReceivedLine:
    return ReceivedLine(
        procedure_code=_at(line.procedure, 1),
        modifiers=tuple(line.procedure[2:6]),
        charge=line.charge,
        units=line.units,
        service_date=line.service_date,
        control_number=line.control_number,
    )
