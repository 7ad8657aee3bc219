"""What claims does when intake and payments announce something, on the whole service."""

from __future__ import annotations

from canonical.codes import PayerClass
from canonical.events.claims import (
    ClaimAccepted,
    ClaimAdjudicated,
    ClaimDrafted,
    ClaimHeld,
    ClaimPaymentUnknown,
    ClaimRejected,
)
from canonical.ids import derive
from canonical.money import Money
from claims.application.money_read_models import ADJUDICATIONS, UNKNOWN_PAYMENTS
from claims.application.read_models import CLAIMS, INTERCHANGES

from .world import (
    COPAY,
    DENIAL,
    MASTER_DATA,
    ClaimsUnderTest,
    acknowledged,
    charged,
    chunk,
    claim_id,
    control_number,
    paid,
    status,
)


def test_a_self_pay_encounter_makes_no_claim() -> None:
    service = ClaimsUnderTest()

    handled = service.receive(charged(payer="", payer_class=PayerClass.SELF_PAY))

    assert handled.done == 1
    assert service.store.rows(CLAIMS, {}) == []


def test_a_good_encounter_is_ready_at_once() -> None:
    service = ClaimsUnderTest()

    service.receive(charged())

    assert service.claim()["state"] == "ready"
    assert service.claim()["charge_minor"] == 25_000
    (drafted,) = service.public_events()
    assert isinstance(drafted, ClaimDrafted)
    assert drafted.patient_control_number == control_number()


def test_an_encounter_that_fails_an_edit_is_held_with_a_case() -> None:
    service = ClaimsUnderTest()

    service.receive(charged(has_member_id=False))

    assert service.claim()["state"] == "held"
    (case,) = service.cases()
    assert (case["code"], case["entity"], case["amount_minor"]) == ("ClaimHeld", "NORTH", 25_000)
    assert case["subject_id"] == claim_id()
    held = service.public_events()[-1]
    assert isinstance(held, ClaimHeld)
    assert held.reasons[0].startswith("MissingMemberId: ")


def test_two_postings_of_one_encounter_are_two_claims() -> None:
    service = ClaimsUnderTest()

    service.receive(charged(), charged(posting=2))

    assert len(service.store.rows(CLAIMS, {"encounter_id": charged().encounter_id})) == 2


def test_other_charges_for_the_same_posting_go_to_a_person() -> None:
    service = ClaimsUnderTest()

    handled = service.receive(charged(), charged(total=Money.of("250.01")))

    assert (handled.done, handled.refused) == (1, 1)
    assert service.claim()["charge_minor"] == 25_000
    assert [case["code"] for case in service.cases()] == ["ChangedClaim"]


def test_a_277ca_accepts_the_claim_and_keeps_the_payers_number() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(status())

    assert (service.claim()["state"], service.claim()["payer_control_number"]) == ("accepted", "ICN1")
    assert isinstance(service.public_events()[-1], ClaimAccepted)


def test_a_277ca_rejects_the_claim_and_a_person_is_told() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(status(accepted=False))

    assert (service.claim()["state"], service.claim()["rejection_codes"]) == ("rejected", "A3:21")
    assert [case["code"] for case in service.cases()] == ["ClaimRejected"]
    assert isinstance(service.public_events()[-1], ClaimRejected)


def test_a_status_of_a_claim_that_is_not_ours_goes_to_a_person() -> None:
    service = ClaimsUnderTest().submitted(1)

    handled = service.receive(status(99), status(1))

    assert (handled.done, handled.refused) == (1, 1)
    assert [case["code"] for case in service.cases()] == ["UnknownAggregate"]


def test_acknowledgements_move_the_interchange() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(acknowledged("TA1", "A"))
    (row,) = service.store.rows(INTERCHANGES, {})
    assert (row["state"], row["answer"]) == ("acknowledged", "TA1 A")

    service.receive(acknowledged("999", "A"))
    (row,) = service.store.rows(INTERCHANGES, {})
    assert (row["state"], row["answer"]) == ("accepted", "999 A")


def test_a_rejected_interchange_rejects_its_claims_and_raises_one_case() -> None:
    service = ClaimsUnderTest().submitted(1, 2)

    service.receive(acknowledged("999", "R", rejected_sets=("0001",), notes=("IK3 NM1",)))

    assert {row["state"] for row in service.store.rows(CLAIMS, {})} == {"rejected"}
    (case,) = service.cases()
    assert case["code"] == "InterchangeRejected"
    assert case["summary"] == "999:R: 2 claims are rejected; IK3 NM1"
    assert case["amount_minor"] == 50_000


def test_a_rejected_envelope_rejects_its_claims() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(acknowledged("TA1", "R"))

    assert service.claim()["state"] == "rejected"


def test_an_acknowledgement_of_a_number_we_never_gave_goes_to_a_person() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(acknowledged("999", "A", 42))

    (case,) = service.cases()
    assert case["code"] == "UnknownInterchange"
    assert "'42'" in case["summary"]


def test_an_accepted_remittance_adjudicates_its_claims() -> None:
    service = ClaimsUnderTest().submitted(1, 2)

    service.receive(chunk(paid(1, 0), paid(2, 1, amount="0.00", adjustments=(DENIAL,))))

    first, second = service.claim(1), service.claim(2)
    assert (first["state"], first["paid_minor"], first["contractual_minor"]) == ("adjudicated", 15_000, 7_000)
    assert (first["patient_minor"], first["denied_minor"], first["adjudications"]) == (3_000, 0, 1)
    assert (second["state"], second["denied_minor"]) == ("denied", 25_000)
    announced = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)]
    assert [(event.first, event.denied, event.remittance_position) for event in announced] == [
        (True, False, 0),
        (True, True, 1),
    ]
    for event in announced:
        taken_off = Money.total(adjustment.amount for adjustment in event.adjustments)
        assert event.charge - taken_off == event.paid
        assert event.posting == 1


def test_where_an_adjudication_stands_in_the_message_is_kept_for_tracing() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(chunk(paid(1, 7)))

    (row,) = service.store.rows(ADJUDICATIONS, {"claim_id": claim_id()})
    assert (row["position"], row["span_start"], row["span_length"]) == (7, 2_500, 300)
    assert row["encounter_id"] == charged().encounter_id


def test_a_payment_for_a_claim_nobody_sent_is_recorded_and_the_others_go_on() -> None:
    service = ClaimsUnderTest().submitted(1)
    stranger = paid(1, 1).model_copy(update={"patient_control_number": "TNOBODYSENTTHIS01"})

    handled = service.receive(chunk(paid(1, 0), stranger))

    assert (handled.done, handled.refused) == (1, 0)
    assert service.claim()["state"] == "adjudicated"
    (row,) = service.store.rows(UNKNOWN_PAYMENTS, {})
    assert (row["why"], row["paid_minor"], row["position"]) == ("unknown-control-number", 15_000, 1)
    (unknown,) = [event for event in service.public_events() if isinstance(event, ClaimPaymentUnknown)]
    assert (unknown.paid, unknown.remittance_position) == (Money.of("150.00"), 1)
    (case,) = service.cases()
    assert (case["code"], case["amount_minor"]) == ("UnknownClaimPayment", 15_000)


def test_a_payment_that_cannot_be_the_claims_own_is_unknown_and_says_why() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(charged(2, has_member_id=False))

    service.receive(chunk(paid(2, 0)), chunk(paid(1, 0), remittance=2, entity="SOUTH"))
    service.receive(chunk(paid(1, 0), remittance=3, payer="BLUEOAK"))

    why = {row["remittance_id"]: row["why"] for row in service.store.rows(UNKNOWN_PAYMENTS, {})}
    assert why == {
        derive("test-remittance", 1): "never-submitted",
        derive("test-remittance", 2): "other-entity",
        derive("test-remittance", 3): "other-payer",
    }
    assert service.claim(1)["state"] == "submitted"


def test_every_payment_of_a_chunk_is_announced_exactly_once() -> None:
    service = ClaimsUnderTest().submitted(1, 2)
    stranger = paid(1, 2).model_copy(update={"patient_control_number": "TNOBODYSENTTHIS01"})
    whole = chunk(paid(1, 0), paid(2, 1), stranger)

    service.receive(whole)
    service.receive(whole)

    positions = [
        event.remittance_position
        for event in service.public_events()
        if isinstance(event, ClaimAdjudicated | ClaimPaymentUnknown)
    ]
    assert sorted(positions) == [0, 1, 2]


def test_other_content_at_the_same_place_of_a_remittance_changes_nothing_and_goes_to_a_person() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid(1, 0)))

    handled = service.receive(chunk(paid(1, 0, amount="180.00", adjustments=(COPAY,))))

    assert handled.refused == 1
    assert service.claim()["paid_minor"] == 15_000
    assert [case["code"] for case in service.cases()] == ["ChangedAdjudication"]


def test_a_payer_that_master_data_lost_stops_the_chunk_until_it_is_back() -> None:
    service = ClaimsUnderTest().submitted(1)
    without = MASTER_DATA.model_copy(update={"payers": ()})
    later = ClaimsUnderTest(without, service.store)

    handled = later.receive(chunk(paid(1, 0)))

    assert handled.refused == 1
    assert [case["code"] for case in later.cases()] == ["PayerGone"]
    assert later.claim()["state"] == "submitted"
