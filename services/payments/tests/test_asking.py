"""Patients are asked step by step: no statement calls itself by a number that was not sent before it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from canonical.ids import derive
from canonical.master_data import DunningStepRow
from canonical.money import Money
from chassis.eventstore import Work
from chassis.testing.clock import START
from payments.application.asking import accounts_asked, note_statement_sent
from payments.application.asking_rows import STATEMENTS_SENT
from payments.application.dunning import Policies, default_policy, policies_in
from payments.application.statements import statement
from payments.application.write_offs import request_write_off, turn_write_off_down
from payments.domain.asking import NothingToAsk
from payments.domain.dunning import DEFAULT_POLICY, DunningStep, OpenVisit, Sent, Stop, dunning
from payments.domain.statement import Statement
from payments.domain.statement_words import notes_on, to_pay
from payments.domain.write_off_rules import WriteOffKind

from .examples import CLAIM, DAY
from .test_payment_plans import ACCOUNT, Planned, instalments
from .world import adjudication

FIRST, SECOND, THIRD, FINAL = (
    DunningStep.STATEMENT_1,
    DunningStep.STATEMENT_2,
    DunningStep.STATEMENT_3,
    DunningStep.FINAL_NOTICE,
)


class Asking(Planned):
    """A patient who owes 25.00 since the first day, and the desk that sends statements."""

    policies: Policies = staticmethod(default_policy)

    def send(self, days: int, means: str = "mail") -> DunningStep:
        steps: list[DunningStep] = []
        on = DAY + timedelta(days=days)

        def decide(work: Work) -> None:
            steps.append(note_statement_sent(work, self.store, ACCOUNT, means=means, on=on, policies=self.policies))

        self.change(decide)
        return steps[-1]

    def on(self, days: int) -> Statement:
        known_at = START + timedelta(days=3650)
        found = statement(self.store, ACCOUNT, DAY + timedelta(days=days), known_at, self.policies)
        assert found is not None
        return found


def test_a_first_statement_never_calls_itself_the_second() -> None:
    world = Asking()
    assert world.on(95).asking.step is FIRST
    assert notes_on(world.on(95)) == []
    assert world.send(95) is FIRST
    assert notes_on(world.on(95)) == []
    assert notes_on(world.on(126)) == ["This is our second statement."]


@pytest.mark.parametrize(
    ("sent", "days", "step", "next_in_days"),
    [
        ([], 0, FIRST, 30),
        ([], 400, FIRST, 30),
        ([(0, FIRST)], 29, FIRST, 1),
        ([(0, FIRST)], 30, SECOND, 30),
        ([(0, FIRST)], 400, SECOND, 30),
        ([(50, FIRST)], 60, FIRST, 20),
        ([(50, FIRST)], 80, SECOND, 30),
        ([(0, FIRST), (20, FIRST)], 30, SECOND, 30),
        ([(0, FIRST), (30, SECOND), (60, THIRD)], 90, FINAL, 30),
        ([(0, FIRST), (30, SECOND), (60, THIRD), (90, FINAL)], 130, DunningStep.PRE_COLLECTION, None),
        ([(0, FIRST), (30, SECOND), (60, THIRD), (90, FINAL), (130, DunningStep.PRE_COLLECTION)], 300,
         DunningStep.PRE_COLLECTION, None),
        ([(-10, FIRST)], 40, FIRST, 30),
    ],
)  # fmt: skip
def test_which_step_a_statement_asks_with(
    sent: list[tuple[int, DunningStep]], days: int, step: DunningStep, next_in_days: int | None
) -> None:
    told = [Sent(DAY + timedelta(days=n), each) for n, each in sent]
    found = dunning([OpenVisit(Money(2500), DAY)], DAY + timedelta(days=days), DEFAULT_POLICY, told)
    assert (found.step, found.next_in_days) == (step, next_in_days)


def test_the_same_day_is_one_statement() -> None:
    world = Asking()
    assert world.send(0) is world.send(0, "portal") is FIRST
    (row,) = world.rows(STATEMENTS_SENT)
    assert (row["step"], row["asked_minor"], row["means"]) == ("statement-1", 2500, "mail")


def test_nothing_is_sent_where_nothing_may_be_asked() -> None:
    world = Asking()
    world.pay(2500, DAY)
    with pytest.raises(NothingToAsk):
        world.send(1)


def test_what_is_owed_anew_is_asked_for_from_the_first_step() -> None:
    world = Asking()
    assert (world.send(0), world.send(40)) == (FIRST, SECOND)
    world.pay(2500, DAY + timedelta(days=50))
    new = {"claim_id": derive("test-claim", 2), "encounter_id": derive("test-encounter", 2)}
    world.deliver(adjudication(900, 1, effective_date=DAY + timedelta(days=60), **new))
    assert world.on(61).asking.step is FIRST


def test_charity_that_nobody_has_decided_stops_the_asking() -> None:
    world = Asking()
    asked = {"account_id": ACCOUNT, "place": CLAIM, "kind": WriteOffKind.CHARITY, "amount": Money(2500)}
    write_off = derive("test-write-off", 1)
    world.change(lambda work: request_write_off(work, write_off, **asked, reason="hardship"))  # type: ignore[arg-type]
    held = world.on(40)
    assert (held.asking.step, held.asking.stops) == (DunningStep.HELD, frozenset({Stop.CHARITY_PENDING}))
    assert to_pay(held) == "You do not have to pay now."
    assert notes_on(held) == ["You asked us for financial assistance. We do not ask you to pay until we have decided."]
    world.change(lambda work: turn_write_off_down(work, write_off, "income above the limit"))
    assert world.on(40).asking.step is FIRST


ROWS = [
    DunningStepRow(code="final-notice", entity="NORTH", after_days=45, least=Money(2000)),
    DunningStepRow(code="statement-1", entity="NORTH", after_days=10, least=Money(1000), stopped_by=("dispute",)),
    DunningStepRow(code="statement-1", entity="SOUTH", after_days=0),
]


def test_an_entity_asks_by_its_own_steps_days_and_balances() -> None:
    world = Asking()
    world.policies = policies_in(lambda: ROWS)
    assert world.on(9).asking.step is DunningStep.NOTHING_DUE
    assert world.send(10) is FIRST
    assert (world.on(44).asking.step, world.on(45).asking.step) == (FIRST, FINAL)
    world.pay(600, DAY + timedelta(days=45))
    assert (world.on(46).asking.step, world.on(46).asking.asked) == (FIRST, Money(1900))
    world.pay(1000, DAY + timedelta(days=46), 2)
    assert world.on(47).asking.step is DunningStep.NOTHING_DUE


def test_a_step_is_stopped_by_what_its_policy_names_only() -> None:
    world = Asking()
    world.policies = policies_in(lambda: ROWS)
    world.agree(instalments((DAY + timedelta(days=60), 2500)))
    assert world.on(20).asking.step is FIRST
    assert world.on(50).asking.step is DunningStep.HELD


def test_a_policy_holds_on_its_days() -> None:
    rows = [ROWS[1].model_copy(update={"valid_until": date(2026, 6, 30)})]
    policies = policies_in(lambda: rows)
    assert len(policies("NORTH", date(2026, 6, 30)).steps) == 1
    assert policies("NORTH", date(2026, 7, 1)) is policies("WEST", DAY) is DEFAULT_POLICY


def test_accounts_are_listed_by_the_step_they_have_come_to() -> None:
    world = Asking()
    other = {"patient_id": derive("test-patient", 2), "claim_id": derive("test-claim", 2)}
    world.deliver(adjudication(9000, 1, **other))
    world.send(0)
    now = START + timedelta(days=40)

    def listed(step: DunningStep | None, entity: str = "NORTH", limit: int = 9) -> list[int]:
        found = accounts_asked(world.store, default_policy, now, entity=entity, step=step, limit=limit).found
        return [each.asking.asked.minor for each in found]

    assert (listed(FIRST), listed(SECOND), listed(None), listed(None, limit=1)) == (
        [9000],
        [2500],
        [9000, 2500],
        [9000],
    )
    assert listed(None, "SOUTH") == []
