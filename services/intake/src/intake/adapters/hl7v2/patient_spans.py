"""Which bytes of a message that names several patients belong to which of them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from intake.adapters.hl7v2.context import Reading
from intake.adapters.hl7v2.patients import patient_link
from intake.adapters.hl7v2.segments import Message
from intake.adapters.hl7v2.wire import BLANKS

Span = tuple[int, int, UUID]


def patient_spans(raw: bytes, message: Message, reading: Reading) -> tuple[Span, ...]:
    """Start, length and patient of each PID with what follows it; nothing for a message about one patient."""
    if len(message.segments("PID")) < 2:
        return ()
    starts = list(_starts(raw))
    assert len(starts) == len(message.rows), "bytes and text have the same segments"
    spans = []
    for group in message.groups("PID"):
        start, after = starts[group.rows[0].number - 1], group.rows[-1].number
        end = starts[after] if after < len(starts) else len(raw)
        patient = patient_link(group.rows[0], reading)
        if patient.id is not None:
            spans.append((start, end - start, patient.id))
    return tuple(spans)


def _starts(raw: bytes) -> Iterator[int]:
    """Where each segment begins that is not empty; bytes of every character set we read divide as their text does."""
    mark = b"\r" if b"\r" in raw else b"\n"
    at = 0
    for row in raw.split(mark):
        if row.strip(BLANKS.encode()):
            yield at
        at += len(row) + 1
