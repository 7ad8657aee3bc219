"""The envelope as values: interchanges, groups, transaction sets, and the events of reading them."""

from __future__ import annotations

from dataclasses import dataclass, field

from x12.findings import FindingLog, Verdict, worst
from x12.policy import STRICT, Policy
from x12.segments import Delimiters, Run, Segment


@dataclass(slots=True)
class Interchange:
    """ISA to IEA. Findings of the envelope itself stand here; those of a set stand at the set.

    `ordinal` is that of the ISA in the file, from 1.
    """

    sender_qualifier: str
    sender: str
    receiver_qualifier: str
    receiver: str
    date: str
    time: str
    version: str
    control_number: str
    usage: str
    delimiters: Delimiters
    offset: int
    ordinal: int
    policy: Policy = STRICT
    length: int = 0
    groups: int = 0
    transaction_sets: int = 0
    findings: FindingLog = field(default_factory=FindingLog)


@dataclass(slots=True)
class Group:
    """GS to GE."""

    interchange: Interchange
    functional_id: str
    sender: str
    receiver: str
    date: str
    control_number: str
    version: str
    offset: int
    transaction_sets: int = 0
    findings: FindingLog = field(default_factory=FindingLog)


@dataclass(slots=True)
class TransactionSet:
    """ST to SE. `version` is ST03, or GS08 where ST03 is absent. `segments` counts ST and SE in."""

    group: Group
    type: str
    control_number: str
    version: str
    offset: int
    ordinal: int
    length: int = 0
    segments: int = 1
    findings: FindingLog = field(default_factory=FindingLog)

    @property
    def verdict(self) -> Verdict:
        """The strictest of the set's own verdict, its group's and its interchange's; final when the interchange has ended."""
        return worst((self.findings.verdict, self.group.findings.verdict, self.group.interchange.findings.verdict))


@dataclass(slots=True)
class InterchangeStarted:
    interchange: Interchange


@dataclass(slots=True)
class InterchangeAcknowledged:
    """A TA1 segment, which stands between ISA and the first group."""

    interchange: Interchange
    segment: Segment


@dataclass(slots=True)
class SetStarted:
    transaction_set: TransactionSet


@dataclass(slots=True)
class SetBody:
    """Segments between ST and SE, in order; a set has any number of these."""

    transaction_set: TransactionSet
    run: Run


@dataclass(slots=True)
class SetEnded:
    transaction_set: TransactionSet


@dataclass(slots=True)
class InterchangeEnded:
    interchange: Interchange


@dataclass(slots=True)
class OutsideBytes:
    """Bytes that belong to no interchange, other than padding and line breaks."""

    offset: int
    length: int


EnvelopeEvent = (
    InterchangeStarted | InterchangeAcknowledged | SetStarted | SetBody | SetEnded | InterchangeEnded | OutsideBytes
)
