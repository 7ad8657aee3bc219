"""An ERP that does the work and does not say so, fails, or is gone: every entry is in its books once, and known to be."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from sandbox.world.misbehaviour import Fault
from sandbox.world.scenario import Scenario
from throughline.connection import Access

from tests.integration.books import at_our_ledger, at_the_erp, standing
from tests.integration.story import Story, ehr_of, until
from tests.integration.suite import OpenStack, broken_promises

pytestmark = [pytest.mark.servers, pytest.mark.slow]

ENCOUNTERS = 12
BOOKING = "account.move/book"
FAULTS = {
    "times out after the work is done": (Fault.TIMEOUT_AFTER_WORK, 4801),
    "answers 500": (Fault.SERVER_ERROR, 4802),
    "cuts its answer short": (Fault.CUT, 4803),
}
UNCONFIRMED = "SELECT count(*) FROM journals WHERE state <> 'confirmed'"
REVENUE = "SELECT -sum(confirmed_minor)::bigint FROM account_balances WHERE account = 'gross-revenue'"


@pytest.mark.parametrize("trouble", FAULTS)
def test_an_answer_that_is_lost_books_nothing_twice(
    told: Story, suite: OpenStack, access: Access, trouble: str
) -> None:
    fault, seed = FAULTS[trouble]
    struck = len(suite.road.misbehaviour.struck)
    suite.road.misbehaviour.request(fault, target=BOOKING, times=2, measure=20)
    charge_and_wait(told, suite, seed)
    assert [strike.fault for strike in suite.road.misbehaviour.struck[struck:]] == [fault, fault]
    assert standing(at_the_erp(access)) == standing(at_our_ledger(access))
    assert broken_promises(suite.folder) == {}


def test_an_erp_that_is_gone_for_a_while_gets_everything_when_it_is_back(
    told: Story, suite: OpenStack, access: Access
) -> None:
    suite.road.go_down()
    scenario = send(told, suite, 4804)
    until(lambda: suite.count("ledger", UNCONFIRMED) > 0, "entries wait for the ERP")
    time.sleep(3)
    suite.road.come_up()
    wait_until_confirmed(suite, scenario[0])
    assert standing(at_the_erp(access)) == standing(at_our_ledger(access))
    assert broken_promises(suite.folder) == {}


def charge_and_wait(told: Story, suite: OpenStack, seed: int) -> None:
    revenue, _ = send(told, suite, seed)
    wait_until_confirmed(suite, revenue)


def send(told: Story, suite: OpenStack, seed: int) -> tuple[int, Scenario]:
    """Sends encounters of a story of their own; the revenue when all of it is booked."""
    before = suite.count("ledger", REVENUE)
    scenario = Scenario.tell(seed, ENCOUNTERS, datetime.now(UTC).date())
    told.send_all(ehr_of(suite), scenario.encounters)
    return before + scenario.total.minor, scenario


def wait_until_confirmed(suite: OpenStack, revenue: int) -> None:
    until(lambda: suite.count("ledger", REVENUE) == revenue, "every charge is in the ERP's books")
    until(lambda: suite.count("ledger", UNCONFIRMED) == 0, "every entry is confirmed")
