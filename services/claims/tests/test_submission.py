"""The sweep that puts ready claims into interchanges."""

from __future__ import annotations

from datetime import date

import pytest
from canonical.ids import derive
from canonical.money import Money
from canonical.party import Address
from chassis.eventstore import transact
from chassis.testing import context
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.read_models import CLAIMS, INTERCHANGES
from claims.application.submission import ClaimSubmission
from claims.application.use_cases import NotHeld, release_claim
from claims.domain.claim import Claim
from sandbox.world.x12_claims import read_interchange

from .world import EDITS, MASTER_DATA, ClaimsUnderTest, acknowledged, charged, claim_id, person, status


def test_claims_of_one_payer_and_entity_share_an_interchange() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1), charged(2), charged(3, payer="BLUEOAK"), charged(4, entity="SOUTH"))

    service.sweep()

    rows = service.store.rows(INTERCHANGES, {}, order=("control_number",))
    assert [(row["entity"], row["payer"], row["claim_count"], row["total_minor"]) for row in rows] == [
        ("NORTH", "ACME", 2, 50_000),
        ("NORTH", "BLUEOAK", 1, 25_000),
        ("SOUTH", "ACME", 1, 25_000),
    ]
    assert [row["control_number"] for row in rows] == ["000000001", "000000002", "000000003"]


def test_another_program_reads_what_was_sent() -> None:
    service = ClaimsUnderTest().submitted(1, 2)

    received = read_interchange(service.transport.files["000000001.x12"])

    claims = [claim for group in received.groups for each in group.sets for claim in each.claims]
    assert {claim.patient_control_number for claim in claims} == {
        str(service.claim(number)["patient_control_number"]) for number in (1, 2)
    }
    assert {claim.charge for claim in claims} == {Money.of("250.00")}
    assert {line.control_number for claim in claims for line in claim.lines} == {"1", "2"}


def test_an_interchange_holds_at_most_500_claims() -> None:
    service = ClaimsUnderTest()
    service.receive(*(charged(number) for number in range(501)))

    service.sweep()

    counts = [row["claim_count"] for row in service.store.rows(INTERCHANGES, {}, order=("control_number",))]
    assert counts == [500, 1]


def test_sweeping_again_sends_nothing_twice() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.sweep()

    assert (service.transport.sendings, len(service.store.rows(INTERCHANGES, {}))) == (1, 1)


def test_ready_claims_gather_before_they_leave() -> None:
    service = ClaimsUnderTest()
    gathering = ClaimSubmission(
        service.store, service.clock, EDITS, X12ClaimFormat(), service.vault, gathering_seconds=2
    )
    service.receive(charged(1))

    assert gathering.run() == 0
    service.clock.advance(seconds=1)
    service.receive(charged(2))
    service.clock.advance(seconds=1)
    assert gathering.run() == 2


def test_a_name_that_x12_cannot_hold_holds_its_claim_and_the_others_go() -> None:
    service = ClaimsUnderTest()
    odd = person(2)
    odd = odd.model_copy(update={"patient": odd.patient.model_copy(update={"family_name": "Müller*"})})
    service.receive(charged(1), charged(2, phi=odd))

    service.sweep()

    assert service.claim(1)["state"] == "submitted"
    assert service.claim(2)["state"] == "held"
    assert "subscriber.last_name" in str(service.claim(2)["hold_reasons"])
    (case,) = service.cases()
    assert case["code"] == "ClaimHeld"
    assert "ller" not in str(case["summary"])


def test_a_claim_that_breaks_a_rule_of_the_guide_is_held_and_the_others_go() -> None:
    service = ClaimsUnderTest()
    wrong_state = person(2)
    address = Address(line="2 Side Street", city="Springfield", state="ZZ", postal_code="45501")
    wrong_state = wrong_state.model_copy(
        update={"patient": wrong_state.patient.model_copy(update={"address": address})}
    )
    service.receive(charged(1), charged(2, phi=wrong_state), charged(3))

    service.sweep()

    states = [service.claim(number)["state"] for number in (1, 2, 3)]
    assert states == ["submitted", "held", "submitted"]
    assert "N4" in str(service.claim(2)["hold_reasons"])


def test_when_no_claim_can_be_written_no_number_is_taken() -> None:
    service = ClaimsUnderTest()
    service.vault.erased.add(charged(1).patient_id)
    service.receive(charged(1))

    service.sweep()

    assert "DetailsClosed" in str(service.claim(1)["hold_reasons"])
    service.receive(charged(2))
    service.sweep()
    assert list(service.transport.files) == ["000000001.x12"]


def test_claims_that_name_the_payer_differently_leave_in_two_interchanges() -> None:
    old = next(payer for payer in MASTER_DATA.payers if payer.code == "ACME")
    renamed = (
        old.model_copy(update={"valid_until": date(2026, 3, 1)}),
        old.model_copy(update={"valid_from": date(2026, 3, 2), "name": "ACME NEW"}),
    )
    others = tuple(payer for payer in MASTER_DATA.payers if payer.code != "ACME")
    service = ClaimsUnderTest(MASTER_DATA.model_copy(update={"payers": (*renamed, *others)}))
    yesterday = date(2026, 3, 1)
    lines = tuple(line.model_copy(update={"service_date": yesterday}) for line in charged().charges)
    service.receive(charged(1), charged(2, service_from=yesterday, service_to=yesterday, charges=lines), charged(3))

    service.sweep()

    assert len(service.transport.files) == 2
    assert {row["state"] for row in service.store.rows(CLAIMS, {})} == {"submitted"}


def test_a_held_claim_is_released_once_master_data_knows_its_provider() -> None:
    without = MASTER_DATA.model_copy(update={"providers": ()})
    before = ClaimsUnderTest(without)
    before.receive(charged(1))
    assert before.claim()["state"] == "held"

    transact(before.store, context(), lambda work: release_claim(work, claim_id(), EDITS, "provider added"))
    after = ClaimsUnderTest(MASTER_DATA, before.store)
    after.sweep()

    assert after.claim()["state"] == "submitted"
    (case,) = after.cases()
    assert (case["state"], case["reason"]) == ("corrected", "provider added")


def test_releasing_what_is_still_wrong_is_a_run_of_the_edits_and_changes_nothing_else() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1, has_member_id=False))
    position = service.store.last_position()

    transact(service.store, context(), lambda work: release_claim(work, claim_id(), EDITS, "try"))

    assert [type(entry.event) for entry in service.store.log(position, 10)] == [Claim.EditsRan]
    assert [case["state"] for case in service.cases()] == ["open"]


def test_a_rejected_claim_goes_out_again_as_an_original() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(status(accepted=False))

    transact(service.store, context(), lambda work: release_claim(work, claim_id(), EDITS, "member id mended"))
    service.sweep()

    assert service.claim()["state"] == "submitted"
    assert list(service.transport.files) == ["000000001.x12", "000000002.x12"]
    assert [case["state"] for case in service.cases()] == ["corrected"]


def test_a_late_rejection_of_the_first_interchange_leaves_the_second_alone() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(status(accepted=False))
    transact(service.store, context(), lambda work: release_claim(work, claim_id(), EDITS, "mended"))
    service.sweep()

    service.receive(acknowledged("999", "R", 1))

    assert service.claim()["state"] == "submitted"


def test_only_held_or_rejected_claims_are_released() -> None:
    service = ClaimsUnderTest().submitted(1)

    with pytest.raises(NotHeld):
        transact(service.store, context(), lambda work: release_claim(work, claim_id(), EDITS, "why not"))


def test_the_same_patient_twice_and_a_dependent_share_an_interchange() -> None:
    service = ClaimsUnderTest()
    child = person(2)
    assert child.coverage is not None
    coverage = child.coverage.model_copy(
        update={"relationship": "19", "subscriber_family_name": "Sample", "subscriber_given_name": "Parent"}
    )
    patient_id = derive("test-patient", 1)
    service.receive(
        charged(1), charged(3, patient_id=patient_id), charged(2, phi=child.model_copy(update={"coverage": coverage}))
    )

    service.sweep()

    assert [row["claim_count"] for row in service.store.rows(INTERCHANGES, {})] == [3]
    assert b"PAT*19~" in service.transport.files["000000001.x12"]
