"""Payments that no claim holds: given to a claim by a person, taken off again, and refused where that would be wrong."""

from __future__ import annotations

import pytest
from canonical.events.claims import ClaimAdjudicated
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work
from chassis.testing.contexts import context
from claims.application.adjudicating import settle_decisions
from claims.application.contractual_reasons import contractual_reasons_by
from claims.application.following import DecisionFollowing
from claims.application.matching import OtherEntity, match_payment, unmatch_payment
from claims.application.money_read_models import ADJUDICATIONS, UNKNOWN_PAYMENTS
from claims.application.queries import subledger_balances, unmatched_payments
from claims.domain.adjudicated_claim import NeverSubmitted, ReversalNotProved, ReversedMeanwhile
from claims.domain.unknown_payment import MatchedElsewhere, NothingToMatch, NotMatched

from .money_world import CO, CR, PR, booked_amounts, claim_of, paid_by_line, part, reversal_of
from .world import EDITS, MASTER_DATA, ClaimsUnderTest, adjustment, charged, chunk, claim_id, paid

STRANGER = paid_by_line(1, 3).model_copy(update={"patient_control_number": "TNOBODYSENTTHIS01"})
REASONS_OF = contractual_reasons_by(MASTER_DATA)
FOLLOWING = DecisionFollowing(MASTER_DATA)


def waiting() -> ClaimsUnderTest:
    """With a payment of 150.00 under a number that is not ours."""
    service = ClaimsUnderTest().submitted(1, 2)
    service.receive(chunk(STRANGER))
    return service


def match(service: ClaimsUnderTest, number: int = 1, position: int = 3, remittance: object = 1) -> None:
    work = Work(service.store, context())
    place = derive("test-remittance", remittance), position
    claim = match_payment(work, *place, claim_id(number), REASONS_OF, "the patient's member id says so")
    settle_decisions(work, [claim], REASONS_OF, EDITS, FOLLOWING)
    work.commit()


def unmatch(service: ClaimsUnderTest, position: int = 3, remittance: object = 1) -> None:
    work = Work(service.store, context())
    claim = unmatch_payment(work, derive("test-remittance", remittance), position, "another patient of that name")
    settle_decisions(work, [claim], REASONS_OF, EDITS, FOLLOWING)
    work.commit()


def test_a_matched_payment_is_booked_to_the_claim_and_leaves_unapplied_cash() -> None:
    service = waiting()

    match(service)

    (event,) = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)]
    assert (event.match, event.kind, event.paid, event.remittance_position) == (1, "decision", Money.of("150.00"), 3)
    assert (service.claim()["state"], service.claim()["paid_minor"]) == ("adjudicated", 15_000)
    assert booked_amounts(service)["unapplied"] == 0
    (balance,) = subledger_balances(service.store, "NORTH").by_payer
    assert balance.unknown_paid.minor == 0
    assert unmatched_payments(service.store, {}, 10) == []
    assert [case["state"] for case in service.cases()] == ["corrected"]
    lines = claim_of(service).decisions.standing[0].decision.lines
    assert [line.line for line in lines] == [1, 2]


def test_matching_again_to_the_same_claim_changes_nothing_and_to_another_is_refused() -> None:
    service = waiting()
    match(service)
    position = service.store.last_position()

    match(service)

    assert service.store.last_position() == position
    with pytest.raises(MatchedElsewhere):
        match(service, 2)


def test_an_unmatched_payment_is_unapplied_cash_again_and_may_go_to_another_claim() -> None:
    service = waiting()
    match(service)

    unmatch(service)

    assert booked_amounts(service) == {"unapplied": 15_000}
    assert (service.claim()["state"], service.claim()["paid_minor"], service.claim()["adjudications"]) == (
        "submitted",
        0,
        0,
    )
    (row,) = service.store.rows(ADJUDICATIONS, {})
    assert (row["kind"], row["match"], row["paid_minor"]) == ("unmatched", 2, 0)
    assert len(unmatched_payments(service.store, {}, 10)) == len(service.cases(state="open")) == 1

    match(service, 2)

    assert [event.match for event in service.public_events() if isinstance(event, ClaimAdjudicated)] == [1, 2, 3]
    assert (service.claim(2)["paid_minor"], service.cases(state="open")) == (15_000, [])


def test_a_payment_that_nobody_matched_cannot_be_taken_off() -> None:
    with pytest.raises(NotMatched):
        unmatch(waiting())


def test_a_payment_goes_to_no_claim_of_another_entity_or_that_never_left() -> None:
    service = waiting()
    service.receive(charged(5, entity="SOUTH"), charged(6, has_member_id=False))

    for number, refusal in ((5, OtherEntity), (6, NeverSubmitted)):
        with pytest.raises(refusal):
            match(service, number)


def test_what_was_only_noted_cannot_be_matched() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(STRANGER.model_copy(update={"status": "25", "paid": Money(0), "services": ()})))

    with pytest.raises(NothingToMatch):
        match(service)


def test_a_reversal_under_the_wrong_group_takes_back_what_was_booked_when_a_person_says_so() -> None:
    service = ClaimsUnderTest().submitted(1)
    original = paid_by_line()
    service.receive(chunk(original))
    wrong_group = (adjustment(CO, "45", "-70.00"), adjustment(CO, "3", "-30.00"))
    service.receive(chunk(reversal_of(original, services=(), adjustments=wrong_group), remittance=2))

    match(service, position=0, remittance=2)

    assert booked_amounts(service) == {}
    assert service.claim()["state"] == "reversed"


def test_a_matched_reversal_takes_the_patients_share_back_though_it_states_none() -> None:
    service = ClaimsUnderTest().submitted(1)
    original = paid_by_line()
    service.receive(chunk(original))
    as_of_4010 = (adjustment(CR, "45", "-70.00"), adjustment(CR, "3", "-30.00"))
    states_none = reversal_of(original, services=(), adjustments=as_of_4010, patient_responsibility=Money(0))
    service.receive(chunk(states_none, remittance=2))

    match(service, position=0, remittance=2)

    events = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)]
    assert [event.patient_responsibility for event in events] == [Money.of("30.00"), Money.of("-30.00")]


def test_a_reversal_that_a_person_gave_to_another_claim_holds_up_no_decision_of_the_claim_it_named() -> None:
    service = ClaimsUnderTest().submitted(1, 2, 3)
    service.receive(chunk(paid_by_line(2)))
    misnamed = reversal_of(paid_by_line(2), patient_control_number=paid_by_line(1).patient_control_number)
    service.receive(chunk(misnamed, remittance=2))
    match(service, 2, position=0, remittance=2)

    service.receive(chunk(paid_by_line(1), paid_by_line(3, 1), remittance=3))

    assert [service.claim(number)["state"] for number in (1, 2, 3)] == ["adjudicated", "reversed", "adjudicated"]
    assert service.cases(state="open") == []


def test_a_reversal_of_other_amounts_cannot_be_matched() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid_by_line()))
    half = paid(amount="75.00", adjustments=(adjustment(CO, "45", "175.00"),))
    service.receive(chunk(reversal_of(half), remittance=2))

    with pytest.raises(ReversalNotProved, match="reversal-differs"):
        match(service, position=0, remittance=2)
    assert service.store.rows(UNKNOWN_PAYMENTS, {})[0]["is_matched"] is False


HALF = (adjustment(CO, "45", "35.00"), adjustment(PR, "3", "15.00"))


def with_half_taken_back() -> ClaimsUnderTest:
    """150.00 of 250.00 were paid; half of all that was reversed, and a person said of which claim."""
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid_by_line()))
    half = paid(amount="75.00", charge=Money.of("125.00"), adjustments=HALF, patient_responsibility=Money.of("15.00"))
    service.receive(chunk(reversal_of(half, patient_responsibility=Money(0)), remittance=2))
    assert service.store.rows(UNKNOWN_PAYMENTS, {})[0]["why"] == "reversal-partial"
    match(service, position=0, remittance=2)
    return service


def test_a_person_matches_a_reversal_of_a_part_which_takes_back_what_it_says() -> None:
    service = with_half_taken_back()

    row = service.claim()
    amounts = (row["paid_minor"], row["contractual_minor"], row["patient_minor"], row["denied_minor"])
    assert (row["state"], amounts) == ("corrected", (7_500, 3_500, 1_500, 0))
    assert booked_amounts(service) == {"charge": 12_500, "paid": 7_500, "CO-45": 3_500, "PR-3": 1_500}
    event = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)][-1]
    assert (event.kind, event.partial, event.reverses_position) == ("reversal", True, 0)
    assert event.patient_responsibility == Money.of("-15.00")
    assert service.cases(state="open") == []


def test_the_rest_of_what_was_taken_back_in_part_is_taken_back_by_itself() -> None:
    service = with_half_taken_back()
    rest = paid(amount="75.00", charge=Money.of("125.00"), adjustments=HALF, patient_responsibility=Money.of("15.00"))

    service.receive(chunk(reversal_of(rest), remittance=3))

    event = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)][-1]
    (also,) = event.reverses_also
    assert (event.reverses_remittance_id, event.reverses_match) == (derive("test-remittance", 1), 0)
    assert (also.remittance_id, also.match) == (derive("test-remittance", 2), 1)
    assert (service.claim()["state"], booked_amounts(service)) == ("reversed", {})
    assert claim_of(service).decisions.standing == ()


def test_what_was_taken_back_in_part_is_not_taken_back_whole() -> None:
    service = with_half_taken_back()

    service.receive(chunk(reversal_of(paid_by_line()), remittance=3))

    assert service.claim()["paid_minor"] == 7_500
    assert len(service.cases(state="open")) == 1


def test_an_unmatched_reversal_of_a_part_lets_the_whole_stand_again() -> None:
    service = with_half_taken_back()

    unmatch(service, position=0, remittance=2)

    assert (service.claim()["state"], service.claim()["paid_minor"]) == ("adjudicated", 15_000)
    assert booked_amounts(service)["unapplied"] == -7_500


def test_a_payment_of_which_a_part_was_taken_back_stays_until_that_is_taken_off() -> None:
    service = waiting()
    match(service)
    half = paid(amount="75.00", charge=Money.of("125.00"), adjustments=HALF, patient_responsibility=Money.of("15.00"))
    service.receive(chunk(reversal_of(half), remittance=2))
    match(service, position=0, remittance=2)

    with pytest.raises(ReversedMeanwhile):
        unmatch(service)


def test_a_reversal_of_a_matched_payment_says_which_match_it_takes_back() -> None:
    service = waiting()
    match(service)

    service.receive(chunk(reversal_of(paid_by_line(), 0), remittance=2))

    event = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)][-1]
    assert (event.kind, event.match, event.reverses_position, event.reverses_match) == ("reversal", 0, 3, 1)


def test_one_reversal_of_both_parts_that_no_number_joins_is_matched_by_a_person() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(part(1), part(2, 1)))
    service.receive(chunk(reversal_of(paid_by_line()), remittance=2))
    assert service.claim()["paid_minor"] == 15_000

    match(service, position=0, remittance=2)

    event = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)][-1]
    assert (event.reverses_position, [each.position for each in event.reverses_also]) == (0, [1])
    assert (service.claim()["state"], booked_amounts(service)) == ("reversed", {})


def test_a_matched_payment_that_the_payer_took_back_stays_until_that_is_taken_off() -> None:
    service = waiting()
    match(service)
    service.receive(chunk(reversal_of(paid_by_line(), 0), remittance=2))
    assert service.claim()["state"] == "reversed"

    with pytest.raises(ReversedMeanwhile):
        unmatch(service)


def test_an_unmatched_reversal_lets_what_it_took_back_stand_again() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(reversal_of(paid_by_line(), 0), remittance=2))
    service.receive(chunk(paid_by_line()))
    assert service.claim()["state"] == "reversed"

    unmatch(service, position=0, remittance=2)

    assert (service.claim()["state"], service.claim()["paid_minor"]) == ("adjudicated", 15_000)
    assert booked_amounts(service)["unapplied"] == -15_000


def test_matching_and_unmatching_rebuild_from_the_log() -> None:
    service = waiting()
    match(service)
    unmatch(service)
    live = [service.store.read_model_hash(table) for table in (ADJUDICATIONS, UNKNOWN_PAYMENTS)]

    service.store.rebuild_read_models()

    assert live == [service.store.read_model_hash(table) for table in (ADJUDICATIONS, UNKNOWN_PAYMENTS)]
