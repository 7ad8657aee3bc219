"""Claims as a payer holds them once they are read, with what earlier payers are said to have paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from canonical.codes import AdjustmentGroup, ClaimType
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
    """One 2400 loop; `service_date` is the first day, as CCYYMMDD. A room has a revenue code and no procedure."""

    procedure_code: str
    modifiers: tuple[str, ...]
    charge: Money
    units: str
    service_date: str
    control_number: str
    prior: tuple[PriorLine, ...] = ()
    revenue_code: str = ""
    tooth: str = ""


@dataclass(frozen=True, slots=True)
class ReceivedClaim:
    """One 2300 loop with what stands above it; `payer_reference` is REF*F8.

    `place_of_service` is CLM05-1, of a facility its type of bill. `statement` are the first and last day that a facility
    bills (DTP*434), `admitted_on` is DTP*435, `drg` HI*DR.
    """

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
    claim_type: ClaimType = ClaimType.PROFESSIONAL
    statement: tuple[str, str] = ("", "")
    admitted_on: str = ""
    drg: str = ""

    @property
    def service_from(self) -> str:
        return self.statement[0] or min((line.service_date for line in self.lines if line.service_date), default="")

    @property
    def service_to(self) -> str:
        return self.statement[1] or max((line.service_date for line in self.lines if line.service_date), default="")

    @property
    def days(self) -> int:
        """The days that a facility bills, the last one not counted; a stay of no night counts one."""
        if not all(self.statement):
            return 0
        first, last = map(date.fromisoformat, self.statement)
        return max(1, (last - first).days)

    @property
    def is_inpatient(self) -> bool:
        return self.claim_type is ClaimType.INSTITUTIONAL and bool(self.admitted_on)

    @property
    def paying_before(self) -> tuple[PriorPayment, ...]:
        """The earlier payers that have decided; another payer that only comes later has paid nothing yet."""
        return tuple(each for each in self.prior if each.paid is not None)
