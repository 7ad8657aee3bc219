"""A reversal of a part of several decisions: no decision has all of it, so a person says of which claim it is."""

from __future__ import annotations

import pytest
from canonical.events.claims import ClaimAdjudicated
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment
from claims.application.money_read_models import ADJUDICATIONS, UNKNOWN_PAYMENTS
from claims.domain.adjudicated_claim import ReversalNotProved, ReversedMeanwhile
from claims.domain.reversals import ReversalVerdict, parts_taken_of, prove_reversal

from .money_world import CO, PR, booked_amounts, claim_of, paid_by_line, part, reversal_of
from .test_matching import match, unmatch
from .test_reversals import SPLIT, decision
from .world import ClaimsUnderTest, adjustment, chunk, paid

TAKEN = decision("-200.00", "-120.00", [(CO, "45", "-60.00"), (PR, "3", "-20.00")], remittance=8)


def part_of_both() -> ClaimPayment:
    """Of 250.00 charged in two decisions 200.00 are taken back: 120.00 paid, 60.00 contractual, 20.00 copay."""
    taken = (adjustment(CO, "45", "60.00"), adjustment(PR, "3", "20.00"))
    copay = Money.of("20.00")
    return reversal_of(
        paid(amount="120.00", adjustments=taken, charge=Money.of("200.00"), patient_responsibility=copay)
    )


def rest_of_both() -> ClaimPayment:
    taken = (adjustment(CO, "45", "10.00"), adjustment(PR, "3", "10.00"))
    rest = paid(amount="30.00", adjustments=taken, charge=Money.of("50.00"), patient_responsibility=Money.of("10.00"))
    return reversal_of(rest, payer_control_number="ICN1-1")


def waiting() -> ClaimsUnderTest:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(part(1), part(2, 1)))
    service.receive(chunk(part_of_both(), remittance=2))
    return service


def matched() -> ClaimsUnderTest:
    service = waiting()
    match(service, position=0, remittance=2)
    return service


def test_no_decision_has_all_of_it_and_all_together_have() -> None:
    proof = prove_reversal(TAKEN, SPLIT)
    assert (proof.verdict, proof.originals) == (ReversalVerdict.PARTIAL, SPLIT)
    assert parts_taken_of(TAKEN, SPLIT) == SPLIT
    assert parts_taken_of(TAKEN, SPLIT[:1]) == ()


def test_a_part_is_taken_of_as_few_decisions_as_have_it() -> None:
    other = decision("40.00", "40.00", [], number="ICN1-3", remittance=9, day=1)
    assert parts_taken_of(TAKEN, (other, *SPLIT)) == SPLIT


def test_what_is_taken_back_beyond_all_of_them_is_a_part_of_none() -> None:
    beyond = decision("-200.00", "-110.00", [(CO, "45", "-90.00")], remittance=8)
    assert prove_reversal(beyond, SPLIT).verdict is ReversalVerdict.UNKNOWN_ORIGINAL
    assert parts_taken_of(beyond, SPLIT) == ()


def test_it_waits_as_unapplied_cash_with_a_case_that_names_the_decisions_it_may_take_a_part_of() -> None:
    service = waiting()
    (row,) = service.store.rows(UNKNOWN_PAYMENTS, {})
    assert (row["why"], service.claim()["paid_minor"]) == ("reversal-partial", 15_000)
    (case,) = service.cases(state="open")
    first = derive("test-remittance", 1)
    assert f"reversal-partial of remittance {first}, claim 0 and remittance {first}, claim 1" in case["summary"]


def test_a_person_matches_it_and_it_takes_back_what_it_says() -> None:
    service = matched()
    row = service.claim()
    amounts = (row["paid_minor"], row["contractual_minor"], row["patient_minor"], row["denied_minor"])
    assert (row["state"], amounts) == ("corrected", (3_000, 1_000, 1_000, 0))
    assert booked_amounts(service) == {"charge": 5_000, "paid": 3_000, "CO-45": 1_000, "PR-3": 1_000}
    event = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)][-1]
    assert (event.kind, event.partial, event.reverses_position) == ("reversal", True, 0)
    assert [each.position for each in event.reverses_also] == [1]
    assert service.cases(state="open") == []


def test_what_is_left_of_several_is_counted_once() -> None:
    (left,) = claim_of(matched()).decisions.left_standing
    assert (left.charge, left.paid) == (Money.of("50.00"), Money.of("30.00"))


def test_the_rest_of_several_is_taken_back_by_itself() -> None:
    service = matched()
    service.receive(chunk(rest_of_both(), remittance=3))
    event = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)][-1]
    first, second = derive("test-remittance", 1), derive("test-remittance", 2)
    taken = [(event.reverses_remittance_id, event.reverses_position)]
    taken += [(each.remittance_id, each.position) for each in event.reverses_also]
    assert taken == [(first, 0), (first, 1), (second, 0)]
    assert (service.claim()["state"], booked_amounts(service)) == ("reversed", {})
    assert service.cases(state="open") == []


def test_a_part_of_what_is_left_of_several_is_taken_of_all_of_them() -> None:
    service = matched()
    less = reversal_of(paid(amount="20.00", adjustments=(), charge=Money.of("20.00")))
    service.receive(chunk(less, remittance=3))
    match(service, position=0, remittance=3)
    (left,) = claim_of(service).decisions.left_standing
    assert (left.charge, left.paid) == (Money.of("30.00"), Money.of("10.00"))


def test_one_of_them_is_not_taken_back_whole_any_more() -> None:
    service = matched()
    service.receive(chunk(reversal_of(part(1)), remittance=3))
    assert service.claim()["paid_minor"] == 3_000
    with pytest.raises(ReversalNotProved):
        match(service, position=0, remittance=3)


def test_taken_off_again_it_leaves_the_decisions_as_they_were() -> None:
    service = matched()
    unmatch(service, position=0, remittance=2)
    assert (service.claim()["state"], service.claim()["paid_minor"]) == ("adjudicated", 15_000)
    assert len(claim_of(service).decisions.left_standing) == 2
    service.receive(chunk(reversal_of(paid_by_line(payer_control_number="ICN1-1")), remittance=4))
    assert service.claim()["state"] == "reversed"


def test_it_stays_while_the_rest_is_taken_back() -> None:
    service = matched()
    service.receive(chunk(rest_of_both(), remittance=3))
    with pytest.raises(ReversedMeanwhile):
        unmatch(service, position=0, remittance=2)


def test_it_rebuilds_from_the_log() -> None:
    service = matched()
    service.receive(chunk(rest_of_both(), remittance=3))
    live = [service.store.read_model_hash(table) for table in (ADJUDICATIONS, UNKNOWN_PAYMENTS)]
    service.store.rebuild_read_models()
    assert live == [service.store.read_model_hash(table) for table in (ADJUDICATIONS, UNKNOWN_PAYMENTS)]
