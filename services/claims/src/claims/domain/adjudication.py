"""What one payer decision means: how its adjustments divide the charge, and whether it is a denial."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial
from canonical.codes import AdjustmentGroup
from canonical.money import Money
from canonical.remittance import ClaimAdjustment


class Shares(CanonicalModel):
    """Where the unpaid part of a charge went: `charge == paid + contractual + denied + patient + other`.

    `contractual` is CO with a reason on the payer's list, `denied` every other CO and all PI, `patient` PR.
    """

    contractual: Money
    denied: Money
    patient: Money
    other: Money


class PayerDecision(CanonicalModel):
    """One claim payment of one remittance, as far as a claim keeps it.

    `adjustments` are those of the claim and of its lines, in file order. `payer_status` is CLP02, `payer_control_number`
    CLP07; `span_start` and `span_length` say where it stands in the raw message, in bytes.
    """

    remittance_id: UUID
    position: int
    effective_date: Financial[date]
    payer_status: Financial[str]
    charge: Money
    paid: Money
    patient_responsibility: Money
    adjustments: tuple[ClaimAdjustment, ...]
    payer_control_number: Financial[str] = ""
    span_start: int = 0
    span_length: int = 0

    def says_the_same_as(self, other: PayerDecision) -> bool:
        """Equal in all but where it stands: another copy of a remittance may be laid out differently."""
        place = {"span_start": self.span_start, "span_length": self.span_length}
        return self == other.model_copy(update=place)


def shares_of(adjustments: Iterable[ClaimAdjustment], contractual_reasons: Collection[str]) -> Shares:
    """Divides adjustments by what they mean to us. CO alone is no write-off: its reason must be on the payer's list.

    Source: X12 005010X221A1, segment CAS.
    """
    contractual = denied = patient = other = 0
    for adjustment in adjustments:
        minor = adjustment.amount.minor
        match adjustment.group:
            case AdjustmentGroup.CONTRACTUAL if adjustment.reason in contractual_reasons:
                contractual += minor
            case AdjustmentGroup.CONTRACTUAL | AdjustmentGroup.PAYER_INITIATED:
                denied += minor
            case AdjustmentGroup.PATIENT:
                patient += minor
            case AdjustmentGroup.OTHER:
                other += minor
    return Shares.trusted(
        contractual=Money(contractual), denied=Money(denied), patient=Money(patient), other=Money(other)
    )


def is_denial(paid: Money, shares: Shares) -> bool:
    """Nothing was paid, and something was taken off that is neither contractual nor the patient's."""
    return paid.minor == 0 and shares.denied.minor > 0
