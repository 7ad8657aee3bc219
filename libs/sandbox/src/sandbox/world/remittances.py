"""The payer's 835: several claims under one trace number, balanced at line, claim and transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from canonical.codes import AdjustmentGroup, ClaimType
from canonical.master_data import Entity, Payer
from canonical.money import Money, parse_x12_amount

from sandbox.world.adjudication import Decision, LineDecision
from sandbox.world.received_claims import Adjustment
from sandbox.world.x12_writing import TERMINATOR, Route, TransactionSet, amount_text, day_text, interchange, segment

VERSION_835 = "005010X221A1"
_ROUTING_OF_PAYER = "099900014"
_ROUTING_OF_PAYEE = "099900027"
_TRIPLETS_PER_CAS = 6
_PAIRS_PER_PLB = 6
_CLP06_OF_FILING_INDICATOR = {"CI": "15", "BL": "12"}  # the 835 has no CI or BL: indemnity, PPO


class NothingToCorrupt(ValueError):
    """A remittance without the segment whose amount was to be falsified."""


class NegativePayment(ValueError):
    """A payer cannot pay less than nothing."""


@dataclass(frozen=True, slots=True)
class PaidClaim:
    """One CLP: a decision under the payer's control number (CLP07).

    `forwarded_to` is the payer to which the claim crossed over (NM1*TT), `split_from` the payer's number of the claim of which this is a part
    (REF*F8).
    """

    decision: Decision
    payer_control_number: str
    forwarded_to: Payer | None = None
    split_from: str = ""


@dataclass(frozen=True, slots=True)
class ProviderAdjustment:
    """One PLB pair: PLB03-1, PLB03-2 where there is one, and an amount that lowers the payment when it is positive."""

    code: str
    reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Remittance:
    """One 835 as it was sent. `amount` is what the bank will deposit, `trace_company` is TRN03.

    `content` is what the biller gets; `faithful_content` differs from it only when the payer was told to corrupt it.
    """

    payer: Payer
    entity: Entity
    trace_number: str
    amount: Money
    payment_date: date
    claims: tuple[PaidClaim, ...]
    content: bytes
    faithful_content: bytes
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()

    @property
    def trace_company(self) -> str:
        return f"1{self.payer.x12_identifier}"


def write_remittance(
    payer: Payer,
    entity: Entity,
    trace_number: str,
    payment_date: date,
    claims: Sequence[PaidClaim],
    control_number: int,
    provider_adjustments: Sequence[ProviderAdjustment] = (),
) -> Remittance:
    """Write one 835; a total of zero is a notification without payment (BPR01 H, BPR04 NON).

    Raises:
        NegativePayment: more is taken than paid; a forwarded balance (PLB FB) is missing.
    """
    taken = Money.total(each.amount for each in provider_adjustments)
    amount = Money.total(claim.decision.paid for claim in claims) - taken
    if amount < Money(0):
        raise NegativePayment(f"{trace_number}: {amount}")
    route = Route(payer.receiver_id, entity.submitter_id, control_number, _at_noon(payment_date))
    segments = [*_header(payer, entity, trace_number, payment_date, amount), "LX*1"]
    for claim in claims:
        segments.extend(_claim(claim, payer))
    segments.extend(_provider_segments(entity, payment_date, provider_adjustments))
    content = interchange(route, "HP", VERSION_835, [TransactionSet("835", "", segments)])
    return Remittance(
        payer,
        entity,
        trace_number,
        amount,
        payment_date,
        tuple(claims),
        content,
        content,
        tuple(provider_adjustments),
    )


def _at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, 0)  # noqa: DTZ001 (X12 carries local wall time without a zone)


def _header(payer: Payer, entity: Entity, trace_number: str, day: date, amount: Money) -> Iterator[str]:
    company = f"1{payer.x12_identifier}"
    if amount:
        banks = ("01", _ROUTING_OF_PAYER, "DA", "7700100001", company, "", "01", _ROUTING_OF_PAYEE, "DA")
        yield segment("BPR", "I", amount_text(amount), "C", "ACH", "CCP", *banks, entity.bank_account, day_text(day))
    else:
        yield segment("BPR", "H", "0", "C", "NON", *[""] * 11, day_text(day))
    yield segment("TRN", "1", trace_number, company)
    yield segment("DTM", "405", day_text(day))
    yield segment("N1", "PR", payer.name, "XV", payer.x12_identifier)
    yield segment("N3", "1 PAYER PLAZA")
    yield segment("N4", "COLUMBUS", "OH", "432150001")
    yield segment("PER", "BL", "EDI SUPPORT", "TE", "5555550199")
    yield segment("N1", "PE", entity.name.upper(), "XX", entity.npi)
    yield segment("N3", entity.address.line.upper())
    yield segment("N4", entity.address.city.upper(), entity.address.state, entity.address.postal_code)
    yield segment("REF", "TJ", entity.tax_id)


def _claim(paid: PaidClaim, payer: Payer) -> Iterator[str]:
    decision, claim = paid.decision, paid.decision.claim
    owed = decision.patient_responsibility
    yield segment(
        "CLP",
        claim.patient_control_number,
        decision.status,
        amount_text(claim.charge),
        amount_text(decision.paid),
        amount_text(owed) if owed else "",
        _CLP06_OF_FILING_INDICATOR.get(payer.claim_filing_indicator, payer.claim_filing_indicator),
        paid.payer_control_number,
        claim.place_of_service,
        claim.frequency,
        "",
        claim.drg,
    )
    yield from _adjustment_segments(decision.claim_adjustments)
    yield segment("NM1", "QC", "1", claim.family_name, claim.given_name, "", "", "", "MI", claim.member_id)
    if paid.forwarded_to:
        carrier = paid.forwarded_to
        yield segment("NM1", "TT", "2", carrier.name, "", "", "", "", "PI", carrier.x12_identifier)
    if claim.is_inpatient:
        yield segment("MIA", str(claim.days))
    if paid.split_from:
        yield segment("REF", "F8", paid.split_from)
    yield segment("DTM", "232", claim.service_from)
    yield segment("DTM", "233", claim.service_to)
    for line in decision.lines:
        yield from _line(line, claim.claim_type)


def _line(decision: LineDecision, claim_type: ClaimType) -> Iterator[str]:
    """A line of a facility names its revenue code beside the procedure, or alone as the procedure of kind NU."""
    line = decision.line
    qualifier = "AD" if claim_type is ClaimType.DENTAL else "HC"
    procedure, revenue = ":".join((qualifier, line.procedure_code, *line.modifiers)), line.revenue_code
    if not line.procedure_code:
        procedure, revenue = f"NU:{line.revenue_code}", ""
    yield segment("SVC", procedure, amount_text(line.charge), amount_text(decision.paid), revenue, line.units)
    if line.service_date:
        yield segment("DTM", "472", line.service_date)
    yield from _adjustment_segments(decision.adjustments)
    if line.control_number:
        yield segment("REF", "6R", line.control_number)
    if decision.allowed:
        yield segment("AMT", "B6", amount_text(decision.allowed))


def _provider_segments(entity: Entity, day: date, adjustments: Sequence[ProviderAdjustment]) -> Iterator[str]:
    """Up to six pairs in each PLB, under the last day of the fiscal year."""
    for start in range(0, len(adjustments), _PAIRS_PER_PLB):
        pairs: list[str] = []
        for each in adjustments[start : start + _PAIRS_PER_PLB]:
            pairs += [f"{each.code}:{each.reference}".rstrip(":"), amount_text(each.amount)]
        yield segment("PLB", entity.npi, f"{day.year}1231", *pairs)


def _adjustment_segments(adjustments: Sequence[Adjustment]) -> Iterator[str]:
    """One CAS per group, at most six reasons in each."""
    for group in AdjustmentGroup:
        own = [each for each in adjustments if each.group is group]
        for start in range(0, len(own), _TRIPLETS_PER_CAS):
            triplets: list[str] = []
            for each in own[start : start + _TRIPLETS_PER_CAS]:
                triplets += [each.reason, amount_text(each.amount), ""]
            yield segment("CAS", group.value, *triplets)


def corrupted(remittance: Remittance, name: str = "SVC", ordinal: int = 0) -> Remittance:
    """The same remittance with one amount one cent too high: SVC03 or CAS03 of the `ordinal`-th such segment.

    Raises:
        NothingToCorrupt: no such segment.
    """
    lines = remittance.content.decode("ascii").split(TERMINATOR)
    places = [index for index, line in enumerate(lines) if line.startswith(f"{name}*")]
    if ordinal >= len(places):
        raise NothingToCorrupt(f"{remittance.trace_number}: no {name} number {ordinal}")
    elements = lines[places[ordinal]].split("*")
    elements[3] = amount_text(parse_x12_amount(elements[3]) + Money(1))
    lines[places[ordinal]] = "*".join(elements)
    return replace(remittance, content=TERMINATOR.join(lines).encode("ascii"))


def in_other_layout(content: bytes) -> bytes:
    """The same segments, each on a line of its own: other bytes, the same remittance."""
    return content.replace(TERMINATOR.encode(), f"{TERMINATOR}\r\n".encode())


def with_other_delimiters(content: bytes) -> bytes:
    """The same segments with `|` between elements, `>` between components, and a line feed at the end of each."""
    return content.translate(bytes.maketrans(b"*:~", b"|>\n"))
