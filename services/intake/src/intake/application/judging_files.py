"""Which remittances of a file are sound and go on, and why the others, or the rest of the file, do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from canonical.ids import derive
from canonical.master_data import Entity, MasterData, UnknownMasterData
from canonical.money import Money
from canonical.remittance import RemittanceSummary
from chassis.eventstore import Work
from chassis.exceptions import case_id_of, raise_case
from chassis.inbound import Fact, InboundMessage

from intake.application.ports import RemittanceFound, Survey, payer_of
from intake.application.taking_reports import NOT_ITS_ENTITY, is_worked_by
from intake.domain.identities import receipt_id_of, remittance_id_of

UNBALANCED = "UnbalancedRemittance"
UNUSABLE = "UnusableRemittance"
UNKNOWN_PAYER = "UnknownPayer"
UNKNOWN_PAYEE = "UnknownPayee"
UNREADABLE = "UnreadableFile"
FAULTY_ANSWER = "FaultyAnswer"
QUARANTINE_CODES = (
    UNBALANCED,
    UNUSABLE,
    UNKNOWN_PAYER,
    UNKNOWN_PAYEE,
    UNREADABLE,
    FAULTY_ANSWER,
    NOT_ITS_ENTITY,
)


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


def quarantine(work: Work, message: InboundMessage, faults: Sequence[Fault], kind: str, entity: str) -> None:
    """Keeps the message from going on, and tells a person of each fault."""
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


def quarantine_cases_of(cause: UUID) -> list[UUID]:
    """The ids that cases of what was held back for this cause may have."""
    return [case_id_of(derive("quarantined", cause), code) for code in QUARANTINE_CODES]
