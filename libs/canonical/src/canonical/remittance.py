"""Remittance advice: what a payer says it paid, took off and left to the patient (X12 835)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.codes import AdjustmentGroup
from canonical.money import Money

CLAIMS_PER_CHUNK_MAX = 500


class ClaimAdjustment(CanonicalModel):
    """One CAS triplet. A positive amount lowers the payment, a negative one raises it."""

    group: AdjustmentGroup
    reason: Financial[str]
    amount: Money


class DecisionPlace(CanonicalModel):
    """Where a payer's decision stands: the claim's ordinal in a remittance, and the match that gave it to its claim."""

    remittance_id: UUID
    position: int
    match: int = 0


class ServicePayment(CanonicalModel):
    """One SVC loop: `charge - sum(adjustments) == paid`."""

    procedure_code: Financial[str]
    modifiers: tuple[Financial[str], ...] = ()
    charge: Money
    paid: Money
    line_control_number: Public[str] = ""
    adjustments: tuple[ClaimAdjustment, ...] = ()
    remark_codes: tuple[Financial[str], ...] = ()


class ClaimPayment(CanonicalModel):
    """One CLP loop: `charge - sum(all adjustments, claim and line level) == paid`.

    `position` is the claim's ordinal in its remittance, from 0; `span_start` and `span_length` are where it stands in
    the raw message, in bytes. `remark_codes` are those of MIA and MOA; a line has its own (LQ). `crossover_carrier` is
    NM109 of NM1*TT, `earlier_control_number` REF*F8, the payer's number of the claim that this one was split from.
    """

    position: int
    patient_control_number: Public[str]
    status: Financial[str]
    charge: Money
    paid: Money
    patient_responsibility: Money
    payer_control_number: Financial[str] = ""
    adjustments: tuple[ClaimAdjustment, ...] = ()
    services: tuple[ServicePayment, ...] = ()
    remark_codes: tuple[Financial[str], ...] = ()
    crossover_carrier: Financial[str] = ""
    earlier_control_number: Financial[str] = ""
    span_start: int = 0
    span_length: int = 0

    @property
    def all_adjustments(self) -> tuple[ClaimAdjustment, ...]:
        """Claim-level adjustments, then those of the lines, in file order."""
        return self.adjustments + tuple(cas for line in self.services for cas in line.adjustments)


class ProviderAdjustment(CanonicalModel):
    """One PLB pair. A positive amount lowers the payment. The span is its PLB segment in the raw message, in bytes."""

    provider: Public[str]
    fiscal_date: Financial[date]
    reason: Financial[str]
    reference: Financial[str] = ""
    amount: Money
    span_start: int = 0
    span_length: int = 0


class RemittanceSummary(CanonicalModel):
    """The head of one remittance: who pays whom how much, under which trace, and what its parts must add up to.

    `payment == total_paid - total_provider_adjustments`, or the remittance is not balanced. `remittance_id` follows from
    payer identifier and trace number, so every copy has the same; `receipt_id` is the copy's own. `content_hash` is over
    the claims and adjustments as read, so that another layout of the same remittance has the same hash.
    """

    remittance_id: UUID
    receipt_id: UUID
    entity: Public[str]
    payer_id: Public[str]
    payer_identifier: Financial[str]
    trace_number: Financial[str]
    payment: Money
    payment_method: Financial[str]
    effective_date: Financial[date]
    claim_count: int
    chunk_count: int
    total_charge: Money
    total_paid: Money
    total_provider_adjustments: Money
    content_hash: Public[str]
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    reversal_count: int = 0
    payee_npi: Public[str] = ""
    interchange_sender: Public[str] = ""
    interchange_control_number: Public[str] = ""
    message_id: UUID
