"""What a door understood of a message about one patient, in the order it is to be taken.

Facts live in memory only: they hold PHI, so no field of it shows in a repr. `place` is where in the message a fact
stands, for findings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from canonical.encounter import DatedCode, DentalSite, DrugCharge
from canonical.money import Money
from canonical.party import CoverageDetails, Guarantor, PatientDetails

from intake.domain.clinical import Circumstances, SeenStay


@dataclass(frozen=True, slots=True)
class Link:
    """Names another thing: by our id, by a code, or by the source's own reference, which is looked up."""

    id: UUID | None = None
    code: str = ""
    reference: str = field(default="", repr=False)

    @property
    def is_empty(self) -> bool:
        return self.id is None and not self.code and not self.reference


NOWHERE = Link()


@dataclass(frozen=True, slots=True)
class PatientIdentifier:
    """One identifier of a person: who issued it (HL7 CX.4, FHIR system), its kind (CX.5, type), and its value.

    An empty authority is the source itself.
    """

    authority: str
    kind: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PatientSeen:
    """A patient as the source has them now; `identifiers` are all by which the source knows the person.

    `unsaid` names the details of which the message says nothing: what is known of them holds.
    """

    place: str
    patient_id: UUID
    details: PatientDetails = field(repr=False)
    identifiers: tuple[PatientIdentifier, ...] = ()
    unsaid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientsMerged:
    """The source says that two of its patients are one person (A34, A40, Patient.link); neither loses anything by it.

    The retired one need not have come in. `said_at` is when the source said so: an older word changes nothing.
    """

    place: str
    survivor: Link
    retired: Link
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PatientsUnmerged:
    """The source takes a merge back (A37), whichever of the two survived."""

    place: str
    survivor: Link
    retired: Link
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EncounterSeen:
    """An encounter as the source has it now; an empty code leaves what was known before.

    `location_link` leads to the location where no code of it is in the message. With `stands`, the source keeps one
    word on its encounter, and this one takes a cancellation back. With `lists_diagnoses`, its diagnoses, if it has any, are
    all that the visit has; `withdrawn_codes` are taken back by name. `said_at`, here and in what follows of encounters, is
    when the source said whether the encounter goes on: an older word does not undo a newer one.
    """

    place: str
    encounter_id: UUID
    patient: Link
    entity: Link
    location: str
    rendering_provider: Link
    finished: bool
    diagnosis_codes: tuple[str, ...] = field(default=(), repr=False)
    account_number: str = field(default="", repr=False)
    stay: SeenStay | None = field(default=None, repr=False)
    location_link: Link = NOWHERE
    lists_diagnoses: bool = False
    withdrawn_codes: tuple[str, ...] = field(default=(), repr=False)
    starts_on: date | None = field(default=None, repr=False)
    ends_on: date | None = field(default=None, repr=False)
    stands: bool = False
    guarantor: Guarantor | None = field(default=None, repr=False)
    circumstances: Circumstances | None = field(default=None, repr=False)
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CoverageSeen:
    """Who pays; an empty payer says self-pay. Without an encounter it holds for the patient.

    `rank` is 1 for the primary payer, 2 for the secondary, and so on.
    """

    place: str
    patient: Link
    encounter: Link
    payer: Link
    details: CoverageDetails | None = field(default=None, repr=False)
    rank: int = 1


@dataclass(frozen=True, slots=True)
class ChargeSeen:
    """`amount` is the extended total of the line; a charge without one takes the charge master's price.

    A room has a `revenue_code` and no procedure. `said_at` is when the source said so: an older word never replaces a
    newer one. With `corrects`, other content under a known id replaces it; without, that is a conflict.
    """

    place: str
    charge_id: UUID
    encounter: Link
    procedure_code: str
    modifiers: tuple[str, ...]
    units: Decimal
    amount: Money | None
    service_date: date
    department: str
    performer: Link
    diagnosis_codes: tuple[str, ...] = field(default=(), repr=False)
    corrects: bool = False
    said_at: datetime | None = None
    revenue_code: str = ""
    dental: DentalSite | None = None
    drug: DrugCharge | None = None


@dataclass(frozen=True, slots=True)
class ChargeVoided:
    """A credit: `amount` of the charge, or all of it. A charge that has not come yet is credited when it comes.

    `credit_id` is its own id, where the source gives it one; without, it is one of its message.
    """

    place: str
    charge_id: UUID
    encounter: Link
    amount: Money | None = None
    said_at: datetime | None = None
    credit_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ChargesWithdrawn:
    """What lists all its charges lists these no more: those of them that stand are taken back, in whatever encounter."""

    place: str
    charge_ids: tuple[UUID, ...]
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PatientPaymentSeen:
    """Money that the source took from the patient; `method` as the source calls it.

    One that names no encounter is the patient's: `entity` says in whose books it is then.
    """

    place: str
    payment_id: UUID
    patient: Link
    encounter: Link
    amount: Money
    method: str
    day: date
    entity: Link = NOWHERE


@dataclass(frozen=True, slots=True)
class AdjustmentSeen:
    """An adjustment that the source made in its own books: kept for a person, never booked by itself.

    One that names no encounter names the patient and the entity.
    """

    place: str
    adjustment_id: UUID
    encounter: Link
    amount: Money
    code: str
    day: date
    patient: Link = NOWHERE
    entity: Link = NOWHERE


@dataclass(frozen=True, slots=True)
class DiagnosisSeen:
    """One diagnosis of an encounter, on its own; `use` is admitting, principal or other, `rank` its place from 1.

    One that is `withdrawn` is taken back. With `is_old` it adds what is not known, and brings nothing back that was.
    """

    place: str
    encounter: Link
    code: str = field(repr=False)
    use: str = ""
    rank: int = 0
    withdrawn: bool = False
    is_old: bool = False


@dataclass(frozen=True, slots=True)
class ProcedureSeen:
    """One ICD-10-PCS procedure of a stay, on its own."""

    place: str
    encounter: Link
    procedure: DatedCode = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncounterCancelled:
    """The encounter never was: nothing of it is billed, and what was billed is taken back."""

    place: str
    encounter: Link
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EncounterReopened:
    """The encounter goes on: its end, or its cancellation, is taken back."""

    place: str
    encounter: Link
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChargesComplete:
    """The charges of this message are a complete batch (HL7 DFT)."""

    place: str
    encounter: Link
    said_at: datetime | None = None


ChargeFact = ChargeSeen | ChargeVoided | ChargesWithdrawn | AdjustmentSeen | PatientPaymentSeen
VisitFact = EncounterSeen | DiagnosisSeen | ProcedureSeen | EncounterCancelled | EncounterReopened | ChargesComplete
PersonFact = PatientSeen | PatientsMerged | PatientsUnmerged
Fact = PersonFact | CoverageSeen | VisitFact | ChargeFact
