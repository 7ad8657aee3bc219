"""One pass over a file: the envelope's events, and inside each transaction set what the reader of its type makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from x12.acknowledgement import AcknowledgementEvent
from x12.acknowledgement_reader import GroupAcknowledgementReader
from x12.claim_status_reader import ClaimStatusReader
from x12.eligibility import EligibilityAnswer
from x12.eligibility_reader import EligibilityReader
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
from x12.errors import LimitExceeded
from x12.policy import PolicyOf, strict
from x12.remittance import RemittanceEvent
from x12.remittance_reader import RemittanceReader
from x12.segments import DEFAULT_LIMITS, Limits, Run
from x12.splitter import Source
from x12.submitted_claim import SubmissionEvent
from x12.submitted_claim_reader import SubmittedClaimReader

ContentEvent = RemittanceEvent | SubmissionEvent | AcknowledgementEvent | EligibilityAnswer
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


READERS: dict[str, Callable[[TransactionSet, Limits], SetReader]] = {
    "835": RemittanceReader,
    "837": SubmittedClaimReader,
    "999": GroupAcknowledgementReader,
    "997": GroupAcknowledgementReader,
    "277": ClaimStatusReader,
    "271": EligibilityReader,
}
VERSIONS = {
    "835": frozenset(["005010X221", "005010X221A1"]),
    "837": frozenset(
        [
            *("005010X222", "005010X222A1", "005010X222A2"),
            *("005010X223", "005010X223A1", "005010X223A2", "005010X223A3"),
            *("005010X224", "005010X224A1", "005010X224A2"),
        ]
    ),
    "999": frozenset(["005010X231", "005010X231A1"]),
    "997": frozenset(["005010"]),
    "277": frozenset(["005010X212", "005010X214"]),
    "271": frozenset(["005010X279", "005010X279A1"]),
}


VERSIONS_OF_4010 = frozenset(["004010X091", "004010X091A1"])


def read(source: Source, limits: Limits = DEFAULT_LIMITS, policies: PolicyOf = strict) -> Iterator[Event]:
    """All events of a file in order; memory does not grow with it.

    A set of an unknown type or version is read as far as it can be and kept from being accepted by a finding; so is one
    that is over a limit, and the sets after it are read. `policies` gives the policy of a sender (ISA06).

    Raises:
        NotAnInterchange, LimitExceeded: nothing further can be read.
    """
    reader: SetReader | None = None
    for event in read_envelope(source, limits, policies):
        if isinstance(event, SetBody):
            if reader is not None:
                try:
                    yield from reader.read(event.run)
                except LimitExceeded as exceeded:
                    _give_up(event.transaction_set, exceeded)
                    reader = None
            continue
        if isinstance(event, SetEnded) and reader is not None:
            try:
                yield from reader.finish()
            except LimitExceeded as exceeded:
                _give_up(event.transaction_set, exceeded)
            reader = None
        yield event
        if isinstance(event, SetStarted):
            reader = _reader_for(event.transaction_set, limits)


def _give_up(transaction_set: TransactionSet, exceeded: LimitExceeded) -> None:
    """The rest of a set that is over a limit is stepped over."""
    transaction_set.findings.refuse("set_over_limit", "", transaction_set.segments, exceeded.message)


def _reader_for(transaction_set: TransactionSet, limits: Limits) -> SetReader | None:
    make = READERS.get(transaction_set.type)
    log, version, group = transaction_set.findings, transaction_set.version, transaction_set.group
    if make is None:
        log.refuse("unsupported_type", "ST", 1, "this transaction set type is not read")
        return None
    if transaction_set.type == "835" and version in VERSIONS_OF_4010:
        if not group.interchange.policy.accept_4010:
            log.quarantine("version_4010", "ST", 1, "version 4010 is read only where the partner's policy accepts it")
    elif version not in VERSIONS[transaction_set.type] and (version or "missing_gs" not in group.findings.counts):
        log.refuse("unsupported_version", "ST", 1, "this version of the guide is not read")
    return make(transaction_set, limits)
