"""Encounters and their charges, as the EHR reports them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from canonical.classes import CanonicalModel, Financial, Phi, Public
from canonical.codes import PayerClass
from canonical.money import Money
from canonical.party import CoverageDetails, Guarantor, PatientDetails

LINES_PER_CLAIM_MAX = 50
LINES_PER_STAY_MAX = 999
DIAGNOSES_PER_CLAIM_MAX = 12
DIAGNOSES_PER_STAY_MAX = 25


class DrugCharge(CanonicalModel):
    """The drug of a line (LIN03, CTP04, CTP05): `ndc` is eleven digits, `unit` F2, GR, ME, ML or UN."""

    ndc: Financial[str] = Field(pattern="^[0-9]{11}$")
    quantity: Decimal
    unit: Financial[str] = Field(pattern="^(F2|GR|ME|ML|UN)$")


class DentalSite(CanonicalModel):
    """Where in the mouth a dental line was done (TOO, SV304): universal tooth number, its surfaces, oral cavity areas."""

    tooth: Financial[str] = Field(default="", pattern="^([1-9]|[12][0-9]|3[0-2]|[A-T])?$")
    surfaces: tuple[Annotated[Financial[str], Field(pattern="^[BDFILMO]$")], ...] = Field(default=(), max_length=5)
    areas: tuple[Annotated[Financial[str], Field(pattern="^[0-9]{2}$")], ...] = Field(default=(), max_length=5)


class ChargeLine(CanonicalModel):
    """One charge: `amount` is the extended total of the line, never the unit price.

    `revenue_code` (NUBC, four digits) is what an institutional line needs, and a room needs nothing else: its
    `procedure_code` is empty. `minutes` replaces units where anesthesia is billed by time; `dental` is of a dental line.
    """

    charge_id: UUID
    procedure_code: Financial[str]
    modifiers: tuple[Financial[str], ...] = ()
    units: Decimal = Decimal(1)
    amount: Money
    service_date: Financial[date]
    diagnosis_pointers: tuple[int, ...] = (1,)
    department: Public[str] = ""
    revenue_code: Financial[str] = ""
    minutes: int = 0
    drug: DrugCharge | None = None
    dental: DentalSite | None = None


class NextPayer(CanonicalModel):
    """A payer that pays after the one before it: the second is the secondary payer, and so on."""

    payer: Public[str]
    payer_class: PayerClass
    has_member_id: bool
    plan: Public[str] = ""


class DatedCode(CanonicalModel):
    code: Phi[str]
    on: Phi[date]


class ValuedCode(CanonicalModel):
    code: Phi[str]
    amount: Money


class StayFacts(CanonicalModel):
    """What a source says of a stay: codes of the NUBC, times `YYYYMMDDHHMM` as the facility's clock shows them.

    `occurrences` and `conditions` are HI BH and BG, `values` HI BE with their amounts, `procedures` HI BBR and BBQ.
    """

    admission_type: Phi[str] = ""
    admission_source: Phi[str] = ""
    patient_status: Phi[str] = ""
    admitted_at: Phi[str] = ""
    discharged_at: Phi[str] = ""
    admitting_diagnosis: Phi[str] = ""
    occurrences: tuple[DatedCode, ...] = ()
    conditions: tuple[Phi[str], ...] = ()
    values: tuple[ValuedCode, ...] = ()
    procedures: tuple[DatedCode, ...] = ()
    drg: Phi[str] = ""


class InstitutionalStay(StayFacts):
    """What a bill for a facility says of the stay (837I: CLM05, CL1, DTP*435, HI families).

    `bill_type` is the type of bill's two digits for facility and care (CLM05-1). `present_on_admission` has one entry per
    diagnosis of the encounter, in their order: N, U, W, Y, or empty.
    """

    bill_type: Phi[str] = Field(pattern="^[0-9]{2}$")
    attending_provider: Public[str] = ""
    present_on_admission: tuple[Phi[str], ...] = ()


class AccidentCause(StrEnum):
    """What an accident was of: CLM11-1 AA, EM or OA."""

    AUTOMOBILE = "automobile"
    EMPLOYMENT = "employment"
    OTHER = "other"


class EncounterPhi(CanonicalModel):
    """What of an encounter identifies or describes the patient; the content of kind `encounter.v1`.

    `other_coverages` stand in the order of `NextPayer`s; `referring_provider` and `service_facility` are codes of master data.
    `accident_cause` and `accident_state`, two letters, hold where there is an `accident_date`.
    """

    patient: PatientDetails
    coverage: CoverageDetails | None = None
    other_coverages: tuple[CoverageDetails, ...] = ()
    diagnosis_codes: tuple[Phi[str], ...] = Field(default=(), max_length=DIAGNOSES_PER_STAY_MAX)
    account_number: Phi[str] = ""
    prior_authorization: Phi[str] = ""
    referral_number: Phi[str] = ""
    referring_provider: Public[str] = ""
    service_facility: Public[str] = ""
    accident_date: Phi[date] | None = None
    accident_cause: Phi[AccidentCause] = AccidentCause.OTHER
    accident_state: Phi[str] = ""
    onset_date: Phi[date] | None = None
    note: Phi[str] = ""
    stay: InstitutionalStay | None = None
    guarantor: Guarantor | None = None
