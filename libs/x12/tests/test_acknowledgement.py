"""TA1, 999 and 277CA: what became of an interchange, of a set, of a claim."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from canonical.money import Money
from x12.acknowledgement import (
    ClaimAcknowledgement,
    GroupAcknowledgement,
    InterchangeAcknowledgement,
    LevelAcknowledgement,
    Outcome,
    Reporter,
)
from x12.acknowledgement_reader import interchange_acknowledgement
from x12.envelope import InterchangeAcknowledged, SetEnded
from x12.findings import Verdict
from x12.inspection import inspect
from x12.reading import Event, read

ISA = "ISA*00*          *00*          *ZZ*CLEARHOUSE     *ZZ*THROUGHLINE    *260302*1231*^*00501*000000011*0*P*:~"
IEA = "IEA*1*000000011~"


def interchange(functional_id: str, version: str, body: str) -> bytes:
    lines = body.strip().split("\n")
    inner = "~".join([*lines, f"SE*{len(lines) + 1}*0001"])
    return f"{ISA}GS*{functional_id}*CLEARHOUSE*THROUGHLINE*20260302*1231*3*X*{version}~{inner}~GE*1*3~{IEA}".encode()


ACCEPTED_WITH_ERRORS = """
ST*999*0001*005010X231A1
AK1*HC*8*005010X222A1
AK2*837*0001*005010X222A1
IK3*CLM*19*2300*8
CTX*CLM01:PCN1
CTX*SITUATIONAL TRIGGER*CLM*19
IK4*5:1*1331*7*1Z
IK4*9**1
IK3*SV1*22*2400*5
IK5*E*5*I6
AK2*837*0002*005010X222A1
IK5*A
AK9*P*3*2*2*1
"""

CLAIMS = """
ST*277*0001*005010X214
BHT*0085*08*BATCH7*20260302*1231*TH
HL*1**20*1
NM1*PR*2*SAMPLE HEALTH PLAN*****PI*87726
TRN*1*REF1
DTP*050*D8*20260302
HL*2*1*21*1
NM1*41*2*THROUGHLINE*****46*TL01
TRN*2*BATCH7
STC*A1:19:PR*20260302*WQ*350.5
QTY*90*1
QTY*AA*1
AMT*YU*100.5
AMT*YY*250
HL*3*2*19*1
NM1*85*2*SAMPLE CLINIC*****XX*1912301953
TRN*1*0
HL*4*3*PT
NM1*QC*1*SAMPLE*ROBIN****MI*W000001
TRN*2*PCN1
STC*A2:20:PR*20260302*WQ*100.5
REF*1K*ICN1
REF*D9*CH1
DTP*472*D8*20260301
HL*5*3*PT
NM1*QC*1*SAMPLE*ALEX****MI*W000002
TRN*2*PCN2
STC*A7:562:85*20260302*U*250******A7:507
SVC*HC:99213*250
STC*A7:507**U
REF*FJ*L1
TRN*2*PCN3
STC*A3:21*20260302*U*0
"""


def events(raw: bytes) -> list[Event]:
    return list(read(raw))


def claims_of(raw: bytes) -> list[ClaimAcknowledgement]:
    return [event for event in events(raw) if isinstance(event, ClaimAcknowledgement)]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("A", Outcome.ACCEPTED), ("E", Outcome.ACCEPTED_WITH_ERRORS), ("R", Outcome.REJECTED), ("?", Outcome.UNDECIDED)],
)
def test_a_ta1_answers_for_an_interchange(code: str, outcome: Outcome) -> None:
    raw = (ISA + f"TA1*000000007*260302*1230*{code}*018~" + IEA.replace("*1*", "*0*")).encode()
    (event,) = [event for event in events(raw) if isinstance(event, InterchangeAcknowledged)]
    answer = interchange_acknowledgement(event.segment)
    assert answer == InterchangeAcknowledgement("000000007", "260302", "1230", code, "018")
    assert answer.outcome is outcome
    assert inspect(raw).interchanges[0].acknowledgements == (answer,)


def test_a_999_tells_each_set_and_each_error_apart() -> None:
    raw = interchange("FA", "005010X231A1", ACCEPTED_WITH_ERRORS)
    (group,) = [event for event in events(raw) if isinstance(event, GroupAcknowledgement)]
    assert (group.functional_id, group.control_number, group.outcome) == ("HC", "8", Outcome.PARTIALLY_ACCEPTED)
    assert (group.sets_included, group.sets_received, group.sets_accepted, group.error_codes) == (3, 2, 2, ["1"])
    first, second = group.sets
    assert (first.control_number, first.outcome, first.error_codes) == (
        "0001",
        Outcome.ACCEPTED_WITH_ERRORS,
        ["5", "I6"],
    )
    assert (second.control_number, second.outcome, second.errors) == ("0002", Outcome.ACCEPTED, [])
    claim, service = first.errors
    assert (claim.segment, claim.position, claim.loop, claim.code) == ("CLM", "19", "2300", "8")
    assert claim.contexts == [("CLM01", "PCN1"), ("SITUATIONAL TRIGGER", "")]
    assert [(each.position, each.code, each.bad_value) for each in claim.elements] == [
        ("5:1", "7", "1Z"),
        ("9", "1", ""),
    ]
    assert (service.segment, service.elements) == ("SV1", [])


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("AK1*", "AKX*", Verdict.REFUSED),
        ("AK9*", "AKX*", Verdict.REFUSED),
        ("AK9*P*3*2*2", "AK9*P*3*two*2", Verdict.QUARANTINED),
        ("AK9*P*3*2*2", "AK9*P*3*٢*2", Verdict.QUARANTINED),
    ],
)
def test_a_999_that_does_not_name_its_group_or_counts_is_not_used(before: str, after: str, verdict: Verdict) -> None:
    raw = interchange("FA", "005010X231A1", ACCEPTED_WITH_ERRORS.replace(before, after))
    assert inspect(raw).verdict is verdict


def test_a_277ca_accepts_and_rejects_claim_by_claim() -> None:
    raw = interchange("HN", "005010X214", CLAIMS)
    accepted, rejected, third = claims_of(raw)
    assert (accepted.patient_control_number, accepted.outcome, accepted.payer_control_number) == (
        "PCN1",
        Outcome.ACCEPTED,
        "ICN1",
    )
    assert (accepted.clearinghouse_number, accepted.service_dates, accepted.provider_identifier) == (
        "CH1",
        "20260301",
        "1912301953",
    )
    assert (accepted.statuses[0].codes, accepted.statuses[0].date) == ((("A2", "20", "PR"),), date(2026, 3, 2))
    assert accepted.statuses[0].amount == Money.of("100.50")
    assert (rejected.patient_control_number, rejected.outcome) == ("PCN2", Outcome.REJECTED)
    assert rejected.statuses[0].codes == (("A7", "562", "85"), ("A7", "507", ""))
    (line,) = rejected.lines
    assert (line.procedure, line.charge_minor, line.line_control_number) == (["HC", "99213"], 25000, "L1")
    assert line.statuses[0].outcome is Outcome.REJECTED
    assert (third.patient_control_number, third.outcome) == ("PCN3", Outcome.REJECTED)
    assert inspect(raw).interchanges[0].transaction_sets[0].claims == 3


def test_each_claims_span_holds_its_number_and_no_other() -> None:
    raw = interchange("HN", "005010X214", CLAIMS)
    spans = [raw[claim.offset : claim.offset + claim.length] for claim in claims_of(raw)]
    assert [span[:3] for span in spans] == [b"HL*", b"HL*", b"TRN"]
    assert all(
        (f"PCN{number}".encode() in span) == (index + 1 == number)
        for index, span in enumerate(spans)
        for number in (1, 2, 3)
    )


def test_the_patient_is_kept_apart() -> None:
    claim = claims_of(interchange("HN", "005010X214", CLAIMS))[0]
    assert claim.patient
    assert claim.patient.first_name == "ROBIN"
    claim.name = []
    assert "ROBIN" not in repr(claim)


def test_totals_stand_at_the_receivers_level() -> None:
    raw = interchange("HN", "005010X214", CLAIMS)
    levels = {event.level: event for event in events(raw) if isinstance(event, LevelAcknowledgement)}
    assert (levels["21"].reference, levels["21"].quantities) == ("BATCH7", [("90", "1"), ("AA", "1")])
    assert levels["21"].amounts == [("YU", 10050), ("YY", 25000)]
    assert (levels["20"].name, levels["19"].identifier) == ("SAMPLE HEALTH PLAN", "1912301953")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("STC*A2:20*20260302*WQ*1", Outcome.ACCEPTED),
        ("STC*A1:20*20260302**1", Outcome.ACCEPTED),
        ("STC*A8:20*20260302**1", Outcome.REJECTED),
        ("STC*A7:20*20260302*WQ*1", Outcome.UNDECIDED),
        ("STC*P1:20*20260302**1", Outcome.UNDECIDED),
        ("STC*A2:20*20260302*WQ*1~STC*A7:1*20260302*U", Outcome.REJECTED),
    ],
)
def test_a_status_decides_or_says_that_it_does_not(status: str, outcome: Outcome) -> None:
    raw = interchange("HN", "005010X214", CLAIMS.replace("STC*A2:20:PR*20260302*WQ*100.5", status.replace("~", "\n")))
    assert claims_of(raw)[0].outcome is outcome


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("STC*A2:20:PR", "STC*", "status"),
        ("WQ*100.5", "WQ*1OO.5", "status"),
        ("TRN*2*PCN1", "TRN*2*", "claim_status"),
        ("HL*4*3*PT", "HL*4*3*XX", "unknown_level"),
    ],
)
def test_a_277ca_that_cannot_be_trusted_is_quarantined(before: str, after: str, code: str) -> None:
    raw = interchange("HN", "005010X214", CLAIMS.replace(before, after))
    (ended,) = [event.transaction_set for event in events(raw) if isinstance(event, SetEnded)]
    assert code in [finding.code for finding in ended.findings.kept]
    assert ended.verdict is Verdict.QUARANTINED


def test_real_acknowledgements_say_what_the_index_says(corpus: Path) -> None:
    raw = (corpus / "x12/277/imsweb__x12_277CA_accepted.txt").read_bytes()
    (claim,) = claims_of(raw)
    assert (claim.patient_control_number, claim.payer_control_number, claim.outcome) == (
        "5781",
        "1107000000014420",
        Outcome.ACCEPTED,
    )
    raw = (corpus / "x12/ack/imsweb__x12_999_accepted.txt").read_bytes()
    (group,) = [event for event in events(raw) if isinstance(event, GroupAcknowledgement)]
    assert (group.functional_id, group.control_number, group.sets[0].outcome) == ("HC", "17456", Outcome.ACCEPTED)
    raw = (corpus / "x12/ack/uhin__TA1.edi").read_bytes()
    (answer,) = inspect(raw).interchanges[0].acknowledgements
    assert (answer.control_number, answer.outcome, answer.note_code) == ("000000100", Outcome.REJECTED, "024")


def test_who_speaks_and_what_was_submitted_stand_at_every_claim() -> None:
    raw = interchange("HN", "005010X214", CLAIMS)
    assert {(claim.reporter, claim.submission_reference) for claim in claims_of(raw)} == {(Reporter.PAYER, "BATCH7")}
    from_between = interchange("HN", "005010X214", CLAIMS.replace("NM1*PR*2", "NM1*AY*2"))
    assert {claim.reporter for claim in claims_of(from_between)} == {Reporter.CLEARINGHOUSE}
    unknown = interchange("HN", "005010X214", CLAIMS.replace("NM1*PR*2", "NM1*ZZ*2").replace("TRN*2*BATCH7\n", ""))
    assert {(claim.reporter, claim.submission_reference) for claim in claims_of(unknown)} == {(Reporter.UNKNOWN, "")}


def test_a_new_source_ends_what_the_one_before_it_said() -> None:
    second = CLAIMS.strip().split("\n", 2)[2].replace("NM1*PR*2", "NM1*AY*2").replace("TRN*2*BATCH7\n", "")
    raw = interchange("HN", "005010X214", CLAIMS + second)
    told = [(claim.reporter, claim.submission_reference) for claim in claims_of(raw)]
    assert told == [(Reporter.PAYER, "BATCH7")] * 3 + [(Reporter.CLEARINGHOUSE, "")] * 3


def test_totals_are_counts_and_amounts_or_nothing() -> None:
    body = CLAIMS.replace("TRN*1*0\n", "TRN*1*0\nQTY*QA*1\nQTY*QC*x\nAMT*YU*1OO\n")
    levels = {
        event.level: event
        for event in events(interchange("HN", "005010X214", body))
        if isinstance(event, LevelAcknowledgement)
    }
    receiver, provider = levels["21"], levels["19"]
    assert (receiver.accepted_count, receiver.rejected_count) == (1, 1)
    assert (receiver.accepted_amount, receiver.rejected_amount) == (Money.of("100.50"), Money.of("250.00"))
    assert (provider.accepted_count, provider.rejected_count, provider.accepted_amount) == (1, None, None)


def test_an_answer_to_a_276_tells_our_claim_from_our_question(corpus: Path) -> None:
    raw = (corpus / "x12/277/lfh__claim-level-status.277").read_bytes()
    pending, paid, denied = claims_of(raw)
    assert [(claim.inquiry_reference, claim.patient_control_number) for claim in (pending, paid, denied)] == [
        ("ABCXYZ1", "SM123456"),
        ("ABCXYZ2", "J0234567"),
        ("ABCXYC3", "MA345678"),
    ]
    assert (pending.statuses[0].category, pending.statuses[0].paid) == ("P3", None)
    assert (paid.statuses[0].amount, paid.statuses[0].paid) == (Money.of("7599.00"), Money.of("7599.00"))
    assert (denied.payer_control_number, denied.reporter) == ("051681010827", Reporter.PAYER)
    (line,) = denied.lines
    assert (line.charge_minor, line.paid_minor, line.service_dates) == (15000, 0, "20050501")
    assert line.statuses[0].codes == (("F2", "88", "QC"),)
    assert [claim.outcome for claim in (pending, paid, denied)] == [Outcome.UNDECIDED] * 3


def test_an_answer_tells_when_and_by_what_a_claim_was_paid() -> None:
    body = CLAIMS.replace("STC*A2:20:PR*20260302*WQ*100.5", "STC*F1:65*20260310**100.5*80*20260308**20260309*CHK1")
    (status,) = claims_of(interchange("HN", "005010X212", body))[0].statuses
    assert (status.decided_on, status.paid_on, status.payment_number) == (
        date(2026, 3, 8),
        date(2026, 3, 9),
        "CHK1",
    )


def test_an_answer_with_a_paid_amount_that_is_none_is_quarantined() -> None:
    raw = interchange("HN", "005010X212", CLAIMS.replace("WQ*100.5", "WQ*100.5*8O"))
    assert inspect(raw).verdict is Verdict.QUARANTINED
