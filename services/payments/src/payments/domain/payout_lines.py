"""What a payout is made of: each line of the gateway's balance settles what our books hold of it, or is a fee."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from canonical.money import Money

from payments.domain.payout import BalanceTransaction, LineKind, PayoutDiffers, PayoutShare
from payments.domain.refunds import NOTHING


@dataclass(frozen=True, slots=True)
class Held:
    """What our books hold at the gateway that a line settles: a payment, or a move of its balance by a later fact."""

    entity: str
    amount: Money
    payment_id: UUID | None = None
    move_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """A payout by entity, and what it settles."""

    shares: tuple[PayoutShare, ...]
    payment_ids: tuple[UUID, ...]
    move_ids: tuple[UUID, ...]


def without_void_attempts(
    lines: Sequence[BalanceTransaction], held: Mapping[str, Sequence[Held]]
) -> list[BalanceTransaction]:
    """The lines less attempts that came into the balance and left it again without ever being a payment of ours.

    An ACH debit may stand in the balance while it is pending, and be taken out when it fails. What the gateway charged
    for it is a fee.
    """
    failed = {
        line.source_gateway_id: line
        for line in lines
        if line.kind is LineKind.RETURN and line.source_gateway_id and not held.get(line.gateway_id)
    }
    void = [
        (line, failed[line.source_gateway_id])
        for line in lines
        if line.kind is LineKind.PAYMENT
        and line.source_gateway_id in failed
        and line.amount + failed[line.source_gateway_id].amount == NOTHING
    ]
    dropped = {line.gateway_id for pair in void for line in pair}
    fees = [_fee(pair[1], pair[0].net + pair[1].net) for pair in void]
    return [line for line in lines if line.gateway_id not in dropped] + [fee for fee in fees if fee.net]


def _fee(line: BalanceTransaction, net: Money) -> BalanceTransaction:
    return replace(line, kind=LineKind.FEE, amount=net, fee=NOTHING, net=net)


def unexplained(
    lines: Sequence[BalanceTransaction], held: Mapping[str, Sequence[Held]]
) -> tuple[BalanceTransaction, ...]:
    """The lines that nothing in our books stands behind, yet."""
    return tuple(line for line in lines if line.kind is not LineKind.FEE and not held.get(line.gateway_id))


def composed_of(
    lines: Sequence[BalanceTransaction], held: Mapping[str, Sequence[Held]], entity_of_fees: str
) -> Composition:
    """The payout's parts by entity, in the order of their codes. Gross is what our books hold, the rest of a line its fee.

    What a dispute's fee is was booked with the dispute, so that it is part of what the books hold and no fee here.

    Raises:
        PayoutDiffers: a line of nothing that we know, or of another amount than our books hold of it.
    """
    gross: dict[str, Money] = defaultdict(lambda: NOTHING)
    fees: dict[str, Money] = defaultdict(lambda: NOTHING)
    payments: list[UUID] = []
    moves: list[UUID] = []
    for line in lines:
        known = () if line.kind is LineKind.FEE else held.get(line.gateway_id, ())
        total = _agreed(line, known)
        for part in known:
            gross[part.entity] += part.amount
            payments += [part.payment_id] if part.payment_id else []
            moves += [part.move_id] if part.move_id else []
        fees[known[0].entity if known else entity_of_fees] += total - line.net
    shares = tuple(
        PayoutShare(entity=entity, gross=gross[entity], fees=fees[entity], net=gross[entity] - fees[entity])
        for entity in sorted(gross.keys() | fees.keys())
    )
    return Composition(shares, tuple(sorted(set(payments), key=str)), tuple(sorted(set(moves), key=str)))


def _agreed(line: BalanceTransaction, known: Sequence[Held]) -> Money:
    """What the books hold of it, which must be the line's amount before or after its fee."""
    if line.kind is LineKind.FEE:
        return NOTHING
    if not known:
        raise PayoutDiffers(f"balance transaction {line.gateway_id} ({line.kind}) is of nothing that we know")
    total = Money.total(part.amount for part in known)
    if total not in (line.amount, line.net):
        raise PayoutDiffers(
            f"balance transaction {line.gateway_id} ({line.kind}): {line.amount}, our books hold {total}"
        )
    return total
