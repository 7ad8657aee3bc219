"""Secondary and later claims: drafted from what the payer before decided, renewed, given up, or passed on."""

from __future__ import annotations

from itertools import permutations

import pytest
from canonical.codes import ClaimFrequency
from canonical.events.claims import ClaimAdjudicated, ClaimDrafted
from canonical.money import Money
from canonical.remittance import ClaimPayment
from chassis.eventstore import Work
from chassis.testing.contexts import context
from claims.application.money_read_models import NOTED_PAYMENTS
from claims.application.queries import subledger_balances
from claims.application.read_models import CLAIMS
from claims.domain.claim import Claim
from claims.domain.claim_content import claim_id_of, control_number_of_posting

from .money_world import CO, OA, PR, SECOND, THIRD, claim_of, insured_twice, paid_by_line, part, reversal_of
from .world import DENIAL, ClaimsUnderTest, adjustment, charged, chunk, paid

DECISION = paid_by_line()
CORRECTION = paid(amount="160.00", adjustments=(adjustment(CO, "45", "70.00"), adjustment(PR, "3", "20.00")))


def number_of(sequence: int) -> str:
    return control_number_of_posting(charged().encounter_id, 1, sequence)


def row_of(service: ClaimsUnderTest, sequence: int) -> dict[str, object]:
    rows = service.store.rows(CLAIMS, {"patient_control_number": number_of(sequence)})
    return rows[0] if rows else {}


def next_claim(service: ClaimsUnderTest, sequence: int = 2) -> Claim:
    return Work(service.store, context()).require(Claim, claim_id_of(number_of(sequence)))


def from_second(amount: str, left: str = "0.00", **changes: object) -> ClaimPayment:
    """What the second payer sends: it pays, and says what the first one took care of (OA-23)."""
    others = Money.of("250.00") - Money.of(amount) - Money.of(left)
    taken = [adjustment(OA, "23", others.decimal_text)]
    if left != "0.00":
        taken.append(adjustment(PR, "2", left))
    payment = paid(amount=amount, adjustments=tuple(taken), status="2", patient_responsibility=Money.of(left))
    return payment.model_copy(update={"patient_control_number": number_of(2), **changes})


def test_the_first_payers_decision_drafts_the_second_payers_claim_with_what_it_decided() -> None:
    service = insured_twice()

    service.receive(chunk(DECISION))

    claim = next_claim(service)
    assert (claim.content.payer, claim.content.sequence, claim.content.next_payers) == ("BLUEOAK", 2, ())
    assert (claim.state.value, claim.content.total) == ("ready", Money.of("250.00"))
    (prior,) = claim.content.prior
    assert (prior.payer, prior.paid, prior.adjustments) == ("ACME", Money.of("150.00"), ())
    for line, charge in zip(prior.lines, claim.content.lines, strict=True):
        assert charge.amount == line.paid + Money.total(each.amount for each in line.adjustments)
    drafted = [event for event in service.public_events() if isinstance(event, ClaimDrafted)]
    assert [(event.sequence, event.payer) for event in drafted] == [(1, "ACME"), (2, "BLUEOAK")]


def test_what_the_patient_would_owe_is_owed_by_the_next_payer() -> None:
    service = insured_twice()

    service.receive(chunk(DECISION))

    (event,) = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)]
    assert (event.next_payer, event.next_payer_class, event.sequence) == ("BLUEOAK", SECOND.payer_class, 1)
    first, second = subledger_balances(service.store, "NORTH").by_payer
    assert (first.payer, first.open.minor) == ("ACME", 0)
    assert (second.payer, second.open.minor) == ("BLUEOAK", 3_000)


def test_a_decision_without_lines_is_shown_to_the_next_payer_as_a_whole() -> None:
    service = insured_twice()

    service.receive(chunk(paid()))

    (prior,) = next_claim(service).content.prior
    assert prior.lines == ()
    assert prior.paid + Money.total(each.amount for each in prior.adjustments) == Money.of("250.00")


def test_the_second_payer_is_billed_once_both_parts_of_a_split_claim_are_decided() -> None:
    service = insured_twice()

    service.receive(chunk(part(1)))
    assert row_of(service, 2) == {}
    service.receive(chunk(part(2), remittance=2))

    (prior,) = next_claim(service).content.prior
    assert (prior.paid, [line.line for line in prior.lines]) == (Money.of("150.00"), [1, 2])


def test_nothing_is_billed_to_the_next_payer_where_nothing_is_left_to_it_or_all_is_denied() -> None:
    for nothing_left in (
        paid(amount="180.00", adjustments=(adjustment(CO, "45", "70.00"),)),
        paid(amount="0.00", adjustments=(DENIAL,)),
    ):
        service = insured_twice()
        service.receive(chunk(nothing_left))
        assert row_of(service, 2) == {}


def test_a_next_claim_that_fails_an_edit_is_held_like_any() -> None:
    service = insured_twice(second=SECOND.model_copy(update={"has_member_id": False}))

    service.receive(chunk(DECISION))

    assert row_of(service, 2)["state"] == "held"
    assert [case["code"] for case in service.cases()] == ["ClaimHeld"]


def test_a_reversal_before_the_next_claim_is_sent_holds_it_until_the_correction_renews_it() -> None:
    service = insured_twice()
    service.receive(chunk(DECISION))

    service.receive(chunk(reversal_of(DECISION), remittance=2))
    assert (row_of(service, 2)["state"], next_claim(service).content.prior) == ("held", ())
    service.receive(chunk(CORRECTION, remittance=3))

    claim = next_claim(service)
    assert (claim.state.value, claim.content.prior[0].paid) == ("ready", Money.of("160.00"))
    assert [case["state"] for case in service.cases()] == ["corrected"]


def test_a_reversal_and_its_correction_in_one_chunk_renew_the_next_claim_without_a_hold() -> None:
    service = insured_twice()
    service.receive(chunk(DECISION))

    service.receive(chunk(reversal_of(DECISION, 0), CORRECTION.model_copy(update={"position": 1}), remittance=2))

    assert next_claim(service).content.prior[0].paid == Money.of("160.00")
    assert (row_of(service, 2)["state"], service.cases()) == ("ready", [])


def test_what_the_next_payer_was_sent_stays_and_a_person_is_told_of_the_change() -> None:
    service = insured_twice()
    service.receive(chunk(DECISION))
    service.sweep()
    assert row_of(service, 2)["state"] == "submitted"

    service.receive(chunk(reversal_of(DECISION, 0), CORRECTION.model_copy(update={"position": 1}), remittance=2))

    assert next_claim(service).content.prior[0].paid == Money.of("150.00")
    assert [case["code"] for case in service.cases()] == ["PrimaryChanged"]


def test_the_first_claim_is_billed_on_and_closes_when_the_second_payer_has_decided() -> None:
    service = insured_twice()
    service.receive(chunk(DECISION))
    assert row_of(service, 1)["state"] == "adjudicated"
    service.sweep()
    assert row_of(service, 1)["state"] == "secondary-billed"

    service.receive(chunk(from_second("20.00", "10.00"), payer="BLUEOAK", remittance=2))

    assert (row_of(service, 1)["state"], row_of(service, 2)["state"]) == ("closed", "adjudicated")
    assert row_of(service, 1)["next_claim_id"] == next_claim(service).id
    balances = {each.payer: each.open.minor for each in subledger_balances(service.store, "NORTH").by_payer}
    assert balances == {"ACME": 0, "BLUEOAK": 0}
    second = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)][-1]
    assert (second.sequence, second.next_payer) == (2, "")


def test_a_third_payer_sees_what_both_before_it_paid() -> None:
    service = insured_twice(THIRD)
    service.receive(chunk(DECISION))
    service.sweep()

    service.receive(chunk(from_second("20.00", "10.00"), payer="BLUEOAK", remittance=2))

    claim = next_claim(service, 3)
    assert (claim.content.payer, claim.content.sequence) == ("MEDICARE", 3)
    assert [(prior.payer, prior.paid.minor) for prior in claim.content.prior] == [("ACME", 15_000), ("BLUEOAK", 2_000)]


def test_a_claim_that_crossed_over_is_not_sent_by_us_and_found_under_the_first_ones_number() -> None:
    service = insured_twice()
    service.receive(chunk(DECISION.model_copy(update={"status": "19"})))
    service.sweep()
    assert (row_of(service, 1)["state"], row_of(service, 2)["state"]) == ("crossed-over", "submitted")
    assert len(service.transport.files) == 1

    theirs = from_second("30.00", patient_control_number=number_of(1))
    service.receive(chunk(theirs, payer="BLUEOAK", remittance=2))

    assert (row_of(service, 1)["state"], row_of(service, 2)["state"]) == ("closed", "adjudicated")
    assert row_of(service, 2)["paid_minor"] == 3_000
    assert service.cases() == []


def test_a_second_payer_that_answers_first_has_got_the_claim_by_crossover() -> None:
    service = insured_twice()
    theirs = from_second("30.00", patient_control_number=number_of(1))

    service.receive(chunk(theirs, payer="BLUEOAK", remittance=2))
    service.receive(chunk(DECISION.model_copy(update={"status": "19"})))
    service.sweep()

    assert (row_of(service, 1)["state"], row_of(service, 2)["state"]) == ("closed", "adjudicated")
    assert len(service.transport.files) == 1
    assert next_claim(service).content.prior[0].paid == Money.of("150.00")
    assert service.cases() == []


def test_a_next_claim_that_waits_is_not_sent_once_its_payer_has_decided_by_crossover() -> None:
    service = insured_twice()
    service.receive(chunk(DECISION))

    theirs = from_second("30.00", patient_control_number=number_of(1))
    service.receive(chunk(theirs, payer="BLUEOAK", remittance=2))
    service.sweep()

    assert (row_of(service, 2)["state"], len(service.transport.files)) == ("adjudicated", 1)


def test_decisions_delivered_again_draft_nothing_again() -> None:
    service = insured_twice()
    service.receive(chunk(DECISION))
    versions = (claim_of(service).version, next_claim(service).version)

    service.receive(chunk(DECISION, chunk=1))

    assert (claim_of(service).version, next_claim(service).version) == versions


def test_a_claim_passed_on_to_a_payer_that_we_do_not_know_is_told_to_a_person() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(chunk(DECISION.model_copy(update={"status": "19"})))

    assert row_of(service, 1)["state"] == "crossed-over"
    assert [case["code"] for case in service.cases()] == ["CrossedOverToUnknownPayer"]


def test_a_replacement_that_waits_to_be_sent_is_not_stopped_by_the_next_payers_decision() -> None:
    service = insured_twice()
    service.receive(chunk(DECISION))
    service.sweep()
    work = Work(service.store, context())
    work.require(Claim, claim_of(service).id).resubmit(ClaimFrequency.REPLACEMENT, "a modifier was missing")
    work.commit()

    service.receive(chunk(from_second("20.00", "10.00"), payer="BLUEOAK", remittance=2))

    assert (row_of(service, 1)["state"], row_of(service, 2)["state"]) == ("ready", "adjudicated")
    assert claim_of(service).next_claim.value == "decided"


def test_two_payers_remittances_in_any_order_leave_the_same_two_claims() -> None:
    forwarded = {"status": "19"}
    told = (
        (chunk(DECISION.model_copy(update=forwarded))),
        (chunk(reversal_of(DECISION), remittance=2)),
        (chunk(CORRECTION.model_copy(update=forwarded), remittance=3)),
        (chunk(from_second("20.00", patient_control_number=number_of(1)), payer="BLUEOAK", remittance=4)),
    )
    outcomes = []
    for order in permutations(told):
        service = insured_twice()
        for event in order:
            service.receive(event)
            service.sweep()
        claims = [next_claim(service, sequence) for sequence in (1, 2)]
        balances = [(each.payer, each.open.minor) for each in subledger_balances(service.store, "NORTH").by_payer]
        files = len(service.transport.files)
        outcomes.append(([claim.state for claim in claims], claims[1].content.prior, balances, files))

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0][0] == ["closed", "adjudicated"]
    assert outcomes[0][2:] == ([("ACME", 0), ("BLUEOAK", 0)], 1)


@pytest.mark.parametrize("status", ["23", "25"])
def test_what_the_second_payer_only_notes_keeps_its_claim_from_nothing(status: str) -> None:
    service = insured_twice()
    service.receive(chunk(DECISION))
    note = from_second("0.00", status=status, patient_control_number=number_of(1))

    service.receive(chunk(note, remittance=5, payer="BLUEOAK"))

    assert row_of(service, 2)["state"] == "ready"
    (row,) = service.store.rows(NOTED_PAYMENTS, {})
    assert (row["payer"], row["claim_id"]) == ("BLUEOAK", None)
    service.sweep()
    assert len(service.transport.files) == 2
