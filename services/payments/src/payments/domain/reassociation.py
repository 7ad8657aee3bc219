"""Which deposits are which remittances' money, by trace number and to the cent: never nearly, and never by guessing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from canonical.money import Money

TRN03_LENGTH = 10


@dataclass(frozen=True, slots=True)
class LooseDeposit:
    """A deposit that pays nothing yet; `originator` is TRN03, empty where the bank does not tell it."""

    deposit_id: UUID
    entity: str
    amount: Money
    traces: tuple[str, ...]
    originator: str = ""


@dataclass(frozen=True, slots=True)
class WaitingRemittance:
    """An accepted remittance whose money has not come."""

    remittance_id: UUID
    entity: str
    payment: Money
    trace: str
    payer_identifier: str = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """One deposit of one remittance, several of one, or one of several; both sides have the same sum."""

    deposits: tuple[UUID, ...]
    remittances: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Deposits and remittances that name each other, and whose sums differ by `residual`, deposits less remittances."""

    deposits: tuple[UUID, ...]
    remittances: tuple[UUID, ...]
    residual: Money


@dataclass(slots=True)
class Reassociated:
    """What belongs together, and what should and does not."""

    ties: list[Tie] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def reassociate(deposits: Iterable[LooseDeposit], remittances: Sequence[WaitingRemittance]) -> Reassociated:
    """Pairs of one amount first; then what is left under one trace, whole: several of one, or one of several."""
    found = Reassociated()
    open_remittances = {one.remittance_id: one for one in remittances}
    alone: dict[tuple[str, str, str], list[LooseDeposit]] = {}
    for deposit in deposits:
        if len(deposit.traces) > 1:
            _several_named(found, deposit, open_remittances)
        else:
            alone.setdefault((deposit.entity, deposit.traces[0], deposit.originator), []).append(deposit)
    rests = [(group, _exact(found, group, open_remittances)) for group in alone.values()]
    for group, rest in rests:
        if rest:
            _whole(found, rest, [one for one in open_remittances.values() if _may_pay(group[0], one)], open_remittances)
    return found


def _exact(
    found: Reassociated, group: Sequence[LooseDeposit], open_remittances: dict[UUID, WaitingRemittance]
) -> list[LooseDeposit]:
    """Ties each deposit to a remittance of its amount; the deposits that are left."""
    rest = []
    for deposit in group:
        same = (one for one in open_remittances.values() if _may_pay(deposit, one) and one.payment == deposit.amount)
        remittance = next(same, None)
        if remittance is None:
            rest.append(deposit)
        else:
            found.ties.append(Tie((deposit.deposit_id,), (remittance.remittance_id,)))
            del open_remittances[remittance.remittance_id]
    return rest


def _several_named(found: Reassociated, deposit: LooseDeposit, open_remittances: dict[UUID, WaitingRemittance]) -> None:
    """A deposit that names several traces waits for all of them."""
    named = [one for one in open_remittances.values() if _may_pay(deposit, one)]
    if {one.trace for one in named} == set(deposit.traces):
        _whole(found, [deposit], named, open_remittances)


def _whole(
    found: Reassociated,
    deposits: Sequence[LooseDeposit],
    remittances: Sequence[WaitingRemittance],
    open_remittances: dict[UUID, WaitingRemittance],
) -> None:
    if not remittances:
        return
    residual = Money.total(one.amount for one in deposits) - Money.total(one.payment for one in remittances)
    sides = (tuple(one.deposit_id for one in deposits), tuple(one.remittance_id for one in remittances))
    if residual or (len(deposits) > 1 and len(remittances) > 1):
        found.differences.append(Difference(*sides, residual))
        return
    found.ties.append(Tie(*sides))
    for one in remittances:
        del open_remittances[one.remittance_id]


def _may_pay(deposit: LooseDeposit, remittance: WaitingRemittance) -> bool:
    """A trace number is a payer's own, and two payers may use the same; the originator tells them apart."""
    return (
        remittance.entity == deposit.entity
        and remittance.trace in deposit.traces
        and (not deposit.originator or _company(deposit.originator) == _company(remittance.payer_identifier))
    )


def _company(originator: str) -> str:
    """TRN03 is a 1 and the payer's tax id (X12 005010X221A1); banks and platforms also give the tax id alone."""
    return originator[1:] if len(originator) == TRN03_LENGTH and originator.startswith("1") else originator
