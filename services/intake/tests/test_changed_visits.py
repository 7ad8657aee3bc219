"""What else is told of a visit after its charges were billed: payers are told by a revision, where they would see it."""

from __future__ import annotations

from typing import Any

import pytest
from canonical.codes import ClaimType
from canonical.encounter import EncounterPhi
from canonical.events.intake import VisitGuarantorChanged
from canonical.ids import derive
from canonical.party import Guarantor
from intake.domain.clinical import SeenStay
from intake.domain.facts import CoverageSeen, DiagnosisSeen, Link

from .test_revisions import DAY, VISIT, Source, charge, visit
from .world import PATIENT


def billed() -> Source:
    source = Source()
    source.tell(charge(1), charge(2, "40.00"))
    return source


def details_of(source: Source) -> EncounterPhi:
    return source.service.sealer.open(source.said[-1].details, EncounterPhi)


def test_a_diagnosis_that_comes_after_billing_says_the_posting_again_with_the_same_charges() -> None:
    source = billed()
    source.tell(DiagnosisSeen("diagnosis", VISIT, "E11.9"))
    (revision,) = source.revisions
    assert (revision.reason.value, revision.revision, revision.diagnosis_count) == ("clinical", 1, 2)
    assert (revision.charges, revision.total) == (revision.previous_charges, revision.previous_total)
    assert details_of(source).diagnosis_codes == ("I10", "E11.9")


def test_another_location_is_told() -> None:
    source = billed()
    source.tell(visit(location="N-EAST"))
    (revision,) = source.revisions
    assert (revision.reason.value, revision.location) == ("clinical", "N-EAST")


def test_another_provider_of_the_visit_is_told_where_its_charges_name_none() -> None:
    source = Source()
    source.tell(charge(1, performer=Link()))
    source.tell(visit(rendering_provider=Link(code="PRV02")))
    (revision,) = source.revisions
    assert (revision.reason.value, revision.rendering_provider) == ("clinical", "PRV02")


def test_a_charge_that_changes_with_the_visit_makes_one_correction() -> None:
    source = billed()
    source.tell(DiagnosisSeen("diagnosis", VISIT, "E11.9"), charge(1, "70.00", corrects=True))
    assert [each.reason.value for each in source.revisions] == ["correction"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rendering_provider": Link(code="PRV02")},
        {"account_number": "A-77"},
        {"guarantor": Guarantor(guarantor_id=derive("guarantor"), family_name="Payer", given_name="Pat")},
        {"stay": SeenStay(discharged_at="202602071100")},
    ],
)
def test_what_no_payer_would_see_of_charges_that_name_their_provider_is_not_told_again(changes: dict[str, Any]) -> None:
    source = billed()
    for _ in range(2):
        source.tell(visit(**changes))
    assert source.revisions == []


def answering(name: str) -> Guarantor:
    return Guarantor(guarantor_id=derive("guarantor", name), family_name=name, given_name="Pat")


def test_another_guarantor_is_told_once_by_itself_and_no_payer_hears_of_it() -> None:
    source = Source()
    source.tell(visit(guarantor=answering("One")), charge(1))
    for name in ("One", "Two", "Two"):
        source.tell(visit(guarantor=answering(name)))
    told = [event for event in source.service.events() if isinstance(event, VisitGuarantorChanged)]
    assert [(each.encounter_id, each.guarantor_id) for each in told] == [(VISIT.id, derive("guarantor", "Two"))]
    assert source.revisions == []


def test_another_guarantor_is_told_with_the_posting_that_is_said_again_or_first() -> None:
    source = Source()
    source.tell(visit(guarantor=answering("One")))
    source.tell(visit(guarantor=answering("Two")), charge(1))
    source.tell(visit(guarantor=answering("Three")), charge(2, "40.00"))
    assert [each.guarantor_id for each in source.said] == [derive("guarantor", name) for name in ("Two", "Three")]
    assert not [event for event in source.service.events() if isinstance(event, VisitGuarantorChanged)]


def test_the_guarantor_of_a_held_visit_is_told_of_what_was_billed_before() -> None:
    source = Source()
    source.tell(visit(guarantor=answering("One")), charge(1))
    source.tell(visit(guarantor=answering("Two"), location="NOWHERE"))
    assert source.open_cases() != []
    assert [type(event) for event in source.service.events()][-1] is VisitGuarantorChanged


def test_what_a_person_pays_for_himself_is_not_told_again() -> None:
    source = Source()
    source.tell(CoverageSeen("coverage", Link(id=PATIENT), VISIT, Link(), None))
    source.tell(charge(1))
    source.tell(DiagnosisSeen("diagnosis", VISIT, "E11.9"))
    assert [each.payer for each in source.said] == [""]


def test_a_visit_that_can_be_billed_no_more_is_held_and_told_again_when_it_can() -> None:
    source = billed()
    source.tell(visit(location="N-NOWHERE"))
    assert (source.revisions, source.row["state"]) == ([], "held")
    source.tell(visit(location="N-EAST"))
    assert [each.reason.value for each in source.revisions] == ["clinical"]
    assert source.row["state"] == "finished"


def test_a_late_charge_joins_the_posting_of_the_visit_as_it_is_now() -> None:
    source = billed()
    source.tell(visit(location="N-EAST"))
    source.tell(charge(3, "5.00"))
    assert [each.reason.value for each in source.revisions] == ["clinical", "late-charge"]
    assert source.billed() == {1: "145.00"}
    assert source.said[-1].service_from == DAY


def test_a_diagnosis_of_another_providers_late_charge_is_told_of_that_charge_alone() -> None:
    source = billed()
    source.tell(charge(3, "5.00", performer=Link(code="PRV02"), diagnosis_codes=("E11.9",)))
    assert (source.revisions, source.billed()) == ([], {1: "140.00", 2: "5.00"})


def billing_pediatrics(source: Source, bills: ClaimType) -> None:
    """From now on the department bills so."""
    known = source.service.master_data
    rows = tuple(row.model_copy(update={"bills": bills}) if row.code == "N-PED" else row for row in known.departments)
    source.service.master_data = known.model_copy(update={"departments": rows})


def test_a_late_charge_leaves_nothing_unbilled_where_another_of_its_posting_is_of_another_kind_by_now() -> None:
    source = Source()
    source.tell(charge(1), charge(2, "40.00", department="PEDS"))
    billing_pediatrics(source, ClaimType.DENTAL)
    source.tell(charge(3, "7.00"))
    assert source.billed() == {1: "107.00", 2: "40.00"}
    assert [each.claim_type.value for each in source.said] == ["professional", "professional", "dental"]
    source.tell(charge(4, "3.00", department="PEDS"))
    assert source.billed() == {1: "107.00", 2: "43.00"}


def test_a_late_professional_charge_of_a_visit_that_became_a_stay_leaves_nothing_unbilled() -> None:
    source = Source()
    source.tell(CoverageSeen("coverage", Link(id=PATIENT), VISIT, Link(), None))
    billing_pediatrics(source, ClaimType.PROFESSIONAL)
    source.tell(charge(1), charge(2, "40.00"))
    source.tell(visit(stay=SeenStay(is_inpatient=True)))
    source.tell(charge(3, "7.00", department="PEDS"))
    assert source.billed() == {1: "7.00", 2: "140.00"}
    assert source.row["charged_minor"] == source.row["posted_minor"]
