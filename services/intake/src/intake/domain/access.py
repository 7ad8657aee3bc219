"""Who looked at PHI: one record for each look, kept for ever."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from chassis.domain import Aggregate, Event


class Disclosure(Aggregate):
    """One look. Id: the call that asked; the actor stands in the event's meta."""

    class Given(Event):
        """`what` is `raw-span`, `raw-read-again`, `encounter-patient`, `patient` or `resource`.

        Start and length are bytes of a raw message.
        """

        TOPIC = "intake.disclosure.given"
        what: Public[str]
        subject_id: UUID
        start: int = 0
        length: int = 0

        def apply(self, disclosure: Disclosure) -> None:
            """A disclosure is an event and no state."""

    def give(self, what: str, subject_id: UUID, start: int = 0, length: int = 0) -> None:
        self.trigger_event(self.Given, what=what, subject_id=subject_id, start=start, length=length)
