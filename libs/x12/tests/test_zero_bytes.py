"""A zero byte is no part of any text: it costs the set that holds it, or all that the segment heads, and nothing else."""

from __future__ import annotations

import pytest
from x12.envelope import InterchangeAcknowledged, SetEnded
from x12.envelope_reader import read_envelope
from x12.findings import Verdict
from x12.segments import Limits

from .test_envelope import SAMPLE, SET, sets_of, with_sets

SECOND, THIRD = SET.replace(b"*0001~", b"*0002~"), SET.replace(b"*0001~", b"*0003~")
ACCEPTED, REFUSED = Verdict.ACCEPTED, Verdict.REFUSED


def verdicts(raw: bytes) -> list[Verdict]:
    return [each.verdict for each in sets_of(raw)]


@pytest.mark.parametrize("place", [b"CLP*", b"N1*PR*", b"ST*835*", b"TRN*1*", b"SE*", b"BP"], ids=bytes.decode)
@pytest.mark.parametrize("block_bytes", [700, 100_000])
def test_a_zero_byte_in_a_set_refuses_that_set_alone(place: bytes, block_bytes: int) -> None:
    raw = with_sets(SET, SECOND.replace(place, place + b"\x00", 1), THIRD)
    events = read_envelope(raw, Limits(block_bytes=block_bytes))
    sets = [each.transaction_set for each in events if isinstance(each, SetEnded)]
    assert [each.verdict for each in sets] == [ACCEPTED, REFUSED, ACCEPTED]
    assert "zero_byte" in [finding.code for finding in sets[1].findings.kept]


def test_the_finding_says_which_segment_holds_it() -> None:
    (only,) = sets_of(SAMPLE.replace(b"CLP*", b"CLP*\x00", 1))
    (finding,) = only.findings.kept
    assert SET.split(b"~")[finding.position - 1].startswith(b"CLP*")


@pytest.mark.parametrize(
    ("before", "holed"),
    [(b"GS*HP*", b"GS*HP\x00*"), (b"ISA*00*", b"ISA*0\x00*"), (b"GE*1*", b"GE*1\x00*"), (b"IEA*1*", b"IEA*1\x00*")],
    ids=["GS", "ISA", "GE", "IEA"],
)
def test_a_zero_byte_in_a_header_or_trailer_costs_what_it_goes_round(before: bytes, holed: bytes) -> None:
    raw, sound = SAMPLE.replace(before, holed, 1), SAMPLE.replace(b"000000001", b"000000002")
    assert verdicts(raw) == [REFUSED]
    assert verdicts(raw + sound) == [REFUSED, ACCEPTED]


def test_an_interchange_acknowledgement_with_a_zero_byte_says_nothing() -> None:
    told = b"TA1*000000001*260227*1200*A*000~"
    head, rest = SAMPLE[: SAMPLE.index(b"GS*")], SAMPLE[SAMPLE.index(b"GS*") :]
    for ta1, count in ((told, 1), (told.replace(b"*A*", b"*A\x00*"), 0)):
        events = list(read_envelope(head + ta1 + rest))
        assert sum(isinstance(each, InterchangeAcknowledged) for each in events) == count


def test_zero_bytes_between_segments_are_padding() -> None:
    assert verdicts(SAMPLE.replace(b"~", b"~\x00\x00") + b"\x00" * 50) == [ACCEPTED]
