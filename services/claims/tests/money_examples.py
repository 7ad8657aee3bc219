"""One instance of every stored event of payers' money and next payers, for the golden files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from canonical.codes import AdjustmentGroup
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from claims.domain.adjudication import PayerDecision
from claims.domain.answers import ReportedStatus, SubmissionAnswer
from claims.domain.claim import Claim
from claims.domain.claim_content import ClaimContent, PriorLine, PriorPayment
from claims.domain.claim_state import ClaimState, NextClaimStage
from claims.domain.reversals import ReversalVerdict
from claims.domain.unknown_payment import UnknownClaimPayment

COPAY = ClaimAdjustment(group=AdjustmentGroup.PATIENT, reason="3", amount=Money.of("30.00"))
PRIOR = PriorPayment(
    payer="ACME",
    paid=Money.of("220.00"),
    adjustments=(),
    lines=(PriorLine(line=1, paid=Money.of("120.00"), adjustments=(COPAY,)),),
    adjudication_date=date(2026, 3, 20),
    payer_control_number="ICN1",
)

Fields = tuple[type[Any], dict[str, Any]]


def money_examples(content: ClaimContent, decision: PayerDecision) -> Iterator[Fields]:
    """Events of a claim, each as its class and its own fields."""
    whose = {
        name: getattr(content, name)
        for name in ("encounter_id", "posting", "patient_id", "entity", "payer", "payer_class")
    }
    yield Claim.ReversalAwaited, {"decision": decision, "verdict": ReversalVerdict.UNKNOWN_ORIGINAL}
    noted = {"decision": decision, "entity": "NORTH", "payer": "ACME", "why": "predetermination"}
    yield Claim.PaymentNoted, noted
    day = decision.effective_date
    yield Claim.DenialReleased, {**whose, "release": 1, "amount": Money.of("12.00"), "effective_date": day}
    moved = {"next_claim_id": content.encounter_id, "stage": NextClaimStage.BILLED}
    yield Claim.NextClaimMoved, {**moved, "state": ClaimState.SECONDARY_BILLED}
    yield Claim.Redrafted, {"content": content.model_copy(update={"sequence": 2, "prior": (PRIOR,)})}
    yield Claim.CrossedOver, {"prior_claim_id": content.encounter_id}
    answer = SubmissionAnswer(
        reporter="clearinghouse", accepted=True, codes=("A1:19",), submission_id=content.encounter_id
    )
    yield Claim.AnswerNoted, {"answer": answer}
    status = ReportedStatus(
        inquiry_reference="000000007",
        category_codes=("F1",),
        status_codes=("65",),
        payer_control_number="ICN1",
        charge=Money.of("250.00"),
        paid=Money.of("220.00"),
        status_date=date(2026, 4, 2),
    )
    yield Claim.StatusReported, {"status": status}


def payment_examples(decision: PayerDecision, content: ClaimContent) -> Iterator[Fields]:
    """Events of a payment that no claim holds, each as its class and its own fields."""
    noted = {"why": "forwarded", "entity": "NORTH", "payer": "ACME", "decision": decision}
    yield UnknownClaimPayment.Noted, noted
    place = {"remittance_id": decision.remittance_id, "position": decision.position}
    moved = {**place, "claim_id": content.encounter_id, "paid": decision.paid}
    yield UnknownClaimPayment.Matched, {**moved, "match": 1}
    yield UnknownClaimPayment.Unmatched, {**moved, "match": 2}
