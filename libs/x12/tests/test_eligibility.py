"""270 written as the guide has it, and 271 read to what a person at the desk asks: active, plan, what is owed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from canonical.money import Money
from x12.eligibility import (
    CO_INSURANCE,
    CO_PAYMENT,
    DEDUCTIBLE,
    EligibilityAnswer,
    EligibilityInquiry,
    InquiredPayer,
    InquiredPerson,
    InquiringProvider,
)
from x12.eligibility_writer import write_eligibility_inquiries
from x12.errors import UnwritableValue
from x12.findings import Verdict
from x12.inspection import inspect
from x12.reading import read

from libs.x12.tests.generated_claims import ENVELOPE

ROBIN = InquiredPerson("SAMPLE", "ROBIN", date(1980, 1, 2), "F", "W000001")
KIM = InquiredPerson("SAMPLE", "KIM", date(2015, 3, 4), "M")
INQUIRY = EligibilityInquiry(
    "TRACE1",
    InquiredPayer("SAMPLE PLAN", "87726"),
    InquiringProvider("SAMPLE CLINIC", "1912301953"),
    ROBIN,
    date(2026, 3, 1),
)
ORIGINATOR = "1777667755"
ISA = "ISA*00*          *00*          *ZZ*PLAN           *ZZ*THROUGHLINE    *260302*1231*^*00501*000000011*0*P*:~"

ANSWER = """
ST*271*0001*005010X279A1
BHT*0022*11*BATCH7*20260302*1231
HL*1**20*1
NM1*PR*2*SAMPLE PLAN*****PI*87726
HL*2*1*21*1
NM1*1P*2*SAMPLE CLINIC*****XX*1912301953
HL*3*2*22*0
TRN*1*PAYERS-OWN*9876543210
TRN*2*TRACE1*1777667755
NM1*IL*1*SAMPLE*ROBIN****MI*W000001
REF*6P*GROUP9
DMG*D8*19800102*F
DTP*346*D8*20260101
EB*1*IND*30^98*C1*GOLD PLAN
MSG*CALL FIRST
EB*C*IND*30*C1*GOLD PLAN*23*1500*****Y
DTP*291*RD8*20260101-20261231
EB*C*IND*30*C1*GOLD PLAN*29*350.5*****Y
EB*A*IND*98*****.2****N
EB*B*IND*98***27*20*****W
HL*4*2*22*1
NM1*IL*1*SAMPLE*ALEX****MI*W000002
HL*5*4*23*0
TRN*2*TRACE2*1777667755
NM1*03*1*SAMPLE*KIM
AAA*N**75*C
HL*6*2*22*0
TRN*2*TRACE3*1777667755
NM1*IL*1*SAMPLE*SASCHA****MI*W000003
EB*6*IND*30
"""


def interchange(body: str) -> bytes:
    lines = body.strip().split("\n")
    inner = "~".join([*lines, f"SE*{len(lines) + 1}*0001"])
    return f"{ISA}GS*HB*PLAN*THROUGHLINE*20260302*1231*3*X*005010X279A1~{inner}~GE*1*3~IEA*1*000000011~".encode()


def answers_of(raw: bytes) -> list[EligibilityAnswer]:
    return [event for event in read(raw) if isinstance(event, EligibilityAnswer)]


def written(*inquiries: EligibilityInquiry) -> list[str]:
    raw = write_eligibility_inquiries(ENVELOPE, inquiries, ORIGINATOR)
    return raw.decode().split("~")[:-1]


def test_a_question_about_a_subscriber_is_written_level_by_level() -> None:
    assert written(replace(INQUIRY, service_types=("30", "98")))[1:] == [
        "GS*HS*THROUGHLINE*CLEARHOUSE*20260302*1230*8*X*005010X279A1",
        "ST*270*0001*005010X279A1",
        "BHT*0022*13*BATCH7*20260302*1230",
        "HL*1**20*1",
        "NM1*PR*2*SAMPLE PLAN*****PI*87726",
        "HL*2*1*21*1",
        "NM1*1P*2*SAMPLE CLINIC*****XX*1912301953",
        "HL*3*2*22*0",
        "TRN*1*TRACE1*1777667755",
        "NM1*IL*1*SAMPLE*ROBIN****MI*W000001",
        "DMG*D8*19800102*F",
        "DTP*291*D8*20260301",
        "EQ*30^98",
        "SE*13*0001",
        "GE*1*8",
        "IEA*1*000000007",
    ]


def test_a_question_about_a_dependent_stands_below_its_subscriber() -> None:
    lines = written(replace(INQUIRY, dependent=KIM))
    assert lines[8:-3] == [
        "HL*3*2*22*1",
        "NM1*IL*1*SAMPLE*ROBIN****MI*W000001",
        "HL*4*3*23*0",
        "TRN*1*TRACE1*1777667755",
        "NM1*03*1*SAMPLE*KIM",
        "DMG*D8*20150304*M",
        "DTP*291*D8*20260301",
        "EQ*30",
    ]


def test_a_batch_shares_payer_and_provider() -> None:
    other = replace(INQUIRY, trace="TRACE2", provider=InquiringProvider("HEALER", "1234567893", "KIM"))
    lines = written(INQUIRY, other, replace(INQUIRY, trace="TRACE3"))
    assert [line for line in lines if line.startswith("HL")] == [
        "HL*1**20*1",
        "HL*2*1*21*1",
        "HL*3*2*22*0",
        "HL*4*2*22*0",
        "HL*5*1*21*1",
        "HL*6*5*22*0",
    ]
    assert "NM1*1P*1*HEALER*KIM****XX*1234567893" in lines


@pytest.mark.parametrize(
    ("inquiry", "field"),
    [
        (replace(INQUIRY, trace=""), "inquiries[0].trace"),
        (replace(INQUIRY, subscriber=replace(ROBIN, gender="X")), "inquiries[0].subscriber.gender"),
        (replace(INQUIRY, subscriber=replace(ROBIN, birth_date=None)), "inquiries[0].subscriber.birth_date"),
        (replace(INQUIRY, provider=InquiringProvider("C", "1")), "inquiries[0].provider.npi"),
        (replace(INQUIRY, service_types=()), "inquiries[0].service_types"),
    ],
)
def test_a_question_that_cannot_be_written_is_refused_with_its_field(inquiry: EligibilityInquiry, field: str) -> None:
    with pytest.raises(UnwritableValue) as refusal:
        written(inquiry)
    assert refusal.value.field == field


def test_an_answer_tells_whether_the_coverage_is_active_and_what_is_owed() -> None:
    raw = interchange(ANSWER)
    assert inspect(raw).verdict is Verdict.ACCEPTED
    active = answers_of(raw)[0]
    assert (active.trace, active.submission_reference, active.payer_identifier) == ("TRACE1", "BATCH7", "87726")
    assert (active.is_active, active.plan, active.member_id, active.group_number) == (
        True,
        "GOLD PLAN",
        "W000001",
        "GROUP9",
    )
    year, left = active.amounts(DEDUCTIBLE)
    assert (year.amount, year.period, year.dates) == (Money.of("1500.00"), "23", [("291", "20260101-20261231")])
    assert (left.amount, left.period) == (Money.of("350.50"), "29")
    (share,) = active.amounts(CO_INSURANCE, "98")
    (copayment,) = active.amounts(CO_PAYMENT, "98")
    assert (share.share, share.in_network, copayment.amount) == (Decimal("0.2"), "N", Money.of("20.00"))
    assert (active.dates, active.benefits[0].messages) == ([("346", "20260101")], ["CALL FIRST"])


def test_a_dependent_that_is_not_found_is_a_rejection_of_that_question() -> None:
    _, unknown, ended = answers_of(interchange(ANSWER))
    assert (unknown.trace, unknown.is_dependent, unknown.member_id, unknown.is_active) == (
        "TRACE2",
        True,
        "W000002",
        None,
    )
    assert [(each.level, each.reason, each.follow_up) for each in unknown.rejections] == [("23", "75", "C")]
    assert (ended.trace, ended.is_active, ended.rejections) == ("TRACE3", False, [])


def test_each_answers_span_holds_its_person_and_no_other() -> None:
    raw = interchange(ANSWER)
    spans = [raw[each.offset : each.offset + each.length] for each in answers_of(raw)]
    assert [span.startswith(b"HL*") for span in spans] == [True] * 3
    assert [name in span for span in spans for name in (b"ROBIN", b"KIM", b"SASCHA")] == [
        True, False, False, False, True, False, False, False, True,
    ]  # fmt: skip


def test_a_payer_that_cannot_answer_is_told_although_no_person_follows() -> None:
    body = "\n".join(ANSWER.strip().split("\n")[:4]) + "\nAAA*N**42*R"
    (answer,) = answers_of(interchange(body))
    assert (answer.trace, answer.submission_reference, answer.is_active) == ("", "BATCH7", None)
    assert [(each.level, each.reason, each.follow_up) for each in answer.rejections] == [("20", "42", "R")]


def test_what_a_provider_was_refused_for_is_told_to_each_of_its_questions() -> None:
    raw = interchange(ANSWER.replace("HL*3*2*22*0", "AAA*N**51*C\nHL*3*2*22*0"))
    assert [[each.reason for each in answer.rejections] for answer in answers_of(raw)] == [["51"], ["51", "75"], ["51"]]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("23*1500", "23*15OO", "eligibility_benefit"),
        ("*.2*", "*x*", "eligibility_benefit"),
        ("TRN*2*TRACE1", "TRN*1*TRACE1", "eligibility_trace"),
        ("HL*3*2*22", "HL*3*2*99", "unknown_level"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_quarantined(before: str, after: str, code: str) -> None:
    inspected = inspect(interchange(ANSWER.replace(before, after)))
    assert inspected.verdict is Verdict.QUARANTINED
    assert code in [finding.code for finding in inspected.interchanges[0].transaction_sets[0].findings]


def test_the_patient_is_kept_apart() -> None:
    answer = answers_of(interchange(ANSWER))[0]
    assert answer.person
    assert answer.person.first_name == "ROBIN"
    answer.name = []
    assert "ROBIN" not in repr(answer)


def test_a_real_answer_says_what_it_says(corpus: Path) -> None:
    raw = (corpus / "x12/27x/lfh__subscriber-health-benefit-check.271").read_bytes()
    (answer,) = answers_of(raw)
    assert (answer.trace, answer.is_active, answer.plan) == ("93175-012547", True, "GOLD 123 PLAN")
    inside, outside = answer.amounts(CO_PAYMENT, "98")
    assert [(each.amount, each.in_network) for each in (inside, outside)] == [
        (Money.of("10.00"), "Y"),
        (Money.of("30.00"), "N"),
    ]
    assert answer.amounts(CO_PAYMENT) == []


def test_no_questions_are_no_file() -> None:
    with pytest.raises(UnwritableValue, match="inquiries: must be 1 to 5000"):
        written()
