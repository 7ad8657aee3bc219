"""The 837D writer: teeth, surfaces, areas and orthodontics, valid by our own structure table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from canonical.money import Money
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from x12.claim_parties import Payer, Provider
from x12.dental_claim import DentalClaim, DentalLine, Orthodontics, Tooth, ToothStatus
from x12.dental_claim_writer import write_dental_claims
from x12.errors import UnwritableValue
from x12.findings import Verdict
from x12.inspection import inspect
from x12.other_payers import AdjudicatedLine, OtherPayer, OtherSubscriber, PriorAdjustment
from x12.reading import read
from x12.submitted_claim import SubmittedClaim
from x12.validation import validate

from libs.x12.tests.generated_claims import CLINIC, ENVELOPE, PLAN, RECEIVER, ROBIN, SUBMITTER
from libs.x12.tests.generated_dental import dental_claims

DAY = date(2026, 3, 1)
FILLING = DentalLine(
    "D2392", Money.of("180.00"), DAY, "L1", teeth=(Tooth("3", ("M", "O")), Tooth("14")), diagnosis_pointers=(1,)
)
CROWN = DentalLine(
    "D2740", Money.of("900.00"), DAY, "L2", areas=("10",), prosthesis="R", prior_placement_on=date(2015, 1, 2)
)
CLAIM = DentalClaim(
    "PCN1",
    "11",
    (FILLING, CROWN),
    CLINIC,
    ROBIN,
    PLAN,
    diagnosis_codes=("K0250",),
    tooth_statuses=(ToothStatus("8", "M"),),
)


def written(*claims: DentalClaim) -> bytes:
    return write_dental_claims(ENVELOPE, SUBMITTER, RECEIVER, claims)


def body(claim: DentalClaim) -> list[str]:
    raw = written(claim)
    assert validate(raw) == []
    lines = raw.decode().split("~")[:-4]
    return lines[next(index for index, line in enumerate(lines) if line.startswith("CLM")) :]


def test_teeth_surfaces_and_prostheses_are_written() -> None:
    assert body(CLAIM) == [
        "CLM*PCN1*1080***11:B:1*Y*A*Y*Y",
        "DN2*8*M****JP",
        "HI*ABK:K0250",
        "LX*1",
        "SV3*AD:D2392*180****1*****1",
        "TOO*JP*3*M:O",
        "TOO*JP*14",
        "DTP*472*D8*20260301",
        "REF*6R*L1",
        "LX*2",
        "SV3*AD:D2740*900**10*R*1",
        "DTP*472*D8*20260301",
        "DTP*441*D8*20150102",
        "REF*6R*L2",
    ]


def test_a_predetermination_has_no_date_of_service() -> None:
    asked = replace(CLAIM, lines=(replace(FILLING, service_date=None),), is_predetermination=True)
    lines = body(asked)
    assert lines[0] == "CLM*PCN1*180***11:B:1*Y*A*Y*Y**********PB"
    assert not any(line.startswith("DTP*472") for line in lines)


@pytest.mark.parametrize(
    ("told", "segment"),
    [(Orthodontics(), "DN1****Y"), (Orthodontics(24, 12), "DN1*24*12"), (Orthodontics(None, 0, DAY), "DN1**0")],
)
def test_orthodontics_tell_their_months_or_that_they_are_some(told: Orthodontics, segment: str) -> None:
    assert segment in body(replace(CLAIM, orthodontics=told))


def test_a_primary_payers_decision_stands_at_its_line() -> None:
    decision = AdjudicatedLine(1, Money.of("100.00"), DAY, (PriorAdjustment("PR", "1", Money.of("80.00")),))
    primary = OtherPayer(
        Payer("FIRST PLAN", "11111"),
        OtherSubscriber("SAMPLE", "ROBIN", "M1"),
        "P",
        paid=Money.of("100.00"),
        lines=(decision,),
    )
    secondary = replace(CLAIM, lines=(FILLING,), subscriber=replace(ROBIN, responsibility="S"), other_payers=(primary,))
    assert body(secondary)[-3:] == ["SVD*11111*100*AD:D2392**1", "CAS*PR*1*80", "DTP*573*D8*20260301"]


@pytest.mark.parametrize(
    ("claim", "field"),
    [
        (replace(CLAIM, lines=(replace(FILLING, service_date=None),)), "claims[0].lines[0].service_date"),
        (replace(CLAIM, lines=(replace(CROWN, prior_placement_on=None),)), "claims[0].lines[0].prior_placement_on"),
        (
            replace(CLAIM, lines=(replace(FILLING, teeth=(Tooth("3", ("X",)),)),)),
            "claims[0].lines[0].teeth[0].surfaces",
        ),
        (replace(CLAIM, lines=(replace(FILLING, quantity=0),)), "claims[0].lines[0].quantity"),
        (replace(CLAIM, tooth_statuses=(ToothStatus("8", "X"),)), "claims[0].tooth_statuses[0].status"),
        (replace(CLAIM, orthodontics=Orthodontics(100)), "claims[0].orthodontics"),
        (replace(CLAIM, diagnosis_codes=("K0250",) * 5), "claims[0].diagnosis_codes"),
        (
            replace(CLAIM, assistant_surgeon=Provider("A", "", "1912301953", is_organisation=True)),
            "claims[0].assistant_surgeon.is_organisation",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_field(claim: DentalClaim, field: str) -> None:
    with pytest.raises(UnwritableValue) as refusal:
        written(claim)
    assert refusal.value.field == field


@settings(deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(dental_claims(), min_size=1, max_size=3, unique_by=lambda claim: claim.patient_control_number))
def test_what_is_written_reads_back_and_is_valid(batch: list[DentalClaim]) -> None:
    raw = written(*batch)
    found = {event.patient_control_number: event for event in read(raw) if isinstance(event, SubmittedClaim)}
    assert inspect(raw).verdict is Verdict.ACCEPTED
    for claim in batch:
        own = found[claim.patient_control_number]
        assert (own.charge, own.frequency_code) == (claim.charge, claim.frequency_code)
        assert own.payer_control_number == claim.payer_control_number
        assert own.diagnoses == list(claim.diagnosis_codes)
        assert [
            (line.procedure_code, line.charge, line.units_text, line.line_control_number) for line in own.lines
        ] == [(line.procedure_code, line.charge, str(line.quantity), line.line_control_number) for line in claim.lines]
    assert validate(raw) == []
