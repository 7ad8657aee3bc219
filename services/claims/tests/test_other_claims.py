"""Claims to a second payer, and claims for a facility: written from what is stored, and found right by pyx12."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from canonical.codes import AdjustmentGroup, ClaimType
from canonical.encounter import (
    DatedCode,
    DrugCharge,
    EncounterPhi,
    InstitutionalStay,
    NextPayer,
    ValuedCode,
)
from canonical.money import Money
from canonical.party import CoverageDetails
from canonical.remittance import ClaimAdjustment
from chassis.testing import FixedClock
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.ports import BillableClaim, Unwritable
from claims.application.reactions import content_of
from claims.domain.claim_content import PriorLine, PriorPayment
from claims.domain.interchange_order import going_together, order_of, parties_of
from x12.validation import validate

from .world import MASTER_DATA, charged, person

FORMAT = X12ClaimFormat()
SECOND = next(payer for payer in MASTER_DATA.payers if payer.code != "ACME")


def cas(group: AdjustmentGroup, reason: str, amount: str) -> ClaimAdjustment:
    return ClaimAdjustment(group=group, reason=reason, amount=Money.of(amount))


def twice_covered() -> EncounterPhi:
    second = CoverageDetails(member_id="S000001", relationship="01", subscriber_family_name="Sample")
    return person().model_copy(update={"other_coverages": (second,)})


def prior(paid_of_first_line: str = "80.00") -> PriorPayment:
    """ACME's decision on two lines of 150.00 and 100.00: a share of both is the patient's."""
    contractual, patient = AdjustmentGroup.CONTRACTUAL, AdjustmentGroup.PATIENT
    first = (cas(contractual, "45", "50.00"), cas(patient, "1", "10.00"), cas(patient, "2", "10.00"))
    lines = (
        PriorLine(line=1, paid=Money.of(paid_of_first_line), adjustments=first),
        PriorLine(line=2, paid=Money.of("70.00"), adjustments=(cas(patient, "3", "30.00"),)),
    )
    return PriorPayment(
        payer="ACME",
        paid=Money.total(line.paid for line in lines),
        adjustments=(),
        lines=lines,
        adjudication_date=date(2026, 3, 1),
        payer_control_number="ICN77",
    )


def secondary(decision: PriorPayment) -> BillableClaim:
    content = content_of(charged()).model_copy(
        update={"payer": SECOND.code, "payer_class": SECOND.payer_class, "sequence": 2, "prior": (decision,)}
    )
    return BillableClaim(content, twice_covered())


def written(*claims: BillableClaim) -> bytes:
    contents = [claim.content for claim in claims]
    parties = [parties_of(content, MASTER_DATA) for content in contents]
    order = order_of(contents, parties, "000000042", FixedClock().now, production=False)
    return FORMAT.write_validated(order, claims)


def test_a_second_payer_is_shown_what_the_first_decided_line_by_line() -> None:
    raw = written(secondary(prior()))
    segments = raw.decode().replace("\n", "").split("~")
    assert validate(raw) == []
    assert [each.split("*")[1] for each in segments if each.startswith("SBR")] == ["S", "P"]
    assert "AMT*D*150" in segments
    assert [each for each in segments if each.startswith("SVD")] == [
        f"SVD*{_acme()}*80*HC:99213:25**1",
        f"SVD*{_acme()}*70*HC:{charged().charges[1].procedure_code}**2",
    ]
    assert [each for each in segments if each.startswith("CAS")] == [
        "CAS*CO*45*50",
        "CAS*PR*1*10**2*10",
        "CAS*PR*3*30",
    ]
    assert "REF*F8*ICN77" in segments


def _acme() -> str:
    return MASTER_DATA.payer("ACME", date(2026, 3, 2)).x12_identifier


def test_a_decision_that_does_not_explain_its_line_is_never_shown_to_anybody() -> None:
    with pytest.raises(Unwritable) as refused:
        written(secondary(prior("80.01")))
    ((told,),) = refused.value.by_claim.values()
    assert "line" in told


def test_a_first_payer_is_told_who_pays_next() -> None:
    following = NextPayer(payer=SECOND.code, payer_class=SECOND.payer_class, has_member_id=True)
    content = content_of(charged()).model_copy(update={"next_payers": (following,)})
    raw = written(BillableClaim(content, twice_covered()))
    segments = raw.decode().replace("\n", "").split("~")
    assert [each.split("*")[1] for each in segments if each.startswith("SBR")] == ["P", "S"]
    assert not [each for each in segments if each.startswith(("SVD", "CAS"))]


STAY = InstitutionalStay(
    bill_type="11",
    admission_type="1",
    admission_source="1",
    patient_status="01",
    admitted_at="202603020830",
    discharged_at="202603051100",
    admitting_diagnosis="R07.9",
    attending_provider="PRV01",
    occurrences=(DatedCode(code="11", on=date(2026, 3, 1)),),
    conditions=("09",),
    values=(ValuedCode(code="80", amount=Money.of("3.00")),),
    procedures=(DatedCode(code="02703DZ", on=date(2026, 3, 3)),),
)


def facility(**changes: object) -> BillableClaim:
    event = charged()
    lines = tuple(
        line.model_copy(update={"revenue_code": code, "procedure_code": procedure, "modifiers": ()})
        for line, code, procedure in zip(event.charges, ("0120", "0250"), ("", "J1885"), strict=True)
    )
    content = content_of(event).model_copy(update={"claim_type": ClaimType.INSTITUTIONAL, "lines": lines})
    return BillableClaim(content, person().model_copy(update={"stay": STAY} | changes))


def test_a_stay_is_billed_as_an_institutional_claim() -> None:
    raw = written(facility())
    segments = raw.decode().replace("\n", "").split("~")
    assert validate(raw) == []
    assert "DTP*435*DT*202603020830" in segments
    assert "CL1*1*1*01" in segments
    assert "HI*BBR:02703DZ:D8:20260303" in segments
    assert "HI*BE:80:::3" in segments
    assert [each.split("*")[1] for each in segments if each.startswith("SV2")] == ["0120", "0250"]


@pytest.mark.parametrize(
    ("claim", "what"),
    [
        (facility(stay=None), "stay"),
        (facility(diagnosis_codes=()), "principal_diagnosis"),
        (facility(stay=STAY.model_copy(update={"admitted_at": "yesterday"})), "stay"),
    ],
)
def test_what_a_stay_lacks_is_named(claim: BillableClaim, what: str) -> None:
    with pytest.raises(Unwritable) as refused:
        written(claim)
    ((told,),) = refused.value.by_claim.values()
    assert what in told


def test_claims_of_two_kinds_never_share_an_interchange() -> None:
    contents = [content_of(charged()), facility().content]
    assert going_together([parties_of(content, MASTER_DATA) for content in contents]) == [0]


def test_a_drug_stands_at_its_line() -> None:
    event = charged()
    drug = DrugCharge(ndc="00009063001", quantity=Decimal("1.5"), unit="ML")
    lines = (event.charges[0].model_copy(update={"drug": drug}), *event.charges[1:])
    text = written(BillableClaim(content_of(event).model_copy(update={"lines": lines}), person())).decode()
    assert "LIN**N4*00009063001~" in text
    assert "CTP****1.5*ML~" in text
