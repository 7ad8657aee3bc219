"""Cases about one claim."""

from __future__ import annotations

from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work
from chassis.exceptions import ExceptionCase, case_id_of, raise_case

from claims.domain.claim import Claim


def recurring_cause(work: Work, code: str, kind: str, about: UUID, times_max: int) -> UUID:
    """What a case is raised for that comes back after it was closed: the cause of the open one, else of one more.

    `times_max` is how often it can have come, this time included.
    """
    causes = [derive(kind, about), *(derive(kind, about, number) for number in range(1, times_max))]
    for cause in causes:
        case = work.get(ExceptionCase, case_id_of(cause, code))
        if case is None or case.is_open:
            return cause
    return causes[-1]


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
