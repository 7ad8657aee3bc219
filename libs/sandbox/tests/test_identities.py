"""The patients whom the EHR registers twice."""

from __future__ import annotations

from datetime import date

from sandbox.world.identities import other_number, registered_twice
from sandbox.world.scenario import Scenario

STORY = Scenario.tell(3, 12, date(2026, 3, 1))


def test_one_patient_is_merged_by_the_ehr_and_one_is_left_to_be_found() -> None:
    merged, doubtful = registered_twice(STORY.encounters)
    kinds = [[message.split(b"|")[8] for message in delivery.messages] for delivery in (merged, doubtful)]
    assert kinds == [[b"ADT^A28^ADT_A05", b"ADT^A40^ADT_A39"], [b"ADT^A28^ADT_A05"]]
    patient = next(each.patient for each in STORY.encounters if merged.visit_number.startswith(each.visit_number))
    assert f"MRG|{other_number(patient)}^".encode() in merged.messages[1]
    assert f"|{patient.mrn}^".encode() in merged.messages[1]
