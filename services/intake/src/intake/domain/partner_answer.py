"""What we owe a trading partner for an interchange of its remittances: a TA1, a 999, or both."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event

NUMBERS_MAX = 999_999_999


class AnswerKind(StrEnum):
    INTERCHANGE = "TA1"
    GROUPS = "999"


class AnswerNumbers(Aggregate):
    """The control numbers of our answers, each given once; after 999,999,999 they begin again."""

    def start(self) -> None:
        self.last = 0

    class Issued(Event):
        TOPIC = "intake.answer-numbers.issued"
        number: int

        def apply(self, numbers: AnswerNumbers) -> None:
            numbers.last = self.number

    @property
    def next_number(self) -> int:
        return self.last % NUMBERS_MAX + 1

    def issue(self) -> int:
        number = self.next_number
        self.trigger_event(self.Issued, number=number)
        return number


class PartnerAnswer(Aggregate):
    """Owed, then Written; AskedAgain where the partner sends its file again, and Written once more. Id: message, ordinal of the interchange in it, and kind. The content names codes and places alone."""

    def start(self) -> None:
        self.name = ""
        self.content = ""
        self.is_written = False

    class Owed(Event):
        TOPIC = "intake.partner-answer.owed"
        message_id: UUID
        kind: AnswerKind
        receiver: Public[str]
        name: Public[str]
        content: Public[str]

        def apply(self, answer: PartnerAnswer) -> None:
            answer.name = self.name
            answer.content = self.content

    class Written(Event):
        """The file stands where the partner, or who carries it there, takes it."""

        TOPIC = "intake.partner-answer.written"

        def apply(self, answer: PartnerAnswer) -> None:
            answer.is_written = True

    class AskedAgain(Event):
        """The same file came again: the partner may have lost our answer, and gets the same."""

        TOPIC = "intake.partner-answer.asked-again"

        def apply(self, answer: PartnerAnswer) -> None:
            answer.is_written = False

    def owe(self, message_id: UUID, kind: AnswerKind, receiver: str, name: str, content: bytes) -> None:
        assert not self.exists, "an answer is owed once"
        self.trigger_event(
            self.Owed,
            message_id=message_id,
            kind=kind,
            receiver=receiver,
            name=name,
            content=content.decode("latin-1"),
        )

    def ask_again(self) -> None:
        """What is not written yet is not asked for twice."""
        if self.is_written:
            self.trigger_event(self.AskedAgain)

    def note_written(self) -> None:
        if not self.is_written:
            self.trigger_event(self.Written)


ANSWER_NUMBERS_ID = derive("answer-numbers")


def partner_answer_id_of(message_id: UUID, ordinal: int, kind: AnswerKind) -> UUID:
    return derive("partner-answer", message_id, ordinal, kind.value)
