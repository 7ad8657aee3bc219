"""What a payer's remittances say, so that the same under another trace number is noticed."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Financial
from canonical.ids import derive
from chassis.domain import Aggregate, Event


def remittance_content_id(payer: str, content_hash: str) -> UUID:
    """The same claims, adjustments and payment of the same payer."""
    return derive("remittance-content", payer, content_hash)


class RemittanceContent(Aggregate):
    """The remittances of one payer that say the same to the cent. More than one is a suspicion, never a verdict."""

    def start(self) -> None:
        self.traces: dict[UUID, str] = {}

    class Seen(Event):
        TOPIC = "payments.remittance-content.seen"
        remittance_id: UUID
        trace_number: Financial[str]

        def apply(self, content: RemittanceContent) -> None:
            content.traces[self.remittance_id] = self.trace_number

    def see(self, remittance_id: UUID, trace_number: str) -> tuple[str, ...]:
        """Takes note of a remittance, once; the trace numbers under which the same came before it."""
        if remittance_id not in self.traces:
            self.trigger_event(self.Seen, remittance_id=remittance_id, trace_number=trace_number)
        known = list(self.traces)
        return tuple(self.traces[other] for other in known[: known.index(remittance_id)])
