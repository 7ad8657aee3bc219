"""What the 837D writer takes: plain typed values; nothing here knows about segments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from canonical.money import Money

from x12.claim_parties import BillingProvider, Patient, Payer, Provider, ServiceFacility, Subscriber
from x12.other_payers import OtherPayer
from x12.professional_claim import Attachment, RelatedCauses


@dataclass(frozen=True, slots=True)
class Orthodontics:
    """Orthodontic treatment (DN1): months in all and months that remain; both empty says only that it is one."""

    total_months: int | None = None
    remaining_months: int | None = None
    appliance_placed_on: date | None = None


@dataclass(frozen=True, slots=True)
class ToothStatus:
    """A tooth of the whole claim (DN2): `status` is E to be extracted or M missing."""

    tooth: str
    status: str


@dataclass(frozen=True, slots=True)
class Tooth:
    """A tooth that a line is about (TOO), in the universal numbering (JP). `surfaces` are B, D, F, I, L, M and O, at most five."""

    number: str
    surfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DentalLine:
    """One service line (2400). `areas` are oral cavity designations (SV304, at most five), `prosthesis` SV305: I initial, R replacement.

    A replaced prosthesis has the day on which the earlier one was placed.
    """

    procedure_code: str
    charge: Money
    service_date: date | None
    line_control_number: str
    modifiers: tuple[str, ...] = ()
    quantity: int = 1
    place_of_service: str = ""
    areas: tuple[str, ...] = ()
    prosthesis: str = ""
    prior_placement_on: date | None = None
    teeth: tuple[Tooth, ...] = ()
    diagnosis_pointers: tuple[int, ...] = ()
    rendering_provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class DentalClaim:
    """One claim (2300). `frequency_code` is 1 original, 7 replacement, 8 void; the last two need `payer_control_number`.

    A predetermination asks what would be paid and has no dates of service (CLM19 PB).
    """

    patient_control_number: str
    place_of_service: str
    lines: tuple[DentalLine, ...]
    billing_provider: BillingProvider
    subscriber: Subscriber
    payer: Payer
    patient: Patient | None = None
    diagnosis_codes: tuple[str, ...] = ()
    rendering_provider: Provider | None = None
    frequency_code: str = "1"
    payer_control_number: str = ""
    is_predetermination: bool = False
    predetermination_number: str = ""
    service_date: date | None = None
    orthodontics: Orthodontics | None = None
    tooth_statuses: tuple[ToothStatus, ...] = ()
    accident_date: date | None = None
    related_causes: RelatedCauses | None = None
    referring_provider: Provider | None = None
    assistant_surgeon: Provider | None = None
    supervising_provider: Provider | None = None
    service_facility: ServiceFacility | None = None
    prior_authorization: str = ""
    referral_number: str = ""
    note: str = ""
    patient_paid: Money | None = None
    attachments: tuple[Attachment, ...] = ()
    delay_reason: str = ""
    other_payers: tuple[OtherPayer, ...] = ()
    accepts_assignment: str = "A"
    benefits_assigned: str = "Y"
    release_of_information: str = "Y"

    @property
    def charge(self) -> Money:
        """CLM02, which is the sum of its lines."""
        return Money.total(line.charge for line in self.lines)
