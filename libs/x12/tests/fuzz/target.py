"""What has to hold of the reader for any bytes at all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from canonical.money import Money
from x12.errors import X12Refused
from x12.findings import Verdict
from x12.inspection import Inspection, SetInspection, inspect
from x12.masking import masked
from x12.rules import RULES
from x12.splitter import split

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Part of the first segment, also where that is an ST without an ISA before it."""
BLANKS = bytes(range(28)) + b" "
SEEDS = Path(__file__).parent / "seeds"


def kept_seeds() -> list[bytes]:
    """The files that fuzzing starts from: small ones of every kind, and every input that once broke something."""
    return [path.read_bytes() for path in sorted(SEEDS.iterdir())]


def examine(raw: bytes) -> Verdict:
    """Reads the bytes in every way there is.

    Raises:
        AssertionError: a promise of the reader is broken; any other exception is a defect as well.
    """
    inspection = inspect(raw)
    assert inspection.bytes == len(raw), "not all bytes were counted"
    assert inspection.model_dump_json(), "the answer is no data"
    _assert_consistent(inspection)
    for interchange in inspection.interchanges:
        for found in interchange.transaction_sets:
            _assert_sound(found, raw)
        _assert_apart(interchange.transaction_sets)
    _assert_lossless(raw, inspection)
    return inspection.verdict


def _assert_consistent(inspection: Inspection) -> None:
    verdicts = {found.verdict for each in inspection.interchanges for found in each.transaction_sets}
    if inspection.verdict is Verdict.ACCEPTED:
        assert verdicts <= {Verdict.ACCEPTED}, "a file is accepted and one of its sets is not"
        assert not inspection.refusal, "a file is accepted and was not read to its end"


def _assert_sound(found: SetInspection, raw: bytes) -> None:
    assert all(finding.code in RULES for finding in found.findings), "a finding of an unknown rule"
    span = raw[found.offset : found.offset + found.length].removeprefix(BYTE_ORDER_MARK)
    span = span.translate(None, b"\r\n").lstrip(BLANKS)
    empty_segments = b"" if span[:1].isalnum() else span[:1]
    assert span.lstrip(BLANKS + empty_segments).startswith(b"ST"), "a set does not begin where it is said to"
    if found.type == "835" and found.verdict is Verdict.ACCEPTED:
        assert (found.residuals, found.residual) == ((), Money(0)), "accepted, and does not add up"
        due = found.sums["CLP04"] - found.sums["PLB"]
        assert abs(due) == found.sums["BPR02"], "accepted, and the payment is not the sum of its parts"


def _assert_apart(sets: Sequence[SetInspection]) -> None:
    for before, after in pairwise(sets):
        assert before.offset + before.length <= after.offset, "a set reaches into the next one"


def _assert_lossless(raw: bytes, inspection: Inspection) -> None:
    pieces = []
    try:
        for segment in split(raw):
            pieces.append(segment.raw)
            masked(segment.text, segment.delimiters.element, "835")
    except X12Refused:
        assert inspection.refusal, "the splitter refused what the reader took"
        return
    assert b"".join(pieces) == raw, "bytes were lost"
