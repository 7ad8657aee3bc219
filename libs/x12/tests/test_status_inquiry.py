"""276 written as the guide has it: one trace per claim, claims of a patient under one level."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from canonical.money import Money
from x12.eligibility import InquiredPayer, InquiredPerson, InquiringProvider
from x12.errors import UnwritableValue
from x12.status_inquiry import InformationReceiver, StatusInquiry
from x12.status_inquiry_writer import write_status_inquiries

from libs.x12.tests.generated_claims import ENVELOPE

ROBIN = InquiredPerson("SAMPLE", "ROBIN", date(1980, 1, 2), "F", "W000001")
KIM = InquiredPerson("SAMPLE", "KIM", date(2015, 3, 4), "M")
RECEIVER = InformationReceiver("THROUGHLINE", "TL01")
INQUIRY = StatusInquiry(
    "TRACE1",
    InquiredPayer("SAMPLE PLAN", "87726"),
    InquiringProvider("SAMPLE CLINIC", "1912301953"),
    ROBIN,
    "PCN1",
    Money.of("100.50"),
    date(2026, 3, 1),
    date(2026, 3, 4),
)


def written(*inquiries: StatusInquiry) -> list[str]:
    return write_status_inquiries(ENVELOPE, RECEIVER, inquiries).decode().split("~")[:-1]


def test_a_question_about_a_claim_is_written_level_by_level() -> None:
    assert written(replace(INQUIRY, payer_control_number="ICN1", bill_type="111"))[1:] == [
        "GS*HR*THROUGHLINE*CLEARHOUSE*20260302*1230*8*X*005010X212",
        "ST*276*0001*005010X212",
        "BHT*0010*13*BATCH7*20260302*1230",
        "HL*1**20*1",
        "NM1*PR*2*SAMPLE PLAN*****PI*87726",
        "HL*2*1*21*1",
        "NM1*41*2*THROUGHLINE*****46*TL01",
        "HL*3*2*19*1",
        "NM1*1P*2*SAMPLE CLINIC*****XX*1912301953",
        "HL*4*3*22*0",
        "DMG*D8*19800102*F",
        "NM1*IL*1*SAMPLE*ROBIN****MI*W000001",
        "TRN*1*TRACE1",
        "REF*1K*ICN1",
        "REF*BLT*111",
        "REF*EJ*PCN1",
        "AMT*T3*100.5",
        "DTP*472*RD8*20260301-20260304",
        "SE*18*0001",
        "GE*1*8",
        "IEA*1*000000007",
    ]


def test_claims_of_a_patient_share_its_level_and_a_dependent_has_its_own() -> None:
    second = replace(INQUIRY, trace="TRACE2", patient_control_number="PCN2", service_to=INQUIRY.service_from)
    lines = written(INQUIRY, replace(INQUIRY, trace="TRACE3", dependent=KIM), second)
    told = [line for line in lines if line.startswith(("HL", "TRN", "NM1*QC", "DTP"))]
    assert told == [
        "HL*1**20*1",
        "HL*2*1*21*1",
        "HL*3*2*19*1",
        "HL*4*3*22*0",
        "TRN*1*TRACE1",
        "DTP*472*RD8*20260301-20260304",
        "TRN*1*TRACE2",
        "DTP*472*D8*20260301",
        "HL*5*3*22*1",
        "HL*6*5*23",
        "NM1*QC*1*SAMPLE*KIM",
        "TRN*1*TRACE3",
        "DTP*472*RD8*20260301-20260304",
    ]


@pytest.mark.parametrize(
    ("inquiry", "field"),
    [
        (replace(INQUIRY, trace=""), "inquiries[0].trace"),
        (replace(INQUIRY, service_to=date(2026, 2, 1)), "inquiries[0].service_to"),
        (replace(INQUIRY, bill_type="11"), "inquiries[0].bill_type"),
        (replace(INQUIRY, subscriber=replace(ROBIN, member_id="")), "inquiries[0].subscriber.member_id"),
        (replace(INQUIRY, dependent=replace(KIM, birth_date=None)), "inquiries[0].dependent.birth_date"),
    ],
)
def test_a_question_that_cannot_be_written_is_refused_with_its_field(inquiry: StatusInquiry, field: str) -> None:
    with pytest.raises(UnwritableValue) as refusal:
        written(inquiry)
    assert refusal.value.field == field


def test_no_questions_are_no_file() -> None:
    with pytest.raises(UnwritableValue, match="inquiries: must be 1 to 5000"):
        written()
