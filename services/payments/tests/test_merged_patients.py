"""The balance of a person who is known as several patients: summed while they are merged, exact when they are not."""

from __future__ import annotations

from typing import cast
from uuid import UUID

import grpc
from billing.payments.v1 import payments_pb2 as pb
from canonical.events.intake import PatientsMerged, PatientsUnmerged
from canonical.ids import derive
from chassis.messaging import Delivery
from payments.adapters.grpc import Payments

from .examples import DAY, PATIENT
from .world import World, adjudication, delivery

NO_CONTEXT = cast(grpc.ServicerContext, None)
OTHER, THIRD = derive("patient", "other"), derive("patient", "third")


def merge(retired: UUID, survivor: UUID, word: int = 1) -> Delivery:
    return delivery(PatientsMerged(survivor_id=survivor, retired_id=retired, by_source=True), retired, word)


def unmerge(retired: UUID, survivor: UUID, word: int = 2) -> Delivery:
    return delivery(PatientsUnmerged(survivor_id=survivor, retired_id=retired, by_source=False), retired, word)


def balance_of(world: World, patient_id: UUID) -> pb.GetPatientBalanceResponse:
    request = pb.GetPatientBalanceRequest(patient_id=str(patient_id))
    return Payments(world.core, lambda: DAY).GetPatientBalance(request, NO_CONTEXT)


def owing() -> World:
    """25.00 of one patient, 7.00 of the other."""
    world = World()
    world.deliver(adjudication(2500), adjudication(700, 1, patient_id=OTHER))
    return world


def test_the_balance_of_merged_patients_is_their_sum_and_says_of_whom() -> None:
    world = owing()
    world.deliver(merge(OTHER, PATIENT))
    for asked in (PATIENT, OTHER):
        told = balance_of(world, asked)
        assert told.balance.minor == 3200
        assert (told.person_id, list(told.merged_patient_ids)) == (str(PATIENT), [str(OTHER)])
        assert {account.patient_id: account.balance.minor for account in told.accounts} == {
            str(PATIENT): 2500,
            str(OTHER): 700,
        }
        assert len(told.activity) == 2


def test_parting_gives_each_patient_their_own_balance_again() -> None:
    world = owing()
    before = [balance_of(world, patient) for patient in (PATIENT, OTHER)]
    world.deliver(merge(OTHER, PATIENT), unmerge(OTHER, PATIENT))
    assert [balance_of(world, patient) for patient in (PATIENT, OTHER)] == before


def test_a_survivor_without_an_account_has_the_balance_of_the_retired() -> None:
    world = owing()
    world.deliver(merge(OTHER, THIRD))
    assert balance_of(world, THIRD).balance.minor == 700


def test_a_merge_that_is_told_again_after_its_end_changes_nothing() -> None:
    world = owing()
    world.deliver(unmerge(OTHER, PATIENT), merge(OTHER, PATIENT))
    assert balance_of(world, PATIENT).balance.minor == 2500
