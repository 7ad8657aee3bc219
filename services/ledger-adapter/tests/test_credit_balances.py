"""J25: credit balances are shown as owed on the last day of a period and taken back on the next, once per entity and period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import grpc
import pytest
from billing.ledger.v1 import ledger_desk_pb2 as pb
from canonical.envelope import PublicEvent
from canonical.events.payments import PatientMoneyTransferred, PayerOverpaymentMoved
from canonical.ids import derive
from canonical.journal import JournalLine
from chassis.domain import Refusal
from chassis.eventstore import Row, transact
from chassis.telemetry.correlation import caused_by, incoming
from chassis.testing import FixedClock, context
from hypothesis import given
from hypothesis import strategies as st
from ledger_adapter.adapters.fake_erp import FakeErp, OneErpForAll
from ledger_adapter.adapters.grpc_desk import LedgerDesk
from ledger_adapter.application import presenting
from ledger_adapter.application.ports import FiscalPeriod, PeriodState, UnknownEntity
from ledger_adapter.application.presenting import (
    CreditsNotPresented,
    PeriodClosed,
    PeriodNotOver,
    Presented,
    TooManyCredits,
    UnknownPeriod,
    present_credit_balances,
)
from ledger_adapter.application.queries import JOURNALS, LINES, POSTINGS
from ledger_adapter.domain.credit_balances import Debtor, credit_balances
from ledger_adapter.domain.period_calendar import PeriodCalendar, calendar_id

from .examples import PATIENT, adjudicated, charged, money, patient_paid
from .world import REMITTANCES, World

CALL: grpc.ServicerContext = None  # type: ignore[assignment]
ENTITIES = ("NORTH", "SOUTH")
APRIL = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
TAKER = derive("test-patient", "taker")


def april() -> World:
    return World(clock=FixedClock(APRIL))


def overpaid(times: int = 1) -> list[PublicEvent]:
    """The payer pays the whole charge of 100.00 once, and then again so many times."""
    whole = adjudicated(paid="100.00", adjustments=())
    again = [whole.model_copy(update={"first": False, "remittance_id": each}) for each in REMITTANCES[1 : 1 + times]]
    return [charged(), whole, *again]


def owed_back(amount: str) -> PayerOverpaymentMoved:
    return PayerOverpaymentMoved(
        overpayment_id=derive("test-overpayment", 1),
        move_id=derive("test-overpayment", 1, "identified"),
        step="identified",
        entity="NORTH",
        payer="ACME",
        amount=money(amount),
        effective_date=date(2026, 3, 22),
    )


def share_taken(number: int = 1, amount: str = "30.00") -> PatientMoneyTransferred:
    return PatientMoneyTransferred(
        transfer_id=derive("test-transfer", number),
        moved="share",
        entity="NORTH",
        from_patient_id=PATIENT,
        to_patient_id=TAKER,
        amount=money(amount),
        effective_date=date(2026, 3, 10),
    )


def tell(world: World, state: PeriodState) -> None:
    """The ERP tells of March, which is in this state, and of an open April."""
    months = [(3, 31, state), (4, 30, PeriodState.OPEN)]
    told = [
        FiscalPeriod(name=f"2026-0{month}", start=date(2026, month, 1), end=date(2026, month, last), state=each)
        for month, last, each in months
    ]
    identity = calendar_id("NORTH")
    transact(world.store, context(), lambda work: work.get_or_new(PeriodCalendar, identity).tell("NORTH", "fake", told))


def present(world: World, period: str = "2026-03", entity: str = "NORTH") -> Presented:
    erps = OneErpForAll(world.erp, ENTITIES)
    return present_credit_balances(world.store, erps, replace(context(), now=world.clock()), entity, period)


def entries(world: World) -> dict[str, dict[str, int]]:
    """The lines of the entries of credit balances by day, in cents."""
    return {
        str(row["effective_date"]): {
            " ".join(filter(None, (line.account.value, line.party))): line.amount.minor for line in lines_of(row)
        }
        for row in world.rows(JOURNALS, kind="credit-balances")
    }


def lines_of(row: Row) -> list[JournalLine]:
    lines = row["lines"]
    assert isinstance(lines, list)
    return [JournalLine.model_validate(line) for line in lines]


@pytest.mark.parametrize(
    ("receivables", "expected"),
    [
        pytest.param({("ACME", "a"): 500, ("ACME", "b"): 0}, [], id="nobody is owed anything"),
        pytest.param(
            {("ACME", "a"): -500, ("ACME", "b"): 900}, [500], id="another encounter's debit takes nothing off"
        ),
        pytest.param({("ACME", "a"): -500, ("ACME", ""): 200}, [300], id="an overpayment owed back already uses it up"),
        pytest.param({("ACME", "a"): -500, ("ACME", ""): 700}, [], id="owed back in full"),
        pytest.param({("ACME", "a"): -500, ("MEDICARE", ""): 700}, [500], id="another payer's debit"),
        pytest.param({("ACME", ""): -300}, [300], id="a credit of the payer as a whole"),
    ],
)
def test_credit_balances_are_those_of_each_debtor(receivables: dict[tuple[str, str], int], expected: list[int]) -> None:
    found = credit_balances({Debtor(*who): minor for who, minor in receivables.items()})
    assert [each.amount.minor for each in found] == expected


def test_a_payers_credit_is_shown_at_the_months_end_and_taken_back_the_day_after() -> None:
    world = april()
    world.deliver(*overpaid(), charged(2))
    before = world.balances()
    told = present(world)
    assert (told.credit_count, told.amount, told.period_end) == (1, money("100.00"), date(2026, 3, 31))
    assert entries(world) == {
        "2026-03-31": {"ar-payer ACME": 10000, "credit-balances": -10000},
        "2026-04-01": {"ar-payer ACME": -10000, "credit-balances": 10000},
    }
    assert {name: minor for name, minor in world.balances().items() if minor} == before


def test_each_part_names_the_rule_and_whose_credit_it_is() -> None:
    world = april()
    world.deliver(*overpaid())
    present(world)
    group = next(row["group_id"] for row in world.rows(JOURNALS, kind="credit-balances"))
    lines = world.rows(LINES, group_id=group)
    assert {(row["rules"], row["encounter_id"]) for row in lines} == {("J25", charged().encounter_id)}
    assert len(world.rows(POSTINGS, group_kind="credit-balances")) == 2


def test_a_patients_credit_is_shown_but_not_one_that_only_a_transfer_makes() -> None:
    world = april()
    world.deliver(charged(payer="", amounts=("80.00",)), share_taken(), patient_paid("35.00", patient=TAKER))
    assert present(world).amount == money("5.00")
    assert entries(world)["2026-03-31"] == {"ar-patient PATIENTS-NORTH": 500, "credit-balances": -500}


def test_what_is_owed_back_to_the_payer_already_is_not_shown_twice() -> None:
    world = april()
    world.deliver(*overpaid(), owed_back("60.00"))
    assert present(world).amount == money("40.00")


def test_asked_again_nothing_changes_whatever_came_meanwhile() -> None:
    world = april()
    world.deliver(*overpaid())
    first = present(world)
    position = world.store.last_position()
    assert present(world) == replace(first, is_new=False)
    assert world.store.last_position() == position
    world.deliver(*overpaid(2)[3:])
    assert present(world) == replace(first, is_new=False)


def test_the_next_period_shows_what_stands_then() -> None:
    world = april()
    world.deliver(*overpaid())
    present(world)
    world.clock.advance(days=30)
    world.deliver(owed_back("60.00"))
    assert present(world, "2026-04").amount == money("40.00")


@given(st.permutations(overpaid(2)[1:]))
def test_the_order_of_the_facts_makes_no_difference(facts: list[PublicEvent]) -> None:
    world = april()
    world.deliver(charged(), *facts)
    assert present(world).amount == money("200.00")


def test_facts_of_later_days_are_not_of_the_period() -> None:
    world = april()
    world.deliver(*overpaid())
    world.clock.now = datetime(2026, 3, 5, tzinfo=UTC)
    told = present(world, "2026-02")
    assert (told.credit_count, told.journal_ids) == (0, ())
    assert not world.rows(JOURNALS, kind="credit-balances")


@pytest.mark.parametrize(
    ("entity", "period", "refusal"),
    [
        ("NORTH", "2026-04", PeriodNotOver),
        ("NORTH", "2026-13", UnknownPeriod),
        ("NORTH", "0000-01", UnknownPeriod),
        ("NORTH", "", UnknownPeriod),
        ("WEST", "2026-03", UnknownEntity),
    ],
)
def test_what_cannot_be_presented_is_refused_by_name(entity: str, period: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        present(april(), period, entity)


def test_an_entity_whose_policy_leaves_credits_where_they_are_is_refused() -> None:
    class Leaving(OneErpForAll):
        def presents_credit_balances(self, entity: str) -> bool:
            return False

    world = april()
    with pytest.raises(CreditsNotPresented):
        present_credit_balances(world.store, Leaving(world.erp, ENTITIES), context(), "NORTH", "2026-02")


@pytest.mark.parametrize("state", [PeriodState.SOFT_CLOSED, PeriodState.LOCKED])
def test_a_period_that_is_closed_already_is_refused_until_it_is_open_again(state: PeriodState) -> None:
    world = april()
    world.deliver(*overpaid())
    tell(world, state)
    with pytest.raises(PeriodClosed, match="2026-03-31 of NORTH"):
        present(world)
    assert not world.rows(JOURNALS, kind="credit-balances")
    tell(world, PeriodState.OPEN)
    first = present(world)
    tell(world, state)
    assert present(world) == replace(first, is_new=False)


def test_more_transfers_than_can_be_reckoned_with_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presenting, "TRANSFERS_MAX", 1)
    world = april()
    world.deliver(charged(payer="", amounts=("80.00",)), share_taken(1, "10.00"))
    assert present(world).credit_count == 0
    world.deliver(share_taken(2, "20.00"))
    with pytest.raises(TooManyCredits, match="transfers"):
        present(world)


def test_periods_go_by_the_names_that_the_erp_tells() -> None:
    world = april()
    period = FiscalPeriod(name="P3", start=date(2026, 2, 26), end=date(2026, 3, 28), state=PeriodState.OPEN)
    identity = calendar_id("NORTH")
    transact(
        world.store, context(), lambda work: work.get_or_new(PeriodCalendar, identity).tell("NORTH", "fake", [period])
    )
    world.deliver(*overpaid())
    assert present(world, "P3").period_end == date(2026, 3, 28)
    with pytest.raises(UnknownPeriod, match="P3"):
        present(world, "2026-03")


def test_both_entries_reach_the_erp_and_leave_its_books_as_they_were() -> None:
    world = april()
    world.deliver(*overpaid())
    world.settle()
    before = world.at_the_erp()
    present(world)
    world.settle()
    states = {row["state"] for row in world.rows(JOURNALS, kind="credit-balances")}
    assert states == {"confirmed"}
    assert world.at_the_erp() == before
    assert {row["lane"] for row in world.rows(JOURNALS, kind="credit-balances")} == {3}


def test_the_call_tells_what_stands_with_its_entries() -> None:
    world = april()
    world.deliver(*overpaid())
    desk = LedgerDesk(world.core, OneErpForAll(FakeErp(), ENTITIES), ())
    request = pb.PresentCreditBalancesRequest(entity="NORTH", period="2026-03")
    with caused_by(incoming("user:controller", None, None)):
        told = desk.PresentCreditBalances(request, CALL)
        again = desk.PresentCreditBalances(request, CALL)
    assert (told.credit_count, told.amount.minor, told.is_new, again.is_new) == (1, 10000, True, False)
    assert [journal.effective_date for journal in told.journals] == ["2026-03-31", "2026-04-01"]
