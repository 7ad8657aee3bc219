"""Intake, wired: what it is, how it is assembled, and how it runs."""

from __future__ import annotations

from chassis.inbound import INBOUND_MESSAGES, InboundMessage, project_inbound_messages
from chassis.runtime.core import ServiceShape

from intake.application.publishing import publish
from intake.application.queries import TABLES, project
from intake.domain.encounter import Encounter
from intake.domain.patient import Patient, SourceReference
from intake.domain.payer_answer import PayerAnswer
from intake.domain.remittance_receipt import RemittanceReceipt

SHAPE = ServiceShape(
    name="intake",
    aggregates=(InboundMessage, Patient, SourceReference, Encounter, RemittanceReceipt, PayerAnswer),
    tables=(INBOUND_MESSAGES, *TABLES),
    projections=(project_inbound_messages, project),
    publishing=publish,
)
