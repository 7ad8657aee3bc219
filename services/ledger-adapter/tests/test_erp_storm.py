"""Many intents on every simulated ERP, through random troubles and deaths of the service: none missing, none twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from canonical.codes import AccountRole
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.eventstore import Row
from ledger_adapter.adapters.fake_erp import OneErpForAll
from ledger_adapter.application.ports import Erp, ErpDocument, Pending
from ledger_adapter.application.posting import JournalPosting
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.domain.journal_entry import differences_between

from .erp_contract import ErpUnderTest, Trouble
from .erps_under_test import QUICK
from .examples import patient_paid
from .world import World

ROUNDS_MAX = 500
BATCH = 10
LATE_QUESTIONS_MAX = 8
SEED = 20260305
INTENTS = 30
STEPS = ("before-erp", "after-erp", "before-commit", "after-commit")


class Killed(Exception):
    """The process is gone; what it had not stored is lost."""


def storm(subject: ErpUnderTest, troubles: Sequence[Trouble], world: World, dice: Random, rounds: int) -> int:
    """Runs the posting until nothing waits any more, through so many troubled rounds; how often the process died."""
    deaths, erp = 0, subject.erp
    for number in range(ROUNDS_MAX):
        if not open_entries(world):
            return deaths
        is_stormy = number < rounds
        if is_stormy and troubles and subject.is_met():
            subject.ask_for(dice.choice(troubles))
        dying_at = dice.choice(STEPS) if is_stormy and dice.random() < 0.4 else ""
        if dies(world, erp, dying_at):
            deaths += 1
            erp = subject.restarted() if subject.restarted else erp
        subject.work()
        world.clock.advance(seconds=40)
    raise AssertionError(f"after {ROUNDS_MAX} rounds {open_entries(world)} entries still wait")


def dies(world: World, erp: Erp, dying_at: str) -> bool:
    """One run of a process, and whether it died at that step."""

    def crash_point(step: str) -> None:
        if step == dying_at:
            raise Killed(step)

    erps = OneErpForAll(erp, ("NORTH",))
    try:
        JournalPosting(world.store, world.clock, erps, erp.name, crash_point=crash_point, batch_max=BATCH).run()
    except Killed:
        return True
    return False


def open_entries(world: World) -> int:
    return sum(row["state"] != "confirmed" for row in world.rows(JOURNALS))


def total_at(erp: Erp) -> Money:
    """What the books show once they have been asked as often as they may be behind."""
    held = [erp.balances("NORTH") for _ in range(LATE_QUESTIONS_MAX)][-1]
    return Money.total(row.amount for row in held if row.account is AccountRole.GATEWAY_CLEARING)


@pytest.mark.parametrize("name", QUICK)
def test_after_a_storm_every_intent_is_booked_once_and_balanced(name: str, tmp_path: Path) -> None:
    world, dice = World(), Random(SEED)
    amounts = [f"{number + 1}.{number % 100:02}" for number in range(INTENTS)]
    world.deliver(*(patient_paid("0.00", amount, number=number) for number, amount in enumerate(amounts)))
    with QUICK[name].open(tmp_path) as subject:
        deaths = storm(subject, sorted(QUICK[name].troubles), world, dice, INTENTS // 3)
        assert deaths >= 1
        rows = world.rows(JOURNALS)
        found = subject.erp.find("NORTH", [str(row["external_number"]) for row in rows])
        assert len(found) == len(rows) == INTENTS
        for row in rows:
            assert differences_of(row, found[str(row["external_number"])]) == ()
        assert total_at(subject.erp) == Money.total(map(Money.of, amounts))
        assert world.cases() == []


def differences_of(row: Row, held: ErpDocument | Pending) -> tuple[str, ...]:
    lines = row["lines"]
    assert isinstance(lines, list)
    assert isinstance(held, ErpDocument)
    assert Money.total(line.amount for line in held.lines) == Money(0)
    return differences_between(map(JournalLine.model_validate, lines), held.lines)
