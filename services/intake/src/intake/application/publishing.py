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
)
from chassis.domain import Event
from chassis.inbound import InboundMessage

from intake.domain.encounter import Encounter
from intake.domain.patient import Patient
from intake.domain.payer_answer import PayerAnswer
from intake.domain.remittance_receipt import RemittanceReceipt
from intake.domain.reported_money import ReportedPayment


def publish(event: Event) -> Iterable[PublicEvent]:
    """The public events of one stored event, in order."""
    match event:
        case Patient.Registered():
            yield PatientRegistered(patient_id=event.originator_id, details=event.details)
        case Patient.Merged():
            yield PatientsMerged(survivor_id=event.into, retired_id=event.originator_id, by_source=not event.reason)
        case Patient.Unmerged() if event.was_merged:
            by_source = not event.reason
            yield PatientsUnmerged(survivor_id=event.parted_from, retired_id=event.originator_id, by_source=by_source)
        case Encounter.Charged():
            yield EncounterCharged(encounter_id=event.originator_id, **_told(event, EncounterCharged))
        case Encounter.Revised():
            yield ChargesRevised(encounter_id=event.originator_id, **_told(event, ChargesRevised))
        case ReportedPayment.Reported():
            told = _told(event, PatientPaymentReported)
            yield PatientPaymentReported(payment_id=event.originator_id, **told)
        case RemittanceReceipt.Read():
            yield RemittanceReceived(summary=event.summary)
        case RemittanceReceipt.ChunkRead():
            yield RemittanceChunkReceived(
                remittance_id=event.remittance_id,
                receipt_id=event.originator_id,
                chunk=event.chunk,
                claims=event.claims,
                total_paid=event.total_paid,
            )
        case PayerAnswer.AcknowledgementRead():
            yield AcknowledgementReceived(message_id=event.message_id, **dict(event.acknowledgement))
        case PayerAnswer.StatusesRead():
            for status in event.statuses:
                yield ClaimStatusLine(message_id=event.message_id, **dict(status))
        case PayerAnswer.InquiryAnswersRead():
            for answer in event.statuses:
                yield ClaimStatusReported(message_id=event.message_id, **dict(answer))
        case PayerAnswer.BalancesRead():
            for balance in event.statuses:
                yield PlatformBalanceReported(message_id=event.message_id, **dict(balance))
        case InboundMessage.Quarantined():
            yield MessageQuarantined(
                message_id=event.originator_id,
                format=next((fact.value for fact in event.facts if fact.name == "format"), ""),
                findings=event.findings,
                residual=event.residual,
            )
        case _:
            pass


def _told(event: Event, public: type[PublicEvent]) -> dict[str, Any]:
    """What a public event repeats of its stored one."""
    return {name: getattr(event, name) for name in public.model_fields if hasattr(event, name)}
