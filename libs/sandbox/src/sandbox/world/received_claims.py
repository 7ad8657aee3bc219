"""Claims as a payer holds them once they are read, with what earlier payers are said to have paid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from canonical.codes import AdjustmentGroup
from canonical.money import Money

PRIMARY, SECONDARY, TERTIARY = "P", "S", "T"


class Frequency(StrEnum):
    """CLM05-3: what a claim is to the one that the payer's number in REF*F8 names."""

    ORIGINAL = "1"
    REPLACEMENT = "7"
    VOID = "8"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One CAS triplet; positive lowers the payment."""

    group: AdjustmentGroup
    reason: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PriorLine:
    """One 2430 loop: what an earlier payer did with this line; `line.charge == paid + sum(adjustments)`."""

    payer_identifier: str
    paid: Money
    adjustments: tuple[Adjustment, ...]
    paid_on: str


@dataclass(frozen=True, slots=True)
class PriorPayment:
    """One 2320 loop: an earlier payer's payment (AMT*D) and claim-level adjustments, by its place in the order (SBR01)."""

    sequence: str
    payer_identifier: str
    paid: Money | None
    adjustments: tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """One 2400 loop; `service_date` is the first day, as CCYYMMDD."""

    procedure_code: str
    modifiers: tuple[str, ...]
    charge: Money
    units: str
    service_date: str
    control_number: str
    prior: tuple[PriorLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceivedClaim:
    """One 2300 loop with what stands above it; `payer_reference` is REF*F8."""

    patient_control_number: str
    charge: Money
    place_of_service: str
    frequency: str
    billing_npi: str
    payer_identifier: str
    member_id: str
    family_name: str
    given_name: str
    lines: tuple[ReceivedLine, ...]
    sequence: str = PRIMARY
    prior: tuple[PriorPayment, ...] = ()
    payer_reference: str = ""

    @property
    def service_from(self) -> str:
        return min((line.service_date for line in self.lines if line.service_date), default="")

    @property
    def service_to(self) -> str:
        return max((line.service_date for line in self.lines if line.service_date), default="")

    @property
    def paying_before(self) -> tuple[PriorPayment, ...]:
        """The earlier payers that have decided; another payer that only comes later has paid nothing yet."""
        return tuple(each for each in self.prior if each.paid is not None)
