"""One denial: its amounts always add up, its states follow what people and payers do."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from canonical.codes import AdjustmentGroup
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from chassis.testing import given, happened
from chassis.testing.given import Given
from claims.domain.denial import (
    Denial,
    DenialClosed,
    NotAppealed,
    NoWriteOffRequested,
    OtherAmountRequested,
    OwnRequest,
    WriteOffBeyondRisk,
)
from claims.domain.denial_facts import DenialAction, DenialClock, DenialFacts, DenialOutcome, DenialState
from claims.domain.denial_reasons import (
    CARCS,
    RARCS,
    DenialCategory,
    DenialReason,
    category_of,
    denial_reasons,
    queue_of,
)
from claims.domain.still_denied import still_denied
from hypothesis import given as for_all
from hypothesis import strategies as st

from .world import adjustment, claim_id

ZERO = Money.zero()
HUNDRED = Money.of("100.00")
CO, PI = AdjustmentGroup.CONTRACTUAL, AdjustmentGroup.PAYER_INITIATED


def facts(**changes: Any) -> DenialFacts:
    fields: dict[str, Any] = {
        "claim_id": claim_id(),
        "number": 1,
        "patient_control_number": "T1",
        "entity": "NORTH",
        "payer": "ACME",
        "remittance_id": derive("test-remittance", 1),
        "position": 0,
        "reasons": (DenialReason(group=CO, reason="197", amount=HUNDRED),),
        "remark_codes": (),
        "category": DenialCategory.AUTHORIZATION,
        "queue": "authorizations",
        "automatic": ZERO,
        "denied_on": date(2026, 3, 20),
        "appeal_by": date(2026, 9, 16),
        "file_by": None,
    }
    return DenialFacts(**(fields | changes))


def denied(**changes: Any) -> Given[Denial]:
    return given(Denial, [happened(Denial.Opened, facts=facts(**changes), amount=HUNDRED)])


def appealed() -> Given[Denial]:
    found = denied()
    found.aggregate.act(DenialAction.APPEALED, "the authorization was on file", "A1")
    found.aggregate.pending.clear()
    return found


def requested(by: str = "user:ann") -> Given[Denial]:
    found = denied()
    found.aggregate.request_write_off(HUNDRED, "the limit had passed", by)
    found.aggregate.pending.clear()
    return found


def test_what_is_denied_no_more_is_recovered() -> None:
    denied().when(lambda denial: denial.resettle(Money.of("40.00"))).then(
        happened(
            Denial.Resettled,
            at_risk=Money.of("40.00"),
            recovered=Money.of("60.00"),
            state=DenialState.OPEN,
            outcome=DenialOutcome.NONE,
        )
    )


def test_a_denial_ends_when_nothing_is_denied_and_opens_again_when_it_is() -> None:
    denial = appealed().aggregate

    denial.resettle(ZERO)
    assert (denial.state, denial.recovered) == (DenialState.CLOSED, HUNDRED)
    denial.resettle(HUNDRED)
    assert (denial.state, denial.at_risk, denial.recovered) == (DenialState.OPEN, HUNDRED, ZERO)


def test_the_same_again_changes_nothing() -> None:
    denied().when(lambda denial: denial.resettle(HUNDRED)).then()


def test_a_write_off_takes_two_people() -> None:
    requested().when(lambda denial: denial.approve_write_off(HUNDRED, "user:ann")).then_refused(OwnRequest, "user:ann")
    requested().when(lambda denial: denial.approve_write_off(HUNDRED, "user:ben")).then(
        happened(
            Denial.WrittenOff,
            change=HUNDRED,
            at_risk=ZERO,
            recovered=ZERO,
            written_off=HUNDRED,
            reason="the limit had passed",
            approved_by="user:ben",
            state=DenialState.CLOSED,
            outcome=DenialOutcome.WRITTEN_OFF,
        )
    )


@pytest.mark.parametrize("amount", ["99.99", "100.01", "0.00"])
def test_what_is_approved_is_what_was_asked_for(amount: str) -> None:
    requested().when(lambda denial: denial.approve_write_off(Money.of(amount), "user:ben")).then_refused(
        OtherAmountRequested, f"{amount} USD approved, 100.00 USD asked for"
    )


def test_nothing_is_approved_that_nobody_asked_for() -> None:
    denied().when(lambda denial: denial.approve_write_off(HUNDRED, "user:ben")).then_refused(NoWriteOffRequested)


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "100.01"])
def test_a_write_off_is_above_zero_and_at_most_what_is_at_risk(amount: str) -> None:
    denied().when(lambda denial: denial.request_write_off(Money.of(amount), "why", "user:ann")).then_refused(
        WriteOffBeyondRisk
    )


def test_a_request_for_more_than_is_left_at_risk_lapses() -> None:
    denial = requested().aggregate

    denial.resettle(Money.of("30.00"))

    assert (denial.state, denial.requested) == (DenialState.IN_WORK, ZERO)


def test_a_request_may_be_turned_down_and_made_again() -> None:
    denial = requested().aggregate

    denial.turn_write_off_down("user:ben", "appeal it first")
    assert denial.state is DenialState.IN_WORK
    denial.request_write_off(Money.of("20.00"), "the appeal was lost", "user:ann")
    denial.approve_write_off(Money.of("20.00"), "user:ben")
    assert (denial.state, denial.at_risk) == (DenialState.IN_WORK, Money.of("80.00"))


def test_what_was_written_off_and_is_denied_no_more_is_taken_back() -> None:
    denial = requested().aggregate
    denial.approve_write_off(HUNDRED, "user:ben")

    assert denial.resettle(Money.of("10.00")) == Money.of("-90.00")
    assert (denial.at_risk, denial.recovered, denial.written_off) == (ZERO, Money.of("90.00"), Money.of("10.00"))


@pytest.mark.parametrize(
    ("action", "state"),
    [
        (DenialAction.APPEALED, DenialState.APPEALED),
        (DenialAction.CORRECTED_CLAIM_SENT, DenialState.RESUBMITTED),
        (DenialAction.TRANSFERRED, DenialState.TRANSFERRED),
    ],
)
def test_an_action_says_where_a_denial_is(action: DenialAction, state: DenialState) -> None:
    denied().when(lambda denial: denial.act(action, "as agreed", "R1")).then(
        happened(Denial.ActedOn, action=action, note="as agreed", reference="R1", state=state)
    )


def test_only_an_appeal_can_be_upheld() -> None:
    denied().when(lambda denial: denial.act(DenialAction.UPHELD, "no", "")).then_refused(NotAppealed)
    appealed().when(lambda denial: denial.act(DenialAction.UPHELD, "no", "")).then(
        happened(Denial.ActedOn, action=DenialAction.UPHELD, note="no", reference="", state=DenialState.IN_WORK)
    )


def test_a_closed_denial_takes_no_more_work() -> None:
    closed = denied()
    closed.aggregate.resettle(ZERO)
    closed.aggregate.pending.clear()

    closed.when(lambda denial: denial.assign("user:ann", "")).then_refused(DenialClosed)
    closed.when(lambda denial: denial.act(DenialAction.APPEALED, "late", "")).then_refused(DenialClosed)
    closed.when(lambda denial: denial.request_write_off(HUNDRED, "late", "user:ann")).then_refused(DenialClosed)


def test_each_clock_warns_once() -> None:
    found = denied()
    deadline = found.aggregate.facts.appeal_by

    assert found.aggregate.warn(DenialClock.APPEAL, deadline)
    assert not found.aggregate.warn(DenialClock.APPEAL, deadline + timedelta(days=1))
    assert found.aggregate.warn(DenialClock.TIMELY_FILING, deadline)


def test_the_allow_list_gives_up_what_it_names_and_no_more() -> None:
    denial = denied(automatic=Money.of("60.00")).aggregate

    assert denial.write_off_by_rule("listed", "rule:list") == Money.of("60.00")
    assert denial.write_off_by_rule("listed", "rule:list") == ZERO
    assert (denial.at_risk, denial.written_off) == (Money.of("40.00"), Money.of("60.00"))


COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("resettle"), st.integers(0, 10_000)),
        st.tuples(st.just("request"), st.integers(1, 10_000)),
        st.tuples(st.sampled_from(["approve", "turn-down", "rule"]), st.just(0)),
    ),
    max_size=25,
)


@for_all(COMMANDS, st.integers(0, 10_000))
def test_at_risk_recovered_and_written_off_are_always_what_was_first_denied(
    commands: list[tuple[str, int]], automatic: int
) -> None:
    denial = denied(automatic=Money(automatic)).aggregate
    for name, minor in commands:
        try:
            match name:
                case "resettle":
                    denial.resettle(Money(minor))
                case "request":
                    denial.request_write_off(Money(minor), "why", "user:ann")
                case "approve":
                    denial.approve_write_off(denial.requested, "user:ben")
                case "turn-down":
                    denial.turn_write_off_down("user:ben", "no")
                case _:
                    denial.write_off_by_rule("listed", "rule:list")
        except (DenialClosed, WriteOffBeyondRisk, NoWriteOffRequested):
            continue
        assert denial.at_risk + denial.recovered + denial.written_off == denial.amount == HUNDRED
        assert min(denial.at_risk, denial.recovered, denial.written_off) >= ZERO
        assert (denial.state is DenialState.CLOSED) == (not denial.at_risk)


AMOUNT = st.integers(0, 50_000).map(Money)


@for_all(AMOUNT, st.lists(st.tuples(AMOUNT, AMOUNT), max_size=6))
def test_what_is_denied_now_is_spread_over_the_denials_to_the_cent(
    net: Money, denials: list[tuple[Money, Money]]
) -> None:
    firsts = [first for first, _ in denials]

    covers, left = still_denied(net, firsts, [min(own, first) for first, own in denials])

    assert Money.total([*covers, left]) == net
    assert all(ZERO <= cover <= first for cover, first in zip(covers, firsts, strict=True))
    assert not left or list(covers) == firsts


@pytest.mark.parametrize(
    ("net", "firsts", "standing", "covers", "left"),
    [
        ("100.00", ["100.00"], ["100.00"], ["100.00"], "0.00"),
        ("40.00", ["100.00"], ["0.00"], ["40.00"], "0.00"),
        ("50.00", ["100.00", "50.00"], ["0.00", "50.00"], ["0.00", "50.00"], "0.00"),
        ("60.00", ["100.00", "60.00"], ["100.00", "60.00"], ["0.00", "60.00"], "0.00"),
        ("130.00", ["100.00"], ["100.00"], ["100.00"], "30.00"),
        ("30.00", [], [], [], "30.00"),
    ],
)
def test_a_denial_keeps_what_its_own_decision_denies_and_the_oldest_give_way(
    net: str, firsts: list[str], standing: list[str], covers: list[str], left: str
) -> None:
    found = still_denied(Money.of(net), list(map(Money.of, firsts)), list(map(Money.of, standing)))

    assert found == (tuple(map(Money.of, covers)), Money.of(left))


@pytest.mark.parametrize(
    ("adjustments", "remarks", "category", "queue"),
    [
        ([(CO, "197", "10.00")], [], DenialCategory.AUTHORIZATION, "authorizations"),
        ([(CO, "29", "10.00")], [], DenialCategory.TIMELY_FILING, "billing"),
        ([(CO, "50", "10.00")], [], DenialCategory.MEDICAL_NECESSITY, "clinical-review"),
        ([(CO, "16", "10.00")], [], DenialCategory.INFORMATION, "billing"),
        ([(CO, "16", "10.00")], ["M76"], DenialCategory.CODING, "coding"),
        ([(CO, "16", "10.00")], ["MA130", "N382"], DenialCategory.ELIGIBILITY, "registration"),
        ([(CO, "18", "10.00")], ["M76"], DenialCategory.DUPLICATE, "billing"),
        ([(CO, "999", "10.00")], [], DenialCategory.OTHER, "denials"),
        ([(PI, "197", "10.00")], [], DenialCategory.AUTHORIZATION, "review"),
        ([(CO, "97", "10.00"), (CO, "27", "30.00")], [], DenialCategory.ELIGIBILITY, "registration"),
        ([(CO, "97", "10.00"), (CO, "27", "8.00"), (CO, "27", "8.00")], [], DenialCategory.ELIGIBILITY, "registration"),
    ],
)
def test_a_denial_is_classified_by_its_greatest_reason_and_by_remarks(
    adjustments: list[tuple[AdjustmentGroup, str, str]], remarks: list[str], category: DenialCategory, queue: str
) -> None:
    reasons = denial_reasons([adjustment(*each) for each in adjustments], ["45"])

    found = category_of(reasons, remarks)

    assert (found, queue_of(found, reasons)) == (category, queue)


def test_what_is_contractual_sequestered_or_the_patients_denies_nothing() -> None:
    taken_off: list[ClaimAdjustment] = [
        adjustment(CO, "45", "70.00"),
        adjustment(CO, "253", "2.00"),
        adjustment(AdjustmentGroup.PATIENT, "1", "30.00"),
        adjustment(AdjustmentGroup.OTHER, "23", "5.00"),
    ]

    assert denial_reasons(taken_off, ["45"]) == ()


@pytest.mark.parametrize("table", [CARCS, RARCS])
def test_no_code_stands_in_two_categories(table: dict[DenialCategory, str]) -> None:
    every = [code for codes in table.values() for code in codes.split()]

    assert len(set(every)) == len(every)
