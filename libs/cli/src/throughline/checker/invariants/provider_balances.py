"""M4: what is due to payers by the ledger is what their remittances put off and took, and what payments keeps open."""

from __future__ import annotations

from collections.abc import Iterable

from throughline.checker.amounts import cents, shown
from throughline.checker.expected import DUE_TO_PAYER_CODES
from throughline.checker.invariants.receivables import booked, ledger_sums
from throughline.checker.records import Published
from throughline.checker.result import Failures, Result, judged, skipped
from throughline.checker.world import World

NAME, TITLE = "M4", "What is due to payers is what they hold open"


def due_to_payers_agrees(world: World) -> Result:
    """M4: per entity, three ways: by the remittances as announced, by payments' provider balances, and by the ledger."""
    if world.stream("payments").trimmed:
        return skipped(NAME, TITLE, "the streams no longer keep their oldest messages")
    failures = Failures()
    announced = _announced(world, booked_only=False)
    kept: dict[str, int] = {}
    for move in world.payments.provider_moves.values():
        if move.reason in DUE_TO_PAYER_CODES:
            kept[move.entity] = kept.get(move.entity, 0) + move.amount
    failures.extend(_apart("payments' open items", announced, kept))
    ledger = {place[0]: amount for place, amount in ledger_sums(world, ("due-to-payer",)).items()}
    failures.extend(_apart("the ledger", _less_recouped(world, _announced(world, booked_only=True)), ledger))
    failures.extend(_each_adjustment_kept(world))
    return judged(
        NAME,
        TITLE,
        failures,
        adjustments=len(world.payments.provider_moves),
        due_to_payers={entity: shown(-amount) for entity, amount in sorted(ledger.items())},
    )


def _announced(world: World, *, booked_only: bool) -> dict[str, int]:
    """By entity, what forwarded balances, recoupments and advances took (above zero) or put off."""
    messages = booked(world, "payments", "remittance-accepted") if booked_only else _remittances(world)
    sums: dict[str, int] = {}
    for message in messages:
        entity = message.data["summary"]["entity"]
        due = sum(amount for reason, amount in message.data["adjustments"] if reason in DUE_TO_PAYER_CODES)
        sums[entity] = sums.get(entity, 0) + due
    return sums


def _less_recouped(world: World, sums: dict[str, int]) -> dict[str, int]:
    """What a payer took for an overpayment that we owed back is explained by that."""
    left = dict(sums)
    for message in booked(world, "payments", "payer-overpayment-moved"):
        if message.data["step"] == "recouped":
            entity = message.data["entity"]
            left[entity] = left.get(entity, 0) - cents(message.data["amount"])
    return left


def _remittances(world: World) -> Iterable[Published]:
    return world.messages("payments", "remittance-accepted")


def _each_adjustment_kept(world: World) -> Iterable[str]:
    """Every adjustment of every accepted remittance is one move of its provider's balance, of that amount."""
    wanted = {
        (message.data["summary"]["remittance_id"], ordinal): pair
        for message in _remittances(world)
        for ordinal, pair in enumerate(message.data["adjustments"])
    }
    moves = world.payments.provider_moves
    for place in sorted(wanted.keys() | moves.keys()):
        move = moves.get(place)
        if (move.reason, move.amount) != wanted.get(place) if move else True:
            said = f"{move.reason} {shown(move.amount)}" if move else "nothing"
            told = f"{wanted[place][0]} {shown(wanted[place][1])}" if place in wanted else "nothing"
            yield f"remittance {place[0]}, adjustment {place[1]}: {told} announced, {said} in the provider's balance"


def _apart(where: str, announced: dict[str, int], have: dict[str, int]) -> Iterable[str]:
    for entity in sorted(announced.keys() | have.keys()):
        left, right = announced.get(entity, 0), have.get(entity, 0)
        if left != right:
            yield f"{entity}: {shown(left)} by the remittances, {shown(right)} in {where}"
