"""Which provider-level adjustment opens an item between a payer and a provider, and which one settles it.

Every amount has the sign of the PLB: below zero the payer paid what it will take back later, so that it is owed to the
payer; above zero the payer took money. The pairing follows from all moves together, sorted, and never from the order in
which they arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial
from canonical.ids import derive
from canonical.money import Money

ITEM_REASONS = frozenset({"WO", "FB", "72", "AP"})
OFFSETTING = {"WO": "72", "72": "WO"}
_NOT_SIGNIFICANT = re.compile("[^0-9A-Z]")


class Move(CanonicalModel):
    """One PLB pair; `adjustment` is its ordinal in the remittance, from 0."""

    remittance_id: UUID
    adjustment: int
    reason: Financial[str]
    reference: Financial[str] = ""
    amount: Money
    effective_date: Financial[date]

    @property
    def id(self) -> UUID:
        """What the move, and an item that it opens, is known by."""
        return move_id(self.remittance_id, self.adjustment)


def move_id(remittance_id: UUID, adjustment: int) -> UUID:
    """The id of one adjustment of a remittance."""
    return derive("provider-move", remittance_id, adjustment)


class ItemState(StrEnum):
    SETTLED = "settled"
    OWED_TO_PAYER = "owed-to-payer"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class SettledPart:
    """The part of an item that one later move settled; of the sign of that move."""

    move: Move
    amount: Money


@dataclass(slots=True, eq=False)
class Item:
    """What one move left open: owed to the payer below zero, taken by the payer without an item to take above zero."""

    opened_by: Move
    amount: Money
    settled_by: list[SettledPart] = field(default_factory=list)
    open_amount: Money = field(init=False)

    def __post_init__(self) -> None:
        self.open_amount = self.amount

    @property
    def id(self) -> UUID:
        return self.opened_by.id

    @property
    def is_unexplained(self) -> bool:
        """Whether the payer took this without having said before that it would."""
        return self.open_amount > Money(0)

    @property
    def state(self) -> ItemState:
        if not self.open_amount:
            return ItemState.SETTLED
        return ItemState.UNEXPLAINED if self.is_unexplained else ItemState.OWED_TO_PAYER

    def settle(self, move: Move, rest: Money) -> Money:
        """Takes what fits of `rest`, which has the other sign; what is left of it."""
        part = max(rest, -self.open_amount) if rest < Money(0) else min(rest, -self.open_amount)
        self.settled_by.append(SettledPart(move, part))
        self.open_amount += part
        return rest - part


class Pairing:
    """All items of one payer and provider, in the order in which they were opened."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self.items: list[Item] = []
        self.item_of: dict[UUID, UUID] = {}
        self._open: dict[str, list[Item]] = {}
        for move in sorted(moves, key=_age):
            if move.reason in ITEM_REASONS and move.amount:
                self._take(move)

    def _take(self, move: Move) -> None:
        rest = move.amount
        for item in list(self._candidates(move)):
            rest = item.settle(move, rest)
            self.item_of.setdefault(move.id, item.id)
            if not item.open_amount:
                self._open[item.opened_by.reason].remove(item)
            if not rest:
                return
        item = Item(move, rest)
        self.items.append(item)
        self._open.setdefault(move.reason, []).append(item)
        if not item.is_unexplained:
            self.item_of.setdefault(move.id, item.id)

    def _candidates(self, move: Move) -> Iterator[Item]:
        """Open items that a move may settle, the likeliest first.

        A move that pays more only takes back a recoupment that it names; one that takes may also be for an older item
        of its code, for many payers give a forwarded balance no reference, or another one each time.
        """
        named = significant(move.reference)
        same_code = self._opposite(move.reason, move)
        yield from (
            item for item in same_code if significant(item.opened_by.reference) == named and (named or _takes(move))
        )
        if named:
            others = self._opposite(OFFSETTING.get(move.reason, ""), move)
            yield from (item for item in others if significant(item.opened_by.reference) == named)
        if _takes(move):
            yield from (item for item in same_code if significant(item.opened_by.reference) != named)

    def _opposite(self, reason: str, move: Move) -> list[Item]:
        return [item for item in self._open.get(reason, ()) if item.is_unexplained != _takes(move)]

    def items_of(self, move: UUID) -> list[Item]:
        """The items that a move opened or settled, the oldest first."""
        return [item for item in self.items if item.id == move or any(part.move.id == move for part in item.settled_by)]

    @property
    def open_items(self) -> list[Item]:
        return [item for item in self.items if item.open_amount]

    @property
    def unexplained(self) -> dict[UUID, Item]:
        """What the payer took without an item, by the move that took it."""
        return {item.id: item for item in self.items if item.is_unexplained}


def significant(reference: str) -> str:
    """A reference without what payers write differently from one time to the next: case, blanks, dashes."""
    return _NOT_SIGNIFICANT.sub("", reference.upper())


def _takes(move: Move) -> bool:
    return move.amount > Money(0)


def _age(move: Move) -> tuple[date, bool, str, int]:
    """Of one day, what opens an item comes before what may settle it."""
    return (move.effective_date, _takes(move), str(move.remittance_id), move.adjustment)
