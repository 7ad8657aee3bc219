"""What payments does by itself about payouts: it asks the gateway what each is made of, and books it by entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from canonical.money import Money
from chassis.domain import Context, Meta, Refusal
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import end_case, raise_case

from payments.application.patient_rows import PAYOUTS
from payments.application.payouts import CAME_BACK, GatewayHoldings, came_back_in
from payments.application.ports import GatewayReader
from payments.application.row_values import instant_of, int_of, uuid_of
from payments.domain.payout import Payout, PayoutDiffers, PayoutUnreadable
from payments.domain.payout_lines import Held, composed_of, unexplained, without_void_attempts

PORTION_MAX = 200
CANDIDATES_MAX = 10_000


def context_for(cause: UUID, now: datetime) -> Context:
    """The context of what payments does by itself; the cause is what it is done about."""
    return Context(now, Meta(correlation_id=cause, causation_id=cause, actor="service:payments"))


class PayoutComposer:
    """Asks the gateway what each announced payout is made of, and books it by entity."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        gateways: Mapping[str, GatewayReader],
        patience: timedelta,
        entity_of_fees: str = "",
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._gateways = gateways
        self._patience = patience
        self._entity_of_fees = entity_of_fees
        self._crash_point = crash_point
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
        asked = {uuid_of(row["payout_id"]): self._asked.get(uuid_of(row["payout_id"]), 0) for row in announced}
        portion = sorted(announced, key=lambda row: asked[uuid_of(row["payout_id"])])[:PORTION_MAX]
        self._rounds += 1
        self._asked = asked | {uuid_of(row["payout_id"]): self._rounds for row in portion}
        return portion

    def _compose_one(self, row: Row) -> int:
        payout_id, name = uuid_of(row["payout_id"]), str(row["gateway"])
        try:
            lines = self._gateways[name].balance_transactions(str(row["gateway_id"]))
        except PayoutUnreadable as unreadable:
            return self._report(row, unreadable)
        may_wait = instant_of(row["announced_at"]) + self._patience > self._clock()
        holdings = GatewayHoldings(self._store, name)

        def decide(work: Work) -> int:
            held = holdings.behind(work, lines)
            parts = without_void_attempts(lines, held)
            if may_wait and unexplained(parts, held):
                return 0
            found = composed_of(parts, held, self._entity_of_fees or _entity_of(held))
            payout = work.require(Payout, payout_id)
            payout.compose(found.shares, found.payment_ids, found.move_ids)
            for code in (PayoutDiffers.__name__, PayoutUnreadable.__name__):
                end_case(work, payout_id, code, "the payout is composed")
            for earlier in came_back_in(lines, name):
                end_case(work, earlier, CAME_BACK, f"its money was paid out anew in {row['gateway_id']}")
            return 1

        try:
            return transact(self._store, context_for(payout_id, self._clock()), decide, crash_point=self._crash_point)
        except PayoutDiffers as differs:
            return self._report(row, differs)

    def _report(self, row: Row, refusal: Refusal) -> int:
        """Opens the payout's case, and lets the other payouts go on."""
        payout_id = uuid_of(row["payout_id"])

        def decide(work: Work) -> int:
            raise_case(
                work,
                payout_id,
                code=refusal.code,
                summary=str(refusal),
                subject="payout",
                subject_id=payout_id,
                amount=Money(int_of(row["net_minor"])),
            )
            return 0

        return transact(self._store, context_for(payout_id, self._clock()), decide)


def _entity_of(held: Mapping[str, Sequence[Held]]) -> str:
    """Whose fees are that are of no payment, where nobody said it: the first entity of the payout."""
    return min((part.entity for parts in held.values() for part in parts), default="")
