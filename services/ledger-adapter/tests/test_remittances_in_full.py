"""Remittances with reversals, corrections, notes and provider-level adjustments; matched payments; denials' ends."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

import pytest
from canonical.codes import PayerClass
from canonical.envelope import PublicEvent
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import DecisionPlace
from chassis.eventstore import Work, transact
from chassis.exceptions import CASES, raise_case
from chassis.messaging import retry_case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_adapter.application.drafting import SUM_DIFFERS, StillDiffers, context_for, judge_remittance_again
from ledger_adapter.application.queries import CLEARING, JOURNALS, LINES, MANIFESTS, POSTINGS
from ledger_adapter.domain.manifest import NothingToReopen, RemittanceManifest, manifest_id

from .examples import (
    MASTER,
    REMITTANCE,
    accepted,
    adjudicated,
    charged,
    denial_released,
    denial_written_off,
    deposit,
    negated,
    payment_noted,
    payment_unknown,
)
from .test_drafting import hashes
from .world import World

SECOND, THIRD = derive("test-remittance", 2), derive("test-remittance", 3)
DENIED = adjudicated(1, paid="0.00", adjustments=(("CO", "50", "100.00"),))
PRIMARY = adjudicated(
    2,
    "200.00",
    "120.00",
    (("CO", "45", "40.00"), ("PR", "2", "40.00")),
    position=1,
    next_payer="MEDICARE",
    next_payer_class=PayerClass.MEDICARE,
)
SECONDARY = adjudicated(
    2,
    "200.00",
    "30.00",
    (("OA", "23", "160.00"), ("CO", "253", "1.00"), ("PR", "1", "9.00")),
    payer="MEDICARE",
    payer_class=PayerClass.MEDICARE,
    sequence=2,
    remittance_id=THIRD,
)

TRAFFIC: tuple[PublicEvent, ...] = (
    charged(1),
    charged(2, ("200.00",)),
    DENIED,
    PRIMARY,
    payment_unknown("25.00", position=2),
    payment_noted(position=3),
    accepted(claims=4, paid="145.00", adjustments=(("L6", "-1.00"), ("FB", "-4.00"))),
    deposit("150.00"),
    negated(DENIED, position=0, remittance_id=SECOND),
    adjudicated(
        1, paid="70.00", adjustments=(("CO", "45", "30.00"),), kind="correction", first=False, position=1,
        remittance_id=SECOND,
    ),
    accepted(claims=2, paid="70.00", remittance_id=SECOND, adjustments=(("FB", "4.00"), ("WO", "66.00"))),
    SECONDARY,
    accepted(claims=1, paid="30.00", remittance_id=THIRD, content_hash="third"),
    deposit("30.00", remittance_id=THIRD),
)  # fmt: skip

EXPECTED = {
    "NORTH cash": 15000 + 3000,
    "NORTH unapplied-payer": -2500,
    "NORTH ar-patient PATIENTS-NORTH": 900,
    "NORTH contractual-allowance": 3000 + 4000,
    "NORTH sequestration": 100,
    "NORTH interest-income": -100,
    "NORTH due-to-payer": -400 + 400 + 6600,
    "NORTH gross-revenue": -30000,
}


@pytest.fixture
def world() -> World:
    return World()


def test_the_traffic_of_three_remittances_ends_where_an_accountant_puts_it(world: World) -> None:
    world.deliver(*TRAFFIC)
    world.settle()
    assert world.balances() == EXPECTED
    assert world.balances("confirmed_minor") == EXPECTED
    assert world.at_the_erp("NORTH") == EXPECTED
    assert world.cases() == []
    assert world.journals()["remittance"] == ["confirmed"] * 3


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(order=st.permutations(range(len(TRAFFIC))), repeats=st.lists(st.integers(0, len(TRAFFIC) - 1)))
def test_order_and_repetition_of_the_traffic_do_not_matter(order: list[int], repeats: list[int]) -> None:
    world = World()
    for place in [*order, *repeats]:
        world.deliver(TRAFFIC[place])
        world.sweep()
    world.settle()
    assert world.balances() == EXPECTED
    assert world.at_the_erp("NORTH") == EXPECTED
    assert world.cases() == []


def test_eft_clearing_of_every_remittance_is_its_payment_and_nought_after_the_deposit(world: World) -> None:
    world.deliver(*(event for event in TRAFFIC if event != deposit("150.00")))
    world.settle()
    clearing = {row["item_id"]: row["amount_minor"] for row in world.rows(CLEARING, account="eft-clearing")}
    assert clearing == {REMITTANCE: 15000, SECOND: 0, THIRD: 0}
    world.deliver(deposit("150.00"))
    assert [row["amount_minor"] for row in world.rows(CLEARING, item_id=REMITTANCE, account="eft-clearing")] == [0]


def test_a_remittance_waits_for_its_notes_and_says_so(world: World) -> None:
    world.deliver(*(event for event in TRAFFIC[:8] if event != payment_noted(position=3)))
    world.settle()
    assert [(row["state"], row["missing_postings"]) for row in world.rows(MANIFESTS)] == [("collecting", 1)]
    world.deliver(payment_noted(position=3))
    world.settle()
    assert [(row["state"], row["missing_postings"]) for row in world.rows(MANIFESTS)] == [("met", 0)]


def test_a_note_moves_no_account(world: World) -> None:
    world.deliver(payment_noted(), accepted(claims=1, paid="0.00"))
    world.settle()
    assert world.balances() == {}
    assert [(row["state"], row["journal_id"]) for row in world.rows(MANIFESTS)] == [("met", None)]


def test_a_payment_made_of_nothing_but_adjustments_is_journalled(world: World) -> None:
    world.deliver(accepted(claims=0, paid="0.00", adjustments=(("FB", "-12.27"), ("L6", "-1.00"))), deposit("13.27"))
    world.settle()
    assert world.balances() == {"NORTH cash": 1327, "NORTH due-to-payer": -1227, "NORTH interest-income": -100}
    assert [row["adjustment"] for row in world.rows(POSTINGS, group_kind="remittance")] == [0, 1]


def test_a_remittance_of_nothing_is_met_without_an_entry(world: World) -> None:
    world.deliver(accepted(claims=0, paid="0.00"))
    world.settle()
    assert [row["state"] for row in world.rows(MANIFESTS)] == ["met"]
    assert world.rows(JOURNALS) == []


def test_an_adjustment_without_a_rule_leaves_its_whole_remittance_to_a_person(world: World) -> None:
    world.deliver(charged(1), adjudicated(1), accepted(paid="60.00", adjustments=(("FB", "-1.00"), ("ZZ", "1.00"))))
    world.settle()
    assert world.cases() == ["UnmappedProviderAdjustment"]
    assert "remittance" not in world.journals()
    assert "NORTH due-to-payer" not in world.balances()


def test_a_forwarded_balance_over_three_remittances_ends_at_nothing_due(world: World) -> None:
    first = adjudicated(1, first=False, position=0)
    taken_back = negated(first, position=0, remittance_id=SECOND)
    paid_again = adjudicated(2, "90.00", "90.00", (), first=False, remittance_id=THIRD)
    world.deliver(charged(1), charged(2, ("90.00",)), first, taken_back, paid_again)
    world.deliver(accepted(claims=1, paid="60.00"), deposit("60.00"))
    world.deliver(accepted(claims=1, paid="-60.00", adjustments=(("FB", "-60.00"),), remittance_id=SECOND))
    world.deliver(accepted(claims=1, paid="90.00", adjustments=(("FB", "60.00"),), remittance_id=THIRD))
    world.settle()
    assert world.balances()["NORTH eft-clearing"] == 3000
    assert "NORTH due-to-payer" not in world.balances()
    world.deliver(deposit("30.00", remittance_id=THIRD))
    world.settle()
    assert "NORTH eft-clearing" not in world.balances()
    assert world.at_the_erp()["NORTH cash"] == 9000


@pytest.mark.parametrize("correction_first", [False, True])
def test_a_reversal_and_its_correction_end_at_the_same_balance_in_either_order(
    world: World, correction_first: bool
) -> None:
    decision = adjudicated(1, position=0)
    reversal = negated(decision, position=0, remittance_id=SECOND)
    correction = adjudicated(
        1, paid="65.00", adjustments=(("CO", "45", "25.00"), ("PR", "2", "10.00")), kind="correction", first=False,
        position=1, remittance_id=SECOND,
    )  # fmt: skip
    pair = (correction, reversal) if correction_first else (reversal, correction)
    world.deliver(charged(1), decision, accepted(claims=1, paid="60.00"))
    world.deliver(*pair, accepted(claims=2, paid="5.00", remittance_id=SECOND))
    world.settle()
    assert world.balances() == {
        "NORTH eft-clearing": 6500,
        "NORTH ar-patient PATIENTS-NORTH": 1000,
        "NORTH contractual-allowance": 2500,
        "NORTH gross-revenue": -10000,
    }
    assert world.journals()["remittance"] == ["confirmed", "confirmed"]


MATCHED = adjudicated(1, position=0, match=1)


def test_a_matched_payment_is_an_entry_of_its_own_and_clears_what_was_unapplied(world: World) -> None:
    world.deliver(charged(1), payment_unknown("60.00"), accepted(claims=1, paid="60.00"), deposit("60.00"))
    world.settle()
    assert world.balances()["NORTH unapplied-payer"] == -6000
    world.deliver(MATCHED)
    world.settle()
    assert world.journals()["claim-match"] == ["confirmed"]
    assert world.balances() == {
        "NORTH cash": 6000,
        "NORTH ar-patient PATIENTS-NORTH": 1000,
        "NORTH contractual-allowance": 3000,
        "NORTH gross-revenue": -10000,
    }
    unapplied = world.rows(CLEARING, account="unapplied-payer")
    assert [(row["item_id"], row["amount_minor"]) for row in unapplied] == [(REMITTANCE, 0)]
    assert [(row["state"], row["missing_postings"], row["postings"]) for row in world.rows(MANIFESTS)] == [
        ("met", 0, 1)
    ]


def test_an_unmatched_payment_is_unapplied_again_and_can_be_matched_anew(world: World) -> None:
    unmatched = negated(MATCHED, kind="unmatched", match=2)
    anew = adjudicated(1, first=False, position=0, match=3)
    story = (charged(1), payment_unknown("60.00"), accepted(claims=1, paid="60.00"), MATCHED, unmatched, anew)
    balances = []
    for before, _ in pairwise((*story, None)):
        assert before is not None
        world.deliver(before)
        world.settle()
        balances.append(world.balances().get("NORTH unapplied-payer", 0))
    assert balances == [0, -6000, -6000, 0, -6000, 0]
    assert world.journals()["claim-match"] == ["confirmed"] * 3
    assert world.cases() == []


def test_a_matched_payment_waits_for_its_charges(world: World) -> None:
    world.deliver(MATCHED)
    assert world.rows(POSTINGS) == []
    world.deliver(charged(1))
    assert len(world.rows(POSTINGS)) == 2


def test_a_reversal_that_is_matched_gives_back_unapplied_cash(world: World) -> None:
    decision = adjudicated(1, position=0)
    waiting = payment_unknown("-60.00", position=0, remittance_id=SECOND)
    matched = negated(decision, position=0, remittance_id=SECOND, match=1)
    world.deliver(charged(1), decision, accepted(claims=1, paid="60.00"), waiting, matched)
    world.settle()
    assert world.balances() == {
        "NORTH ar-payer ACME": 10000,
        "NORTH gross-revenue": -10000,
    }


def test_a_reversal_of_a_matched_payment_takes_back_what_was_matched(world: World) -> None:
    reversal = negated(MATCHED, position=0, remittance_id=SECOND)
    world.deliver(charged(1), payment_unknown("60.00"), MATCHED, reversal)
    world.deliver(accepted(claims=1, paid="60.00"), accepted(claims=1, paid="-60.00", remittance_id=SECOND))
    world.settle()
    assert world.balances() == {"NORTH ar-payer ACME": 10000, "NORTH gross-revenue": -10000}


def test_a_reversal_is_the_mirror_of_what_was_booked_whatever_master_data_says_by_now(world: World) -> None:
    world.deliver(charged(1), adjudicated(1, position=0), accepted(claims=1, paid="60.00"))
    world.settle()
    without_contractual_reasons(world)
    world.deliver(negated(adjudicated(1, position=0), position=0, remittance_id=SECOND))
    world.settle()
    assert "NORTH ar-payer-denied ACME" not in world.balances()
    assert "NORTH contractual-allowance" not in world.balances()


def without_contractual_reasons(world: World) -> None:
    """The service again, with master data by which every CO is a denial."""
    payers = tuple(payer.model_copy(update={"contractual_reasons": ()}) for payer in MASTER.payers)
    world.master = MASTER.model_copy(update={"payers": payers})
    world.core = world.started()


def test_a_reversal_of_a_matched_payment_is_the_mirror_of_the_match_whatever_master_data_says_by_now(
    world: World,
) -> None:
    world.deliver(charged(1), payment_unknown("60.00"), MATCHED)
    without_contractual_reasons(world)
    reversal = negated(MATCHED, position=0, remittance_id=SECOND)

    world.deliver(reversal)
    world.deliver(accepted(claims=1, paid="60.00"), accepted(claims=1, paid="-60.00", remittance_id=SECOND))
    world.settle()

    assert world.balances() == {"NORTH ar-payer ACME": 10000, "NORTH gross-revenue": -10000}


def test_a_reversal_of_a_matched_payment_waits_for_the_match(world: World) -> None:
    world.deliver(charged(1), payment_unknown("60.00"), negated(MATCHED, position=0, remittance_id=SECOND))
    assert len(world.rows(POSTINGS)) == 2
    world.deliver(MATCHED)
    assert len(world.rows(POSTINGS)) == 4


PARTS = (
    adjudicated(1, "70.00", "40.00", (("CO", "45", "30.00"),), position=0),
    adjudicated(1, "30.00", "20.00", (("CO", "45", "10.00"),), position=1, first=False),
)
BOTH_PARTS = negated(
    adjudicated(1, "100.00", "60.00", (("CO", "45", "40.00"),), position=0),
    position=0,
    remittance_id=SECOND,
    also=(DecisionPlace(remittance_id=REMITTANCE, position=1),),
)


def test_a_reversal_of_several_decisions_is_the_mirror_of_all_their_postings(world: World) -> None:
    world.deliver(charged(1), PARTS[0], BOTH_PARTS)
    assert len(world.rows(POSTINGS)) == 2
    without_contractual_reasons(world)
    world.deliver(PARTS[1])
    assert len(world.rows(POSTINGS)) == 4

    world.deliver(accepted(claims=2, paid="60.00"), accepted(claims=1, paid="-60.00", remittance_id=SECOND))
    world.settle()

    assert world.cases() == []
    assert world.balances() == {"NORTH ar-payer ACME": 10000, "NORTH gross-revenue": -10000}


def test_a_reversal_of_a_part_books_its_own_amounts_and_leaves_the_rest(world: World) -> None:
    decision = adjudicated(1, "100.00", "60.00", (("CO", "45", "30.00"), ("PR", "3", "10.00")), position=0)
    part = adjudicated(1, "-50.00", "-30.01", (("CO", "45", "-14.99"), ("PR", "3", "-5.00")), position=0, first=False)
    own = {"kind": "reversal", "match": 1, "partial": True, "remittance_id": SECOND}
    reverses = {"reverses_remittance_id": REMITTANCE, "reverses_position": 0}
    world.deliver(charged(1), decision, payment_unknown("-30.01", position=0, remittance_id=SECOND))
    world.deliver(part.model_copy(update=own | reverses))
    world.deliver(accepted(claims=1, paid="60.00"), accepted(claims=1, paid="-30.01", remittance_id=SECOND))
    world.settle()

    assert world.balances() == {
        "NORTH ar-patient PATIENTS-NORTH": 500,
        "NORTH ar-payer ACME": 5000,
        "NORTH contractual-allowance": 1501,
        "NORTH eft-clearing": 2999,
        "NORTH gross-revenue": -10000,
    }


def test_a_reversal_waits_for_the_posting_that_it_takes_back(world: World) -> None:
    decision = adjudicated(1, position=0)
    world.deliver(charged(1), negated(decision, position=0, remittance_id=SECOND))
    assert len(world.rows(POSTINGS)) == 1
    world.deliver(decision)
    assert len(world.rows(POSTINGS)) == 3


def test_a_reversal_of_another_payment_than_was_booked_is_refused(world: World) -> None:
    decision = adjudicated(1, position=0)
    reversal = negated(decision, position=0, remittance_id=SECOND)
    other = reversal.model_copy(update={"charge": -Money(9900), "paid": -Money(5900)})
    world.deliver(charged(1), decision, other)
    assert world.cases() == ["FactDoesNotAddUp"]


def test_a_denial_is_worked_to_its_end_in_entries_of_their_own(world: World) -> None:
    world.deliver(charged(1), DENIED, accepted(claims=1, paid="0.00"), denial_released("60.00"))
    world.deliver(denial_written_off("40.00"), denial_written_off("40.00"))
    world.settle()
    assert world.journals()["denial-release"] == ["confirmed"]
    assert world.journals()["denial-write-off"] == ["confirmed"]
    assert world.balances() == {
        "NORTH ar-payer ACME": 6000,
        "NORTH denial-write-off": 4000,
        "NORTH gross-revenue": -10000,
    }


def test_a_release_may_come_before_its_decision(world: World) -> None:
    world.deliver(denial_released("60.00"))
    world.settle()
    assert world.balances() == {"NORTH ar-payer ACME": 6000, "NORTH ar-payer-denied ACME": -6000}


def test_the_line_of_the_next_payer_is_of_its_class(world: World) -> None:
    world.deliver(charged(2, ("200.00",)), PRIMARY)
    classes = {row["party"]: row["payer_class"] for row in world.rows(LINES, account="ar-payer", group_id=REMITTANCE)}
    assert classes == {"ACME": "commercial", "MEDICARE": "medicare"}


def test_read_models_of_the_traffic_rebuilt_from_the_events_are_the_live_ones(world: World) -> None:
    world.deliver(*TRAFFIC, MATCHED.model_copy(update={"remittance_position": 2, "paid": MATCHED.paid}))
    world.settle()
    live = hashes(world.store)
    world.store.rebuild_read_models()
    assert hashes(world.store) == live


def case_of(world: World) -> UUID:
    (row,) = world.rows(CASES, code=SUM_DIFFERS, state="open")
    case_id = row["case_id"]
    assert isinstance(case_id, UUID)
    return case_id


def retry(world: World, case_id: UUID) -> None:
    def again(work: Work) -> None:
        retry_case(work, case_id, world.core.consumers.values(), "judged by a mended build", world.core.mending)

    transact(world.store, context_for(case_id, world.clock()), again)
    world.settle()


def differ(work: Work) -> None:
    work.require(RemittanceManifest, manifest_id(REMITTANCE)).differ(REMITTANCE, Money(1))
    raise_case(work, REMITTANCE, code=SUM_DIFFERS, summary="by a cent", subject="remittance", subject_id=REMITTANCE)


def test_a_remittance_that_was_judged_to_differ_is_judged_again_when_its_case_is_retried(world: World) -> None:
    world.deliver(charged(1), accepted(claims=1, paid="60.00"), adjudicated(1))
    transact(world.store, context_for(REMITTANCE, world.clock()), differ)
    world.settle()
    assert "remittance" not in world.journals()
    retry(world, case_of(world))
    assert world.cases() == []
    assert [row["state"] for row in world.rows(MANIFESTS)] == ["met"]
    assert world.journals()["remittance"] == ["confirmed"]


def test_a_remittance_that_still_differs_is_not_judged_again(world: World) -> None:
    world.deliver(charged(1), accepted(claims=1, paid="60.01"), adjudicated(1))
    world.settle()
    with pytest.raises(StillDiffers, match=r"differs by 0\.01 USD"):
        retry(world, case_of(world))
    assert world.cases() == [SUM_DIFFERS]


def test_only_a_remittance_that_differs_is_judged_again(world: World) -> None:
    world.deliver(charged(1), accepted(claims=1, paid="60.00"), adjudicated(1))
    world.settle()

    def again(work: Work) -> None:
        judge_remittance_again(work, REMITTANCE, "why not")

    with pytest.raises(NothingToReopen):
        transact(world.store, context_for(REMITTANCE, world.clock()), again)


def test_the_money_of_an_expected_remittance_is_its_payment(world: World) -> None:
    world.deliver(accepted(claims=1, paid="60.00", adjustments=(("FB", "10.00"),)))
    (row,) = world.rows(MANIFESTS)
    assert (row["payment_minor"], row["total_paid_minor"]) == (5000, 6000)
    assert (row["missing_postings"], row["missing_paid_minor"]) == (1, 6000)
