"""What the 837P writer takes: plain typed values; nothing here knows about segments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from canonical.money import Money

from x12.claim_parties import Address, BillingProvider, Patient, Payer, Provider, ServiceFacility, Subscriber
from x12.other_payers import OtherPayer


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug given (2410). `ndc` is eleven digits; `unit` F2, GR, ME, ML or UN. `prescription_number` is REF*XZ."""

    ndc: str
    quantity: Decimal
    unit: str
    prescription_number: str = ""


@dataclass(frozen=True, slots=True)
class ClaimDates:
    """Dates that a claim of any kind of care may need (DTP of 2300). Disability may have either end or both."""

    onset: date | None = None
    initial_treatment: date | None = None
    last_seen: date | None = None
    acute_manifestation: date | None = None
    accident: date | None = None
    last_menstrual_period: date | None = None
    last_x_ray: date | None = None
    disability_began: date | None = None
    disability_ended: date | None = None
    last_worked: date | None = None
    return_to_work: date | None = None
    admission: date | None = None
    discharge: date | None = None


@dataclass(frozen=True, slots=True)
class RelatedCauses:
    """Why the patient needed care (CLM11). An automobile accident needs its state, any accident its date."""

    automobile: bool = False
    employment: bool = False
    other_accident: bool = False
    state: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Paper or a document sent apart (PWK). `kind` is PWK01, `by` PWK02: AA on request, BM mail, EL electronic, FX fax."""

    kind: str
    by: str
    control_number: str = ""


@dataclass(frozen=True, slots=True)
class AmbulanceTransport:
    """A transport (CR1, CRC*07, 2310E and F). `reason` is CR104, A to E; `conditions` are CRC03, at most five.

    `applies` tells whether the conditions do (CRC02). Weight is in pounds.
    """

    reason: str
    miles: Decimal
    pick_up: Address
    drop_off: Address
    conditions: tuple[str, ...]
    applies: bool = True
    weight: int | None = None
    round_trip_purpose: str = ""
    stretcher_purpose: str = ""
    drop_off_name: str = ""


@dataclass(frozen=True, slots=True)
class ProfessionalLine:
    """One service line (2400). `diagnosis_pointers` count the claim's diagnoses from 1.

    `minutes` take the place of units where anesthesia is billed by time (MJ). `place_of_service` is given where it differs
    from the claim's, `description` for a procedure code that says too little.
    """

    procedure_code: str
    charge: Money
    service_date: date
    line_control_number: str
    modifiers: tuple[str, ...] = ()
    units: Decimal = Decimal(1)
    diagnosis_pointers: tuple[int, ...] = (1,)
    minutes: int = 0
    service_end_date: date | None = None
    place_of_service: str = ""
    description: str = ""
    is_emergency: bool = False
    prior_authorization: str = ""
    note: str = ""
    drug: Drug | None = None
    rendering_provider: Provider | None = None
    service_facility: ServiceFacility | None = None
    supervising_provider: Provider | None = None
    ordering_provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class ProfessionalClaim:
    """One claim (2300). `frequency_code` is 1 original, 7 replacement, 8 void; the last two need `payer_control_number`.

    The patient control number comes back in every answer; payers need keep only its first 20 characters. `note_code` is
    NTE01: ADD, CER, DCP, DGN or TPO. `accepts_assignment` is CLM07 (A, B or C), `benefits_assigned` CLM08 (Y, N or W),
    `release_of_information` CLM09 (Y or I).
    """

    patient_control_number: str
    place_of_service: str
    diagnosis_codes: tuple[str, ...]
    lines: tuple[ProfessionalLine, ...]
    billing_provider: BillingProvider
    subscriber: Subscriber
    payer: Payer
    patient: Patient | None = None
    rendering_provider: Provider | None = None
    frequency_code: str = "1"
    payer_control_number: str = ""
    referring_provider: Provider | None = None
    supervising_provider: Provider | None = None
    service_facility: ServiceFacility | None = None
    prior_authorization: str = ""
    referral_number: str = ""
    note: str = ""
    note_code: str = "ADD"
    dates: ClaimDates = ClaimDates()
    related_causes: RelatedCauses | None = None
    delay_reason: str = ""
    patient_paid: Money | None = None
    medical_record_number: str = ""
    clia_number: str = ""
    attachments: tuple[Attachment, ...] = ()
    ambulance: AmbulanceTransport | None = None
    anesthesia_procedures: tuple[str, ...] = ()
    condition_codes: tuple[str, ...] = ()
    other_payers: tuple[OtherPayer, ...] = ()
    accepts_assignment: str = "A"
    benefits_assigned: str = "Y"
    release_of_information: str = "Y"

    @property
    def charge(self) -> Money:
        """CLM02, which is the sum of its lines."""
        return Money.total(line.charge for line in self.lines)
