"""What kind of file this is, from its first bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

HEAD_BYTES = 65_536
_BLANK = b" \t\r\n\x0b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_X12 = re.compile(rb"ISA[^A-Za-z0-9 \t\r\n]")
_BAI2 = re.compile(rb"01,[^,\r\n]*,[^,\r\n]*,[0-9]{6},")
_HL7 = re.compile(rb"(MSH|FHS|BHS)[^A-Za-z0-9\r\n]")
_BATCH_SEGMENTS = (b"FHS", b"BHS", b"BTS", b"FTS")


class Format(StrEnum):
    """The formats that have a door."""

    FHIR = "fhir"
    HL7 = "hl7v2"
    X12 = "x12"
    BAI2 = "bai2"


def recognise(head: bytes) -> Format | None:
    """The format of a file that begins with `head`; None where no door takes it."""
    start = head.removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
    if start.startswith(b"{") and b'"resourceType"' in head:
        return Format.FHIR
    for pattern, kind in ((_X12, Format.X12), (_HL7, Format.HL7), (_BAI2, Format.BAI2)):
        if pattern.match(start):
            return kind
    return None


def hl7_messages(content: bytes) -> Iterator[bytes]:
    """The messages of a file, each with carriage returns between its segments; batch and MLLP framing is taken off."""
    text = content.removeprefix(_BYTE_ORDER_MARK).replace(b"\x0b", b"").replace(b"\x1c", b"")
    message: list[bytes] = []
    for segment in text.replace(b"\r\n", b"\r").replace(b"\n", b"\r").split(b"\r"):
        if segment.startswith(b"MSH") and message:
            yield b"\r".join(message) + b"\r"
            message = []
        if segment.strip() and not segment.startswith(_BATCH_SEGMENTS):
            message.append(segment)
    if message:
        yield b"\r".join(message) + b"\r"
