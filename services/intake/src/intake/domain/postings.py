"""Postings: what one announcement says of an encounter's charges."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.codes import ClaimType, PayerClass
from canonical.encounter import LINES_PER_CLAIM_MAX, LINES_PER_STAY_MAX, ChargeLine, NextPayer
from canonical.money import Money
from canonical.sealed import Sealed
from chassis.domain import Event

from intake.domain.encounter_content import BillingTerms

OF_WHOM = ("payer", "payer_class", "next_payers", "has_member_id", "plan")
OF_CHARGES = (
    "patient_id",
    "entity",
    "location",
    "place_of_service",
    "rendering_provider",
    "service_from",
    "service_to",
    "diagnosis_count",
    "message_ids",
    "claim_type",
    "guarantor_id",
)
"""What a posting says of whom to bill, and of what was done where; the second follows from its charges."""
OF_VISIT = ("location", "place_of_service", "rendering_provider", "service_from", "service_to")
"""What a payer sees of the visit beside the charges."""


class PostingSaid(Event):
    """What every word on a posting says. `details` is of kind `encounter.v1`."""

    posting: int
    patient_id: UUID
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    location: Public[str]
    place_of_service: Public[str]
    rendering_provider: Public[str]
    service_from: Financial[date]
    service_to: Financial[date]
    charges: tuple[ChargeLine, ...]
    total: Money
    diagnosis_count: int
    has_member_id: bool
    details: Sealed
    message_ids: tuple[UUID, ...]
    next_payers: tuple[NextPayer, ...] = ()
    claim_type: ClaimType = ClaimType.PROFESSIONAL
    plan: Public[str] = ""
    guarantor_id: UUID | None = None

    @property
    def charge_ids(self) -> tuple[UUID, ...]:
        return tuple(line.charge_id for line in self.charges)

    def takes(self, terms: BillingTerms) -> bool:
        """Whether charges on these terms may stand in it."""
        own = (self.entity, self.payer, self.claim_type, self.rendering_provider)
        return own == (terms.entity, terms.payer, terms.claim_type, terms.rendering_provider)


def lines_max(claim_type: ClaimType) -> int:
    """How many charges one posting holds at most: those of one claim."""
    return LINES_PER_STAY_MAX if claim_type is ClaimType.INSTITUTIONAL else LINES_PER_CLAIM_MAX
