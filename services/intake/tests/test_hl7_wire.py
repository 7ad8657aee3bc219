"""The text of a message: delimiters, character sets, escapes, limits; and frames of a connection."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from intake.adapters.hl7v2.frames import BadFrame, FrameReader
from intake.adapters.hl7v2.segments import parse
from intake.adapters.hl7v2.stamps import instant_of
from intake.adapters.hl7v2.wire import FIELDS_MAX, SEGMENTS_MAX, read_text
from intake.domain.refusals import InvalidMessage

HEAD = "MSH|^~\\&|ehr|NORTH|||20260301||ADT^A08|1|P|2.5.1"


def message(body: str, head: str = HEAD) -> bytes:
    return f"{head}\r{body}\r".encode()


def pid_5(body: str) -> str:
    pid = parse(message(body)).first("PID")
    assert pid is not None
    return pid.field(5)


@pytest.mark.parametrize(
    ("escaped", "value"),
    [
        ("O\\T\\Hara", "O&Hara"),
        ("a\\F\\b\\S\\c\\R\\d\\E\\e", "a|b^c~d\\e"),
        ("Caf\\XC3A9\\", "Café"),
        ("two\\.br\\lines", "two lines"),
        ("\\H\\bold\\N\\", "bold"),
        ("lone \\ escape", "lone \\ escape"),
        ("\\Zodd\\ kept", "\\Zodd\\ kept"),
        ("no\\X0\\hex", "no\\X0\\hex"),
        ("nul\\X00\\l", "nul l"),
        ("\\", "\\"),
        ("\\E", "\\E"),
    ],
)
def test_escape_sequences_are_resolved_and_unknown_ones_stay(escaped: str, value: str) -> None:
    assert pid_5(f"PID|||||{escaped}") == value


def test_any_marks_may_delimit() -> None:
    raw = b"MSH$!*?%$ehr$NORTH$$$20260301$$ADT!A08$1$P$2.5.1\rPID$$$1!!!A!MR*2$$O?T?H!x\r"
    pid = parse(raw).first("PID")
    assert pid is not None
    assert (pid.field(3, 5), pid.repetitions(3), pid.field(5), pid.field(5, 2)) == ("MR", ["1", "2"], "O%H", "x")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_may_end_with_either_mark(end: str) -> None:
    raw = f"{HEAD}{end}PID|1{end}{end}PV1|1{end}".encode()
    assert [row.name for row in parse(raw).rows] == ["MSH", "PID", "PV1"]


def test_a_line_feed_within_a_segment_is_text() -> None:
    assert [row.name for row in parse(message("OBX|1|a\nPV1|2")).rows] == ["MSH", "OBX"]


@pytest.mark.parametrize(
    ("named", "encoding"),
    [
        ("", "utf-8"),
        ("UNICODE UTF-8", "utf-8"),
        ("8859/1", "latin-1"),
        ("8859/15", "iso8859-15"),
        ("8859/2~ASCII", "iso8859-2"),
    ],
)
def test_msh_18_says_how_the_text_is_read(named: str, encoding: str) -> None:
    raw = message("PID|||||Müller", f"{HEAD}||||||{named}").decode().encode(encoding)
    pid = parse(raw).first("PID")
    assert pid is not None
    assert pid.field(5) == "Müller"


@pytest.mark.parametrize("named", ["ASCII", "UTF-16", "ISO IR87", "UNICODE UTF-8"])
def test_text_that_is_not_what_msh_18_says_is_refused(named: str) -> None:
    raw = message("PID|||||M", f"{HEAD}||||||{named}").replace(b"|M\r", b"|M\xfc\r")
    with pytest.raises(InvalidMessage, match="MSH-18: character-set"):
        parse(raw)


def test_a_profile_may_know_the_character_set_better() -> None:
    raw = message("PID|||||M", f"{HEAD}||||||ASCII").replace(b"|M\r", b"|M\xfc\r")
    pid = parse(
        raw, lambda application, facility: "8859/1" if (application, facility) == ("ehr", "NORTH") else ""
    ).first("PID")
    assert pid is not None
    assert pid.field(5) == "Mü"


def test_an_empty_field_says_nothing_and_two_quotation_marks_that_there_is_nothing() -> None:
    pid = parse(message('PID|||||""||')).first("PID")
    assert pid is not None
    assert [(pid.field(number), pid.is_empty(number)) for number in (5, 6, 11)] == [("", False), ("", True), ("", True)]


@pytest.mark.parametrize(
    "body",
    [
        "pid|1",
        "P1|1",
        "PIDX|1",
        "PID|\x00",
        "PID|\x0b",
        "PID" + "|" * (FIELDS_MAX + 1),
        "Z01\r" * SEGMENTS_MAX,
    ],
)
def test_what_is_no_segment_or_too_much_is_refused(body: str) -> None:
    with pytest.raises(InvalidMessage, match="segments"):
        read_text(message(body))


def test_a_field_has_a_bounded_number_of_repetitions() -> None:
    pid = parse(message("PID|||" + "~".join("1" * 300))).first("PID")
    assert pid is not None
    with pytest.raises(InvalidMessage, match="PID-3: repetitions"):
        pid.repetitions(3)


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ("20260301", datetime(2026, 3, 1, tzinfo=UTC)),
        ("202603011530", datetime(2026, 3, 1, 15, 30, tzinfo=UTC)),
        ("20260301153000.123+0215", datetime(2026, 3, 1, 13, 15, tzinfo=UTC)),
        ("202603011530-0500", datetime(2026, 3, 1, 20, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("20261301", None),
        ("20260301+9", None),
        ("20260301+9999", None),
        ("٢٠٢٦٠٣٠١", None),
        ("", None),
    ],
)
def test_a_time_stamp_is_an_instant_or_none(stamp: str, instant: datetime | None) -> None:
    assert instant_of(stamp) == instant


def frames_of(*chunks: bytes) -> list[bytes]:
    """The frames that a connection gives which sends these chunks, and ends."""

    async def read() -> list[bytes]:
        stream = asyncio.StreamReader()
        for chunk in chunks:
            stream.feed_data(chunk)
        stream.feed_eof()
        reader = FrameReader(stream, idle_seconds=1, frame_seconds=1)
        found = []
        while (frame := await reader.next_frame()) is not None:
            found.append(frame)
        return found

    return asyncio.run(read())


def test_frames_come_whole_however_they_are_cut() -> None:
    assert frames_of(b"\x0bon", b"e\x1c", b"\r\x0btwo\x1c\r") == [b"one", b"two"]
    assert frames_of(b"\x0bone\x1c\r\r\n\x0btwo\x1c\r\r") == [b"one", b"two"]
    assert frames_of() == []


@pytest.mark.parametrize(
    "content",
    [
        b"MSH|",
        b"\x0bcut off",
        b"\x0bone\x1c\rjunk\x0btwo\x1c\r",
        b"\x0bone\x0btwo\x1c\r",
        b"\r" * 200,
        b"\x0b" + b"a" * 1_100_000,
    ],
)
def test_what_is_no_frame_ends_the_connection(content: bytes) -> None:
    with pytest.raises(BadFrame):
        frames_of(content)


def test_a_frame_that_does_not_go_on_ends_the_connection() -> None:
    async def read() -> None:
        stream = asyncio.StreamReader()
        stream.feed_data(b"\x0bslow")
        await FrameReader(stream, idle_seconds=1, frame_seconds=0.05).next_frame()

    with pytest.raises(TimeoutError):
        asyncio.run(read())
