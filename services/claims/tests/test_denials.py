"""Denials as the service works them: opened and moved by decisions, given up by the allow-list or by two people."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from canonical.codes import AdjustmentGroup, ClaimFrequency
from canonical.events.claims import DenialWrittenOff
from canonical.master_data import FeeScheduleRow, MasterData
from canonical.money import Money
from canonical.remittance import ClaimAdjustment, ClaimPayment
from chassis.eventstore import Work, transact
from chassis.testing import context
from claims.application.contracts import UNDERPAID_CASE
from claims.application.denials import ALLOW_LIST
from claims.application.resubmitting import resubmit_claim
from claims.application.work_queries import history_of_denial
from claims.application.work_read_models import DENIALS, UNDERPAYMENTS
from claims.application.working_denials import (
    DEADLINE_CASE,
    act_on_denial,
    approve_write_off,
    assign_denial,
    request_write_off,
)
from claims.domain.denial import OwnRequest, denial_id_of
from claims.domain.denial_facts import DenialAction
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from .money_world import reversal_of
from .world import DENIAL, MASTER_DATA, ClaimsUnderTest, adjustment, charged, chunk, claim_id, paid

CO, PI = AdjustmentGroup.CONTRACTUAL, AdjustmentGroup.PAYER_INITIATED


def knowing(**changes: Any) -> MasterData:
    """The world with ACME changed."""
    payers = tuple(each.model_copy(update=changes) if each.code == "ACME" else each for each in MASTER_DATA.payers)
    return MASTER_DATA.model_copy(update={"payers": payers})


def refused(position: int = 0, *adjustments: ClaimAdjustment, **changes: Any) -> ClaimPayment:
    """All of the 250.00 denied, for want of an authorization unless told otherwise."""
    return paid(1, position, amount="0.00", adjustments=adjustments or (DENIAL,), **changes)


def amounts(service: ClaimsUnderTest, number: int = 1) -> list[tuple[object, ...]]:
    """First denied, at risk, recovered and written off of each denial, in cents."""
    rows = service.store.rows(DENIALS, {"claim_id": claim_id(number)}, order=("number",))
    columns = ("amount_minor", "at_risk_minor", "recovered_minor", "written_off_minor")
    for row in rows:
        first, *parts = (int(str(row[column])) for column in columns)
        assert first == sum(parts)
    return [tuple(row[column] for column in columns) for row in rows]


def row(service: ClaimsUnderTest) -> dict[str, Any]:
    (found,) = service.store.rows(DENIALS, {"claim_id": claim_id()})
    return found


def written_off(service: ClaimsUnderTest) -> list[Money]:
    return [event.amount for event in service.public_events() if isinstance(event, DenialWrittenOff)]


def test_a_denying_decision_opens_a_denial_with_its_clocks() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(chunk(refused(remark_codes=("M62",))))

    assert amounts(service) == [(25_000, 25_000, 0, 0)]
    found = row(service)
    assert (found["category"], found["queue"], found["reasons"]) == (
        "authorization",
        "authorizations",
        "CO-197 250.00 USD",
    )
    assert (found["denied_on"], found["appeal_by"]) == (date(2026, 3, 20), date(2026, 9, 16))
    assert (found["file_by"], found["remark_codes"]) == (date(2027, 3, 2), "M62")


def test_a_paid_claim_has_no_denial() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(chunk(paid(1)))

    assert amounts(service) == []


def test_the_same_remittance_again_changes_nothing() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(refused()))
    position = service.store.last_position()

    service.receive(chunk(refused()))

    assert service.store.last_position() == position


def test_a_later_decision_on_the_same_charges_recovers_the_denial() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(refused()))

    service.receive(chunk(paid(1), remittance=2))

    assert amounts(service) == [(25_000, 0, 25_000, 0)]
    assert (row(service)["state"], row(service)["outcome"]) == ("closed", "recovered")


def test_the_allow_list_gives_up_no_more_of_a_decision_than_its_reason_took_off() -> None:
    service = ClaimsUnderTest(knowing(denial_write_off_reasons=("29",))).submitted(1)
    a_part = paid(1, charge=Money.of("100.00"), amount="70.00", adjustments=(adjustment(CO, "45", "30.00"),))
    service.receive(chunk(a_part))
    service.receive(chunk(refused(0, adjustment(CO, "29", "100.00"), adjustment(CO, "50", "150.00")), remittance=2))
    assert amounts(service) == [(15_000, 5_000, 0, 10_000)]

    service.receive(chunk(reversal_of(a_part), remittance=3))

    assert amounts(service) == [(15_000, 5_000, 0, 10_000), (10_000, 10_000, 0, 0)]
    assert written_off(service) == [Money.of("100.00")]


@pytest.mark.parametrize(("plan", "given_up"), [("GOLD", [Money.of("250.00")]), ("SILVER", []), ("", [])])
def test_an_allow_list_of_one_plan_gives_up_nothing_of_another(plan: str, given_up: list[Money]) -> None:
    service = ClaimsUnderTest(knowing(denial_write_off_reasons_by_plan={"GOLD": ("29",)}))
    service.receive(charged(1, plan=plan))
    service.sweep()
    service.receive(chunk(refused(0, adjustment(CO, "29", "250.00"))))
    assert written_off(service) == given_up


PARTLY = paid(1, 2, amount="160.00", adjustments=(adjustment(CO, "97", "40.00"), adjustment(CO, "45", "50.00")))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_reversal_and_its_correction_leave_the_same_at_risk_in_every_order(order: tuple[int, ...]) -> None:
    service = ClaimsUnderTest().submitted(1)
    told = [refused(), reversal_of(refused(), 1), PARTLY]

    for index in order:
        service.receive(chunk(told[index], remittance=index + 10))

    found = amounts(service)
    assert sum(int(str(each[1])) for each in found) == 4_000 == service.claim()["denied_minor"]


def test_a_correction_that_denies_less_recovers_the_rest_of_the_same_denial() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(chunk(refused(), reversal_of(refused(), 1), remittance=1))
    assert amounts(service) == []
    service.receive(chunk(refused(), remittance=2))
    service.receive(chunk(reversal_of(refused(), 1), PARTLY, remittance=3))

    assert amounts(service) == [(25_000, 4_000, 21_000, 0)]


def test_parts_of_a_split_claim_have_a_denial_each() -> None:
    service = ClaimsUnderTest().submitted(1)
    visit = refused(0, adjustment(CO, "197", "150.00"), charge=Money.of("150.00"))
    tracing = refused(1, adjustment(CO, "97", "100.00"), charge=Money.of("100.00"))

    service.receive(chunk(visit, tracing))
    assert amounts(service) == [(15_000, 15_000, 0, 0), (10_000, 10_000, 0, 0)]
    service.receive(chunk(reversal_of(visit, 0), remittance=2))
    assert amounts(service) == [(15_000, 0, 15_000, 0), (10_000, 10_000, 0, 0)]


VISIT = refused(3, adjustment(CO, "197", "150.00"), charge=Money.of("150.00"))
STORY = (refused(), reversal_of(refused(), 1), PARTLY, VISIT, reversal_of(VISIT, 4), reversal_of(PARTLY, 5), paid(1, 6))


@settings(max_examples=25, deadline=None)
@for_all(st.lists(st.integers(0, len(STORY) - 1), max_size=8), st.booleans())
def test_what_is_at_risk_is_what_the_claim_has_denied_whatever_payers_send(order: list[int], automatic: bool) -> None:
    service = ClaimsUnderTest(knowing(denial_write_off_reasons=("97", "197") if automatic else ())).submitted(1)

    for index in order:
        service.receive(chunk(STORY[index], remittance=index + 10))
        at_risk = sum(int(str(each[1])) for each in amounts(service))
        given_up = sum(int(str(each[3])) for each in amounts(service))
        claim = service.claim()
        assert (at_risk, given_up) == (max(claim["denied_minor"], 0), claim["written_off_minor"])
        assert Money.total(written_off(service)).minor == given_up


def test_co_alone_writes_nothing_off() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(chunk(refused(0, adjustment(CO, "29", "250.00"))))

    assert amounts(service) == [(25_000, 25_000, 0, 0)]
    assert written_off(service) == []


def test_the_allow_list_of_the_payer_writes_off_what_it_names_and_nothing_that_the_payer_initiated() -> None:
    service = ClaimsUnderTest(knowing(denial_write_off_reasons=("29", "50"))).submitted(1)
    mixed = (adjustment(CO, "29", "120.00"), adjustment(PI, "50", "80.00"), adjustment(CO, "97", "50.00"))

    service.receive(chunk(refused(0, *mixed)))

    assert amounts(service) == [(25_000, 13_000, 0, 12_000)]
    (event,) = (each for each in service.public_events() if isinstance(each, DenialWrittenOff))
    assert (event.amount, event.approved_by, event.write_off) == (Money.of("120.00"), ALLOW_LIST, 1)
    claim = service.claim()
    assert (claim["denied_minor"], claim["written_off_minor"]) == (13_000, 12_000)


def as_person(service: ClaimsUnderTest, name: str, command: Any) -> None:
    transact(service.store, context(actor=f"user:{name}", now=service.clock.now), command)


def worked(service: ClaimsUnderTest) -> UUID:
    denial_id = denial_id_of(claim_id(), 1)
    as_person(service, "ann", lambda work: assign_denial(work, denial_id, "user:ann", ""))
    as_person(service, "ann", lambda work: act_on_denial(work, denial_id, DenialAction.APPEALED, "was on file", "A1"))
    as_person(service, "ann", lambda work: request_write_off(work, denial_id, Money.of("100.00"), "not worth more"))
    return denial_id


def test_a_person_gives_up_a_denial_only_with_anothers_approval() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(refused()))
    denial_id = worked(service)

    def approve(work: Work) -> None:
        approve_write_off(work, denial_id, Money.of("100.00"))

    with pytest.raises(OwnRequest):
        as_person(service, "ann", approve)
    assert written_off(service) == []
    as_person(service, "ben", approve)

    assert written_off(service) == [Money.of("100.00")]
    assert amounts(service) == [(25_000, 15_000, 0, 10_000)]
    told = [happening.what for happening in history_of_denial(service.store, denial_id)]
    assert told == [
        "ACME denied 250.00 USD: CO-197 250.00 USD",
        "given to user:ann, queue authorizations",
        "appealed (A1): was on file",
        "asked to write off 100.00 USD: not worth more",
        "user:ben wrote off 100.00 USD: not worth more",
    ]


def test_what_was_written_off_and_then_paid_is_taken_back_in_the_books() -> None:
    service = ClaimsUnderTest(knowing(denial_write_off_reasons=("197",))).submitted(1)
    service.receive(chunk(refused()))

    service.receive(chunk(reversal_of(refused(), 0), paid(1, 1), remittance=2))

    assert amounts(service) == [(25_000, 0, 25_000, 0)]
    assert written_off(service) == [Money.of("250.00"), Money.of("-250.00")]
    claim = service.claim()
    assert (claim["denied_minor"], claim["written_off_minor"], claim["paid_minor"]) == (0, 0, 15_000)


def test_a_deadline_that_comes_near_is_told_once() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(refused()))
    service.sweep()
    assert service.cases(code=DEADLINE_CASE) == []

    service.clock.advance(days=190)
    service.sweep()
    service.sweep()

    (case,) = service.cases(code=DEADLINE_CASE)
    assert case["summary"] == "ACME denied 250.00 USD: appeal ends on 2026-09-16"


def test_a_replacement_claim_is_what_was_done_about_its_denials() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(refused()))

    as_person(
        service,
        "ann",
        lambda work: resubmit_claim(work, claim_id(), ClaimFrequency.REPLACEMENT, "the authorization was added"),
    )

    assert row(service)["state"] == "resubmitted"
    told = [happening.what for happening in history_of_denial(service.store, denial_id_of(claim_id(), 1))]
    assert told[-1] == "corrected claim sent (ICN1): the authorization was added"


def fees() -> MasterData:
    rows = (
        FeeScheduleRow(code="99213", payer="ACME", allowed=Money.of("130.00")),
        FeeScheduleRow(code="93000", payer="ACME", allowed=Money.of("35.00")),
    )
    return MASTER_DATA.model_copy(update={"fee_schedules": rows})


def test_an_underpayment_is_a_case_until_the_payers_decision_changes() -> None:
    service = ClaimsUnderTest(fees()).submitted(1)

    service.receive(chunk(paid(1)))
    (case,) = service.cases(code=UNDERPAID_CASE)
    assert (case["state"], case["amount_minor"]) == ("open", 2_000)
    service.receive(chunk(reversal_of(paid(1), 0), remittance=2))

    (case,) = service.cases(code=UNDERPAID_CASE)
    (found,) = service.store.rows(UNDERPAYMENTS, {"claim_id": claim_id()})
    assert (case["state"], found["state"], found["shortfall_minor"]) == ("corrected", "resolved", 2_000)


def test_a_payer_without_a_contract_in_master_data_is_not_reviewed() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(charged(2, payer="BLUEOAK"))

    service.receive(chunk(paid(1)))

    assert service.store.rows(UNDERPAYMENTS, {}) == []
