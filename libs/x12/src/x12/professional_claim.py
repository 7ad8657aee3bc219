"""What the 837P writer takes: plain typed values; nothing here knows about segments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from canonical.money import Money

from x12.segments import Delimiters

STANDARD_DELIMITERS = Delimiters("*", ":", "^", "~")


@dataclass(frozen=True, slots=True)
class Address:
    """`postal_code` is digits only: five or nine, nine for a billing provider."""

    line1: str
    city: str
    state: str
    postal_code: str
    line2: str = ""


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who sends the interchange (1000A). The phone number is ten digits."""

    name: str
    identifier: str
    contact_name: str
    contact_phone: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who receives it (1000B)."""

    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class BillingProvider:
    """An organisation that bills (2010AA); its claims share one HL."""

    name: str
    npi: str
    tax_id: str
    address: Address
    taxonomy_code: str = ""


@dataclass(frozen=True, slots=True)
class RenderingProvider:
    """A person who treated the patient, where it is not the billing provider (2310B)."""

    last_name: str
    first_name: str
    npi: str
    taxonomy_code: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who is asked to pay (2010BB). `filing_indicator` is SBR09, for example CI, MB or MC."""

    name: str
    identifier: str
    filing_indicator: str = "CI"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who holds the coverage (2000B, 2010BA). PHI. Gender is F, M or U. `responsibility` is SBR01: P, S or T."""

    last_name: str
    first_name: str
    member_id: str
    birth_date: date
    gender: str
    address: Address
    middle_name: str = ""
    group_number: str = ""
    responsibility: str = "P"


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient where it is not the subscriber (2000C, 2010CA). PHI. `relationship` is PAT01: 01 spouse, 19 child, G8 other."""

    last_name: str
    first_name: str
    birth_date: date
    gender: str
    address: Address
    relationship: str
    middle_name: str = ""


@dataclass(frozen=True, slots=True)
class ProfessionalLine:
    """One service line (2400). `diagnosis_pointers` count the claim's diagnoses from 1."""

    procedure_code: str
    charge: Money
    service_date: date
    line_control_number: str
    modifiers: tuple[str, ...] = ()
    units: Decimal = Decimal(1)
    diagnosis_pointers: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class ProfessionalClaim:
    """One claim (2300). `frequency_code` is 1 original, 7 replacement, 8 void; the last two need `payer_control_number`.

    The patient control number comes back in every answer; payers need keep only its first 20 characters.
    """

    patient_control_number: str
    place_of_service: str
    diagnosis_codes: tuple[str, ...]
    lines: tuple[ProfessionalLine, ...]
    billing_provider: BillingProvider
    subscriber: Subscriber
    payer: Payer
    patient: Patient | None = None
    rendering_provider: RenderingProvider | None = None
    frequency_code: str = "1"
    payer_control_number: str = ""

    @property
    def charge(self) -> Money:
        """CLM02, which is the sum of its lines."""
        return Money.total(line.charge for line in self.lines)


@dataclass(frozen=True, slots=True)
class SubmissionEnvelope:
    """Sender, receiver, control numbers and instant of one interchange; all given by the caller, nothing is counted here.

    `created` is in the sender's time zone, as the standard asks. `usage` is P or T.
    """

    sender_id: str
    receiver_id: str
    interchange_control_number: int
    group_control_number: int
    created: datetime
    reference: str
    usage: str = "P"
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    delimiters: Delimiters = STANDARD_DELIMITERS
