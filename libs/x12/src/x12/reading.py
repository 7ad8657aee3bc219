"""One pass over a file: the envelope's events, and inside each transaction set what the reader of its type makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from x12.acknowledgement import AcknowledgementEvent
from x12.acknowledgement_reader import GroupAcknowledgementReader
from x12.claim_status_reader import ClaimStatusReader
from x12.envelope import (
    InterchangeAcknowledged,
    InterchangeEnded,
    InterchangeStarted,
    OutsideBytes,
    SetBody,
    SetEnded,
    SetStarted,
    TransactionSet,
)
from x12.envelope_reader import read_envelope
from x12.remittance import RemittanceEvent
from x12.remittance_reader import RemittanceReader
from x12.segments import DEFAULT_LIMITS, Limits, Run
from x12.splitter import Source
from x12.submitted_claim import SubmissionEvent
from x12.submitted_claim_reader import SubmittedClaimReader

ContentEvent = RemittanceEvent | SubmissionEvent | AcknowledgementEvent
Event = (
    InterchangeStarted
    | InterchangeAcknowledged
    | SetStarted
    | ContentEvent
    | SetEnded
    | InterchangeEnded
    | OutsideBytes
)


class SetReader(Protocol):
    """Reads the segments of one transaction set between ST and SE."""

    def read(self, run: Run) -> Iterator[ContentEvent]: ...

    def finish(self) -> Iterator[ContentEvent]: ...


READERS: dict[str, Callable[[TransactionSet], SetReader]] = {
    "835": RemittanceReader,
    "837": SubmittedClaimReader,
    "999": GroupAcknowledgementReader,
    "997": GroupAcknowledgementReader,
    "277": ClaimStatusReader,
}
VERSIONS = {
    "835": frozenset(["005010X221", "005010X221A1"]),
    "837": frozenset(
        ["005010X222", "005010X222A1", "005010X222A2", "005010X223", "005010X223A1", "005010X223A2", "005010X223A3"]
    ),
    "999": frozenset(["005010X231", "005010X231A1"]),
    "997": frozenset(["005010"]),
    "277": frozenset(["005010X212", "005010X214"]),
}


def read(source: Source, limits: Limits = DEFAULT_LIMITS) -> Iterator[Event]:
    """All events of a file in order; memory does not grow with it.

    A set of an unknown type or version is read as far as it can be and refused by a finding.

    Raises:
        NotAnInterchange, LimitExceeded: nothing further can be read.
    """
    reader: SetReader | None = None
    for event in read_envelope(source, limits):
        if isinstance(event, SetBody):
            if reader is not None:
                yield from reader.read(event.run)
            continue
        if isinstance(event, SetEnded) and reader is not None:
            yield from reader.finish()
            reader = None
        yield event
        if isinstance(event, SetStarted):
            reader = _reader_for(event.transaction_set)


def _reader_for(transaction_set: TransactionSet) -> SetReader | None:
    make = READERS.get(transaction_set.type)
    if make is None:
        transaction_set.findings.refuse("unsupported_type", "ST", 1, "this transaction set type is not read")
        return None
    if transaction_set.version not in VERSIONS[transaction_set.type]:
        transaction_set.findings.refuse("unsupported_version", "ST", 1, "this version of the guide is not read")
    return make(transaction_set)
