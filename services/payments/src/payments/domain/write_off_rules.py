"""What of a write-off stands: it gives up no more than is owed at its place, and a bad debt that is paid after all is owed again.

As with the cash (`cash_spread`), what stands follows from the facts alone, whatever came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.money import Money

from payments.domain.cash_spread import NOTHING, Cash, Owed, Part, Reserved, spread, used_of_each


class WriteOffKind(StrEnum):
    """Why what a patient owes is given up; each is another account of the books."""

    CHARITY = "charity"
    SMALL_BALANCE = "small-balance"
    BAD_DEBT = "bad-debt"
    PRICE_CONCESSION = "price-concession"


class WriteOffChange(StrEnum):
    """Why what is given up changes: people granted or reversed it, less is owed there now, or the bad debt was paid."""

    GRANTED = "granted"
    REVERSED = "reversed"
    LAPSED = "lapsed"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a granted amount does not stand: `lapsed` is owed no more at all, `recovered` is owed again and paid."""

    lapsed: Money = NOTHING
    recovered: Money = NOTHING


@dataclass(slots=True)
class GivenUp:
    """A write-off as people left it, and what of it stands; `changes` counts what followed by rule."""

    kind: WriteOffKind
    place: UUID
    encounter_id: UUID
    granted: Money
    on: date
    standing: Standing = Standing()
    changes: int = 0

    @property
    def stands(self) -> Money:
        return self.granted - self.standing.lapsed - self.standing.recovered


def standings(
    owed: Iterable[Owed],
    given_up: Mapping[UUID, GivenUp],
    cash: Mapping[UUID, Cash],
    reserved: Mapping[UUID, Reserved],
) -> dict[UUID, Standing]:
    """What of each write-off stands. Cash that pays nothing else pays bad debts, the oldest first."""
    shares = list(owed)
    lapsed = _lapsed(shares, given_up)
    kept = [
        Owed(each.place, each.encounter_id, lapsed[identity] - each.granted, each.on)
        for identity, each in given_up.items()
    ]
    parts = spread([*shares, *kept], cash, reserved)
    recovered = _recovered(given_up, lapsed, *_left(cash, reserved, parts))
    return {identity: Standing(lapsed[identity], recovered[identity]) for identity in given_up}


def _lapsed(owed: Iterable[Owed], given_up: Mapping[UUID, GivenUp]) -> dict[UUID, Money]:
    room: dict[UUID, Money] = {}
    for share in owed:
        room[share.place] = room.get(share.place, NOTHING) + share.amount
    found = {}
    for identity, each in _in_order(given_up):
        stands = min(each.granted, max(NOTHING, room.get(each.place, NOTHING)))
        room[each.place] = room.get(each.place, NOTHING) - stands
        found[identity] = each.granted - stands
    return found


def _left(
    cash: Mapping[UUID, Cash], reserved: Mapping[UUID, Reserved], parts: list[Part]
) -> tuple[dict[UUID, Cash], dict[UUID, Reserved]]:
    """The cash that pays nothing, and what of it is set aside still."""
    used = used_of_each(parts)
    left = {i: Cash(held.amount - used.get(i, NOTHING), held.on) for i, held in cash.items()}
    aside = {}
    for identity, each in reserved.items():
        paid = Money.total(p.amount for p in parts if p.payment_id == each.payment_id and p.place == each.target)
        most = None if each.most is None else max(NOTHING, each.most - paid)
        aside[identity] = replace(each, amount=max(NOTHING, each.amount - paid), most=most)
    return left, aside


def _recovered(
    given_up: Mapping[UUID, GivenUp],
    lapsed: Mapping[UUID, Money],
    cash: Mapping[UUID, Cash],
    reserved: Mapping[UUID, Reserved],
) -> dict[UUID, Money]:
    bad = [(identity, each) for identity, each in _in_order(given_up) if each.kind is WriteOffKind.BAD_DEBT]
    debts = [Owed(each.place, each.encounter_id, each.granted - lapsed[identity], each.on) for identity, each in bad]
    paid: dict[UUID, Money] = {}
    for part in spread(debts, cash, reserved):
        paid[part.place] = paid.get(part.place, NOTHING) + part.amount
    found = dict.fromkeys(given_up, NOTHING)
    for (identity, each), debt in zip(bad, debts, strict=True):
        found[identity] = min(debt.amount, paid.get(each.place, NOTHING))
        paid[each.place] = paid.get(each.place, NOTHING) - found[identity]
    return found


def _in_order(given_up: Mapping[UUID, GivenUp]) -> list[tuple[UUID, GivenUp]]:
    return sorted(given_up.items(), key=lambda entry: (entry[1].on, entry[0].bytes))
