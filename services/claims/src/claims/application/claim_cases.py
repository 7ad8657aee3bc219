"""Cases about one claim."""

from __future__ import annotations

from uuid import UUID

from canonical.money import Money
from chassis.eventstore import Work
from chassis.exceptions import raise_case

from claims.domain.claim import Claim


def raise_about(work: Work, claim: Claim, cause: UUID, code: str, summary: str, amount: Money | None = None) -> None:
    """Opens the case of a cause, once; what is at stake is the claim's total where nothing else is said."""
    raise_case(
        work,
        cause,
        code=code,
        summary=summary,
        subject=f"claim {claim.content.patient_control_number}",
        subject_id=claim.id,
        entity=claim.content.entity,
        amount=claim.content.total if amount is None else amount,
    )
