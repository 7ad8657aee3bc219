"""Receives files from payers: kept whole, balanced, and taken set by set; what does not add up goes no further.

A file goes in over several transactions, so that memory and each commit stay bounded: first the message with its raw
bytes, every verdict and the head of every sound remittance; then the claims in parts; then the end. A crash between
them is mended by receiving the same file again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from canonical.ids import derive
from canonical.remittance import ClaimPayment, RemittanceSummary
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import raise_case
from chassis.inbound import Arrival, Fact, InboundMessage, SpanPlan, keep, message_id_of
from chassis.keys import Sealer

from intake.application.answering import ask_again, owe_answers
from intake.application.deliveries import FileOutcome
from intake.application.judging_files import Verdicts, judge, quarantine
from intake.application.ports import (
    InterchangeFound,
    MasterDataSource,
    PayerFile,
    Survey,
)
from intake.application.taking_reports import take_reported_money
from intake.domain.identities import UNKNOWN_ENTITY, answer_id_of
from intake.domain.payer_answer import PayerAnswer
from intake.domain.received_interchange import ReceivedInterchange, Sighting, received_interchange_id_of
from intake.domain.remittance_receipt import RemittanceReceipt

_T = TypeVar("_T")
INTERCHANGE_REUSED = "InterchangeReused"
TakeAnswer = Callable[[PayerAnswer, UUID], None]


class ReceivingFiles:
    """Takes one file at a time. Calls block, and return when all of it is durable."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        sealer: Sealer,
        master_data: MasterDataSource,
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._master_data = master_data
        self._crash_point = crash_point

    def receive(self, file: PayerFile) -> FileOutcome:
        """Takes a file, or goes on with one that was not finished; the same file again changes nothing.

        Raises:
            Transient, Unavailable: it was kept in part or not at all; receive it again.
        """
        self._crash_point("after-receive")
        survey = file.survey()
        # The id follows from source, name and bytes; the entity is only known once the file has been read.
        message_id = message_id_of(self._sealer, _arrival(file, UNKNOWN_ENTITY), file.raw)
        verdicts = judge(survey, message_id, self._master_data())
        context = self._context(message_id, file)
        repeated = self._transact(context, lambda work: self._begin(work, message_id, file, survey, verdicts))
        claims = sum(self._take_claims(context, file, head, verdicts) for head in verdicts.heads)
        findings = self._transact(context, lambda work: _finish(work, message_id, file.format))
        self._crash_point("before-ack")
        return FileOutcome(
            message_id, bool(findings), findings, remittances=len(verdicts.heads), claims=claims, repeated=repeated
        )

    def answer_again(self, file: PayerFile) -> None:
        """A file that was taken comes again, whatever its name now: who sends it gets the same answer again."""
        message_id = message_id_of(self._sealer, _arrival(file, UNKNOWN_ENTITY), file.raw)
        self._transact(self._context(message_id, file), lambda work: ask_again(work, message_id))

    def take_rest(
        self,
        context: Context,
        message_id: UUID,
        file: PayerFile,
        survey: Survey,
        verdicts: Verdicts,
        heads: Sequence[RemittanceSummary],
        answers: Collection[int],
    ) -> None:
        """Takes what of a kept file was not taken: these remittances, and the answers of these ordinals. Twice is once.

        Where its sender has had no answer, because nobody knew that one was asked for, it is owed now.
        """

        def begin(work: Work) -> None:
            for head in heads:
                work.get_or_new(RemittanceReceipt, head.receipt_id).read(head)
            for ordinal, take in answers_in(survey):
                if ordinal in answers:
                    take(work.get_or_new(PayerAnswer, answer_id_of(message_id, ordinal)), message_id)

            owe_answers(work, message_id, file, survey, self._master_data(), self._clock())

        self._transact(context, begin)
        for head in heads:
            self._take_claims(context, file, head, verdicts)

    def _transact(self, context: Context, decide: Callable[[Work], _T]) -> _T:
        return transact(self._store, context, decide, crash_point=self._crash_point)

    def _begin(self, work: Work, message_id: UUID, file: PayerFile, survey: Survey, verdicts: Verdicts) -> bool:
        """The first transaction; whether the message was here already."""
        message = work.get_or_new(InboundMessage, message_id)
        if message.exists:
            _keep_to_first_verdict(work, verdicts)
            return True
        entity = verdicts.heads[0].entity if verdicts.heads else ""
        keep(work, self._sealer, _arrival(file, entity or UNKNOWN_ENTITY), file.raw, self._plans(survey))
        work.prefetch(head.receipt_id for head in verdicts.heads)
        for head in verdicts.heads:
            work.get_or_new(RemittanceReceipt, head.receipt_id).read(head)
        for ordinal, take in answers_in(survey):
            take(work.get_or_new(PayerAnswer, answer_id_of(message_id, ordinal)), message_id)
        take_reported_money(work, survey.platform, survey.money, message_id, self._master_data())
        self._see_interchanges(work, message_id, survey.interchanges, entity)
        owe_answers(work, message_id, file, survey, self._master_data(), self._clock())
        if verdicts.faults:
            quarantine(work, message, verdicts.faults, file.format, entity)
        return False

    def _see_interchanges(self, work: Work, message_id: UUID, found: Sequence[InterchangeFound], entity: str) -> None:
        """Remembers the number of each sound one; one that stood for other content before is a person's to look into."""
        ids = [received_interchange_id_of(each.sender, each.receiver, each.control_number) for each in found]
        work.prefetch(ids)
        for ordinal, (identity, each) in enumerate(zip(ids, found, strict=True)):
            if not each.is_sound:
                continue
            content = self._sealer.content_address(each.digest).hex()
            known = work.get_or_new(ReceivedInterchange, identity)
            sighting = known.see(message_id, ordinal, each.sender, each.control_number, content)
            if sighting is Sighting.REUSED:
                _report_reuse(work, identity, message_id, each, entity)

    def _plans(self, survey: Survey) -> list[SpanPlan]:
        """Each claim under the key that its patient control number leads to."""
        numbers = {span.patient_control_number for span in survey.spans}
        keys = self._sealer.keys.key_ids_for_aliases(map(claim_key_alias, numbers))
        return [
            SpanPlan(span.start, span.length, keys[claim_key_alias(span.patient_control_number)])
            for span in survey.spans
        ]

    def _take_claims(self, context: Context, file: PayerFile, head: RemittanceSummary, verdicts: Verdicts) -> int:
        """The claims of one remittance that are not here yet, each part in a transaction of its own; how many they are."""
        held = Work(self._store, context).require(RemittanceReceipt, head.receipt_id)
        if held.chunks_read == head.chunk_count:
            return 0
        taken = 0
        for number, part in enumerate(file.parts(verdicts.ordinals[head.receipt_id])):
            if number >= held.chunks_read:
                self._transact(context, partial(_take_part, receipt_id=head.receipt_id, number=number, part=part))
                taken += len(part)
        return taken

    def _context(self, message_id: UUID, file: PayerFile) -> Context:
        meta = Meta(
            correlation_id=message_id,
            causation_id=message_id,
            actor="door:file-drop",
            source_system=file.source,
            source_reference=file.delivery_key,
        )
        return Context(self._clock(), meta)


def answers_in(survey: Survey) -> Iterator[tuple[int, TakeAnswer]]:
    """What payers and platforms answer in a file: the ordinal of each, and how it is taken."""
    for ordinal, acknowledgement in survey.acknowledgements:
        yield ordinal, partial(PayerAnswer.read_acknowledgement, acknowledgement=acknowledgement)
    for ordinal, statuses in survey.statuses:
        yield ordinal, partial(PayerAnswer.read_statuses, statuses=statuses)
    for ordinal, answers in survey.inquiry_answers:
        yield ordinal, partial(PayerAnswer.read_inquiry_answers, answers=answers)
    for ordinal, balances in survey.balances:
        yield ordinal, partial(PayerAnswer.read_balances, balances=balances)


def claim_key_alias(patient_control_number: str) -> str:
    """The alias that claims links to the patient's key when it sends a claim."""
    return f"pcn:{patient_control_number}"


def _arrival(file: PayerFile, entity: str) -> Arrival:
    return Arrival(file.source, file.delivery_key, file.format, entity, file.delivery_key)


def _keep_to_first_verdict(work: Work, verdicts: Verdicts) -> None:
    """A file that comes again is judged as the first time, whatever master data says by now."""
    work.prefetch(head.receipt_id for head in verdicts.heads)
    verdicts.heads = [head for head in verdicts.heads if work.get(RemittanceReceipt, head.receipt_id)]


def _report_reuse(work: Work, identity: UUID, message_id: UUID, found: InterchangeFound, entity: str) -> None:
    """One case for each message that uses a number again; its sets are judged by themselves."""
    raise_case(
        work,
        derive("interchange-reused", identity, message_id),
        code=INTERCHANGE_REUSED,
        summary=f"interchange {found.control_number} of {found.sender} came again with other content",
        subject="inbound-message",
        subject_id=message_id,
        entity=entity,
    )


def _take_part(work: Work, receipt_id: UUID, number: int, part: Sequence[ClaimPayment]) -> None:
    work.require(RemittanceReceipt, receipt_id).read_chunk(number, part)


def _finish(work: Work, message_id: UUID, kind: str) -> tuple[str, ...]:
    """Ends a message of which nothing was held back; gives the findings of one that was."""
    message = work.require(InboundMessage, message_id)
    if not message.is_decided:
        message.accept([Fact(name="format", value=kind)])
    return message.findings
