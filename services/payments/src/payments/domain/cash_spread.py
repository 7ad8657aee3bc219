"""How a patient's cash is spread over what the patient owes: one rule, whatever came first.

The spread follows from the facts alone (what is owed, what was paid, what a person reserved), never from the order in
which they came, so that the same facts always end in the same balances.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from canonical.money import Money

NOTHING = Money(0)


@dataclass(frozen=True, slots=True)
class Owed:
    """One amount left to the patient, or taken off again below zero. `place` is the claim, or the encounter without one."""

    place: UUID
    encounter_id: UUID
    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class Cash:
    """What of one payment the account has now."""

    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class Reserved:
    """Cash that a person set aside: it pays this claim or encounter and nothing else, also before anything is owed there.

    Of a `line` it pays no more than that line's share, `most`; without one, all that is owed there.
    """

    payment_id: UUID
    target: UUID
    amount: Money
    on: date
    line: str = ""
    most: Money | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Cash of one payment that pays what is owed at one place."""

    payment_id: UUID
    place: UUID
    amount: Money


@dataclass(slots=True)
class _Open:
    """What is still owed at one place, while cash is spread."""

    place: UUID
    encounters: set[UUID]
    on: date
    amount: Money


def spread(owed: Iterable[Owed], cash: Mapping[UUID, Cash], reserved: Mapping[UUID, Reserved]) -> list[Part]:
    """Which cash pays what, in the order it is used.

    What one place is owed below zero pays the others, oldest first. Then reserved cash pays its places, and what is left
    of the oldest payment pays the oldest place.
    """
    places = _places(owed)
    _use_credit(places)
    parts: list[Part] = []
    free = {payment_id: held.amount for payment_id, held in cash.items()}
    for _, reservation in sorted(reserved.items(), key=lambda entry: (entry[1].on, entry[0].bytes)):
        part = min(reservation.amount, free.get(reservation.payment_id, NOTHING))
        if part > NOTHING:
            free[reservation.payment_id] -= part
            targets = [p for p in places if reservation.target == p.place or reservation.target in p.encounters]
            _pay(
                parts,
                reservation.payment_id,
                part if reservation.most is None else min(part, reservation.most),
                targets,
            )
    for payment_id in sorted(cash, key=lambda payment_id: (cash[payment_id].on, payment_id.bytes)):
        if free[payment_id] > NOTHING:
            _pay(parts, payment_id, free[payment_id], places)
    return parts


def within_lines(reserved: Mapping[UUID, Reserved], lines: Mapping[tuple[UUID, str], Money]) -> dict[UUID, Reserved]:
    """What was set aside, with how much of it each line takes: the share of a line goes to what was set aside for it first."""
    left = {place: max(share, NOTHING) for place, share in lines.items()}
    found = dict(reserved)
    for identity, each in sorted(reserved.items(), key=lambda entry: (entry[1].on, entry[0].bytes)):
        if each.line:
            most = min(each.amount, left.get((each.target, each.line), NOTHING))
            left[each.target, each.line] = left.get((each.target, each.line), NOTHING) - most
            found[identity] = replace(each, most=most)
    return found


def used_of_each(parts: Iterable[Part]) -> dict[UUID, Money]:
    """What of each payment pays something."""
    sums: dict[UUID, Money] = {}
    for part in parts:
        sums[part.payment_id] = sums.get(part.payment_id, NOTHING) + part.amount
    return sums


def open_of_each(owed: Iterable[Owed], parts: Iterable[Part]) -> dict[UUID, Money]:
    """What is owed at each place, less the cash that pays it; below zero where more was taken off than was owed."""
    sums: dict[UUID, Money] = {}
    for entry in owed:
        sums[entry.place] = sums.get(entry.place, NOTHING) + entry.amount
    for part in parts:
        sums[part.place] -= part.amount
    return sums


def left_of_each(owed: Iterable[Owed], parts: Iterable[Part]) -> dict[UUID, Money]:
    """What is left to pay at each place, never below zero: what one place was given back beyond what it owed pays the others."""
    places = _places(owed)
    _use_credit(places)
    left = {place.place: place.amount for place in places}
    for part in parts:
        left[part.place] -= part.amount
    return left


def _places(owed: Iterable[Owed]) -> list[_Open]:
    """By place, the oldest first."""
    found: dict[UUID, _Open] = {}
    for entry in owed:
        place = found.get(entry.place)
        if place is None:
            found[entry.place] = _Open(entry.place, {entry.encounter_id}, entry.on, entry.amount)
            continue
        place.encounters.add(entry.encounter_id)
        place.on = min(place.on, entry.on)
        place.amount += entry.amount
    return sorted(found.values(), key=lambda place: (place.on, place.place.bytes))


def _use_credit(places: list[_Open]) -> None:
    credit = -Money.total(place.amount for place in places if place.amount < NOTHING)
    for place in places:
        if place.amount <= NOTHING:
            place.amount = NOTHING
            continue
        used = min(credit, place.amount)
        place.amount -= used
        credit -= used


def _pay(parts: list[Part], payment_id: UUID, amount: Money, places: Iterable[_Open]) -> None:
    for place in places:
        used = min(amount, place.amount)
        if used > NOTHING:
            place.amount -= used
            amount -= used
            parts.append(Part(payment_id, place.place, used))
