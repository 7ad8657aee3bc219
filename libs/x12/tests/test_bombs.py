"""Files built to hurt: counts without end, repeats, endless segments. Each ends in a typed verdict, and memory does not follow the file."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from canonical.money import Money
from x12 import values
from x12.findings import KEPT_OF_A_FILE_MAX, Verdict
from x12.inspection import Inspection, inspect
from x12.samples import SampleRemittance, interchange, random_claims
from x12.segments import Limits

SAMPLE = interchange(SampleRemittance(tuple(random_claims(2, seed=1))))
HEAD = SAMPLE[: SAMPLE.index(b"LX*1~") + 5]
TAIL = SAMPLE[SAMPLE.index(b"SE*") :]
ISA = SAMPLE[:106]
LIMITS = Limits(section_bytes=50_000, transaction_sets=100, interchanges=100, block_bytes=16_384)
ROUNDS = 40
REMEMBERED_MAX = 1_000

Bomb = Callable[[int], Iterator[bytes]]


def inside_a_set(make: Callable[[int], bytes]) -> Bomb:
    def bomb(rounds: int) -> Iterator[bytes]:
        yield HEAD
        for number in range(rounds):
            yield make(number)
        yield TAIL

    return bomb


def after_a_header(make: Callable[[int], bytes]) -> Bomb:
    def bomb(rounds: int) -> Iterator[bytes]:
        yield ISA
        for number in range(rounds):
            yield make(number)

    return bomb


def after_an_interchange(make: Callable[[int], bytes]) -> Bomb:
    def bomb(rounds: int) -> Iterator[bytes]:
        yield SAMPLE
        for number in range(rounds):
            yield make(number)

    return bomb


def numbered(template: bytes, times: int) -> Callable[[int], bytes]:
    """`template` with a number of its own in the place of each `#`."""
    return lambda number: b"".join(template.replace(b"#", b"%d" % (number * times + each)) for each in range(times))


BOMBS: dict[str, Bomb] = {
    "claims that are all different": inside_a_set(numbered(b"CLP*P#*1*#*#**12*I#~SVC*HC:#*#*#~", 100)),
    "claims of statuses that do not exist": inside_a_set(numbered(b"CLP*P#*X#*1*1~", 200)),
    "a claim that never ends": inside_a_set(lambda _: b"CAS*CO*45*1~" * 500),
    "a head that never ends": inside_a_set(lambda _: b"REF*EV*1~" * 500),
    "segments that do not exist": inside_a_set(lambda _: b"CLP*1*1*1*1~" + b"XYZ*1~" * 500),
    "header numbers without claims": inside_a_set(numbered(b"LX*#~TS3*#~", 300)),
    "elements without end": inside_a_set(lambda _: b"CLP*1*1*1*1~CAS*CO" + b"*" * 9_000 + b"~"),
    "components without end": inside_a_set(lambda _: b"CLP*1*1*1*1~SVC*HC" + b":" * 9_000 + b"*1*1~"),
    "long amounts that are all different": inside_a_set(numbered(b"CLP*1*1*#" + b"9" * 2_000 + b"*1~", 5)),
    "segments outside of any set": after_a_header(lambda _: b"XYZ*1~" * 1_000),
    "sets without end": after_a_header(numbered(b"ST*835*#~XYZ~XYZ~CLP~", 30)),
    "sets with long numbers": after_a_header(numbered(b"ST*835*#" + b"9" * 4_000 + b"~", 4)),
    "groups without end": after_a_header(numbered(b"GS*HP*A*B*C*D*#~GE*1*#~", 100)),
    "interchange acknowledgements without end": after_a_header(numbered(b"TA1*#*A*B*A*000~", 100)),
    "interchanges without end": after_a_header(lambda _: ISA * 30),
    "blanks without end": after_a_header(lambda _: b"\n" * 20_000),
    "bytes that are no X12": after_an_interchange(lambda _: b"\x01\x02 not X12 " * 500),
    "headers that are none": after_an_interchange(lambda _: b"ISA*00*" * 1_000),
    "a segment that never ends": after_a_header(lambda _: b"A" * 20_000),
}


def peak_of(bomb: Bomb, rounds: int) -> tuple[Inspection, int]:
    tracemalloc.start()
    try:
        inspection = inspect(bomb(rounds), LIMITS)
        return inspection, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_memory_does_not_follow_a_bomb(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "_REMEMBERED_MAX", REMEMBERED_MAX)
    peak_of(BOMBS[name], ROUNDS)
    small, before = peak_of(BOMBS[name], ROUNDS)
    large, after = peak_of(BOMBS[name], ROUNDS * 4)
    assert after < before + 150_000, (before, after)
    assert {small.verdict, large.verdict} <= {Verdict.QUARANTINED, Verdict.REFUSED}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_gets_a_typed_verdict(name: str) -> None:
    assert inspect(BOMBS[name](20), LIMITS).verdict is not Verdict.ACCEPTED


def test_the_findings_of_a_file_are_bounded_and_each_bad_set_keeps_its_first() -> None:
    inspection = inspect(BOMBS["sets without end"](60), Limits())
    found = inspection.interchanges[0].transaction_sets
    assert len(found) == 1_800
    assert sum(len(each.findings) for each in found) < KEPT_OF_A_FILE_MAX + 2 * len(found)
    assert all(each.findings and each.verdict is not Verdict.ACCEPTED for each in found)


def test_a_set_over_a_limit_takes_no_other_set_with_it() -> None:
    start, end = SAMPLE.index(b"ST*"), SAMPLE.index(b"GE*")
    sound = SAMPLE[start:end]
    bomb = sound.replace(b"*0001~", b"*0002~").replace(b"~SVC*", b"~" + b"CAS*CO*45*1~" * 8_000 + b"SVC*", 1)
    last = sound.replace(b"*0001~", b"*0003~")
    raw = SAMPLE.replace(sound, sound + bomb + last).replace(b"GE*1*", b"GE*3*")
    first, over, third = inspect(raw, LIMITS).interchanges[0].transaction_sets
    assert (first.verdict, over.verdict, third.verdict) == (Verdict.ACCEPTED, Verdict.REFUSED, Verdict.ACCEPTED)
    assert "set_over_limit" in {finding.code for finding in over.findings}
    assert third.residual == Money(0)
