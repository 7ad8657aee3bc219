"""Our confirmed balances beside those of the ERP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from canonical.codes import AccountRole
from canonical.money import Money
from chassis.eventstore import EventStore

from ledger_adapter.application.ports import Erp
from ledger_adapter.application.queries import BALANCES, DIMENSION_BALANCES
from ledger_adapter.application.summaries import minor

ROWS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One balance on both sides; `dimension` is empty for one by account and party."""

    account: AccountRole
    party: str
    dimension: str
    value: str
    ours: Money
    theirs: Money


def compared(store: EventStore, entity: str, erp: Erp) -> list[Compared]:
    """By account and party, then by account and dimension that the books keep; what is zero on both sides is left out."""
    return [*_by_party(store, entity, erp), *_by_dimension(store, entity, erp)]


def _by_party(store: EventStore, entity: str, erp: Erp) -> Iterable[Compared]:
    ours = {
        (AccountRole(str(row["account"])), str(row["party"])): Money(minor(row, "confirmed_minor"))
        for row in store.rows(BALANCES, {"entity": entity}, limit=ROWS_MAX)
    }
    theirs = {(each.account, each.party): each.amount for each in erp.balances(entity)}
    for account, party in sorted(ours.keys() | theirs.keys()):
        left, right = ours.get((account, party), Money(0)), theirs.get((account, party), Money(0))
        if left or right:
            yield Compared(account, party, "", "", left, right)


def _by_dimension(store: EventStore, entity: str, erp: Erp) -> Iterable[Compared]:
    kept = {dimension.value for dimension in erp.dimensions(entity)}
    ours = {
        (AccountRole(str(row["account"])), str(row["dimension"]), str(row["value"])): Money(
            minor(row, "confirmed_minor")
        )
        for row in store.rows(DIMENSION_BALANCES, {"entity": entity}, limit=ROWS_MAX)
        if row["dimension"] in kept
    }
    theirs = {(each.account, each.dimension.value, each.value): each.amount for each in erp.dimension_balances(entity)}
    for account, dimension, value in sorted(ours.keys() | theirs.keys()):
        place = (account, dimension, value)
        left, right = ours.get(place, Money(0)), theirs.get(place, Money(0))
        if left or right:
            yield Compared(account, "", dimension, value, left, right)
