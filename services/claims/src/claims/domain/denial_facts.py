"""What is known of a denial: its facts, the states and actions of the work on it, and how it ends."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.money import Money

from claims.domain.denial_reasons import DenialCategory, DenialReason


class DenialState(StrEnum):
    """`closed` has nothing at risk any more; a denial opens again where the payer denies the same once more."""

    OPEN = "open"
    IN_WORK = "in-work"
    APPEALED = "appealed"
    RESUBMITTED = "resubmitted"
    TRANSFERRED = "transferred"
    AWAITING_APPROVAL = "awaiting-approval"
    CLOSED = "closed"


class DenialAction(StrEnum):
    """What a person did about a denial. `upheld`: the payer answered an appeal and stays with its denial."""

    APPEALED = "appealed"
    CORRECTED_CLAIM_SENT = "corrected-claim-sent"
    TRANSFERRED = "transferred"
    UPHELD = "upheld"


class DenialOutcome(StrEnum):
    NONE = "none"
    RECOVERED = "recovered"
    PARTLY_RECOVERED = "partly-recovered"
    WRITTEN_OFF = "written-off"


class DenialClock(StrEnum):
    APPEAL = "appeal"
    TIMELY_FILING = "timely-filing"


STATE_AFTER = {
    DenialAction.APPEALED: DenialState.APPEALED,
    DenialAction.CORRECTED_CLAIM_SENT: DenialState.RESUBMITTED,
    DenialAction.TRANSFERRED: DenialState.TRANSFERRED,
    DenialAction.UPHELD: DenialState.IN_WORK,
}


class DenialFacts(CanonicalModel):
    """What a denial is about. `number` counts the denials of one claim from 1; the place names the decision behind it.

    `automatic` is how much of it the payer's allow-list gives up without a person. `file_by` is none where the payer takes
    claims for ever.
    """

    claim_id: UUID
    number: int
    patient_control_number: Public[str]
    entity: Public[str]
    payer: Public[str]
    remittance_id: UUID
    position: int
    reasons: tuple[DenialReason, ...]
    remark_codes: tuple[Financial[str], ...]
    category: DenialCategory
    queue: Public[str]
    automatic: Money
    denied_on: Financial[date]
    appeal_by: Financial[date]
    file_by: Financial[date] | None


def outcome_of(at_risk: Money, recovered: Money, written_off: Money) -> DenialOutcome:
    if at_risk:
        return DenialOutcome.NONE
    if not written_off:
        return DenialOutcome.RECOVERED
    return DenialOutcome.PARTLY_RECOVERED if recovered else DenialOutcome.WRITTEN_OFF
