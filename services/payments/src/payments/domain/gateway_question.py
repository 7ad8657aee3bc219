"""What the gateway has to be asked, because it told us that something changed and not how."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event

from payments.domain.gateway_facts import ObjectKind


class GatewayQuestion(Aggregate):
    """One question about one object, asked because of one message; it is over once it was answered."""

    def start(self) -> None:
        self.is_answered = False

    class Asked(Event):
        TOPIC = "payments.gateway-question.asked"
        gateway: Public[str]
        kind: ObjectKind
        gateway_id: Financial[str]
        entity: Public[str]
        on: Financial[date]
        message_id: UUID

        def apply(self, question: GatewayQuestion) -> None:
            question.is_answered = False

    class Answered(Event):
        """`found` is empty where the gateway knows no such object."""

        TOPIC = "payments.gateway-question.answered"
        found: Public[str]

        def apply(self, question: GatewayQuestion) -> None:
            question.is_answered = True

    def ask(self, gateway: str, kind: ObjectKind, gateway_id: str, *, entity: str, on: date, message_id: UUID) -> None:
        """Asks once."""
        if not self.exists:
            self.trigger_event(
                self.Asked,
                gateway=gateway,
                kind=kind,
                gateway_id=gateway_id,
                entity=entity,
                on=on,
                message_id=message_id,
            )

    def answer(self, found: str) -> None:
        """Ends it; the first answer counts."""
        if not self.is_answered:
            self.trigger_event(self.Answered, found=found)


def question_id_of(message_id: UUID, kind: ObjectKind, gateway_id: str) -> UUID:
    """The id of what one message makes us ask of one object."""
    return derive("gateway-question", message_id, kind.value, gateway_id)


def waiting_question_id(payment_id: UUID, times: int) -> UUID:
    """The id of what is asked because a payment is under way for long, by how often its time has doubled."""
    return derive("gateway-question", payment_id, "waiting", times)
