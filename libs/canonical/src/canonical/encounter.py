"""Encounters and their charges, as the EHR reports them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from canonical.classes import CanonicalModel, Financial, Phi, Public
from canonical.money import Money
from canonical.party import CoverageDetails, PatientDetails

LINES_PER_CLAIM_MAX = 50
DIAGNOSES_PER_CLAIM_MAX = 12


class ChargeLine(CanonicalModel):
    """One charge: `amount` is the extended total of the line, never the unit price."""

    charge_id: UUID
    procedure_code: Financial[str]
    modifiers: tuple[Financial[str], ...] = ()
    units: Decimal = Decimal(1)
    amount: Money
    service_date: Financial[date]
    diagnosis_pointers: tuple[int, ...] = (1,)
    department: Public[str] = ""


class EncounterPhi(CanonicalModel):
    """What of an encounter identifies or describes the patient; the content of kind `encounter.v1`."""

    patient: PatientDetails
    coverage: CoverageDetails | None = None
    diagnosis_codes: tuple[Phi[str], ...] = Field(default=(), max_length=DIAGNOSES_PER_CLAIM_MAX)
    account_number: Phi[str] = ""
