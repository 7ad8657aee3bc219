"""What stays open between one payer and one provider: forwarded balances, recoupments put off, advances."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event

from payments.domain.provider_items import ITEM_REASONS, Move, Pairing


class ProviderAdjustmentChanged(Conflict):
    """The same adjustment of a remittance came with another code, reference or amount."""


class ProviderBalanceState(CanonicalModel):
    """The moves so far: all there is to remember, for the items follow from them."""

    moves: tuple[Move, ...]


def provider_balance_id(payer: str, provider: str) -> UUID:
    """The open items of a payer and the provider that its PLB names (PLB01, mostly the NPI)."""
    return derive("provider-balance", payer, provider)


class ProviderBalance(Aggregate):
    """Every provider-level adjustment of one payer for one provider, and the items that they open and settle."""

    snapshot_every = 200

    def start(self) -> None:
        self.moves: dict[UUID, Move] = {}

    class Moved(Event):
        """`item_id` and `open_amount` are what was known when it was recorded; an older remittance may come later.

        `item_id` is the item that the move opened or settled first, and `open_amount` the sum of all items after it.
        """

        TOPIC = "payments.provider-balance.moved"
        remittance_id: UUID
        adjustment: int
        entity: Public[str]
        payer: Public[str]
        provider: Public[str]
        reason: Financial[str]
        reference: Financial[str] = ""
        amount: Money
        item_id: UUID | None = None
        open_amount: Money
        effective_date: Financial[date]

        def apply(self, balance: ProviderBalance) -> None:
            move = Move(
                remittance_id=self.remittance_id,
                adjustment=self.adjustment,
                reason=self.reason,
                reference=self.reference,
                amount=self.amount,
                effective_date=self.effective_date,
            )
            balance.moves[move.id] = move

    @property
    def pairing(self) -> Pairing:
        """The items of all moves so far, whatever the order in which they came."""
        return Pairing(self.moves.values())

    @property
    def open_amount(self) -> Money:
        """The sum of all items: below zero where it is owed to the payer."""
        return Money.total(move.amount for move in self.moves.values() if move.reason in ITEM_REASONS)

    def take(self, *, entity: str, payer: str, provider: str, moves: Sequence[Move]) -> None:
        """Records the adjustments of one remittance, each once.

        Raises:
            ProviderAdjustmentChanged: one of them is known with other content.
        """
        for move in moves:
            known = self.moves.get(move.id, move)
            if known != move:
                place = f"remittance {move.remittance_id}, adjustment {move.adjustment}"
                was, now = f"{known.reason} {known.amount}", f"{move.reason} {move.amount}"
                raise ProviderAdjustmentChanged(f"{place}: {was} on {known.effective_date}, now {now}")
        fresh = [move for move in moves if move.id not in self.moves]
        if not fresh:
            return
        items = Pairing([*self.moves.values(), *fresh]).item_of
        open_amount = self.open_amount
        for move in fresh:
            if move.reason in ITEM_REASONS:
                open_amount += move.amount
            self.trigger_event(
                self.Moved,
                entity=entity,
                payer=payer,
                provider=provider,
                item_id=items.get(move.id),
                open_amount=open_amount,
                **{name: getattr(move, name) for name in Move.model_fields},
            )

    def snapshot(self) -> ProviderBalanceState:
        return ProviderBalanceState(moves=tuple(self.moves.values()))

    def restore(self, state: bytes) -> None:
        kept = ProviderBalanceState.model_validate_json(state)
        self.moves = {move.id: move for move in kept.moves}
