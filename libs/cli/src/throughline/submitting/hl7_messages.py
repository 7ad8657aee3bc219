"""The messages in a file of HL7 v2."""

from __future__ import annotations

from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BATCH_SEGMENTS = (b"FHS", b"BHS", b"BTS", b"FTS")


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
