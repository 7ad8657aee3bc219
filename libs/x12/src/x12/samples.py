"""Synthetic remittances for tests, benchmarks and demonstrations; nobody in them is real, and they balance."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from canonical.money import Money

from x12.segments import Delimiters

STANDARD_DELIMITERS = Delimiters("*", ":", "^", "~")


@dataclass(frozen=True, slots=True)
class SampleAdjustment:
    group: str
    reason: str
    cents: int


@dataclass(frozen=True, slots=True)
class SampleLine:
    """A service line whose payment is its charge less its adjustments."""

    charge: int
    adjustments: tuple[SampleAdjustment, ...] = ()
    procedure: str = "99213"

    @property
    def paid(self) -> int:
        return self.charge - sum(adjustment.cents for adjustment in self.adjustments)


@dataclass(frozen=True, slots=True)
class SampleClaim:
    """A claim whose payment is that of its lines less its own adjustments."""

    number: str
    lines: tuple[SampleLine, ...]
    adjustments: tuple[SampleAdjustment, ...] = ()
    status: str = "1"

    @property
    def charge(self) -> int:
        return sum(line.charge for line in self.lines)

    @property
    def paid(self) -> int:
        return sum(line.paid for line in self.lines) - sum(adjustment.cents for adjustment in self.adjustments)

    @property
    def owed_by_patient(self) -> int:
        every = self.adjustments + tuple(each for line in self.lines for each in line.adjustments)
        return sum(adjustment.cents for adjustment in every if adjustment.group == "PR")


@dataclass(frozen=True, slots=True)
class SampleRemittance:
    """One 835 in one interchange. `provider_adjustments` are PLB reasons with cents."""

    claims: tuple[SampleClaim, ...]
    provider_adjustments: tuple[tuple[str, int], ...] = ()
    trace_number: str = "TRACE0001"
    control_number: int = 1
    usage: str = "P"

    @property
    def payment(self) -> int:
        return sum(claim.paid for claim in self.claims) - sum(cents for _, cents in self.provider_adjustments)

    def segments(self) -> list[list[str]]:
        """The transaction set from ST to SE; components of a composite are separated by `:`."""
        body = [["ST", "835", "0001"], *self._head()]
        for claim in self.claims:
            body += _claim_segments(claim)
        for reason, cents in self.provider_adjustments:
            body.append(["PLB", "1912301953", "20261231", reason, amount(cents)])
        return [*body, ["SE", str(len(body) + 1), "0001"]]

    def _head(self) -> Iterator[list[str]]:
        credit = "C" if self.payment >= 0 else "D"
        bank = [
            "CCP",
            "01",
            "999999992",
            "DA",
            "123456",
            "1512345678",
            "",
            "01",
            "999988880",
            "DA",
            "98765",
            "20260401",
        ]
        yield ["BPR", "I", amount(abs(self.payment)), credit, "ACH", *bank]
        yield ["TRN", "1", self.trace_number, "1512345678"]
        yield ["DTM", "405", "20260401"]
        yield ["N1", "PR", "SAMPLE HEALTH PLAN"]
        yield ["N3", "1 MAIN ST"]
        yield ["N4", "SAMPLETOWN", "AK", "99111"]
        yield ["N1", "PE", "SAMPLE CLINIC", "XX", "1912301953"]
        yield ["REF", "TJ", "777667755"]
        yield ["LX", "1"]


def amount(cents: int) -> str:
    """Cents as X12 writes them, with both decimals."""
    return Money(cents).decimal_text


def _claim_segments(claim: SampleClaim) -> Iterator[list[str]]:
    owed = amount(claim.owed_by_patient) if claim.owed_by_patient else ""
    payer_number = f"ICN{claim.number}"
    yield [
        "CLP",
        claim.number,
        claim.status,
        amount(claim.charge),
        amount(claim.paid),
        owed,
        "12",
        payer_number,
        "11",
        "1",
    ]
    yield from _adjustment_segments(claim.adjustments)
    yield ["NM1", "QC", "1", "SAMPLE", "ROBIN", "", "", "", "MI", f"W{claim.number}"]
    yield ["NM1", "82", "1", "HEALER", "KIM", "", "", "", "XX", "1912301953"]
    yield ["DTM", "232", "20260301"]
    for number, line in enumerate(claim.lines, 1):
        yield ["SVC", f"HC:{line.procedure}:25", amount(line.charge), amount(line.paid), "", "1"]
        yield ["DTM", "472", "20260301"]
        yield from _adjustment_segments(line.adjustments)
        yield ["REF", "6R", f"{claim.number}L{number}"]
        yield ["AMT", "B6", amount(line.charge)]


def _adjustment_segments(adjustments: tuple[SampleAdjustment, ...]) -> Iterator[list[str]]:
    by_group: dict[str, list[str]] = {}
    for adjustment in adjustments:
        by_group.setdefault(adjustment.group, []).extend([adjustment.reason, amount(adjustment.cents), ""])
    for group, triplets in by_group.items():
        for start in range(0, len(triplets), 18):
            yield ["CAS", group, *triplets[start : start + 18]][: 1 + 18]


def interchange(
    remittance: SampleRemittance, delimiters: Delimiters = STANDARD_DELIMITERS, line_break: str = ""
) -> bytes:
    """The whole interchange as bytes, with these separators and a line break after each segment."""
    number = f"{remittance.control_number:09d}"
    group = ["GS", "HP", "SAMPLEPLAN", "SAMPLECLINIC", "20260401", "1200", "1", "X", "005010X221A1"]
    header = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "SAMPLEPLAN".ljust(15), "ZZ", "SAMPLECLINIC".ljust(15)]
    header += ["260401", "1200", delimiters.repetition, "00501", number, "0", remittance.usage, delimiters.component]
    body = [group, *remittance.segments(), ["GE", "1", "1"], ["IEA", "1", number]]
    texts = [delimiters.element.join(header)]
    for segment in body:
        texts.append(delimiters.element.join(segment).rstrip(delimiters.element).replace(":", delimiters.component))
    end = delimiters.terminator + line_break
    return (end.join(texts) + end).encode("ascii")


def random_claims(count: int, seed: int, lines_max: int = 3) -> Iterable[SampleClaim]:
    """Paid, denied and partly paid claims, the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311  samples need repetition, not secrecy
    for index in range(count):
        lines = tuple(_random_line(dice) for _ in range(dice.randint(1, lines_max)))
        yield SampleClaim(f"PCN{seed}{index:07d}", lines)


def _random_line(dice: random.Random) -> SampleLine:
    charge = dice.randrange(5_000, 40_000)
    if dice.random() < 0.05:
        return SampleLine(charge, (SampleAdjustment("CO", "50", charge),))
    contractual = charge * dice.randrange(20, 50) // 100
    copay = min(dice.choice([0, 2_000, 2_500, 4_000]), charge - contractual)
    adjustments = (SampleAdjustment("CO", "45", contractual), SampleAdjustment("PR", "3", copay))
    return SampleLine(
        charge, tuple(each for each in adjustments if each.cents), dice.choice(["99213", "99214", "87070"])
    )
