"""What a payer or clearinghouse says of our interchanges and claims: TA1, 999, 277CA."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.money import Money
from chassis.domain import Aggregate, Event

STATUSES_PER_EVENT_MAX = 200


class Acknowledgement(CanonicalModel):
    """A TA1, or the answer to one group of ours in a 999; fields as `canonical.events.intake.AcknowledgementReceived`."""

    kind: Public[str]
    interchange_control_number: Public[str] = ""
    group_control_number: Public[str] = ""
    code: Public[str]
    rejected_sets: tuple[Public[str], ...] = ()
    notes: tuple[Public[str], ...] = ()


class ClaimStatus(CanonicalModel):
    """One claim in a 277CA."""

    patient_control_number: Public[str]
    accepted: bool
    payer_control_number: Financial[str] = ""
    category_codes: tuple[Public[str], ...] = ()
    charge: Money


class PayerAnswer(Aggregate):
    """Id: message and ordinal in it. It is read once; reading it again changes nothing."""

    def start(self) -> None:
        self.statuses_read = 0

    class AcknowledgementRead(Event):
        TOPIC = "intake.payer-answer.acknowledgement-read"
        message_id: UUID
        acknowledgement: Acknowledgement

        def apply(self, answer: PayerAnswer) -> None:
            """An acknowledgement is an event and no state."""

    class StatusesRead(Event):
        """At most 200 statuses, because each is announced by itself and all of one event together."""

        TOPIC = "intake.payer-answer.statuses-read"
        message_id: UUID
        statuses: tuple[ClaimStatus, ...]

        def apply(self, answer: PayerAnswer) -> None:
            answer.statuses_read += len(self.statuses)

    def read_acknowledgement(self, message_id: UUID, acknowledgement: Acknowledgement) -> None:
        if not self.exists:
            self.trigger_event(self.AcknowledgementRead, message_id=message_id, acknowledgement=acknowledgement)

    def read_statuses(self, message_id: UUID, statuses: Sequence[ClaimStatus]) -> None:
        if not self.exists:
            for start in range(0, len(statuses), STATUSES_PER_EVENT_MAX):
                portion = tuple(statuses[start : start + STATUSES_PER_EVENT_MAX])
                self.trigger_event(self.StatusesRead, message_id=message_id, statuses=portion)
