"""Receives files from payers: kept whole, balanced, and taken set by set; what does not add up goes no further.

A file goes in over several transactions, so that memory and each commit stay bounded: first the message with its raw
bytes, every verdict and the head of every sound remittance; then the claims in parts; then the end. A crash between
them is mended by receiving the same file again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from canonical.ids import derive
from canonical.master_data import Entity, MasterData, UnknownMasterData
from canonical.money import Money
from canonical.remittance import ClaimPayment, RemittanceSummary
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import raise_case
from chassis.inbound import Arrival, Fact, InboundMessage, SpanPlan, keep, message_id_of
from chassis.keys import Sealer

from intake.application.answering import ask_again, owe_answers
from intake.application.deliveries import FileOutcome
from intake.application.ports import (
    InterchangeFound,
    MasterDataSource,
    PayerFile,
    RemittanceFound,
    Survey,
    payer_of,
)
from intake.application.taking_reports import NOT_ITS_ENTITY, is_worked_by, take_reported_money
from intake.domain.identities import UNKNOWN_ENTITY, answer_id_of, receipt_id_of, remittance_id_of
from intake.domain.payer_answer import PayerAnswer
from intake.domain.received_interchange import ReceivedInterchange, Sighting, received_interchange_id_of
from intake.domain.remittance_receipt import RemittanceReceipt

_T = TypeVar("_T")
UNBALANCED = "UnbalancedRemittance"
UNUSABLE = "UnusableRemittance"
UNKNOWN_PAYER = "UnknownPayer"
UNKNOWN_PAYEE = "UnknownPayee"
UNREADABLE = "UnreadableFile"
FAULTY_ANSWER = "FaultyAnswer"
INTERCHANGE_REUSED = "InterchangeReused"


@dataclass(frozen=True, slots=True)
class Fault:
    """A remittance, or the rest of a file, that goes no further; `cause` is what its case follows from."""

    cause: UUID
    code: str
    findings: tuple[str, ...]
    residual: Money | None = None


@dataclass(slots=True)
class Verdicts:
    """What may go on, and what may not."""

    heads: list[RemittanceSummary] = field(default_factory=list)
    ordinals: dict[UUID, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


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
        for ordinal, acknowledgement in survey.acknowledgements:
            answer = work.get_or_new(PayerAnswer, answer_id_of(message_id, ordinal))
            answer.read_acknowledgement(message_id, acknowledgement)
        for ordinal, statuses in survey.statuses:
            work.get_or_new(PayerAnswer, answer_id_of(message_id, ordinal)).read_statuses(message_id, statuses)
        for ordinal, answers in survey.inquiry_answers:
            work.get_or_new(PayerAnswer, answer_id_of(message_id, ordinal)).read_inquiry_answers(message_id, answers)
        for ordinal, balances in survey.balances:
            work.get_or_new(PayerAnswer, answer_id_of(message_id, ordinal)).read_balances(message_id, balances)
        take_reported_money(work, survey.platform, survey.money, message_id, self._master_data())
        self._see_interchanges(work, message_id, survey.interchanges, entity)
        owe_answers(work, message_id, file, survey, self._master_data(), self._clock())
        if verdicts.faults:
            _quarantine(work, message, verdicts.faults, file.format, entity)
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


def claim_key_alias(patient_control_number: str) -> str:
    """The alias that claims links to the patient's key when it sends a claim."""
    return f"pcn:{patient_control_number}"


def _arrival(file: PayerFile, entity: str) -> Arrival:
    return Arrival(file.source, file.delivery_key, file.format, entity, file.delivery_key)


def judge(survey: Survey, message_id: UUID, master_data: MasterData) -> Verdicts:
    """Which remittances are sound and belong to a payer and an entity we know, and why the others go no further."""
    verdicts = Verdicts()
    for found in survey.remittances:
        receipt_id = receipt_id_of(message_id, found.ordinal)
        fault = _fault_in(found, receipt_id)
        head = fault or _head(found, message_id, receipt_id, master_data)
        if isinstance(head, RemittanceSummary) and not is_worked_by(master_data, head.entity, survey.platform):
            head = Fault(receipt_id, NOT_ITS_ENTITY, (f"set {found.ordinal + 1}: {NOT_ITS_ENTITY}: {head.entity}",))
        if isinstance(head, Fault):
            verdicts.faults.append(head)
        else:
            verdicts.heads.append(head)
            verdicts.ordinals[receipt_id] = found.ordinal
    rest = (survey.refused, *survey.findings) if survey.refused else tuple(survey.findings)
    if rest and verdicts.faults:
        first = verdicts.faults[0]
        verdicts.faults[0] = replace(first, findings=(*first.findings, *rest))
    elif rest:
        verdicts.faults.append(Fault(message_id, UNREADABLE if survey.refused else FAULTY_ANSWER, rest))
    return verdicts


def _fault_in(found: RemittanceFound, receipt_id: UUID) -> Fault | None:
    if found.usable:
        return None
    code = UNBALANCED if found.residual is not None else UNUSABLE
    return Fault(receipt_id, code, found.findings, found.residual)


def _head(
    found: RemittanceFound, message_id: UUID, receipt_id: UUID, master_data: MasterData
) -> RemittanceSummary | Fault:
    assert found.effective_date is not None
    place = f"set {found.ordinal + 1}"
    payer = payer_of(found, master_data)
    if payer is None:
        note = f"{place} TRN03, N1*PR: unknown-payer: master data knows no payer of this identifier"
        return Fault(receipt_id, UNKNOWN_PAYER, (note,))
    entity = _entity(found, master_data)
    if entity is None:
        note = f"{place} N1*PE: unknown-payee: master data knows no legal entity of this NPI"
        return Fault(receipt_id, UNKNOWN_PAYEE, (note,))
    identifier = found.payer_identifiers[0]
    return RemittanceSummary(
        remittance_id=remittance_id_of(identifier, found.trace_number),
        receipt_id=receipt_id,
        entity=entity.code,
        payer_id=payer.code,
        payer_identifier=identifier,
        trace_number=found.trace_number,
        payment=found.payment,
        payment_method=found.payment_method,
        effective_date=found.effective_date,
        claim_count=found.claim_count,
        chunk_count=found.chunk_count,
        total_charge=found.total_charge,
        total_paid=found.total_paid,
        total_provider_adjustments=found.total_provider_adjustments,
        content_hash=found.content_hash,
        provider_adjustments=found.provider_adjustments,
        reversal_count=found.reversal_count,
        payee_npi=found.payee_npi,
        interchange_sender=found.interchange_sender,
        interchange_control_number=found.interchange_control_number,
        message_id=message_id,
    )


def _entity(found: RemittanceFound, master_data: MasterData) -> Entity | None:
    assert found.effective_date is not None
    try:
        return master_data.entity_by_npi(found.payee_npi, found.effective_date)
    except UnknownMasterData:
        return None


def _keep_to_first_verdict(work: Work, verdicts: Verdicts) -> None:
    """A file that comes again is judged as the first time, whatever master data says by now."""
    work.prefetch(head.receipt_id for head in verdicts.heads)
    verdicts.heads = [head for head in verdicts.heads if work.get(RemittanceReceipt, head.receipt_id)]


def _quarantine(work: Work, message: InboundMessage, faults: Sequence[Fault], kind: str, entity: str) -> None:
    findings = tuple(finding for fault in faults for finding in fault.findings)
    residuals = [fault.residual for fault in faults if fault.residual is not None]
    residual = Money.total(residuals) if residuals else None
    message.quarantine(findings, [Fact(name="format", value=kind)], residual)
    for fault in faults:
        raise_case(
            work,
            derive("quarantined", fault.cause),
            code=fault.code,
            summary="; ".join(fault.findings)[:500],
            subject="inbound-message",
            subject_id=message.id,
            entity=entity,
            amount=fault.residual,
        )


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
