"""What we answer to an inbound interchange: TA1 and 999 that follow from the reader's verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from x12.acknowledgement import ElementError, InterchangeAcknowledgement, SegmentError, SetAcknowledgement
from x12.envelope import Group, Interchange, InterchangeEnded, SetEnded, TransactionSet
from x12.findings import Finding, FindingLog, Severity, Verdict
from x12.policy import PolicyOf, strict
from x12.reading import read
from x12.splitter import Source

ACCEPTED, PARTIALLY, REJECTED = "A", "P", "R"
ERRORS_OF_A_SET_MAX = 100
CODES_MAX = 5
_NO_ERROR = "000"
_SEGMENTS_IN_ERROR = "5"
_HAS_FAULTY_ELEMENTS = "8"
_INTERCHANGE_NOTES = {
    "iea02_control": "001",
    "isa13_not_a_number": "018",
    "iea01_count": "021",
    "stray_segment": "022",
    "missing_iea": "023",
    "truncated": "023",
}
_OTHER_INTERCHANGE_NOTE = "024"
_GROUP_CODES = {"missing_ge": "3", "ge02_control": "4", "ge01_count": "5"}
_SET_CODES = {
    "unsupported_type": "1",
    "missing_se": "2",
    "truncated": "2",
    "se02_control": "3",
    "se01_count": "4",
    "gs01_type": "6",
    "st02_not_unique": "23",
    "unsupported_version": "I6",
    "version_4010": "I6",
}
_SEGMENT_CODES = {"unknown_segment": "1", "misplaced_segment": "2", "repeated_segment": "5"}
_ELEMENTS = {
    "bpr02_not_an_amount": ("2", "782", "6"),
    "bpr02_negative": ("2", "782", "6"),
    "bpr03_unknown": ("3", "478", "7"),
    "bpr16_not_a_date": ("16", "373", "8"),
    "cas_head": ("1", "1033", "7"),
    "missing_patient_control_number": ("1", "1028", "1"),
    "unknown_level": ("3", "735", "7"),
    "unknown_status": ("2", "1029", "7"),
}


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """One 999. `included` is what GE01 should have said: the sets that were there."""

    functional_id: str
    control_number: str
    version: str
    included: int
    sets: tuple[SetAcknowledgement, ...]
    error_codes: tuple[str, ...] = ()

    @property
    def accepted(self) -> int:
        return sum(each.code == ACCEPTED for each in self.sets)

    @property
    def code(self) -> str:
        """AK901: accepted, partially accepted or rejected. A fault of the group itself rejects all of it."""
        if self.error_codes or not self.accepted:
            return REJECTED
        return ACCEPTED if self.accepted == len(self.sets) else PARTIALLY


@dataclass(frozen=True, slots=True)
class InterchangeAnswer:
    """What to tell the sender of one interchange: the TA1, and a 999 for each of its groups that has a number."""

    interchange: InterchangeAcknowledgement
    groups: tuple[GroupAnswer, ...]


def answers_to(source: Source, policies: PolicyOf = strict) -> list[InterchangeAnswer]:
    """The answers to all interchanges of a file, in order; one without a header is nobody's and has none.

    Raises:
        NotAnInterchange, LimitExceeded: nothing further can be read.
    """
    answers: list[InterchangeAnswer] = []
    sets: list[TransactionSet] = []
    for event in read(source, policies=policies):
        if isinstance(event, SetEnded):
            sets.append(event.transaction_set)
        elif isinstance(event, InterchangeEnded):
            if event.interchange.control_number:
                answers.append(answer_to(event.interchange, sets))
            sets = []
    return answers


def answer_to(interchange: Interchange, sets: Iterable[TransactionSet]) -> InterchangeAnswer:
    """The answer to one interchange that has ended, with all of its sets.

    What we do not use is rejected: a set that is quarantined is sent again or explained by its sender.
    """
    groups: dict[int, tuple[Group, list[TransactionSet]]] = {}
    for each in sets:
        groups.setdefault(each.group.offset, (each.group, []))[1].append(each)
    held = interchange.findings
    accepted = held.verdict is Verdict.ACCEPTED
    note = next((_INTERCHANGE_NOTES[each.code] for each in _counting(held) if each.code in _INTERCHANGE_NOTES), "")
    head = InterchangeAcknowledgement(
        interchange.control_number,
        interchange.date,
        interchange.time,
        ACCEPTED if accepted else REJECTED,
        _NO_ERROR if accepted else note or _OTHER_INTERCHANGE_NOTE,
    )
    answered = tuple(_group_answer(group, own) for group, own in groups.values() if group.control_number)
    return InterchangeAnswer(head, answered)


def _group_answer(group: Group, sets: list[TransactionSet]) -> GroupAnswer:
    codes = _codes(_GROUP_CODES, group.findings)
    acknowledged = tuple(_set_answer(each) for each in sets)
    return GroupAnswer(
        group.functional_id, group.control_number, group.version, group.transaction_sets, acknowledged, codes
    )


def _set_answer(transaction_set: TransactionSet) -> SetAcknowledgement:
    answer = SetAcknowledgement(
        transaction_set.type, transaction_set.control_number, ACCEPTED, version=transaction_set.version
    )
    if transaction_set.verdict is Verdict.ACCEPTED:
        return answer
    answer.code = REJECTED
    counting = _counting(transaction_set.findings)
    faults = [_segment_error(each) for each in counting if each.code not in _SET_CODES and each.segment]
    answer.errors, answer.errors_omitted = faults[:ERRORS_OF_A_SET_MAX], max(0, len(faults) - ERRORS_OF_A_SET_MAX)
    codes = [*_codes(_SET_CODES, transaction_set.findings), *([_SEGMENTS_IN_ERROR] if faults else [])]
    answer.error_codes = codes[:CODES_MAX]
    return answer


def _segment_error(finding: Finding) -> SegmentError:
    code = _SEGMENT_CODES.get(finding.code, "3" if finding.code.startswith("missing_") else _HAS_FAULTY_ELEMENTS)
    element = _ELEMENTS.get(finding.code)
    if element is None:
        return SegmentError(finding.segment, str(max(finding.position, 1)), "", code)
    place, number, why = element
    error = ElementError(place, number, why, "")
    return SegmentError(finding.segment, str(max(finding.position, 1)), "", _HAS_FAULTY_ELEMENTS, elements=[error])


def _codes(table: dict[str, str], log: FindingLog) -> tuple[str, ...]:
    found = dict.fromkeys(table[each.code] for each in _counting(log) if each.code in table)
    return tuple(found)[:CODES_MAX]


def _counting(log: FindingLog) -> list[Finding]:
    """What is more than a note."""
    return [each for each in log.kept if each.severity is not Severity.NOTE]
