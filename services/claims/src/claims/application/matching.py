"""Payments that belonged to no claim are given to one, by a person or by a reversal's original, and taken off again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Refusal
from chassis.eventstore import Work
from chassis.exceptions import case_id_of, end_case, raise_case

from claims.application.contractual_reasons import ReasonsOf
from claims.domain.claim import Claim
from claims.domain.line_matching import match_lines
from claims.domain.unknown_payment import UnknownClaimPayment, unknown_payment_id_of

UNKNOWN_PAYMENT_CASE = "UnknownClaimPayment"
BY_ITSELF = "what it takes back has come"


class OtherEntity(Refusal):
    """The cash is in another entity's books; it cannot settle this claim."""


def match_payment(
    work: Work, remittance_id: UUID, position: int, claim_id: UUID, reasons_of: ReasonsOf, why: str
) -> Claim:
    """Books a payment that waits as unapplied cash to a claim; doing it again changes nothing.

    Raises:
        UnknownAggregate: there is no such payment, or no such claim.
        OtherEntity, MatchedElsewhere, NothingToMatch, NeverSubmitted, ReversalNotProved: see there.
    """
    payment = work.require(UnknownClaimPayment, unknown_payment_id_of(remittance_id, position))
    claim = work.require(Claim, claim_id)
    if payment.entity != claim.content.entity:
        raise OtherEntity(f"payment of {payment.entity}, claim of {claim.content.entity}")
    match = payment.match_to(claim_id)
    if match:
        content = claim.content
        lines = match_lines(content.lines, payment.services)
        decision = payment.decision.model_copy(update={"lines": lines})
        claim.take_match(decision, reasons_of(content.payer, content.service_from), match)
        end_case(work, case_cause(payment.id, match - 1), UNKNOWN_PAYMENT_CASE, why)
    return claim


def unmatch_payment(work: Work, remittance_id: UUID, position: int, why: str) -> Claim:
    """Takes a matched payment off its claim: it waits as unapplied cash again, with a case.

    Raises:
        UnknownAggregate: there is no such payment.
        NotMatched, ReversedMeanwhile: see there.
    """
    payment = work.require(UnknownClaimPayment, unknown_payment_id_of(remittance_id, position))
    claim_id, match = payment.unmatch()
    claim = work.require(Claim, claim_id)
    claim.release_match(payment.decision.place, match)
    raise_unknown(work, payment, case_cause(payment.id, match), f"taken off its claim: {why}"[:400])
    return claim


def match_awaited(work: Work, claims: Sequence[Claim], reasons_of: ReasonsOf) -> None:
    """Books the reversals that are proved by now, which were kept as unapplied cash until then.

    What a person has given to another claim meanwhile stays there.
    """
    payments = [unknown_payment_id_of(*place) for claim in claims for place in claim.awaiting]
    work.prefetch([*payments, *(case_id_of(payment, UNKNOWN_PAYMENT_CASE) for payment in payments)])
    for claim in claims:
        for place in list(claim.awaiting):
            payment = work.require(UnknownClaimPayment, unknown_payment_id_of(*place))
            if payment.claim_id is None and claim.is_proved_by_now(place):
                match_payment(work, *place, claim.id, reasons_of, BY_ITSELF)


def case_cause(payment_id: UUID, match: int) -> UUID:
    """What the case of a payment is raised for: the payment, and each time it is taken off a claim."""
    return derive("unmatched-claim-payment", payment_id, match) if match else payment_id


def raise_unknown(work: Work, payment: UnknownClaimPayment, cause: UUID, said: str) -> None:
    """Opens the case of a payment that no claim holds."""
    remittance_id, position = payment.decision.place
    raise_case(
        work,
        cause,
        code=UNKNOWN_PAYMENT_CASE,
        summary=f"{payment.payer} paid {payment.decision.paid} {said}",
        subject=f"remittance {remittance_id}, claim {position}",
        subject_id=payment.id,
        entity=payment.entity,
        amount=payment.decision.paid,
    )
