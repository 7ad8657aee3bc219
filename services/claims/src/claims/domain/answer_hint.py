"""A clearinghouse's word that answers wait for us: heard once, and only a reason to look sooner."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event


class AnswerHint(Aggregate):
    """Its id follows from the clearinghouse and the hint's own id, so that a hint that comes again changes nothing."""

    class Heard(Event):
        TOPIC = "claims.answer-hint.heard"
        clearinghouse: Public[str]
        hint: Public[str]

        def apply(self, hint: AnswerHint) -> None:
            """That it exists is all there is to know."""

    def hear(self, clearinghouse: str, hint: str) -> bool:
        """Whether it is new."""
        if self.exists:
            return False
        self.trigger_event(self.Heard, clearinghouse=clearinghouse, hint=hint)
        return True


def answer_hint_id_of(clearinghouse: str, hint: str) -> UUID:
    return derive("answer-hint", clearinghouse, hint)
