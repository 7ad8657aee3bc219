"""Balanced remittances of every shape, drawn by hypothesis and written here segment by segment, by none of the code they test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

ISA = "ISA*00*          *00*          *ZZ*SAMPLEPLAN     *ZZ*SAMPLECLINIC   *260401*1200*^*00501*000000001*0*P*:"
GS = "GS*HP*SAMPLEPLAN*SAMPLECLINIC*20260401*1200*1*X*005010X221A1"
BANK = "ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20260401"
GROUPS = ("CO", "OA", "PI", "PR")
STATUSES = ("1", "2", "3", "4", "19", "20", "21", "22", "23", "25")
CENTS_MAX = 5_000_000

Adjustment = tuple[str, str, int]


@dataclass(frozen=True)
class Line:
    charge: int
    adjustments: tuple[Adjustment, ...]

    @property
    def paid(self) -> int:
        return self.charge - sum(cents for _, _, cents in self.adjustments)


@dataclass(frozen=True)
class Claim:
    """`bare` is the charge of a claim that is told without lines."""

    status: str
    lines: tuple[Line, ...]
    adjustments: tuple[Adjustment, ...]
    bare: int
    states_patient_share: bool

    @property
    def charge(self) -> int:
        return sum(line.charge for line in self.lines) if self.lines else self.bare

    @property
    def paid(self) -> int:
        told = sum(line.paid for line in self.lines) if self.lines else self.bare
        return told - sum(cents for _, _, cents in self.adjustments)

    @property
    def patient_share(self) -> int:
        every = [*self.adjustments, *(each for line in self.lines for each in line.adjustments)]
        return sum(cents for group, _, cents in every if group == "PR")


@dataclass(frozen=True)
class Remittance:
    """One set. `provider_adjustments` are PLB segments, each of one to six pairs of code and cents."""

    claims: tuple[Claim, ...]
    provider_adjustments: tuple[tuple[tuple[str, int], ...], ...]
    style: int

    @property
    def payment(self) -> int:
        taken = sum(cents for pairs in self.provider_adjustments for _, cents in pairs)
        return sum(claim.paid for claim in self.claims) - taken


_cents = st.integers(-CENTS_MAX, CENTS_MAX)
_adjustments = st.lists(
    st.tuples(st.sampled_from(GROUPS), st.sampled_from(["1", "2", "3", "45", "97", "253"]), _cents), max_size=8
).map(tuple)
_lines = st.lists(st.builds(Line, _cents, _adjustments), max_size=4).map(tuple)
_claims = st.builds(Claim, st.sampled_from(STATUSES), _lines, _adjustments, _cents, st.booleans())
_pairs = st.lists(st.tuples(st.sampled_from(["WO:R1", "FB", "72:R1", "L6", "CS"]), _cents), min_size=1, max_size=6)
_remittances = st.builds(
    Remittance,
    st.lists(_claims, max_size=4).map(tuple),
    st.lists(_pairs.map(tuple), max_size=3).map(tuple),
    st.integers(0, 3),
)


def reversal_of(claim: Claim) -> Claim:
    """The claim with every amount turned, as status 22 takes it back."""

    def turned(adjustments: tuple[Adjustment, ...]) -> tuple[Adjustment, ...]:
        return tuple((group, reason, -cents) for group, reason, cents in adjustments)

    lines = tuple(Line(-line.charge, turned(line.adjustments)) for line in claim.lines)
    return Claim("22", lines, turned(claim.adjustments), -claim.bare, claim.states_patient_share)


@st.composite
def files(draw: st.DrawFn) -> tuple[Remittance, ...]:
    """One to three sets; now and then one holds a claim, its reversal and its correction, or pays nothing at all."""
    found = draw(st.lists(_remittances, min_size=1, max_size=3))
    if draw(st.booleans()):
        claim, corrected = draw(_claims), draw(_claims)
        first = found[0]
        found[0] = Remittance(
            (*first.claims, claim, reversal_of(claim), corrected), first.provider_adjustments, first.style
        )
    if draw(st.booleans()):
        last = found[-1]
        forwarded = (("FB", last.payment),)
        found[-1] = Remittance(last.claims, (*last.provider_adjustments, forwarded), last.style)
    return tuple(found)


def amount(cents: int, style: int) -> str:
    """Cents in one of the ways in which X12 may write them."""
    value = Decimal(cents).scaleb(-2)
    if style == 0:
        return f"{value:.2f}"
    short = f"{value.normalize():f}"
    if style == 1:
        return short
    if style == 2:
        return f"{value:.4f}"
    return short.replace("0.", ".", 1) if abs(value) < 1 and "." in short else short + ("" if "." in short else ".")


def segments_of(remittances: tuple[Remittance, ...]) -> list[str]:
    """The whole interchange."""
    body = [ISA, GS]
    for number, each in enumerate(remittances, 1):
        inner = [f"ST*835*{number:04d}", *_set(each, number)]
        body += [*inner, f"SE*{len(inner) + 1}*{number:04d}"]
    return [*body, f"GE*{len(remittances)}*1", "IEA*1*000000001"]


def file_of(segments: list[str]) -> bytes:
    return ("~\n".join(segments) + "~\n").encode()


def _set(remittance: Remittance, number: int) -> Iterator[str]:
    style, payment = remittance.style, remittance.payment
    yield f"BPR*I*{amount(abs(payment), style)}*{'D' if payment < 0 else 'C'}*{BANK}"
    yield f"TRN*1*TRACE{number}*1512345678"
    yield from ("N1*PR*SAMPLE HEALTH PLAN", "N1*PE*SAMPLE CLINIC*XX*1912301953", "LX*1")
    yield "TS3*1912301953*11*20261231*1*12.34"
    for index, claim in enumerate(remittance.claims):
        yield from _claim(claim, f"PCN{number}-{index}", style)
    for pairs in remittance.provider_adjustments:
        told = "*".join(f"{code}*{amount(cents, style)}" for code, cents in pairs)
        yield f"PLB*1912301953*20261231*{told}"


def _claim(claim: Claim, number: str, style: int) -> Iterator[str]:
    owed = amount(claim.patient_share, style) if claim.states_patient_share else ""
    money = f"{amount(claim.charge, style)}*{amount(claim.paid, style)}*{owed}"
    yield f"CLP*{number}*{claim.status}*{money}*12*ICN{number}*11*1"
    yield from _cas(claim.adjustments, style)
    yield from ("NM1*QC*1*SAMPLE*ROBIN****MI*W1", "MOA*.5*1.25*MA01", "AMT*AU*77.77", "QTY*CA*3")
    for line in claim.lines:
        yield f"SVC*HC:99213:25*{amount(line.charge, style)}*{amount(line.paid, style)}**1"
        yield from _cas(line.adjustments, style)
        yield from ("REF*6R*L1", "AMT*B6*88.88")


def _cas(adjustments: tuple[Adjustment, ...], style: int) -> Iterator[str]:
    """Neighbours of one group share a segment, up to six; so that every triplet is somebody's."""
    start = 0
    while start < len(adjustments):
        end = start
        while end < len(adjustments) and end - start < 6 and adjustments[end][0] == adjustments[start][0]:
            end += 1
        triplets = [f"{reason}*{amount(cents, style)}*" for _, reason, cents in adjustments[start:end]]
        yield f"CAS*{adjustments[start][0]}*{'*'.join(triplets)}".rstrip("*")
        start = end
