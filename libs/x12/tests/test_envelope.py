"""Control checks of the envelope, and that a bad transaction set leaves its neighbours alone."""

from __future__ import annotations

import pytest
from x12.envelope import (
    Group,
    InterchangeAcknowledged,
    InterchangeEnded,
    OutsideBytes,
    SetBody,
    SetEnded,
    SetStarted,
    TransactionSet,
)
from x12.envelope_reader import read_envelope
from x12.errors import LimitExceeded
from x12.findings import Finding, Severity, Verdict
from x12.samples import SampleRemittance, interchange, random_claims
from x12.segments import Limits

SAMPLE = interchange(SampleRemittance(tuple(random_claims(3, seed=1))))
SET = SAMPLE[SAMPLE.index(b"ST*") : SAMPLE.index(b"GE*")]


def with_sets(*sets: bytes) -> bytes:
    return SAMPLE.replace(SET, b"".join(sets)).replace(b"GE*1*", b"GE*%d*" % len(sets))


def sets_of(raw: bytes) -> list[TransactionSet]:
    return [event.transaction_set for event in read_envelope(raw) if isinstance(event, SetEnded)]


def findings_of(raw: bytes) -> list[Finding]:
    found: list[Finding] = []
    groups: list[Group] = []
    for event in read_envelope(raw):
        if isinstance(event, SetEnded):
            found += event.transaction_set.findings.kept
            groups.append(event.transaction_set.group)
        elif isinstance(event, InterchangeEnded):
            found += event.interchange.findings.kept
    for group in groups:
        found += group.findings.kept
    return found


def test_a_sound_file_has_no_finding_and_its_set_spans_st_to_se() -> None:
    (only,) = sets_of(SAMPLE)
    assert only.verdict is Verdict.ACCEPTED
    assert SAMPLE[only.offset : only.offset + only.length] == SET
    assert (only.type, only.version, only.control_number) == ("835", "005010X221A1", "0001")
    assert only.segments == SET.count(b"~")
    assert findings_of(SAMPLE) == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (b"SE*", b"SE*1", "se01_count"),
        (b"*0001~GE", b"*0002~GE", "se02_control"),
        (b"GE*1*1", b"GE*2*1", "ge01_count"),
        (b"GE*1*1", b"GE*1*7", "ge02_control"),
        (b"IEA*1*", b"IEA*3*", "iea01_count"),
        (b"IEA*1*000000001", b"IEA*1*000000009", "iea02_control"),
        (b"IEA*1*000000001~", b"", "missing_iea"),
        (b"GE*1*1~", b"", "missing_ge"),
        (SET[SET.index(b"SE*") :], b"", "missing_se"),
        (SAMPLE[SAMPLE.index(b"GS*") : SAMPLE.index(b"ST*")], b"", "missing_gs"),
        (b"*HP*", b"*HC*", "gs01_type"),
        (b"~GE*1*1", b"~ZZ*1~GE*1*1", "stray_segment"),
        (b"*0*P*", b"*0*T*", "not_production"),
        (b"SAMPLEPLAN     ", b"SAMPLEPLAN", "isa_not_fixed_width"),
        (SAMPLE[SAMPLE.index(b"*0001~GE") :], b"", "truncated"),
    ],
)
def test_each_control_fault_is_named(before: bytes, after: bytes, code: str) -> None:
    assert code in [finding.code for finding in findings_of(SAMPLE.replace(before, after, 1))]


def test_a_wrong_segment_count_says_what_it_should_be_and_where() -> None:
    (finding,) = findings_of(SAMPLE.replace(b"~SE*", b"~SE*9", 1))
    count = SET.count(b"~")
    assert (finding.segment, finding.position, finding.severity) == ("SE", count, Severity.QUARANTINE)
    assert (finding.expected, finding.found) == (str(count), f"9{count}")


def test_one_bad_set_leaves_the_others_as_they_are() -> None:
    second = SET.replace(b"*0001~", b"*0002~")
    bad = second[: second.index(b"SE*")]
    third = SET.replace(b"*0001~", b"*0003~")
    verdicts = [each.findings.verdict for each in sets_of(with_sets(SET, bad, third))]
    assert verdicts == [Verdict.ACCEPTED, Verdict.QUARANTINED, Verdict.ACCEPTED]


def test_a_set_without_a_trailer_ends_where_the_next_begins() -> None:
    first = SET[: SET.index(b"SE*")]
    raw = with_sets(first, SET.replace(b"*0001~", b"*0002~"))
    spans = [(each.offset, each.length) for each in sets_of(raw)]
    assert spans == [(raw.index(b"ST*"), len(first)), (raw.index(b"ST*") + len(first), len(SET))]


def test_a_fault_of_the_interchange_reaches_every_set_in_it() -> None:
    raw = with_sets(SET, SET.replace(b"*0001~", b"*0002~")).replace(b"IEA*1*000000001", b"IEA*1*000000002")
    assert [each.verdict for each in sets_of(raw)] == [Verdict.QUARANTINED] * 2
    assert [each.findings.verdict for each in sets_of(raw)] == [Verdict.ACCEPTED] * 2


def test_a_set_number_used_twice_in_a_group_is_found() -> None:
    first, second = sets_of(with_sets(SET, SET))
    assert first.findings.kept == []
    assert [finding.code for finding in second.findings.kept] == ["st02_not_unique"]


@pytest.mark.parametrize("groups", [b"0", b"1"])
def test_an_interchange_may_hold_nothing_but_acknowledgements(groups: bytes) -> None:
    raw = SAMPLE[: SAMPLE.index(b"GS*")] + b"TA1*000000100*260401*0823*A*000~IEA*" + groups + b"*000000001~"
    events = list(read_envelope(raw))
    assert [type(event) for event in events][1:] == [InterchangeAcknowledged, InterchangeEnded]
    assert findings_of(raw) == []


def test_bodies_carry_positions_ordinals_and_spans() -> None:
    events = list(read_envelope(SAMPLE, Limits(block_bytes=200)))
    segments = [segment for event in events if isinstance(event, SetBody) for segment in event.run]
    assert [segment.position for segment in segments] == list(range(2, SET.count(b"~")))
    assert [segment.ordinal for segment in segments] == list(range(4, SET.count(b"~") + 2))
    for segment in segments:
        assert SAMPLE[segment.offset : segment.offset + segment.length].decode() == segment.text + "~"


def test_bytes_outside_any_interchange_are_reported() -> None:
    raw = SAMPLE + b"garbage" + SAMPLE
    (outside,) = [event for event in read_envelope(raw) if isinstance(event, OutsideBytes)]
    assert raw[outside.offset : outside.offset + outside.length] == b"garbage"
    assert len(sets_of(raw)) == 2


def test_too_many_transaction_sets_are_refused() -> None:
    raw = with_sets(SET, SET.replace(b"*0001~", b"*0002~"))
    with pytest.raises(LimitExceeded):
        list(read_envelope(raw, Limits(transaction_sets=1)))


def test_too_many_interchanges_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        list(read_envelope(SAMPLE * 3, Limits(interchanges=2)))


def test_a_set_is_announced_before_its_body() -> None:
    kinds = [type(event) for event in read_envelope(SAMPLE)]
    assert kinds.index(SetStarted) < kinds.index(SetBody) < kinds.index(SetEnded)


BARE = SAMPLE[SAMPLE.index(b"ST*") :].replace(b"GE*1*1~IEA*1*000000001~", b"")


@pytest.mark.parametrize("raw", [BARE, BARE.replace(b"~", b"~\r\n"), BARE.replace(b"~", b"\n")])
def test_a_set_without_any_envelope_is_shown_but_never_accepted(raw: bytes) -> None:
    (only,) = sets_of(raw)
    assert (only.type, only.segments, only.ordinal) == ("835", SET.count(b"~"), 1)
    assert only.verdict is Verdict.QUARANTINED
    assert [each.code for each in findings_of(raw)] == ["missing_isa", "missing_gs"]


def test_groups_without_a_header_are_shown_with_their_version() -> None:
    (only,) = sets_of(SAMPLE[SAMPLE.index(b"GS*") :])
    assert (only.version, only.verdict) == ("005010X221A1", Verdict.QUARANTINED)


def test_an_interchange_after_a_set_without_envelope_is_read_as_ever() -> None:
    bare, whole = sets_of(BARE + SAMPLE)
    assert (bare.verdict, whole.verdict) == (Verdict.QUARANTINED, Verdict.ACCEPTED)


def test_files_that_were_joined_with_their_byte_order_marks_are_both_read() -> None:
    marked = b"\xef\xbb\xbf" + SAMPLE
    assert [each.verdict for each in sets_of(marked + marked)] == [Verdict.ACCEPTED] * 2
    assert findings_of(marked + marked) == []


@pytest.mark.parametrize("place", [b"LX*1~", b"SE*"])
@pytest.mark.parametrize("length", [5_000, 50_000])
def test_a_segment_over_the_limit_costs_its_set_and_no_other(place: bytes, length: int) -> None:
    second, third = SET.replace(b"*0001~", b"*0002~"), SET.replace(b"*0001~", b"*0003~")
    raw = with_sets(SET, second.replace(place, b"NTE*" + b"A" * length + b"~" + place), third)
    limits = Limits(segment_bytes=1_500, block_bytes=4_000)
    sets = [each.transaction_set for each in read_envelope(raw, limits) if isinstance(each, SetEnded)]
    assert [each.verdict for each in sets] == [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.ACCEPTED]
    over, miscounted = sets[1].findings.kept
    assert (over.code, miscounted.code) == ("segment_over_limit", "se01_count")
    assert raw.split(b"~")[sets[1].ordinal + over.position - 2].startswith(b"NTE*")
