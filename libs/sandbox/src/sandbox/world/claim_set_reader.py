"""The segments of one 837P, 837I or 837D, taken in order, as claims: subscriber, lines, and what other payers paid (COB)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from canonical.codes import AdjustmentGroup, ClaimType
from canonical.money import Money, parse_x12_amount

from sandbox.world.received_claims import (
    PRIMARY,
    Adjustment,
    PriorLine,
    PriorPayment,
    ReceivedClaim,
    ReceivedLine,
)

_SERVICES = {"SV1": ClaimType.PROFESSIONAL, "SV2": ClaimType.INSTITUTIONAL, "SV3": ClaimType.DENTAL}


def element_at(row: Sequence[str], index: int) -> str:
    """An element, empty where the segment ends before it."""
    return row[index] if index < len(row) else ""


@dataclass(slots=True)
class _OpenPriorLine:
    payer_identifier: str
    paid: Money
    adjustments: list[Adjustment] = field(default_factory=list)
    paid_on: str = ""


@dataclass(slots=True)
class _OpenLine:
    procedure: list[str]
    charge: Money
    units: str
    revenue_code: str = ""
    tooth: str = ""
    service_date: str = ""
    control_number: str = ""
    prior: list[_OpenPriorLine] = field(default_factory=list)


@dataclass(slots=True)
class _OpenPrior:
    sequence: str
    payer_identifier: str = ""
    paid: Money | None = None
    adjustments: list[Adjustment] = field(default_factory=list)


@dataclass(slots=True)
class _OpenClaim:
    patient_control_number: str
    charge: Money
    facility: list[str]
    lines: list[_OpenLine] = field(default_factory=list)
    prior: list[_OpenPrior] = field(default_factory=list)
    payer_reference: str = ""
    claim_type: ClaimType = ClaimType.PROFESSIONAL
    statement: tuple[str, str] = ("", "")
    admitted_on: str = ""
    drg: str = ""


class ClaimSetReader:
    """Takes the segments between ST and SE and collects the claims; `close_claim` after the last one.

    Raises:
        IndexError, ValueError: a segment that no payer could take.
    """

    def __init__(self, component: str) -> None:
        self._component = component
        self._claim: _OpenClaim | None = None
        self._sequence = PRIMARY
        self._billing_npi = self._payer = self._member = self._family = self._given = ""
        self.submitter_reference = ""
        self.claims: list[ReceivedClaim] = []

    def take(self, row: list[str]) -> None:
        """The next segment."""
        match row[0]:
            case "BHT":
                self.submitter_reference = element_at(row, 3)
            case "HL":
                self._start_level(row)
            case "CLM":
                self.close_claim()
                self._claim = _OpenClaim(row[1], parse_x12_amount(row[2]), row[5].split(self._component))
            case "SBR" if self._claim is None:
                self._sequence = element_at(row, 1)
            case "NM1" if self._claim is None:
                self._name(row)
            case _ if self._claim:
                self._claim_detail(row, self._claim)

    def _start_level(self, row: list[str]) -> None:
        self.close_claim()
        if row[3] == "20":
            self._billing_npi = ""
        if row[3] in ("20", "22"):
            self._sequence = PRIMARY
            self._payer = self._member = self._family = self._given = ""

    def _name(self, row: list[str]) -> None:
        match row[1]:
            case "85":
                self._billing_npi = element_at(row, 9)
            case "PR":
                self._payer = element_at(row, 9)
            case "IL":
                self._member, self._family, self._given = element_at(row, 9), element_at(row, 3), element_at(row, 4)
            case "QC":
                self._family, self._given = element_at(row, 3), element_at(row, 4)

    def _claim_detail(self, row: list[str], claim: _OpenClaim) -> None:
        if row[0] in _SERVICES:
            claim.claim_type = _SERVICES[row[0]]
            claim.lines.append(self._line(row))
        elif claim.lines:
            _line_detail(row, claim.lines[-1])
        elif row[0] == "SBR":
            claim.prior.append(_OpenPrior(element_at(row, 1)))
        elif claim.prior:
            _prior_detail(row, claim.prior[-1])
        elif row[0] == "REF" and row[1] == "F8":
            claim.payer_reference = row[2]
        else:
            self._stay_detail(row, claim)

    def _line(self, row: list[str]) -> _OpenLine:
        """SV1, SV2 or SV3: procedure, charge and units stand elsewhere in each."""
        match row[0]:
            case "SV1":
                return _OpenLine(row[1].split(self._component), parse_x12_amount(row[2]), element_at(row, 4))
            case "SV2":
                procedure = row[2].split(self._component)
                return _OpenLine(procedure, parse_x12_amount(row[3]), element_at(row, 5), revenue_code=row[1])
            case _:
                return _OpenLine(row[1].split(self._component), parse_x12_amount(row[2]), element_at(row, 6))

    def _stay_detail(self, row: list[str], claim: _OpenClaim) -> None:
        match row[0], element_at(row, 1):
            case "DTP", "434":
                first, last = row[3].split("-")
                claim.statement = (first, last)
            case "DTP", "435":
                claim.admitted_on = row[3][:8]
            case "HI", code if code.startswith(f"DR{self._component}"):
                claim.drg = code.split(self._component)[1]

    def close_claim(self) -> None:
        """The claim in hand is whole."""
        if self._claim is None:
            return
        claim, self._claim = self._claim, None
        self.claims.append(
            ReceivedClaim(
                patient_control_number=claim.patient_control_number,
                charge=claim.charge,
                place_of_service=element_at(claim.facility, 0),
                frequency=element_at(claim.facility, 2),
                billing_npi=self._billing_npi,
                payer_identifier=self._payer,
                member_id=self._member,
                family_name=self._family,
                given_name=self._given,
                lines=tuple(_closed(line) for line in claim.lines),
                sequence=self._sequence,
                prior=tuple(
                    PriorPayment(each.sequence, each.payer_identifier, each.paid, tuple(each.adjustments))
                    for each in claim.prior
                ),
                payer_reference=claim.payer_reference,
                claim_type=claim.claim_type,
                statement=claim.statement,
                admitted_on=claim.admitted_on,
                drg=claim.drg,
            )
        )


def _prior_detail(row: list[str], prior: _OpenPrior) -> None:
    if row[0] == "CAS":
        prior.adjustments.extend(_adjustments(row))
    elif row[0] == "AMT" and row[1] == "D":
        prior.paid = parse_x12_amount(row[2])
    elif row[0] == "NM1" and row[1] == "PR":
        prior.payer_identifier = element_at(row, 9)


def _line_detail(row: list[str], line: _OpenLine) -> None:
    match row[0], element_at(row, 1):
        case "SVD", payer:
            line.prior.append(_OpenPriorLine(payer, parse_x12_amount(row[2])))
        case "CAS", _ if line.prior:
            line.prior[-1].adjustments.extend(_adjustments(row))
        case "DTP", "573" if line.prior:
            line.prior[-1].paid_on = row[3]
        case "DTP", "472":
            line.service_date = row[3][:8]
        case "REF", "6R":
            line.control_number = row[2]
        case "TOO", _:
            line.tooth = element_at(row, 2)


def _adjustments(row: Sequence[str]) -> Iterator[Adjustment]:
    group = AdjustmentGroup(row[1])
    for start in range(2, len(row), 3):
        if row[start]:
            yield Adjustment(group, row[start], parse_x12_amount(row[start + 1]))


def _closed(line: _OpenLine) -> ReceivedLine:
    return ReceivedLine(
        procedure_code=element_at(line.procedure, 1),
        modifiers=tuple(line.procedure[2:6]),
        charge=line.charge,
        units=line.units,
        service_date=line.service_date,
        control_number=line.control_number,
        prior=tuple(
            PriorLine(each.payer_identifier, each.paid, tuple(each.adjustments), each.paid_on) for each in line.prior
        ),
        revenue_code=line.revenue_code,
        tooth=line.tooth,
    )
