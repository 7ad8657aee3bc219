"""Onset and accident of a pre-coded claim go to where payers look for them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from canonical.encounter import AccidentCause, EncounterPhi
from canonical.events.intake import ChargesRevised, PostedCharges
from intake.domain.clinical import Circumstances
from intake.domain.facts import EncounterSeen

from .test_fhir_claim_stays import INFO, stay_claim
from .test_fhir_claims import claim_bundle, coded, read
from .world import IntakeUnderTest, only, raw

ONSET = {"sequence": 5, "category": coded("onset"), "timingDate": "2026-02-01"}
DAY = date(2026, 2, 1)


def accident(kind: str, state: str = "OH") -> dict[str, Any]:
    return {"date": "2026-02-01", "type": coded(kind), "locationAddress": {"state": state}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"supportingInfo": [ONSET]}, Circumstances(onset_date=DAY)),
        (
            {"supportingInfo": [ONSET | {"timingDate": None, "timingPeriod": {"start": "2026-02-01"}}]},
            Circumstances(onset_date=DAY),
        ),
        (
            {"accident": accident("MVA", "oh")},
            Circumstances(accident_date=DAY, accident_cause=AccidentCause.AUTOMOBILE, accident_state="OH"),
        ),
        (
            {"accident": accident("WPA", "Ohio")},
            Circumstances(accident_date=DAY, accident_cause=AccidentCause.EMPLOYMENT),
        ),
        ({"accident": {"date": "2026-02-01"}}, Circumstances(accident_date=DAY)),
        ({}, Circumstances()),
    ],
)
def test_onset_and_accident_are_read_and_nothing_of_them_is_left_out(
    changes: dict[str, Any], told: Circumstances
) -> None:
    changes = {
        key: [{k: v for k, v in each.items() if v} for each in value] if isinstance(value, list) else value
        for key, value in changes.items()
    }
    delivery = read(claim_bundle(**changes))
    assert only(delivery.facts, EncounterSeen).circumstances == told
    assert delivery.notes == ()


def test_a_facilitys_bill_tells_them_by_occurrence_codes() -> None:
    seen = only(read(stay_claim(accident=accident("MVA"), supportingInfo=[*INFO, ONSET])).facts, EncounterSeen)
    assert seen.stay is not None
    assert [(each.code, each.on) for each in seen.stay.occurrences] == [("01", DAY), ("11", DAY)]


def test_they_reach_the_sealed_details_and_an_update_says_the_posting_again() -> None:
    service = IntakeUnderTest()
    for changes in ({"supportingInfo": [ONSET]}, {"accident": accident("MVA")}):
        (outcome,) = service.receive(raw(claim_bundle(**changes) | {"identifier": {"value": str(changes)[:40]}}))
        assert (outcome.accepted, outcome.findings) == (True, ())
    said = [event for event in service.events() if isinstance(event, PostedCharges)]
    assert [type(each) for each in said[1:]] == [ChargesRevised]
    first, second = (service.sealer.open(each.details, EncounterPhi) for each in said)
    assert (first.onset_date, first.accident_date) == (DAY, None)
    assert (second.onset_date, second.accident_date, second.accident_state) == (None, DAY, "OH")
    assert second.accident_cause is AccidentCause.AUTOMOBILE


def test_a_day_to_come_is_refused() -> None:
    future = accident("SPT") | {"date": "2027-01-01"}
    (outcome,) = IntakeUnderTest().receive(raw(claim_bundle(accident=future)))
    assert [finding.split(": ")[1] for finding in outcome.findings] == ["date-in-future"]
