"""Claims as they stand in an 837 (professional 005010X222, institutional X223), with their byte spans."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from canonical.money import Money

from x12.envelope import TransactionSet
from x12.remittance import Person, person_of
from x12.segments import element_of


@dataclass(slots=True)
class SubmittedLine:
    """One LX loop (2400)."""

    position: int
    number: str
    procedure: list[str]
    charge_minor: int
    units_text: str
    revenue_code: str = ""
    diagnosis_pointers: list[str] = field(default_factory=list)
    service_date_text: str = ""
    service_date: date | None = None
    line_control_number: str = ""

    @property
    def charge(self) -> Money:
        return Money(self.charge_minor)

    @property
    def procedure_code(self) -> str:
        return element_of(self.procedure, 1)

    @property
    def modifiers(self) -> tuple[str, ...]:
        return tuple(modifier for modifier in self.procedure[2:6] if modifier)


@dataclass(slots=True)
class SubmitterLoops:
    """What stands above a claim: billing provider, subscriber, payer, patient, each as split segments.

    `offset` is where the subscriber's HL begins; the bytes from there to the claim name the subscriber and patient.
    """

    offset: int = 0
    billing: dict[str, list[str]] = field(default_factory=dict)
    subscriber: dict[str, list[str]] = field(default_factory=dict)
    patient: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class SubmittedClaim:
    """One CLM loop (2300). `offset` and `length` are the bytes from CLM to the claim's last segment."""

    index: int
    position: int
    offset: int
    length: int
    patient_control_number: str
    charge_minor: int
    facility_code: str
    frequency_code: str
    payer_control_number: str
    diagnoses: list[str]
    lines: list[SubmittedLine]
    loops: SubmitterLoops

    @property
    def charge(self) -> Money:
        return Money(self.charge_minor)

    @property
    def billing_npi(self) -> str:
        billing = self.loops.billing.get("85", [])
        return element_of(billing, 9) if element_of(billing, 8) == "XX" else ""

    @property
    def payer_identifier(self) -> str:
        return element_of(self.loops.subscriber.get("PR", []), 9)

    @property
    def subscriber(self) -> Person | None:
        """PHI."""
        return person_of(self.loops.subscriber["IL"]) if "IL" in self.loops.subscriber else None

    @property
    def patient(self) -> Person | None:
        """PHI. The patient where it is not the subscriber."""
        return person_of(self.loops.patient["QC"]) if "QC" in self.loops.patient else None


@dataclass(slots=True)
class SubmissionTrailer:
    """The sums of one 837 set."""

    transaction_set: TransactionSet
    claims: int = 0
    lines: int = 0
    charge_minor: int = 0

    @property
    def charge(self) -> Money:
        return Money(self.charge_minor)


SubmissionEvent = SubmittedClaim | SubmissionTrailer
