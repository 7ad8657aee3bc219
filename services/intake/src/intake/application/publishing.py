"""Stored events to public events: the only bridge between what intake keeps and what it announces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from canonical.envelope import PublicEvent
from canonical.events.intake import (
    AcknowledgementReceived,
    ChargesRevised,
    ClaimStatusLine,
    ClaimStatusReported,
    EncounterCharged,
    MessageQuarantined,
    PatientPaymentReported,
    PatientRegistered,
    PatientsMerged,
    PatientsUnmerged,
    PlatformBalanceReported,
    RemittanceChunkReceived,
    RemittanceReceived,
    VisitGuarantorChanged,
)
from chassis.domain import Event
from chassis.eventstore.announcing import Announcements
from chassis.inbound import InboundMessage

from intake.domain.encounter import Encounter
from intake.domain.patient import Patient
from intake.domain.payer_answer import PayerAnswer
from intake.domain.remittance_receipt import RemittanceReceipt
from intake.domain.reported_money import ReportedPayment

publish = Announcements()


@publish.of(Patient.Registered)
def _registered(event: Patient.Registered) -> Iterable[PublicEvent]:
    yield PatientRegistered(patient_id=event.originator_id, details=event.details)


@publish.of(Patient.Merged)
def _merged(event: Patient.Merged) -> Iterable[PublicEvent]:
    yield PatientsMerged(survivor_id=event.into, retired_id=event.originator_id, by_source=not event.reason)


@publish.of(Patient.Unmerged)
def _unmerged(event: Patient.Unmerged) -> Iterable[PublicEvent]:
    if event.was_merged:
        by_source = not event.reason
        yield PatientsUnmerged(survivor_id=event.parted_from, retired_id=event.originator_id, by_source=by_source)


@publish.of(Encounter.Charged)
def _charged(event: Encounter.Charged) -> Iterable[PublicEvent]:
    yield EncounterCharged(encounter_id=event.originator_id, **_told(event, EncounterCharged))


@publish.of(Encounter.Revised)
def _revised(event: Encounter.Revised) -> Iterable[PublicEvent]:
    yield ChargesRevised(encounter_id=event.originator_id, **_told(event, ChargesRevised))


@publish.of(Encounter.GuarantorChanged)
def _guarantor_changed(event: Encounter.GuarantorChanged) -> Iterable[PublicEvent]:
    yield VisitGuarantorChanged(encounter_id=event.originator_id, **_told(event, VisitGuarantorChanged))


@publish.of(ReportedPayment.Reported)
def _payment_reported(event: ReportedPayment.Reported) -> Iterable[PublicEvent]:
    yield PatientPaymentReported(payment_id=event.originator_id, **_told(event, PatientPaymentReported))


@publish.of(RemittanceReceipt.Read)
def _remittance_read(event: RemittanceReceipt.Read) -> Iterable[PublicEvent]:
    yield RemittanceReceived(summary=event.summary)


@publish.of(RemittanceReceipt.ChunkRead)
def _chunk_read(event: RemittanceReceipt.ChunkRead) -> Iterable[PublicEvent]:
    yield RemittanceChunkReceived(
        remittance_id=event.remittance_id,
        receipt_id=event.originator_id,
        chunk=event.chunk,
        claims=event.claims,
        total_paid=event.total_paid,
    )


@publish.of(PayerAnswer.AcknowledgementRead)
def _acknowledgement_read(event: PayerAnswer.AcknowledgementRead) -> Iterable[PublicEvent]:
    yield AcknowledgementReceived(message_id=event.message_id, **dict(event.acknowledgement))


@publish.of(PayerAnswer.StatusesRead)
def _statuses_read(event: PayerAnswer.StatusesRead) -> Iterable[PublicEvent]:
    for status in event.statuses:
        yield ClaimStatusLine(message_id=event.message_id, **dict(status))


@publish.of(PayerAnswer.InquiryAnswersRead)
def _inquiry_answers_read(event: PayerAnswer.InquiryAnswersRead) -> Iterable[PublicEvent]:
    for answer in event.statuses:
        yield ClaimStatusReported(message_id=event.message_id, **dict(answer))


@publish.of(PayerAnswer.BalancesRead)
def _balances_read(event: PayerAnswer.BalancesRead) -> Iterable[PublicEvent]:
    for balance in event.statuses:
        yield PlatformBalanceReported(message_id=event.message_id, **dict(balance))


@publish.of(InboundMessage.Quarantined)
def _quarantined(event: InboundMessage.Quarantined) -> Iterable[PublicEvent]:
    yield MessageQuarantined(
        message_id=event.originator_id,
        format=next((fact.value for fact in event.facts if fact.name == "format"), ""),
        findings=event.findings,
        residual=event.residual,
    )


def _told(event: Event, public: type[PublicEvent]) -> dict[str, Any]:
    """What a public event repeats of its stored one."""
    return {name: getattr(event, name) for name in public.model_fields if hasattr(event, name)}
