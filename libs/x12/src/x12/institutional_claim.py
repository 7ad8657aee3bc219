"""What the 837I writer takes: plain typed values; nothing here knows about segments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from canonical.money import Money

from x12.claim_parties import BillingProvider, Patient, Payer, Provider, ServiceFacility, Subscriber
from x12.other_payers import OtherPayer
from x12.professional_claim import Attachment, Drug


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An ICD-10-CM code without its point. `present_on_admission` is N, U, W or Y, empty where it is exempt or not asked for."""

    code: str
    present_on_admission: str = ""


@dataclass(frozen=True, slots=True)
class Procedure:
    """An ICD-10-PCS code and its day (HI BBR, BBQ)."""

    code: str
    performed_on: date


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An occurrence code and its day (HI BH)."""

    code: str
    occurred_on: date


@dataclass(frozen=True, slots=True)
class OccurrenceSpan:
    """An occurrence span code and its first and last day (HI BI)."""

    code: str
    begins_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class ValueCode:
    """A value code and its amount (HI BE); days and units are written as amounts too."""

    code: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Stay:
    """What CL1 and the dates of 2300 tell. `admission_type` is CL101, `patient_status` CL103 (01 home, 30 still a patient).

    Hours are `HHMM`. The statement covers all services of the claim; an outpatient claim has no admission.
    """

    statement_from: date
    statement_to: date
    admission_type: str
    patient_status: str
    admission_source: str = ""
    admitted_on: date | None = None
    admission_hour: str = ""
    discharge_hour: str = ""


@dataclass(frozen=True, slots=True)
class ClinicalCodes:
    """The families of HI in an institutional claim. The principal diagnosis stands at the claim."""

    admitting_diagnosis: str = ""
    reasons_for_visit: tuple[str, ...] = ()
    external_causes: tuple[Diagnosis, ...] = ()
    drg: str = ""
    other_diagnoses: tuple[Diagnosis, ...] = ()
    principal_procedure: Procedure | None = None
    other_procedures: tuple[Procedure, ...] = ()
    occurrence_spans: tuple[OccurrenceSpan, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    values: tuple[ValueCode, ...] = ()
    conditions: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstitutionalLine:
    """One service line (2400). `revenue_code` is four digits; `unit` UN units or DA days. A room line has no procedure."""

    revenue_code: str
    charge: Money
    line_control_number: str
    units: Decimal = Decimal(1)
    unit: str = "UN"
    procedure_code: str = ""
    modifiers: tuple[str, ...] = ()
    description: str = ""
    noncovered: Money | None = None
    service_date: date | None = None
    service_end_date: date | None = None
    drug: Drug | None = None
    operating_provider: Provider | None = None
    rendering_provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class InstitutionalClaim:
    """One claim (2300). `bill_type` is the type of bill's two digits for facility and care (CLM05-1), such as 11 or 13.

    The third digit is `frequency_code`: 1 admit through discharge, 2 to 4 interim, 7 replacement, 8 void; the last two need
    `payer_control_number`.
    """

    patient_control_number: str
    bill_type: str
    stay: Stay
    principal_diagnosis: Diagnosis
    lines: tuple[InstitutionalLine, ...]
    billing_provider: BillingProvider
    subscriber: Subscriber
    payer: Payer
    patient: Patient | None = None
    attending_provider: Provider | None = None
    codes: ClinicalCodes = ClinicalCodes()
    frequency_code: str = "1"
    payer_control_number: str = ""
    operating_provider: Provider | None = None
    other_operating_provider: Provider | None = None
    rendering_provider: Provider | None = None
    service_facility: ServiceFacility | None = None
    referring_provider: Provider | None = None
    prior_authorization: str = ""
    referral_number: str = ""
    accident_state: str = ""
    medical_record_number: str = ""
    billing_note: str = ""
    delay_reason: str = ""
    patient_due: Money | None = None
    attachments: tuple[Attachment, ...] = ()
    other_payers: tuple[OtherPayer, ...] = ()
    accepts_assignment: str = "A"
    benefits_assigned: str = "Y"
    release_of_information: str = "Y"

    @property
    def charge(self) -> Money:
        """CLM02, which is the sum of its lines."""
        return Money.total(line.charge for line in self.lines)
