"""What kind of file this is, from its first bytes."""

from __future__ import annotations

import re
from enum import StrEnum

HEAD_BYTES = 65_536
CHARGE_BATCH_COLUMNS = ("visit_number", "transaction_id")
"""By these two among its columns a charge batch is known."""

_BLANK = b" \t\r\n\x0b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_X12 = re.compile(rb"ISA[^A-Za-z0-9 \t\r\n]")
_BAI2 = re.compile(rb"01,[^,\r\n]*,[^,\r\n]*,[0-9]{6},")
_NACHA = re.compile(rb"101[ 0-9]{20}[0-9]{6}[ 0-9]{4}[A-Z0-9]094101")
_HL7 = re.compile(rb"(MSH|FHS|BHS)[^A-Za-z0-9\r\n]")
_SECOND_OBJECT = re.compile(rb"\}[ \t\r]*\n\s*\{")


class Format(StrEnum):
    """The formats that have a door."""

    FHIR = "fhir"
    NDJSON = "ndjson"
    HL7 = "hl7v2"
    X12 = "x12"
    BAI2 = "bai2"
    NACHA = "nacha"
    CHARGE_BATCH = "charge-batch"


def recognise(head: bytes) -> Format | None:
    """The format of a file that begins with `head`; None where no door takes it."""
    start = head.removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
    if start.startswith(b"{"):
        return _of_json(start)
    for pattern, kind in ((_X12, Format.X12), (_HL7, Format.HL7), (_BAI2, Format.BAI2), (_NACHA, Format.NACHA)):
        if pattern.match(start):
            return kind
    header = [name.strip(b' "\r').decode("latin-1") for name in start.split(b"\n", 1)[0].split(b",")]
    return Format.CHARGE_BATCH if all(name in header for name in CHARGE_BATCH_COLUMNS) else None


def _of_json(start: bytes) -> Format | None:
    """One resource, or one in each line: there an object ends in the line where it begins."""
    if b'"resourceType"' not in start:
        return None
    first = start.split(b"\n", 1)[0].rstrip()
    is_whole = first.endswith(b"}") and b'"resourceType"' in first
    return Format.NDJSON if is_whole and _SECOND_OBJECT.search(start) else Format.FHIR
