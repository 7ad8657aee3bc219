"""Claims that an external platform works are their own patients' through every merge, and a person's by the view of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import cast
from uuid import UUID

import grpc
from billing.claims.v1 import claims_pb2
from billing.payments.v1 import payments_pb2
from canonical.money import Money
from chassis.merged_patients import PATIENT_MERGES, group_of
from chassis.rpc import NotThere
from claims.adapters.grpc import Claims
from claims.application.following import DecisionFollowing
from hypothesis import given, settings
from hypothesis import strategies as st
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import Fact, Link, PatientsMerged, PatientsUnmerged
from payments.adapters.grpc import Payments

from services.claims.tests.world import EDITS, MASTER_DATA

from .platform_road import PAID_ON, PLATFORM, Road, charges

NO_CONTEXT = cast(grpc.ServicerContext, None)
FOLLOWING = DecisionFollowing(MASTER_DATA)
TOLD = charges()
SOURCE = TOLD[0].source
PATIENTS = tuple(cast(UUID, each.patient.id) for each in TOLD)
ACTS = len(TOLD) + 3
"""Each visit, then the platform's remittance, a patient's payment to it, and that payment told again."""


@dataclass(frozen=True)
class Word:
    """The source merges or parts two of the patients (by number), before an act."""

    before: int
    survivor: int
    retired: int
    parts: bool


def told_along(words: list[Word]) -> Road:
    """The whole story, with these words in between."""
    road = Road(PLATFORM)
    for act in range(ACTS + 1):
        for number, word in enumerate(words):
            if word.before == act:
                kind = PatientsUnmerged if word.parts else PatientsMerged
                say(road, kind("MRG", Link(id=PATIENTS[word.survivor]), Link(id=PATIENTS[word.retired])), f"w{number}")
        if act < ACTS:
            act_out(road, act)
    return road


def act_out(road: Road, act: int) -> None:
    if act < len(TOLD):
        (outcome,) = road.intake.messages.receive([TOLD[act]])
        assert outcome.accepted, "a visit under the patient's own number is taken"
        road.settle_down()
    elif act == len(TOLD):
        road.pay()
    else:
        number = next(str(row["patient_control_number"]) for row in road.claims() if row["patient_minor"])
        road.tell(road.desk.patient_paid("P-1", number, Money.of("5.00"), PAID_ON))


def say(road: Road, fact: Fact, key: str) -> None:
    """What the source says of its patients; one that has not come in yet is no fault here."""
    patient = Link(id=PATIENTS[0])
    delivery = InboundDelivery(SOURCE, key, "hl7v2", key.encode(), "test", facts=(fact,), patient=patient)
    road.intake.messages.receive([delivery])
    road.settle_down()


def part_everybody(road: Road) -> None:
    for number, row in enumerate(road.intake.core.store.rows(PATIENT_MERGES, {})):
        if row["survivor_id"] is not None:
            survivor, retired = Link(id=cast(UUID, row["survivor_id"])), Link(id=cast(UUID, row["retired_id"]))
            say(road, PatientsUnmerged("PID", survivor, retired), f"end {number}")


@cache
def apart() -> Road:
    return told_along([])


def balance(road: Road, patient: UUID) -> tuple[int, int]:
    """What the person owes, and the cash that has paid nothing yet."""
    request = payments_pb2.GetPatientBalanceRequest(patient_id=str(patient))
    try:
        told = Payments(road.cores["payments"], lambda: PAID_ON).GetPatientBalance(request, NO_CONTEXT)
    except NotThere:
        return (0, 0)
    return told.balance.minor, sum(account.unapplied.minor for account in told.accounts)


def claims_of(road: Road, patient: UUID) -> set[tuple[str, str]]:
    """The claims of the person, and who works them."""
    request = claims_pb2.FindClaimRequest(patient_id=str(patient))
    try:
        told = Claims(road.cores["claims"], EDITS, FOLLOWING).FindClaim(request, NO_CONTEXT)
    except NotThere:
        return set()
    return {(claim.patient_control_number, claim.worked_by) for claim in told.claims}


places = st.integers(0, len(PATIENTS) - 1)
words_told = st.lists(st.builds(Word, st.integers(0, ACTS), places, places, st.booleans()), max_size=6)


def test_the_story_has_a_platform_work_the_claims_of_several_patients() -> None:
    road = apart()
    assert len(set(PATIENTS)) == len(TOLD) > 1
    assert all(claims_of(road, patient) for patient in PATIENTS)
    assert {worked_by for patient in PATIENTS for _, worked_by in claims_of(road, patient)} == {PLATFORM}
    assert any(balance(road, patient) != (0, 0) for patient in PATIENTS)


@settings(max_examples=25, deadline=None)
@given(words=words_told)
def test_merging_and_parting_leave_the_books_of_a_platforms_claims_as_if_nobody_had_been_merged(
    words: list[Word],
) -> None:
    merging, plain = told_along(words), apart()
    assert merging.books() == plain.books()
    for patient in PATIENTS:
        group = group_of(merging.intake.core.store, patient)
        for service in ("claims", "payments"):
            assert set(group_of(merging.cores[service].store, patient)) == set(group), f"{service} knows the person"
        members = [balance(plain, each) for each in group]
        assert balance(merging, patient) == tuple(map(sum, zip(*members, strict=True)))
        assert claims_of(merging, patient) == {claim for each in group for claim in claims_of(plain, each)}
    part_everybody(merging)
    for patient in PATIENTS:
        assert (balance(merging, patient), claims_of(merging, patient)) == (
            balance(plain, patient),
            claims_of(plain, patient),
        )


def test_after_a_merge_a_person_has_the_platforms_claims_of_both() -> None:
    merging, plain = told_along([Word(len(TOLD), 0, 1, parts=False)]), apart()
    both = claims_of(plain, PATIENTS[0]) | claims_of(plain, PATIENTS[1])
    assert len(both) == len(claims_of(plain, PATIENTS[0])) + len(claims_of(plain, PATIENTS[1]))
    assert claims_of(merging, PATIENTS[1]) == claims_of(merging, PATIENTS[0]) == both
