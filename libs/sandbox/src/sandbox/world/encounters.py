"""Encounters of the story as the EHR knows them: who came, what was done, and who pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from canonical.codes import ClaimType
from canonical.money import Money

from sandbox.world.hospital import SimulatedStay


class Wire(StrEnum):
    """How the EHR sends an encounter."""

    FHIR = "fhir"
    HL7 = "hl7"


class Flaw(StrEnum):
    """What is wrong with an encounter: the story plants these, and nothing else is amiss."""

    NONE = "none"
    MISSING_MEMBER_ID = "missing-member-id"
    UNKNOWN_PAYER = "unknown-payer"


@dataclass(frozen=True, slots=True)
class SimulatedPatient:
    """A made-up person; `mrn` is unique within the source system."""

    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    street: str
    city: str
    postal_code: str
    state: str = "OH"


@dataclass(frozen=True, slots=True)
class SimulatedCoverage:
    """The patient is always the subscriber."""

    payer: str
    member_id: str
    group_number: str


@dataclass(frozen=True, slots=True)
class SimulatedCharge:
    """One charge: `amount` is the extended total, `unit_amount * units`. `transaction_id` is unique in the source."""

    transaction_id: str
    procedure_code: str
    description: str
    modifiers: tuple[str, ...]
    units: int
    unit_amount: Money
    amount: Money
    service_date: date
    diagnosis_codes: tuple[str, ...]
    department: str
    source_department: str
    revenue_code: str = ""
    tooth: str = ""
    surfaces: str = ""


@dataclass(frozen=True, slots=True)
class SimulatedEncounter:
    """One encounter; `coverage` is None for a self-pay patient, `diagnosis_codes` are in order of importance.

    `next_coverages` pay after `coverage`, in their order. `stay` is there where the patient was admitted.
    """

    ordinal: int
    visit_number: str
    source: str
    entity: str
    patient: SimulatedPatient
    coverage: SimulatedCoverage | None
    charges: tuple[SimulatedCharge, ...]
    diagnosis_codes: tuple[str, ...]
    provider: str
    location: str
    wire: Wire
    flaw: Flaw
    next_coverages: tuple[SimulatedCoverage, ...] = ()
    stay: SimulatedStay | None = None

    @property
    def total(self) -> Money:
        return Money.total(charge.amount for charge in self.charges)

    @property
    def service_from(self) -> date:
        """The first day of service, or that of the admission."""
        first = min(charge.service_date for charge in self.charges)
        return min(first, self.stay.admitted_at.date()) if self.stay else first

    @property
    def service_to(self) -> date:
        last = max(charge.service_date for charge in self.charges)
        return max(last, self.stay.discharged_at.date()) if self.stay else last

    @property
    def claim_type(self) -> ClaimType:
        """How its charges are to be billed: all of one kind."""
        if self.stay:
            return ClaimType.INSTITUTIONAL
        is_dental = all(charge.procedure_code.startswith("D") for charge in self.charges)
        return ClaimType.DENTAL if is_dental else ClaimType.PROFESSIONAL

    @property
    def coverages(self) -> tuple[SimulatedCoverage, ...]:
        """All coverages in the order in which they pay."""
        return (self.coverage, *self.next_coverages) if self.coverage else ()

    @property
    def billable(self) -> bool:
        """A claim must go out for it."""
        return self.coverage is not None and self.flaw is Flaw.NONE
