"""The lines of a platform's report, each a JSON object; a field that is not named here is refused.

    {"record": "head", "format": "platform-report.v1", "platform": "northstar", "report": "R-000017"}
    {"record": "acknowledgement", "batch": "000000123", "code": "A"}
    {"record": "status", "batch": "000000123", "control_number": "...", "accepted": true, "number": "ICN1", "charge": "250.00 USD"}
    {"record": "remittance", "payer": "60054", "payee_npi": "...", "trace": "...", "payment": "150.00 USD", ...}
    {"record": "payment", "control_number": "...", "status": "1", "charge": "250.00 USD", "paid": "150.00 USD", ...}
    {"record": "patient-payment", "id": "P-1", "control_number": "...", "encounter_id": "<uuid>", "amount": "30.00 USD", ...}
    {"record": "adjustment", "id": "A-1", "control_number": "...", "encounter_id": "<uuid>", "amount": "5.00 USD", ...}
    {"record": "balance", "control_number": "...", "insurance": "0.00 USD", "as_of": "2026-03-31"}
    {"record": "trail", "records": 7, "paid": "150.00 USD", "patient_paid": "30.00 USD", "balances": "0.00 USD"}

The payments of a remittance follow it, in its order. `records` counts the lines between head and trailer, `paid` totals the remittances'
payments, `patient_paid` those of patients, `balances` the balances.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from pydantic import Field, TypeAdapter

FORMAT = "platform-report.v1"
PROVIDER_ADJUSTMENTS_MAX = 2_000
ADJUSTMENTS_MAX = 1_000
LINES_MAX = 999
Name = Annotated[Public[str], Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Code = Annotated[Financial[str], Field(max_length=20, pattern=r"^[A-Za-z0-9.:_-]*$")]


class _Record(CanonicalModel, extra="forbid", hide_input_in_errors=True):
    pass


class Head(_Record):
    record: Literal["head"]
    format: Literal["platform-report.v1"]
    platform: Annotated[Public[str], Field(pattern="^[a-z][a-z0-9-]{0,30}$")]
    report: Name


class BatchAnswer(_Record):
    """A takes the batch, R refuses it whole."""

    record: Literal["acknowledgement"]
    batch: Name
    code: Literal["A", "R"]
    notes: tuple[Code, ...] = Field(default=(), max_length=20)


class Status(_Record):
    """Whether the payer, or the platform for it, took a claim; `number` is by which it is known there."""

    record: Literal["status"]
    batch: Name
    control_number: Name
    accepted: bool
    number: Code = ""
    codes: tuple[Code, ...] = Field(default=(), max_length=20)
    charge: Money


class Taken(_Record):
    """A payment lowered by the provider's account (PLB)."""

    reason: Code
    reference: Code = ""
    amount: Money


class RemittanceHead(_Record):
    """One payment of one payer, as it reaches the bank under `trace`; `payer` is the identifier that its 835s would have."""

    record: Literal["remittance"]
    payer: Name
    payee_npi: Name
    trace: Name
    method: Code
    payment: Money
    effective_date: Financial[date]
    claims: int = Field(ge=0)
    total_charge: Money
    total_paid: Money
    provider_adjustments: tuple[Taken, ...] = Field(default=(), max_length=PROVIDER_ADJUSTMENTS_MAX)


class PaidLine(_Record):
    """`line` is the line's number in the transaction; `charge - sum(adjustments) == paid`."""

    line: int = Field(ge=0, le=LINES_MAX)
    procedure_code: Code = ""
    modifiers: tuple[Code, ...] = Field(default=(), max_length=4)
    charge: Money
    paid: Money
    adjustments: tuple[ClaimAdjustment, ...] = Field(default=(), max_length=ADJUSTMENTS_MAX)
    remark_codes: tuple[Code, ...] = Field(default=(), max_length=20)


class Payment(_Record):
    """One decision of the payer; `status` as CLP02 (1 primary, 2 secondary, 4 denied, 22 reversal, ...)."""

    record: Literal["payment"]
    control_number: Name
    status: Code
    charge: Money
    paid: Money
    patient_responsibility: Money
    number: Code = ""
    adjustments: tuple[ClaimAdjustment, ...] = Field(default=(), max_length=ADJUSTMENTS_MAX)
    lines: tuple[PaidLine, ...] = Field(default=(), max_length=LINES_MAX)
    remark_codes: tuple[Code, ...] = Field(default=(), max_length=20)
    crossover_carrier: Code = ""
    earlier_number: Code = ""


class PatientPayment(_Record):
    """Money that the platform took from a patient; `encounter_id` as the transaction named it."""

    record: Literal["patient-payment"]
    id: Name
    control_number: Name
    encounter_id: UUID
    amount: Money
    method: Code
    received_on: Financial[date]


class Adjustment(_Record):
    """What the platform adjusted in its own books, which a person looks at and nobody books by itself."""

    record: Literal["adjustment"]
    id: Name
    control_number: Name
    encounter_id: UUID
    amount: Money
    code: Code
    adjusted_on: Financial[date]


class Balance(_Record):
    """What the platform holds to be open of a claim at its payer."""

    record: Literal["balance"]
    control_number: Name
    insurance: Money
    as_of: Financial[date]


class Trail(_Record):
    record: Literal["trail"]
    records: int = Field(ge=0)
    paid: Money
    patient_paid: Money
    balances: Money


Line = Annotated[
    Head | BatchAnswer | Status | RemittanceHead | Payment | PatientPayment | Adjustment | Balance | Trail,
    Field(discriminator="record"),
]
LINE: TypeAdapter[Line] = TypeAdapter(Line)
