"""The 837I writer: the stay, every family of HI, and lines with revenue codes, as the guide has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from canonical.money import Money
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from x12.claim_parties import Patient, Payer, Provider
from x12.errors import UnwritableValue
from x12.findings import Verdict
from x12.inspection import inspect
from x12.institutional_claim import (
    ClinicalCodes,
    Diagnosis,
    InstitutionalClaim,
    InstitutionalLine,
    Occurrence,
    OccurrenceSpan,
    Procedure,
    Stay,
    ValueCode,
)
from x12.institutional_claim_writer import write_institutional_claims
from x12.other_payers import AdjudicatedLine, OtherPayer, OtherSubscriber, PriorAdjustment
from x12.reading import read
from x12.submitted_claim import SubmittedClaim
from x12.validation import validate

from libs.x12.tests.generated_claims import ENVELOPE, HOME, HOSPITAL, PLAN, RECEIVER, ROBIN, SUBMITTER
from libs.x12.tests.generated_institutional import institutional_claims

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 4)
STAY = Stay(FIRST, LAST, "1", "01", "7", FIRST, "0815", "1430")
DOCTOR = Provider("HEALER", "KIM", "1912301953", "207Q00000X")
ROOM = InstitutionalLine("0120", Money.of("3000.00"), "L1", Decimal(3), "DA")
TEST = InstitutionalLine("0305", Money.of("13.39"), "L2", procedure_code="85025", service_date=FIRST)
CLAIM = InstitutionalClaim(
    "PCN1",
    "11",
    STAY,
    Diagnosis("I10", "Y"),
    (ROOM, TEST),
    HOSPITAL,
    ROBIN,
    PLAN,
    attending_provider=DOCTOR,
    codes=ClinicalCodes(
        admitting_diagnosis="R0789",
        reasons_for_visit=("R0789",),
        external_causes=(Diagnosis("W19XXXA", "Y"),),
        drg="470",
        other_diagnoses=(Diagnosis("E119", "N"), Diagnosis("R0789")),
        principal_procedure=Procedure("0DTJ4ZZ", FIRST),
        other_procedures=(Procedure("02HV33Z", LAST),),
        occurrence_spans=(OccurrenceSpan("74", FIRST, LAST),),
        occurrences=(Occurrence("A1", FIRST),),
        values=(ValueCode("A2", Money.of("15.31")), ValueCode("80", Money.of("3.00"))),
        conditions=("09",),
    ),
)


def written(*claims: InstitutionalClaim) -> bytes:
    return write_institutional_claims(ENVELOPE, SUBMITTER, RECEIVER, claims)


def body(claim: InstitutionalClaim) -> list[str]:
    raw = written(claim)
    assert validate(raw) == []
    lines = raw.decode().split("~")[:-4]
    return lines[next(index for index, line in enumerate(lines) if line.startswith("CLM")) :]


def test_a_stay_is_written_with_every_family_of_codes() -> None:
    assert body(CLAIM) == [
        "CLM*PCN1*3013.39***11:A:1**A*Y*Y",
        "DTP*096*TM*1430",
        "DTP*434*RD8*20260301-20260304",
        "DTP*435*DT*202603010815",
        "CL1*1*7*01",
        "HI*ABK:I10:::::::Y",
        "HI*ABJ:R0789",
        "HI*APR:R0789",
        "HI*ABN:W19XXXA:::::::Y",
        "HI*DR:470",
        "HI*ABF:E119:::::::N*ABF:R0789",
        "HI*BBR:0DTJ4ZZ:D8:20260301",
        "HI*BBQ:02HV33Z:D8:20260304",
        "HI*BI:74:RD8:20260301-20260304",
        "HI*BH:A1:D8:20260301",
        "HI*BE:A2:::15.31*BE:80:::3",
        "HI*BG:09",
        "NM1*71*1*HEALER*KIM****XX*1912301953",
        "PRV*AT*PXC*207Q00000X",
        "LX*1",
        "SV2*0120**3000*DA*3",
        "REF*6R*L1",
        "LX*2",
        "SV2*0305*HC:85025*13.39*UN*1",
        "DTP*472*D8*20260301",
        "REF*6R*L2",
    ]


def test_thirteen_codes_of_a_family_take_two_segments() -> None:
    many = replace(CLAIM, codes=ClinicalCodes(other_diagnoses=(Diagnosis("E119"),) * 13))
    assert [line.count("ABF") for line in body(many) if line.startswith("HI*ABF")] == [12, 1]


def test_a_decision_on_a_line_repeats_its_revenue_code() -> None:
    decisions = (
        AdjudicatedLine(1, Money.of("2000.00"), LAST, (PriorAdjustment("CO", "45", Money.of("1000.00")),)),
        AdjudicatedLine(2, Money.of("13.39"), LAST),
    )
    primary = OtherPayer(
        Payer("FIRST PLAN", "11111", "MA"),
        OtherSubscriber("SAMPLE", "ROBIN", "M1"),
        "P",
        paid=Money.of("2013.39"),
        lines=decisions,
        remaining_liability=Money.of("0.00"),
    )
    lines = body(replace(CLAIM, subscriber=replace(ROBIN, responsibility="S"), other_payers=(primary,)))
    assert [line for line in lines if line.startswith(("SVD", "CAS"))] == [
        "SVD*11111*2000**0120*3",
        "CAS*CO*45*1000",
        "SVD*11111*13.39*HC:85025*0305*1",
    ]


def test_a_dependent_and_a_void_are_written() -> None:
    child = Patient("SAMPLE", "KIM", date(2015, 3, 4), "M", HOME, "19")
    lines = body(replace(CLAIM, patient=child, frequency_code="8", payer_control_number="ICN9"))
    assert lines[0] == "CLM*PCN1*3013.39***11:A:8**A*Y*Y"
    assert "REF*F8*ICN9" in lines


@pytest.mark.parametrize(
    ("claim", "field"),
    [
        (replace(CLAIM, bill_type="111"), "claims[0].bill_type"),
        (replace(CLAIM, frequency_code="7"), "claims[0].payer_control_number"),
        (replace(CLAIM, stay=replace(STAY, statement_to=date(2026, 2, 1))), "claims[0].stay.statement_to"),
        (replace(CLAIM, stay=replace(STAY, discharge_hour="2460")), "claims[0].stay.discharge_hour"),
        (replace(CLAIM, stay=replace(STAY, admitted_on=None)), "claims[0].stay.admission_hour"),
        (replace(CLAIM, stay=replace(STAY, patient_status="")), "claims[0].stay.patient_status"),
        (
            replace(CLAIM, principal_diagnosis=Diagnosis("I10", "1")),
            "claims[0].principal_diagnosis.present_on_admission",
        ),
        (
            replace(CLAIM, codes=ClinicalCodes(principal_procedure=Procedure("85025", FIRST))),
            "claims[0].codes.principal_procedure",
        ),
        (replace(CLAIM, codes=ClinicalCodes(conditions=("09",) * 25)), "claims[0].codes.conditions"),
        (
            replace(CLAIM, codes=ClinicalCodes(occurrence_spans=(OccurrenceSpan("74", LAST, FIRST),))),
            "claims[0].codes.occurrence_spans[0].ends_on",
        ),
        (replace(CLAIM, lines=(replace(ROOM, revenue_code="120"),)), "claims[0].lines[0].revenue_code"),
        (replace(CLAIM, lines=(replace(ROOM, modifiers=("25",)),)), "claims[0].lines[0].procedure_code"),
        (
            replace(CLAIM, billing_provider=replace(HOSPITAL, first_name="KIM")),
            "claims[0].billing_provider.first_name",
        ),
        (replace(CLAIM, lines=(TEST,) * 1000), "claims[0].lines"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_field(claim: InstitutionalClaim, field: str) -> None:
    with pytest.raises(UnwritableValue) as refusal:
        written(claim)
    assert refusal.value.field == field


@settings(deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(institutional_claims(), min_size=1, max_size=3, unique_by=lambda claim: claim.patient_control_number))
def test_what_is_written_reads_back_and_is_valid(batch: list[InstitutionalClaim]) -> None:
    raw = written(*batch)
    found = {event.patient_control_number: event for event in read(raw) if isinstance(event, SubmittedClaim)}
    assert inspect(raw).verdict is Verdict.ACCEPTED
    for claim in batch:
        own = found[claim.patient_control_number]
        assert (own.charge, own.facility_code, own.frequency_code) == (
            claim.charge,
            claim.bill_type,
            claim.frequency_code,
        )
        assert own.payer_control_number == claim.payer_control_number
        assert own.diagnoses == [claim.principal_diagnosis.code, *(each.code for each in claim.codes.other_diagnoses)]
        assert [(line.revenue_code, line.charge, line.line_control_number) for line in own.lines] == [
            (line.revenue_code, line.charge, line.line_control_number) for line in claim.lines
        ]
    assert validate(raw) == []
