"""The splitter: no byte lost, no header seen where there is none, nothing beyond its bounds."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12.errors import LimitExceeded, NotAnInterchange
from x12.samples import SampleClaim, SampleLine, SampleRemittance, interchange, random_claims
from x12.segments import Delimiters, Limits, Segment
from x12.splitter import split

SAMPLE = interchange(SampleRemittance(tuple(random_claims(4, seed=1))))
ODD_DELIMITERS = [
    Delimiters("*", ":", "^", "~"),
    Delimiters("|", ">", "!", "\n"),
    Delimiters("\x1d", "\x1f", "\x1e", "\x1c"),
    Delimiters("~", "^", "%", "_"),
    Delimiters("+", ":", "^", "'"),
]


def texts_of(raw: bytes) -> list[str]:
    return [segment.text for segment in split(raw)]


def assert_tiles(segments: list[Segment], raw: bytes) -> None:
    assert b"".join(segment.raw for segment in segments) == raw
    assert all(each.raw == raw[each.offset : each.offset + each.length] for each in segments)
    assert all(before.offset + before.length == after.offset for before, after in pairwise(segments))


@st.composite
def chunkings(draw: st.DrawFn) -> list[bytes]:
    raw = draw(
        st.sampled_from(
            [SAMPLE, b"\xef\xbb\xbf" + SAMPLE.replace(b"~", b"~\r\n"), SAMPLE * 2 + b"\n\n", SAMPLE + b"x" + SAMPLE]
        )
    )
    cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=30)))
    return [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


@given(chunkings(), st.integers(1, 400))
def test_any_chunking_gives_the_same_segments_and_the_bytes_back(chunks: list[bytes], block_bytes: int) -> None:
    raw = b"".join(chunks)
    expected = [segment for segment in split(raw) if segment.text]
    actual = list(split(chunks, Limits(block_bytes=block_bytes)))
    assert_tiles(actual, raw)
    assert [segment for segment in actual if segment.text] == expected


@pytest.mark.parametrize("delimiters", ODD_DELIMITERS)
@pytest.mark.parametrize("line_break", ["", "\n", "\r\n"])
def test_any_delimiters_and_line_breaks_give_the_same_elements(delimiters: Delimiters, line_break: str) -> None:
    raw = interchange(SampleRemittance(tuple(random_claims(4, seed=1))), delimiters, line_break)
    plain = [segment.elements() for segment in split(SAMPLE)][1:]
    found = [[value.replace(delimiters.component, ":") for value in each.elements()] for each in split(raw)][1:]
    assert found == plain
    assert_tiles(list(split(raw)), raw)


def test_a_file_wrapped_at_eighty_columns_reads_as_if_it_were_not() -> None:
    wrapped = b"\n".join(SAMPLE[start : start + 80] for start in range(0, len(SAMPLE), 80))
    assert texts_of(wrapped) == texts_of(SAMPLE)
    assert_tiles(list(split(wrapped)), wrapped)


def test_positions_count_from_st() -> None:
    positions = {segment.tag: segment.position for segment in split(SAMPLE)}
    assert (positions["ISA"], positions["GS"], positions["ST"], positions["BPR"]) == (0, 0, 1, 2)
    assert positions["SE"] == len(texts_of(SAMPLE)) - 4
    assert positions["GE"] == positions["IEA"] == 0


def test_an_unpadded_header_is_read() -> None:
    raw = b"ISA*00* *00* *ZZ*A *ZZ*B *180613*1230*^*00501*100000300*0*P*:~GS*HP~IEA*0*100000300~"
    assert texts_of(raw)[1:] == ["GS*HP", "IEA*0*100000300"]


@pytest.mark.parametrize("end", [b"~", b"~\n"])
def test_a_header_without_isa16_is_read(end: bytes) -> None:
    raw = b"ISA*00* *00* *ZZ*A *ZZ*B *180613*1230*^*00501*100000300*0*P*" + end + b"GS*HP*A" + end + b"IEA*1*1" + end
    assert texts_of(raw)[1:] == ["GS*HP*A", "IEA*1*1"]


def test_names_that_begin_like_a_header_open_no_interchange() -> None:
    raw = SAMPLE.replace(b"SAMPLE*ROBIN", b"ISA*NARCISA").replace(b"REF*TJ*777667755", b"REF*TJ*ISAAC~ISAAC*1")
    tags = [segment.tag for segment in split(raw)]
    assert tags.count("ISA") == 1
    assert len(tags) == len(texts_of(SAMPLE)) + 1


def test_interchanges_with_different_delimiters_follow_each_other() -> None:
    other = interchange(SampleRemittance(tuple(random_claims(4, seed=1))), ODD_DELIMITERS[1])
    segments = list(split(SAMPLE + b"\r\n" + other + SAMPLE))
    assert [segment.tag for segment in segments].count("ISA") == 3
    assert_tiles(segments, SAMPLE + b"\r\n" + other + SAMPLE)


def test_a_header_without_a_trailer_before_it_opens_the_next_interchange() -> None:
    cut = SAMPLE[: SAMPLE.index(b"IEA*")]
    tags = [segment.tag for segment in split(cut + SAMPLE)]
    assert tags.count("ISA") == 2
    assert tags.count("IEA") == 1


def test_bytes_between_interchanges_are_a_gap_and_take_nothing_with_them() -> None:
    raw = SAMPLE + b"-- end of transmission, ISA of tomorrow follows --" + SAMPLE
    segments = list(split(raw))
    assert_tiles(segments, raw)
    assert [segment.text for segment in segments if segment.text] == texts_of(SAMPLE) * 2
    assert [segment.length for segment in segments if not segment.text] == [50]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"  \r\n",
        b"ST*835*0001~",
        b"ST*",
        b"STREET*MAIN~BPR*",
        b"%PDF-1.4",
        "ISA*00*".encode("utf-16"),
        b"ISAAC NEWTON~",
        b"ISA*00~",
    ],
)
def test_what_does_not_begin_with_a_header_is_refused(raw: bytes) -> None:
    with pytest.raises(NotAnInterchange):
        list(split(raw))


@pytest.mark.parametrize("length", [2_000, 40_000, 90_000])
@pytest.mark.parametrize("block_bytes", [100, 5_000, 300_000])
def test_a_segment_over_the_limit_is_cut_off_and_the_others_stay(length: int, block_bytes: int) -> None:
    raw = SAMPLE.replace(b"~LX", b"~NTE*" + b"A" * length + b"~\r\nLX")
    segments = list(split(raw, Limits(segment_bytes=1_500, block_bytes=block_bytes)))
    assert_tiles(segments, raw)
    texts = [segment.text for segment in segments if segment.text]
    long = next(index for index, text in enumerate(texts) if text.startswith("NTE"))
    assert len(texts[long]) == 1_500
    assert [*texts[:long], *texts[long + 1 :]] == texts_of(SAMPLE)


def test_a_file_without_terminators_is_refused_without_being_held_in_memory() -> None:
    read = 0

    def endless() -> io.BytesIO:
        nonlocal read
        read += 1
        return io.BytesIO(b"A" * 65_536)

    chunks = (endless().read() for _ in range(1_000))
    with pytest.raises(LimitExceeded):
        list(split(chunk for part in ([SAMPLE[:106]], chunks) for chunk in part))
    assert read < 100


def test_too_many_elements_and_too_many_segments_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        next(iter(split(SAMPLE))).elements(limit=5)
    with pytest.raises(LimitExceeded):
        list(split(SAMPLE, Limits(segments=5)))


@st.composite
def delimiters(draw: st.DrawFn) -> Delimiters:
    """Any three marks that the samples' own text does not hold."""
    marks = "*|+~'!^_>;%&$#@?\x1c\x1d\x1e\x1f"
    element, component, terminator = draw(st.lists(st.sampled_from(marks), min_size=3, max_size=3, unique=True))
    return Delimiters(element, component, "^" if "^" not in (element, component, terminator) else "=", terminator)


@given(
    st.lists(
        st.tuples(delimiters(), st.sampled_from(["", "\n", "\r\n"]), st.sampled_from([b"", b"\xef\xbb\xbf"])),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([b"", b"\r\n\r\n", b"   ", b"\x00\x00", b"\x1a"]),
    st.integers(1, 3_000),
)
def test_interchanges_of_any_make_come_back_byte_for_byte(
    makes: list[tuple[Delimiters, str, bytes]], padding: bytes, block_bytes: int
) -> None:
    remittance = SampleRemittance(tuple(random_claims(2, seed=7)))
    each = [mark + interchange(remittance, make, line_break) for make, line_break, mark in makes]
    raw = padding.join(each) + padding
    segments = list(split(raw, Limits(block_bytes=block_bytes)))
    assert_tiles(segments, raw)
    assert [segment.tag for segment in segments if segment.text].count("CLP") == 2 * len(makes)


@given(st.binary(max_size=400), st.integers(1, 200), st.integers(0, 400))
def test_whatever_can_be_split_comes_back_byte_for_byte(noise: bytes, block_bytes: int, place: int) -> None:
    raw = SAMPLE[: 106 + place] + noise + SAMPLE[106 + place :]
    assert_tiles(list(split(raw, Limits(block_bytes=block_bytes))), raw)


def test_every_real_file_comes_back_byte_for_byte(corpus_facts: dict[Path, str]) -> None:
    for path in corpus_facts:
        raw = path.read_bytes()
        assert_tiles(list(split(raw)), raw)


def test_one_line_of_samples_reads_back() -> None:
    one = SampleRemittance((SampleClaim("A1", (SampleLine(10_000),)),))
    assert "CLP*A1*1*100.00*100.00**12*ICNA1*11*1" in texts_of(interchange(one))
