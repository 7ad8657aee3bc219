"""Answers to interchanges of remittances: owed in the transaction that takes the file, written by a sweep."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from canonical.master_data import MasterData
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Work, transact

from intake.application.ports import PayerFile, RemittanceFound, Survey, payer_of
from intake.application.queries import PARTNER_ANSWERS
from intake.domain.partner_answer import (
    ANSWER_NUMBERS_ID,
    AnswerKind,
    AnswerNumbers,
    PartnerAnswer,
    partner_answer_id_of,
)

WRITTEN_PER_RUN_MAX = 100
ANSWERS_OF_ONE_FILE_MAX = 2000
_NOT_PLAIN = re.compile("[^A-Za-z0-9]+")
Write = Callable[[str, bytes], None]


def owe_answers(
    work: Work, message_id: UUID, file: PayerFile, survey: Survey, master_data: MasterData, now: datetime
) -> None:
    """One answer of each kind that the payer asks for, to each interchange that brought a remittance, once.

    What was answered is never answered otherwise, also where a later reading finds otherwise: who sent it has acted on it.
    """
    for ordinal, found in enumerate(survey.interchanges):
        brought = [each for each in survey.remittances if each.interchange == ordinal]
        for kind in _kinds_asked_for(brought, master_data):
            answer = work.get_or_new(PartnerAnswer, partner_answer_id_of(message_id, ordinal, kind))
            if answer.exists:
                continue
            numbers = work.get_or_new(AnswerNumbers, ANSWER_NUMBERS_ID)
            content = file.answer(ordinal, kind, numbers.next_number, now)
            if content is not None:
                name = f"{_NOT_PLAIN.sub('-', found.sender)}-{numbers.issue():09d}.{kind.value.lower()}"
                answer.owe(message_id, kind, found.sender, name, content)


def ask_again(work: Work, message_id: UUID) -> None:
    """The answers that a file got are written again, as they were."""
    rows = work.rows(PARTNER_ANSWERS, {"message_id": message_id}, limit=ANSWERS_OF_ONE_FILE_MAX)
    for row in rows:
        answer_id = row["answer_id"]
        assert isinstance(answer_id, UUID)
        work.require(PartnerAnswer, answer_id).ask_again()


def _kinds_asked_for(brought: list[RemittanceFound], master_data: MasterData) -> list[AnswerKind]:
    payers = [payer for each in brought if (payer := payer_of(each, master_data)) is not None]
    asked = {kind for payer in payers for kind in payer.acknowledge_remittances.split("+")}
    return [kind for kind in AnswerKind if kind.value in asked]


class AnswerWriting:
    """Writes what is owed, under a name of its own; a crash in between writes the same file again."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], write: Write) -> None:
        self._store = store
        self._clock = clock
        self._write = write

    def run(self) -> int:
        """How many were written.

        Raises:
            OSError: the folder takes no file.
        """
        owed = self._store.rows(PARTNER_ANSWERS, {"is_written": False}, order=("owed_at",), limit=WRITTEN_PER_RUN_MAX)
        for row in owed:
            answer_id = row["answer_id"]
            assert isinstance(answer_id, UUID)
            meta = Meta(correlation_id=answer_id, causation_id=answer_id, actor="service:intake")
            context = Context(self._clock(), meta)
            answer = Work(self._store, context).require(PartnerAnswer, answer_id)
            self._write(answer.name, answer.content.encode("latin-1"))
            transact(self._store, context, partial(_note_written, answer_id=answer_id))
        return len(owed)


def _note_written(work: Work, answer_id: UUID) -> None:
    work.require(PartnerAnswer, answer_id).note_written()
