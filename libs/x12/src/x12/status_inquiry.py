"""What the 276 writer takes: claims that are asked about. Plain typed values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from canonical.money import Money

from x12.eligibility import InquiredPayer, InquiredPerson, InquiringProvider


@dataclass(frozen=True, slots=True)
class InformationReceiver:
    """Who asks on the provider's behalf (2100B)."""

    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class StatusInquiry:
    """One claim that is asked about (2200D or E). PHI through its persons.

    `trace` comes back as TRN02 of the 277's claim, our `patient_control_number` as REF*EJ. `payer_control_number`
    is known only once the payer has given it; `bill_type` is for institutional claims, all three digits.
    """

    trace: str
    payer: InquiredPayer
    provider: InquiringProvider
    subscriber: InquiredPerson
    patient_control_number: str
    charge: Money
    service_from: date
    service_to: date
    dependent: InquiredPerson | None = None
    payer_control_number: str = ""
    bill_type: str = ""
