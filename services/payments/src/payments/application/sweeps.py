"""What payments does by itself about payouts: it asks the gateway what each is made of, and books it by entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from canonical.money import Money
from chassis.domain import Context, Meta, Refusal
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.exceptions import raise_case

from payments.application.patient_rows import PAYMENTS, PAYOUTS
from payments.application.ports import GatewayReader
from payments.domain.payment import payment_id_of
from payments.domain.payout import (
    BalanceTransaction,
    Payout,
    PayoutDiffers,
    PayoutUnreadable,
    shares_by_entity,
)

PORTION_MAX = 200
CANDIDATES_MAX = 10_000


def context_for(cause: UUID, now: datetime) -> Context:
    """The context of what payments does by itself; the cause is what it is done about."""
    return Context(now, Meta(correlation_id=cause, causation_id=cause, actor="service:payments"))


class PayoutComposer:
    """Asks the gateway what each announced payout is made of, and books it by entity."""

    def __init__(
        self, store: EventStore, clock: Callable[[], datetime], gateway: GatewayReader, patience: timedelta
    ) -> None:
        self._store = store
        self._clock = clock
        self._gateway = gateway
        self._patience = patience
        self._rounds = 0
        self._asked: dict[UUID, int] = {}

    def compose(self) -> int:
        """Composes announced payouts; the number of those done."""
        return sum(map(self._compose_one, self._next_portion()))

    def _next_portion(self) -> list[Row]:
        """Announced payouts to ask about now: those never asked about, newest first, then those asked the longest ago.

        Payouts that cannot be composed until a person has looked stay announced, and must not keep later ones from it.
        """
        order = ("-announced_at", "payout_id")
        announced = self._store.rows(PAYOUTS, {"state": "announced"}, order=order, limit=CANDIDATES_MAX)
        asked = {_uuid(row["payout_id"]): self._asked.get(_uuid(row["payout_id"]), 0) for row in announced}
        portion = sorted(announced, key=lambda row: asked[_uuid(row["payout_id"])])[:PORTION_MAX]
        self._rounds += 1
        self._asked = asked | {_uuid(row["payout_id"]): self._rounds for row in portion}
        return portion

    def _compose_one(self, row: Row) -> int:
        payout_id = _uuid(row["payout_id"])
        try:
            transactions = self._gateway.balance_transactions(str(row["gateway_id"]))
        except PayoutUnreadable as unreadable:
            return self._report(row, unreadable)
        entities = self._entities_of(transactions)
        unknown = [t for t in transactions if t.payment_gateway_id not in entities]
        if unknown and _instant(row["announced_at"]) + self._patience > self._clock():
            return 0
        payment_ids = sorted({payment_id_of(line.payment_gateway_id) for line in transactions}, key=str)

        def decide(work: Work) -> int:
            payout = work.require(Payout, payout_id)
            payout.compose(shares_by_entity(transactions, dict(entities)), payment_ids)
            return 1

        try:
            return transact(self._store, context_for(payout_id, self._clock()), decide)
        except PayoutDiffers as differs:
            return self._report(row, differs)

    def _report(self, row: Row, refusal: Refusal) -> int:
        """Opens the payout's case, and lets the other payouts go on."""
        payout_id = _uuid(row["payout_id"])

        def decide(work: Work) -> int:
            raise_case(
                work,
                payout_id,
                code=refusal.code,
                summary=str(refusal),
                subject="payout",
                subject_id=payout_id,
                amount=Money(_int(row["net_minor"])),
            )
            return 0

        return transact(self._store, context_for(payout_id, self._clock()), decide)

    def _entities_of(self, transactions: Sequence[BalanceTransaction]) -> Mapping[str, str]:
        wanted = sorted({transaction.payment_gateway_id for transaction in transactions})
        rows = self._store.rows(PAYMENTS, {"gateway_id": wanted, "state": "succeeded"}, limit=max(1, len(wanted)))
        return {str(row["gateway_id"]): str(row["entity"]) for row in rows}


def _uuid(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value
