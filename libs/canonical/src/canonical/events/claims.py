"""What claims announces: the life of a claim, and what an adjudication did to it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.codes import PayerClass
from canonical.envelope import PublicEvent
from canonical.money import Money
from canonical.remittance import ClaimAdjustment


class ClaimDrafted(PublicEvent):
    SERVICE = "claims"
    TYPE = "claim-drafted"

    claim_id: UUID
    encounter_id: UUID
    entity: Public[str]
    payer: Public[str]
    patient_id: UUID
    patient_control_number: Public[str]
    total: Money


class ClaimHeld(PublicEvent):
    """The claim may not go out; each reason names the edit and what is needed."""

    SERVICE = "claims"
    TYPE = "claim-held"

    claim_id: UUID
    reasons: tuple[Public[str], ...]


class ClaimSubmitted(PublicEvent):
    SERVICE = "claims"
    TYPE = "claim-submitted"

    claim_id: UUID
    interchange_id: UUID
    entity: Public[str]
    payer: Public[str]
    total: Money


class ClaimAccepted(PublicEvent):
    """The payer took the claim for adjudication (277CA)."""

    SERVICE = "claims"
    TYPE = "claim-accepted"

    claim_id: UUID
    payer_control_number: Financial[str] = ""


class ClaimRejected(PublicEvent):
    """The claim was refused before adjudication (999 or 277CA); it was never denied and is resubmitted as an original."""

    SERVICE = "claims"
    TYPE = "claim-rejected"

    claim_id: UUID
    codes: tuple[Public[str], ...]


class ClaimAdjudicated(PublicEvent):
    """One payer decision on a claim, as one remittance reports it.

    `charge - sum(adjustments) == paid`. `first` is true for the claim's first adjudication; `denied` when no money was
    paid and something was taken off that is neither on the payer's contractual list nor the patient's.
    `remittance_position` is the claim's ordinal in the remittance; `posting` is the encounter's posting of which the
    claim was made, so that its charges can be found.
    """

    SERVICE = "claims"
    TYPE = "claim-adjudicated"

    claim_id: UUID
    encounter_id: UUID
    posting: int
    patient_id: UUID
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    remittance_id: UUID
    remittance_position: int
    effective_date: Financial[date]
    first: bool
    denied: bool
    charge: Money
    paid: Money
    patient_responsibility: Money
    adjustments: tuple[ClaimAdjustment, ...]
    service_from: Financial[date]


class ClaimPaymentUnknown(PublicEvent):
    """A remittance paid a claim we never sent; its cash stays visible as unapplied until a person finds the claim.

    `why` is `unknown-control-number`, `never-submitted`, `other-entity` or `other-payer`.
    """

    SERVICE = "claims"
    TYPE = "claim-payment-unknown"

    remittance_id: UUID
    remittance_position: int
    entity: Public[str]
    payer: Public[str]
    paid: Money
    effective_date: Financial[date]
    why: Public[str] = ""


class InterchangeSent(PublicEvent):
    SERVICE = "claims"
    TYPE = "interchange-sent"

    interchange_id: UUID
    control_number: Public[str]
    entity: Public[str]
    payer: Public[str]
    claim_count: int
    total: Money
