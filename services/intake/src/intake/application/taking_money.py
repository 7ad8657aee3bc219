"""Takes money that a source tells of in its own books: what patients paid there, and what it adjusted by itself."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from canonical.master_data import MasterData, UnknownMasterData
from chassis.eventstore import Work
from chassis.exceptions.case import raise_case

from intake.application.merging import are_one
from intake.domain.encounter import Encounter
from intake.domain.facts import AdjustmentSeen, PatientPaymentSeen
from intake.domain.refusals import Finding, InvalidMessage
from intake.domain.reported_money import ReportedAdjustment, ReportedPayment

ADJUSTMENT_CASE = "ReportedAdjustment"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose money it is, and in whose books: `entity` in the word of `source`. Without an encounter it is the patient's."""

    source: str
    entity: str
    patient_id: UUID
    encounter_id: UUID | None = None


def of_encounter(encounter: Encounter, patient_id: UUID | None = None) -> Whose:
    """Money of an encounter; the encounter's own patient's, where no other is named."""
    assert encounter.facts is not None
    facts = encounter.facts
    return Whose(facts.source, facts.entity, patient_id or facts.patient_id, encounter.id)


def take_payment(work: Work, fact: PatientPaymentSeen, whose: Whose, master_data: MasterData, message_id: UUID) -> None:
    """Raises ReportedOtherwise, or InvalidMessage where nobody knows in whose books the money is."""
    try:
        code = master_data.translate(whose.source, "entity", whose.entity, fact.day)
        entity = master_data.entity(code, fact.day).code
    except UnknownMasterData as unknown:
        raise InvalidMessage([Finding(fact.place, "unknown-entity", str(unknown))]) from unknown
    payment = work.get_or_new(ReportedPayment, fact.payment_id)
    payment.report(
        entity=entity,
        patient_id=_as_told_before(work, whose.patient_id, payment.patient_id),
        encounter_id=whose.encounter_id,
        amount=fact.amount,
        method=fact.method,
        received_on=fact.day,
        message_id=message_id,
    )


def take_adjustment(work: Work, fact: AdjustmentSeen, whose: Whose, message_id: UUID) -> bool:
    """Keeps it, and tells a person; one of nothing is left out. Whether it was kept, now or before.

    Raises:
        ReportedOtherwise: it came before with other content.
    """
    if not fact.amount:
        return False
    adjustment = work.get_or_new(ReportedAdjustment, fact.adjustment_id)
    is_new = adjustment.report(
        patient_id=_as_told_before(work, whose.patient_id, adjustment.patient_id),
        encounter_id=whose.encounter_id,
        amount=fact.amount,
        code=fact.code,
        adjusted_on=fact.day,
        message_id=message_id,
    )
    if is_new:
        raise_case(
            work,
            fact.adjustment_id,
            code=ADJUSTMENT_CASE,
            summary=f"the source adjusted {fact.amount} under code {fact.code or 'none'}; nothing is booked of it",
            subject="encounter" if whose.encounter_id else "patient",
            subject_id=whose.encounter_id or whose.patient_id,
            entity=whose.entity,
            amount=fact.amount,
        )
    return True


def _as_told_before(work: Work, patient_id: UUID, before: UUID | None) -> UUID:
    """The patient of the first word, where the one named now is the same person by a merge."""
    return before if before is not None and are_one(work, before, patient_id) else patient_id
