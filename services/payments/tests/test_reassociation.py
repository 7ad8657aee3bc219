"""Deposits and remittances belong together by trace and to the cent, whole or not at all."""

from __future__ import annotations

import pytest
from canonical.ids import derive
from canonical.money import Money
from payments.domain.reassociation import LooseDeposit, WaitingRemittance, reassociate


def deposit(name: str, minor: int, *traces: str, originator: str = "", entity: str = "NORTH") -> LooseDeposit:
    return LooseDeposit(derive("d", name), entity, Money(minor), traces or ("T1",), originator)


def remittance(name: str, minor: int, trace: str = "T1", payer: str = "1999") -> WaitingRemittance:
    return WaitingRemittance(derive("r", name), "NORTH", Money(minor), trace, payer)


CASES = {
    "one of one": ([deposit("a", 80)], [remittance("x", 80)], ["a=x"], []),
    "one cent off": ([deposit("a", 81)], [remittance("x", 80)], [], [1]),
    "several of one": ([deposit("a", 50), deposit("b", 30)], [remittance("x", 80)], ["a,b=x"], []),
    "a part of one": ([deposit("a", 50)], [remittance("x", 80)], [], [-30]),
    "several of one, one cent off": ([deposit("a", 50), deposit("b", 31)], [remittance("x", 80)], [], [1]),
    "one of several under one trace": (
        [deposit("a", 100)],
        [remittance("x", 80), remittance("y", 20, payer="2999")],
        ["a=x,y"],
        [],
    ),
    "one of several that it names": (
        [deposit("a", 100, "T1", "T2")],
        [remittance("x", 80), remittance("y", 20, "T2")],
        ["a=x,y"],
        [],
    ),
    "one of several, of which one has not come": ([deposit("a", 100, "T1", "T2")], [remittance("x", 80)], [], []),
    "its own amount before a share of others": (
        [deposit("a", 80), deposit("b", 20)],
        [remittance("x", 80), remittance("y", 20, payer="2999")],
        ["a=x", "b=y"],
        [],
    ),
    "the payer that the bank names": (
        [deposit("a", 80, originator="2999")],
        [remittance("x", 80), remittance("y", 80, payer="2999")],
        ["a=y"],
        [],
    ),
    "the payer's tax id alone, where the bank names its TRN03": (
        [deposit("a", 80, originator="1900100002")],
        [remittance("x", 80, payer="900100001"), remittance("y", 80, payer="900100002")],
        ["a=y"],
        [],
    ),
    "another payer than the bank names": ([deposit("a", 80, originator="2999")], [remittance("x", 80)], [], []),
    "another entity's account": ([deposit("a", 80, entity="SOUTH")], [remittance("x", 80)], [], []),
    "several of several is for a person": (
        [deposit("a", 50), deposit("b", 50)],
        [remittance("x", 70), remittance("y", 30, payer="2999")],
        [],
        [0],
    ),
    "the money came twice": ([deposit("a", 80), deposit("b", 80)], [remittance("x", 80)], ["a=x"], []),
}


@pytest.mark.parametrize("name", CASES)
def test_what_belongs_together_is_found_and_nothing_else(name: str) -> None:
    deposits, remittances, ties, residuals = CASES[name]
    names = {derive("d", one): one for one in "ab"} | {derive("r", one): one for one in "xy"}
    found = reassociate(deposits, remittances)
    told = sorted(
        f"{','.join(names[each] for each in tie.deposits)}={','.join(names[each] for each in tie.remittances)}"
        for tie in found.ties
    )
    assert (told, [difference.residual.minor for difference in found.differences]) == (ties, residuals)
