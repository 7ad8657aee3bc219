"""Over HL7: a visit that never was (A11) bills nothing, and persons who were merged by mistake (A40, A37) are two as before."""

from __future__ import annotations

from canonical.events.intake import PatientsMerged, PatientsUnmerged
from intake.application.queries import ENCOUNTERS
from intake.domain.identities import encounter_id_of
from sandbox.world.ehr import deliveries
from sandbox.world.taken_back import cancelled_number, taken_back

from .world import STORY, IntakeUnderTest

SAID = taken_back(STORY.encounters)
LIKE = next(each for each in STORY.encounters if SAID[0].visit_number.startswith(f"{each.visit_number}-"))
TOLD = [raw for delivery in SAID for raw in delivery.messages]


def announced(*raws: bytes) -> list[tuple[str, str]]:
    """What of charges and patients is announced, beside the merge and its end."""
    service = IntakeUnderTest()
    assert {each.accepted for each in service.receive(*raws)} == {True}
    events = [each for each in service.events() if not isinstance(each, PatientsMerged | PatientsUnmerged)]
    return [(type(each).__name__, each.model_dump_json(exclude={"details", "message_ids"})) for each in events]


def test_what_is_taken_back_leaves_no_trace_in_what_is_billed() -> None:
    told = [raw for delivery in deliveries(STORY.billable[:20]) for raw in delivery.messages]
    assert announced(*told, *TOLD) == announced(*told)


def test_a_cancelled_visit_stands_as_cancelled() -> None:
    service = IntakeUnderTest()
    service.receive(*SAID[0].messages)
    identity = encounter_id_of(LIKE.source, cancelled_number(LIKE))
    (row,) = service.store.rows(ENCOUNTERS, {"encounter_id": identity})
    assert (row["state"], row["charge_count"]) == ("cancelled", 0)


def test_the_merge_is_told_and_taken_back_by_the_source() -> None:
    service = IntakeUnderTest()
    service.receive(*TOLD)
    told = [each for each in service.events() if isinstance(each, PatientsMerged | PatientsUnmerged)]
    assert [type(each) for each in told] == [PatientsMerged, PatientsUnmerged]
    assert len({(each.survivor_id, each.retired_id) for each in told}) == 1
    assert {each.by_source for each in told} == {True}
