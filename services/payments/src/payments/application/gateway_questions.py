"""Questions to the gateway: asked because a message names an object and not its state, answered by a sweep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chassis.domain import Refusal
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.exceptions import raise_case

from payments.application.gateway_rows import GATEWAY_QUESTIONS
from payments.application.gateway_taking import take_gateway_fact
from payments.application.ports import GatewayRefused, Gateways, of_each_gateway
from payments.application.row_values import uuid_of
from payments.application.sweeps import context_for
from payments.domain.gateway_facts import GatewayFact, ObjectKind
from payments.domain.gateway_question import GatewayQuestion

PORTION_MAX = 100
NO_SUCH_OBJECT = "GatewayObjectMissing"


class GatewayAsking:
    """Asks the gateways what they told us to ask, and takes their answers as facts."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], gateways: Gateways) -> None:
        self._store = store
        self._clock = clock
        self._gateways = gateways

    def ask(self) -> int:
        """Asks what is open, the oldest first; the number of answers.

        Raises:
            Unavailable: one of the gateways does not answer; the others were asked.
        """
        return of_each_gateway(self._gateways, self._ask_at)

    def _ask_at(self, name: str) -> int:
        where = {"state": "open", "gateway": name}
        rows = self._store.rows(GATEWAY_QUESTIONS, where, order=("asked_at",), limit=PORTION_MAX)
        for row in rows:
            self._ask_one(row)
        return len(rows)

    def _ask_one(self, row: Row) -> None:
        question_id, name, looked_for = uuid_of(row["question_id"]), str(row["gateway"]), str(row["gateway_id"])
        kind = ObjectKind(str(row["kind"]))
        told: GatewayFact | None = None
        refusal: Refusal | None = None
        try:
            told = self._gateways[name].object_of(kind, looked_for, self._clock().date())
        except GatewayRefused as refused:
            refusal = refused

        def decide(work: Work) -> None:
            work.require(GatewayQuestion, question_id).answer(type(told).__name__ if told else "")
            mark = work.mark()
            try:
                if told is None:
                    raise refusal or GatewayRefused("no answer")
                take_gateway_fact(work, told, uuid_of(row["message_id"]), str(row["entity"]), name)
            except Refusal as refused:
                work.roll_back(mark)
                raise_case(
                    work,
                    question_id,
                    code=NO_SUCH_OBJECT if told is None else refused.code,
                    summary=f"{kind} {looked_for} at {name}: {refused}",
                    subject="message",
                    subject_id=uuid_of(row["message_id"]),
                )

        transact(self._store, context_for(question_id, self._clock()), decide)
