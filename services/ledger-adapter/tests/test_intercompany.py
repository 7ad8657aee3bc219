"""Money that came for several entities at once: each books its own part, and owes the others nothing (ADR 27)."""

from __future__ import annotations

from .examples import accepted, adjudicated, charged, deposit, payout
from .world import REMITTANCES, World

CASH = "cash"


def test_a_payout_over_two_entities_is_cash_of_each_and_balances_in_each() -> None:
    world = World()
    world.deliver(payout(), payout("20.00", "1.00", "19.00", entity="SOUTH"))
    balances = world.balances()
    assert {name: minor for name, minor in balances.items() if CASH in name} == {"NORTH cash": 941, "SOUTH cash": 1900}
    assert _by_entity(balances) == {"NORTH": 0, "SOUTH": 0}


def test_a_deposit_that_pays_remittances_of_two_entities_is_cash_of_each() -> None:
    world = World()
    south = {"entity": "SOUTH"}
    world.deliver(charged(), adjudicated(), accepted())
    world.deliver(charged(2, **south), adjudicated(2, remittance_id=REMITTANCES[1], **south))  # type: ignore[arg-type]
    world.deliver(deposit("60.00"), deposit("60.00", remittance_id=REMITTANCES[1], entity="SOUTH"))
    balances = world.balances()
    assert {name: minor for name, minor in balances.items() if CASH in name} == {"NORTH cash": 6000, "SOUTH cash": 6000}
    assert "NORTH eft-clearing" not in balances
    assert "SOUTH eft-clearing" not in balances
    assert _by_entity(balances) == {"NORTH": 0, "SOUTH": 0}


def _by_entity(balances: dict[str, int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for name, minor in balances.items():
        entity = name.split()[0]
        sums[entity] = sums.get(entity, 0) + minor
    return sums
