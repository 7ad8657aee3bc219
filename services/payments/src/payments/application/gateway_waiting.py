"""Payments that stay under way for long: the event that says what became of them may never have come, so it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from chassis.eventstore import EventStore, Row, Work, transact

from payments.application.gateway_rows import PAYMENTS_UNDER_WAY
from payments.application.ports import Gateways
from payments.application.row_values import instant_of, uuid_of
from payments.application.sweeps import context_for
from payments.domain.gateway_facts import ObjectKind
from payments.domain.gateway_question import GatewayQuestion, waiting_question_id

CANDIDATES_MAX = 10_000
EVERY = timedelta(hours=1)


class GatewayWaiting:
    """Has a gateway asked of each payment that is under way for `after`, and again each time that it has waited twice as long."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], gateways: Gateways, after: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._gateways = gateways
        self._after = after
        self._asked: set[UUID] = set()
        self._looked_at: datetime | None = None

    def ask(self) -> int:
        """The number of new questions; at most once an hour anything is looked for."""
        now = self._clock()
        if not self._gateways or (self._looked_at is not None and now < self._looked_at + EVERY):
            return 0
        self._looked_at = now
        where = {"gateway": sorted(self._gateways)}
        rows = self._store.rows(PAYMENTS_UNDER_WAY, where, order=("since", "payment_id"), limit=CANDIDATES_MAX)
        return sum(self._ask_about(row, now) for row in rows)

    def _ask_about(self, row: Row, now: datetime) -> int:
        """`waited` is how often its time has doubled: 1 once it has waited for `after`, 2 at twice that, 3 at four times."""
        waited = ((now - instant_of(row["since"])) // self._after).bit_length()
        if not waited:
            return 0
        question_id = waiting_question_id(uuid_of(row["payment_id"]), waited)
        if question_id in self._asked:
            return 0
        self._asked.add(question_id)

        def decide(work: Work) -> int:
            question = work.get_or_new(GatewayQuestion, question_id)
            is_new = not question.exists
            question.ask(
                str(row["gateway"]),
                ObjectKind.PAYMENT,
                str(row["gateway_id"]),
                entity=str(row["entity"]),
                on=now.date(),
                message_id=uuid_of(row["message_id"]),
            )
            return int(is_new)

        return transact(self._store, context_for(question_id, now), decide)
