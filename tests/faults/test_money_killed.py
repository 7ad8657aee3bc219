"""`kill -9` of both halves of payments, and of the ledger, round every durable step of patients' money: all of it happens once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from signal import SIGKILL
from uuid import UUID

import pytest
from sandbox.world.misbehaviour import Fault

from tests.faults.money_at_work import CALLS, LEDGER, WORK, MoneyAtWork
from tests.integration.story import until
from tests.integration.suite import Bench

pytestmark = [pytest.mark.servers, pytest.mark.slow]

BOTH_SIDES = ("before-commit", "after-commit")
TRIES_OF_THE_LIBRARY = 3
"""After them the answer is lost: that is recorded by the second commit, and after a probe the fourth knows the refund."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoneyAtWork]:
    """All of it running, with one patient's account."""
    bench = Bench(tmp_path_factory.mktemp("money"), calls_apart=True)
    bench.start_servers()
    try:
        bench.prepare()
        with MoneyAtWork(bench) as made:
            yield made
    finally:
        bench.stop()


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "died"


def killed(world: MoneyAtWork, process: str, step: str, mark: Path, act: Callable[[], object]) -> None:
    """Lets the process die at the step in what the act begins, and starts it again; all must end as if it had not died."""
    until(world.is_settled, "all is quiet before")
    world.end(process)
    armed = world.start(process, step, mark)
    act()
    until(lambda: not armed.is_running(), f"{process} dies at {step}")
    assert armed.wait_for_exit(1) == -SIGKILL
    assert mark.read_text().strip() == step.partition(":")[0]
    assert world.lost_webhooks() == set()
    world.start(process)


def ended_once(world: MoneyAtWork) -> None:
    until(world.is_settled, f"the books are {world.expected()}")
    assert world.lost_webhooks() == set()
    assert world.cards.webhooks.given_up == []
    assert set(world.refunds_made().values()) <= {1}
    assert world.erp.booked_twice == []


OF_A_PAYMENT = [
    *((CALLS, step) for step in BOTH_SIDES),
    *((WORK, step) for step in ("before-publish", "after-publish")),
    (LEDGER, "after-commit"),
]


@pytest.mark.parametrize(("process", "step"), OF_A_PAYMENT)
def test_a_webhook_that_was_answered_is_booked_once(world: MoneyAtWork, mark: Path, process: str, step: str) -> None:
    paid = len(world.cards.book.intents)
    killed(world, process, step, mark, world.pay)
    ended_once(world)
    query = "SELECT count(*) FROM payments WHERE channel = 'gateway' AND state = 'succeeded'"
    assert world.bench.count("payments", query) == paid + 1


@pytest.mark.parametrize("step", BOTH_SIDES)
def test_a_payment_that_is_posted_again_under_its_key_is_one(world: MoneyAtWork, mark: Path, step: str) -> None:
    killed(world, CALLS, step, mark, lambda: world.post(step))
    until(lambda: world.post(step), "it is posted")
    assert world.post(step)
    ended_once(world)


def asked(world: MoneyAtWork) -> UUID:
    """A refund that waits for its approval."""
    until(world.is_settled, "all is quiet before")
    return world.ask_for_refund(world.pay())


@pytest.mark.parametrize("step", BOTH_SIDES)
def test_a_refund_is_approved_once(world: MoneyAtWork, mark: Path, step: str) -> None:
    refund_id = asked(world)
    killed(world, CALLS, step, mark, lambda: world.approve(refund_id))
    until(lambda: world.approve(refund_id), "it is approved")
    ended_once(world)
    assert world.refunds_made()[str(refund_id)] == 1


ORDERED: Mapping[str, tuple[str, ...]] = {
    "before and after it is recorded": BOTH_SIDES,
    "before and after it is sent": ("before-send", "after-send"),
    "before and after it is known": ("before-commit:2", "after-commit:2"),
}


@pytest.mark.parametrize("step", [step for steps in ORDERED.values() for step in steps])
def test_a_refund_that_is_ordered_is_made_once(world: MoneyAtWork, mark: Path, step: str) -> None:
    refund_id = asked(world)
    killed(world, WORK, step, mark, lambda: world.approve(refund_id))
    ended_once(world)
    assert world.refunds_made()[str(refund_id)] == 1


@pytest.mark.parametrize("step", ["before-commit:2", "after-commit:2", "before-commit:4"])
def test_a_refund_whose_answer_was_lost_is_made_once(world: MoneyAtWork, mark: Path, step: str) -> None:
    refund_id = asked(world)

    def approve_and_hear_nothing() -> None:
        world.cards.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target="api refunds", times=TRIES_OF_THE_LIBRARY)
        assert world.approve(refund_id)

    killed(world, WORK, step, mark, approve_and_hear_nothing)
    ended_once(world)
    assert world.refunds_made()[str(refund_id)] == 1


@pytest.mark.parametrize("step", [f"{side}:{nth}" for nth in (1, 2, 3) for side in BOTH_SIDES])
def test_a_payout_is_composed_and_tied_to_its_deposit_once(world: MoneyAtWork, mark: Path, step: str) -> None:
    until(world.is_settled, "all is quiet before")
    world.pay()
    killed(world, WORK, step, mark, world.pay_out)
    ended_once(world)
    untied = "SELECT count(*) FROM payouts WHERE deposit_id IS NULL"
    until(lambda: not world.bench.count("payments", untied), "every payout is tied to its deposit")
