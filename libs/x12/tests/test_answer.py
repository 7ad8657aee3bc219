"""Our TA1 and 999: what is used is accepted, what is not is rejected with the place, and pyx12 finds no fault in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from x12.acknowledgement import GroupAcknowledgement, Outcome
from x12.acknowledgement_writer import write_group_acknowledgements, write_interchange_acknowledgement
from x12.answer import InterchangeAnswer, answers_to
from x12.errors import NotAnInterchange, UnwritableValue, X12Refused
from x12.findings import Verdict
from x12.inspection import inspect
from x12.reading import read
from x12.samples import SampleRemittance, interchange, random_claims
from x12.validation import validate

from libs.x12.tests.generated_claims import ENVELOPE

GOOD = interchange(SampleRemittance(claims=tuple(random_claims(3, seed=1))))


def only(raw: bytes) -> InterchangeAnswer:
    (answer,) = answers_to(raw)
    return answer


def answered(raw: bytes) -> GroupAcknowledgement:
    """Our 999, as its receiver reads it."""
    written = write_group_acknowledgements(ENVELOPE, only(raw))
    assert validate(written) == []
    assert inspect(written).verdict is Verdict.ACCEPTED
    (group,) = [event for event in read(written) if isinstance(event, GroupAcknowledgement)]
    return group


def test_a_good_interchange_is_accepted_at_every_level() -> None:
    answer = only(GOOD)
    assert (answer.interchange.outcome, answer.interchange.note_code) == (Outcome.ACCEPTED, "000")
    group = answered(GOOD)
    assert (group.functional_id, group.outcome, group.sets_received, group.sets_accepted) == (
        "HP",
        Outcome.ACCEPTED,
        1,
        1,
    )
    (one,) = group.sets
    assert (one.type, one.outcome, one.version, one.errors) == ("835", Outcome.ACCEPTED, "005010X221A1", [])


def test_a_ta1_alone_is_an_interchange_without_a_group() -> None:
    written = write_interchange_acknowledgement(ENVELOPE, only(GOOD))
    segments = written.decode().split("~")
    head = GOOD[:106].decode().split("*")
    assert segments[1:] == [f"TA1*{head[13]}*{head[9]}*{head[10]}*A*000", "IEA*0*000000007", ""]
    assert validate(written) == []
    assert inspect(written).interchanges[0].acknowledgements[0].outcome is Outcome.ACCEPTED


def test_a_set_that_does_not_balance_is_rejected_where_it_does_not() -> None:
    bad = GOOD.replace(b"BPR*I*", b"BPR*I*1", 1)
    (one,) = answered(bad).sets
    assert (one.outcome, one.error_codes) == (Outcome.REJECTED, ["5"])
    assert ("BPR", "2", "8") in [(error.segment, error.position, error.code) for error in one.errors]


def test_an_element_that_cannot_be_read_is_named_and_not_sent_back() -> None:
    amount = GOOD.split(b"BPR*I*")[1].split(b"*")[0]
    (one,) = answered(GOOD.replace(b"BPR*I*" + amount, b"BPR*I*SECRET", 1)).sets
    (element,) = [element for error in one.errors for element in error.elements]
    assert (element.position, element.reference_number, element.code, element.bad_value) == ("2", "782", "6", "")
    assert b"SECRET" not in write_group_acknowledgements(
        ENVELOPE, only(GOOD.replace(b"BPR*I*" + amount, b"BPR*I*SECRET", 1))
    )


def test_one_bad_set_leaves_the_group_partially_accepted() -> None:
    start, end = GOOD.index(b"ST*"), GOOD.index(b"GE*")
    first = GOOD[start:end]
    number = first.split(b"*")[2].split(b"~")[0].split(b"*")[0]
    second = first.replace(b"*" + number, b"*9" + number[1:]).replace(b"BPR*I*", b"BPR*I*1", 1)
    both = GOOD[:start] + first + second + GOOD[end:].replace(b"GE*1*", b"GE*2*")
    group = answered(both)
    assert (group.outcome, group.sets_included, group.sets_accepted) == (Outcome.PARTIALLY_ACCEPTED, 2, 1)
    assert [each.outcome for each in group.sets] == [Outcome.ACCEPTED, Outcome.REJECTED]


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [(b"~SE*", b"~SE*9", ["4"]), (b"ST*835*", b"ST*834*", ["1", "6"]), (b"~BPR", b"~ZZZ", ["5"])],
)
def test_what_is_wrong_with_a_set_is_told_by_code(before: bytes, after: bytes, codes: list[str]) -> None:
    (one,) = answered(GOOD.replace(before, after, 1)).sets
    assert one.outcome is Outcome.REJECTED
    assert set(codes) <= set(one.error_codes)


@pytest.mark.parametrize(
    ("before", "after", "note"), [(b"IEA*1*", b"IEA*2*", "021"), (b"IEA*1*0", b"IEA*1*9", "001"), (b"IEA", b"XXX", "")]
)
def test_what_is_wrong_with_an_interchange_is_told_by_its_note(before: bytes, after: bytes, note: str) -> None:
    answer = only(GOOD.replace(before, after, 1))
    assert answer.interchange.outcome is Outcome.REJECTED
    assert answer.interchange.note_code == note or not note
    assert validate(write_interchange_acknowledgement(ENVELOPE, answer)) == []
    assert answered(GOOD.replace(before, after, 1)).outcome is Outcome.REJECTED


def test_a_group_whose_count_is_wrong_is_rejected_as_a_group() -> None:
    group = answered(GOOD.replace(b"GE*1*", b"GE*2*", 1))
    assert (group.outcome, group.error_codes, group.sets_accepted) == (Outcome.REJECTED, ["5"], 0)


def test_an_interchange_without_a_group_has_no_999() -> None:
    ta1 = write_interchange_acknowledgement(ENVELOPE, only(GOOD))
    with pytest.raises(UnwritableValue, match=r"answer\.groups"):
        write_group_acknowledgements(ENVELOPE, only(ta1))


@settings(deadline=None)
@given(st.integers(106, len(GOOD)), st.integers(0, 40), st.binary(max_size=10))
def test_whatever_arrives_the_answer_is_valid_or_refused_by_name(start: int, length: int, change: bytes) -> None:
    raw = GOOD[:start] + change + GOOD[start + length :]
    try:
        answers = answers_to(raw)
    except X12Refused:
        return
    for answer in answers:
        try:
            written = write_group_acknowledgements(ENVELOPE, answer)
        except UnwritableValue:
            continue
        if all(group.functional_id == "HP" for group in answer.groups):
            assert [error for error in validate(written) if error.segment not in ("AK2",)] == []


def test_bytes_that_are_no_interchange_have_no_answer() -> None:
    with pytest.raises(NotAnInterchange):
        answers_to(b"")


def test_every_real_file_gets_an_answer_that_can_be_written(corpus: Path) -> None:
    for path in sorted((corpus / "x12/835").iterdir()):
        for answer in answers_to(path.read_bytes()):
            assert validate(write_interchange_acknowledgement(ENVELOPE, answer)) == [], path.name
