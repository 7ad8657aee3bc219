"""Decisions taken back, corrected and split, on the whole service: what stands, and what is announced of it."""

from __future__ import annotations

from random import Random

import pytest
from canonical.events.claims import ClaimAdjudicated, ClaimPaymentNoted, ClaimPaymentUnknown, DenialReleased
from canonical.events.payments import RemittanceChunkAccepted
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment
from claims.application.money_read_models import ADJUDICATIONS, NOTED_PAYMENTS, UNKNOWN_PAYMENTS
from claims.domain.adjudication import DecisionKind
from claims.domain.claim import Claim
from hypothesis import given, settings
from hypothesis import strategies as st

from .money_world import CO, PR, booked_amounts, claim_of, paid_by_line, part, reversal_of
from .world import CONTRACTUAL, DENIAL, ClaimsUnderTest, adjustment, chunk, paid

ORIGINAL = paid_by_line()
CORRECTION = paid(
    amount="160.00", adjustments=(adjustment(CO, "45", "70.00"), adjustment(PR, "3", "20.00")), position=1
)
WRONG_GROUP = (adjustment(CO, "45", "-30.00"), adjustment(CO, "45", "-40.00"), adjustment(CO, "3", "-30.00"))
DENIED = paid(amount="0.00", adjustments=(DENIAL,))


def sent() -> ClaimsUnderTest:
    return ClaimsUnderTest().submitted(1)


def adjudicated(service: ClaimsUnderTest) -> list[ClaimAdjudicated]:
    return [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)]


def test_a_reversal_leaves_the_claim_as_if_nothing_had_been_paid() -> None:
    service = sent()

    service.receive(chunk(ORIGINAL))
    service.receive(chunk(reversal_of(ORIGINAL), remittance=2))

    row = service.claim()
    assert (row["state"], row["paid_minor"], row["contractual_minor"], row["patient_minor"]) == ("reversed", 0, 0, 0)
    assert booked_amounts(service) == {}
    decision, reversal = adjudicated(service)
    assert (decision.kind, reversal.kind) == ("decision", "reversal")
    assert reversal.reverses_remittance_id == decision.remittance_id
    assert (reversal.reverses_position, reversal.denied, reversal.first) == (0, False, False)
    assert service.cases() == []


def test_a_correction_pairs_with_the_reversal_before_it_across_files() -> None:
    service = sent()

    service.receive(chunk(ORIGINAL))
    service.receive(chunk(reversal_of(ORIGINAL), remittance=2))
    service.receive(chunk(CORRECTION, remittance=3))

    assert [event.kind for event in adjudicated(service)] == ["decision", "reversal", "correction"]
    assert (service.claim()["state"], service.claim()["paid_minor"]) == ("corrected", 16_000)
    corrected = claim_of(service).decisions.standing[0]
    assert corrected.pair == (derive("test-remittance", 1), 0)


def test_a_correction_before_its_reversal_is_seen_when_the_reversal_comes() -> None:
    service = sent()

    service.receive(chunk(ORIGINAL))
    service.receive(chunk(CORRECTION, remittance=3))
    assert [case["code"] for case in service.cases(state="open")] == ["OverAdjudicated"]
    service.receive(chunk(reversal_of(ORIGINAL), remittance=2))

    assert [event.kind for event in adjudicated(service)] == ["decision", "decision", "reversal"]
    reversal = claim_of(service).decisions.booked[derive("test-remittance", 2), 0]
    assert reversal.pair == (derive("test-remittance", 3), 1)
    assert (service.claim()["state"], service.claim()["paid_minor"]) == ("corrected", 16_000)
    assert service.cases(state="open") == []


def test_a_reversal_that_comes_before_its_original_waits_and_finds_it() -> None:
    service = sent()

    service.receive(chunk(reversal_of(ORIGINAL), remittance=2))
    assert (service.claim()["state"], booked_amounts(service)) == ("submitted", {"unapplied": -15_000})
    service.receive(chunk(ORIGINAL))

    assert booked_amounts(service) == {}
    assert service.claim()["state"] == "reversed"
    assert [(event.kind, event.match) for event in adjudicated(service)] == [("decision", 0), ("reversal", 1)]
    (row,) = service.store.rows(UNKNOWN_PAYMENTS, {})
    assert (row["is_matched"], row["unapplied_minor"], row["why"]) == (True, 0, "reversal-unknown-original")
    assert [case["state"] for case in service.cases()] == ["corrected"]


def test_a_reversal_and_its_original_in_one_chunk_in_the_wrong_order_come_to_nothing() -> None:
    service = sent()

    service.receive(chunk(reversal_of(ORIGINAL, 0), ORIGINAL.model_copy(update={"position": 1})))

    assert booked_amounts(service) == {}
    assert service.claim()["state"] == "reversed"


@pytest.mark.parametrize(
    ("reversal", "why"),
    [
        (reversal_of(ORIGINAL, charge=Money.of("-90.00"), paid=Money.of("-5.00"), payer_control_number=""), "reversal-unknown-original"),
        (ORIGINAL.model_copy(update={"status": "22"}), "reversal-wrong-sign"),
        (reversal_of(ORIGINAL, services=(), adjustments=WRONG_GROUP), "reversal-wrong-group"),
        (reversal_of(ORIGINAL, services=()), "reversal-missing-adjustments"),
        (reversal_of(paid(amount="100.00", adjustments=(adjustment(CO, "45", "150.00"),))), "reversal-differs"),
    ],
)  # fmt: skip
def test_a_reversal_that_is_not_proved_touches_no_receivable_and_says_why(reversal: ClaimPayment, why: str) -> None:
    service = sent()
    service.receive(chunk(ORIGINAL))

    service.receive(chunk(reversal, remittance=2))
    service.receive(chunk(reversal, remittance=2, chunk=1))

    assert service.claim()["paid_minor"] == 15_000
    (unknown,) = [event for event in service.public_events() if isinstance(event, ClaimPaymentUnknown)]
    assert (unknown.why, unknown.paid) == (why, reversal.paid)
    assert [case["code"] for case in service.cases()] == ["UnknownClaimPayment"]


def test_the_reversal_takes_back_what_was_contractual_then_whatever_the_list_says_now() -> None:
    service = sent()
    service.receive(chunk(paid(adjustments=(CONTRACTUAL, adjustment(PR, "3", "30.00")))))
    claim = claim_of(service)

    claim.adjudicate(
        claim.decisions.standing_decisions[0].negated().model_copy(update={"payer_status": "22", "position": 9}), ()
    )

    (event,) = claim.pending
    assert isinstance(event, Claim.Adjudicated)
    assert event.shares.contractual == Money.of("-70.00")


def test_a_decision_says_what_each_line_leaves_to_the_patient_and_its_reversal_takes_it_back() -> None:
    service = sent()
    service.receive(chunk(ORIGINAL))
    service.receive(chunk(reversal_of(ORIGINAL), remittance=2))
    decision, reversal = adjudicated(service)
    shares = {each.line: each.amount for each in decision.patient_lines}
    assert Money.total(shares.values()) == decision.patient_responsibility
    assert {each.line: -each.amount for each in reversal.patient_lines} == shares


def test_each_decision_says_what_the_payer_has_paid_twice_after_it() -> None:
    service = sent()
    service.receive(chunk(ORIGINAL))
    service.receive(chunk(CORRECTION, remittance=3))
    service.receive(chunk(reversal_of(ORIGINAL), remittance=2))
    service.receive(chunk(ORIGINAL, remittance=4))
    assert [event.overpaid for event in adjudicated(service)] == [
        Money(0),
        CORRECTION.paid,
        Money(0),
        ORIGINAL.paid,
    ]


def test_pay_reverse_and_pay_again_is_no_duplicate_but_paying_twice_is_suspected() -> None:
    service = sent()
    service.receive(chunk(ORIGINAL))
    service.receive(chunk(reversal_of(ORIGINAL), remittance=2))
    service.receive(chunk(ORIGINAL, remittance=3))
    assert service.cases() == []

    service.receive(chunk(ORIGINAL, remittance=4))

    assert sorted(case["code"] for case in service.cases()) == ["OverAdjudicated", "SuspectedDuplicateClaimPayment"]
    assert service.claim()["paid_minor"] == 30_000
    service.receive(chunk(reversal_of(ORIGINAL), remittance=5))
    assert [case["code"] for case in service.cases(state="open")] == ["SuspectedDuplicateClaimPayment"]
    assert service.claim()["paid_minor"] == 15_000


def test_a_denial_that_is_paid_later_without_a_reversal_is_denied_no_more() -> None:
    service = sent()

    service.receive(chunk(DENIED))
    service.receive(chunk(ORIGINAL, remittance=2))

    (released,) = [event for event in service.public_events() if isinstance(event, DenialReleased)]
    assert (released.amount, released.release) == (Money.of("250.00"), 1)
    assert (service.claim()["denied_minor"], service.claim()["state"]) == (0, "adjudicated")
    assert service.cases() == []


def test_a_denial_that_is_reversed_after_it_was_made_up_for_is_not_released_twice() -> None:
    service = sent()
    service.receive(chunk(DENIED))
    service.receive(chunk(ORIGINAL, remittance=2))

    service.receive(chunk(reversal_of(DENIED), remittance=3))

    amounts = [event.amount.minor for event in service.public_events() if isinstance(event, DenialReleased)]
    assert amounts == [25_000, -25_000]
    assert service.claim()["denied_minor"] == 0


def test_parts_of_a_split_claim_tie_to_its_lines_and_none_overwrites_another() -> None:
    service = sent()

    service.receive(chunk(part(1)))
    service.receive(chunk(part(2), remittance=2))

    row = service.claim()
    assert (row["state"], row["paid_minor"], row["adjudications"]) == ("adjudicated", 15_000, 2)
    decided = [line for each in claim_of(service).decisions.standing for line in each.decision.lines]
    assert [(line.line, line.confidence.value, line.charge.minor) for line in decided] == [
        (1, "control-number", 15_000),
        (2, "control-number", 10_000),
    ]
    sums = claim_of(service).decisions.by_line(2)
    assert [(each.charge.minor, each.paid.minor) for each in sums] == [(15_000, 9_000), (10_000, 6_000)]
    assert service.cases() == []


def test_one_reversal_takes_both_parts_of_a_split_claim_back_at_any_level_of_detail() -> None:
    service = sent()
    service.receive(chunk(part(1)))
    both = reversal_of(paid(adjustments=(CONTRACTUAL, adjustment(PR, "3", "30.00"))), payer_control_number="ICN1-1")
    service.receive(chunk(both, remittance=3))
    assert service.claim()["paid_minor"] == 9_000

    service.receive(chunk(part(2), remittance=2))

    assert (service.claim()["state"], booked_amounts(service)) == ("reversed", {})
    assert service.cases(state="open") == []
    assert claim_of(service).decisions.standing == ()


def test_predetermination_and_forwarding_move_no_account() -> None:
    service = sent()
    nothing = paid(amount="0.00", adjustments=(adjustment(CO, "45", "250.00"),))
    priced, forwarded = (nothing.model_copy(update={"status": status}) for status in ("25", "23"))

    service.receive(chunk(priced, forwarded.model_copy(update={"position": 1})))
    stranger = priced.model_copy(update={"position": 2, "patient_control_number": "TNOBODYSENTTHIS01"})
    service.receive(chunk(stranger))

    assert (service.claim()["state"], booked_amounts(service)) == ("submitted", {})
    noted = [event for event in service.public_events() if isinstance(event, ClaimPaymentNoted)]
    assert [event.why for event in noted] == ["predetermination", "forwarded", "predetermination"]
    assert noted[2].claim_id is None
    assert len(service.store.rows(NOTED_PAYMENTS, {})) == 3
    assert service.cases() == []


def test_money_under_a_status_that_moves_none_waits_for_a_person() -> None:
    service = sent()

    service.receive(chunk(paid(status="23")))

    (unknown,) = [event for event in service.public_events() if isinstance(event, ClaimPaymentUnknown)]
    assert (unknown.why, unknown.paid) == ("status-moves-no-money", Money.of("150.00"))


def test_sequestration_is_no_denial() -> None:
    service = sent()

    service.receive(chunk(paid(amount="0.00", adjustments=(adjustment(CO, "253", "250.00"),))))

    assert (service.claim()["state"], service.claim()["denied_minor"]) == ("adjudicated", 0)


LESS, COPAY = adjustment(CO, "45", "10.00"), adjustment(PR, "3", "20.00")
UNSPLIT = paid(amount="220.00", adjustments=(LESS, COPAY), patient_responsibility=COPAY.amount)
SPLIT = tuple(
    paid(
        amount=amount,
        charge=Money.of(charge),
        adjustments=(taken,),
        patient_responsibility=COPAY.amount if taken is COPAY else Money(0),
        payer_control_number=f"ICN2-{amount}",
        earlier_control_number="ICN2",
    )
    for charge, amount, taken in (("150.00", "140.00", LESS), ("100.00", "80.00", COPAY))
)
STORY = (
    ORIGINAL,
    reversal_of(ORIGINAL),
    CORRECTION,
    DENIED,
    part(1),
    part(2),
    reversal_of(part(2)),
    reversal_of(CORRECTION, status="22"),
    *SPLIT,
    reversal_of(UNSPLIT, payer_control_number="ICN2"),
)


def outcome(service: ClaimsUnderTest) -> tuple[object, ...]:
    claim = claim_of(service)
    row = service.claim()
    amounts = {name: value for name, value in row.items() if name.endswith("_minor")}
    standing = sorted((each.decision.place for each in claim.decisions.standing), key=str)
    return (row["state"], amounts, booked_amounts(service), standing, len(claim.awaiting), row["adjudications"])


def chunk_of(index: int, part_number: int) -> RemittanceChunkAccepted:
    """The story's payment of this number, each in a remittance of its own; `part_number` makes another message of it."""
    return chunk(STORY[index], remittance=f"story-{index}", chunk=part_number)


def after(order: list[tuple[int, int]], sizes: list[int]) -> tuple[object, ...]:
    service = sent()
    told = [chunk_of(*each) for each in order]
    for size in sizes:
        if told:
            service.receive(*told[:size])
            told = told[size:]
    if told:
        service.receive(*told)
    return outcome(service)


EXPECTED = after([(index, 0) for index in range(len(STORY))], [1] * len(STORY))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_repetition_and_grouping_ends_in_the_same_claim_and_the_same_money(seed: int) -> None:
    random = Random(seed)
    order = [(index, again) for index in range(len(STORY)) for again in range(random.randint(1, 3))]
    random.shuffle(order)

    assert after(order, [random.randint(1, 5) for _ in order]) == EXPECTED


def test_the_story_of_the_property_takes_back_corrects_and_releases() -> None:
    state, amounts, sums, standing, awaiting, _ = EXPECTED

    assert state == "corrected"
    assert isinstance(sums, dict)
    assert sums["released"] == 15_000
    assert (len(standing), awaiting) == (2, 0)  # type: ignore[arg-type]
    assert isinstance(amounts, dict)
    assert amounts["paid_minor"] == 9_000


def test_rows_of_reversals_rebuild_from_the_log() -> None:
    service = sent()
    for index in range(len(STORY)):
        service.receive(chunk_of(index, 0))
    tables = (ADJUDICATIONS, UNKNOWN_PAYMENTS, NOTED_PAYMENTS)
    live = [service.store.read_model_hash(table) for table in tables]

    service.store.rebuild_read_models()

    assert live == [service.store.read_model_hash(table) for table in tables]
    kinds = {row["kind"] for row in service.store.rows(ADJUDICATIONS, {})}
    assert kinds == {DecisionKind.DECISION.value, DecisionKind.REVERSAL.value, DecisionKind.CORRECTION.value}
