"""How a secondary or tertiary payer decides: it pays what the payers before it left to the patient."""

from __future__ import annotations

from dataclasses import replace

from canonical.codes import AdjustmentGroup
from canonical.money import Money

from sandbox.world.adjudication import Decision, LineDecision, claim_dice
from sandbox.world.received_claims import (
    PRIMARY,
    SECONDARY,
    TERTIARY,
    Adjustment,
    PriorLine,
    PriorPayment,
    ReceivedClaim,
    ReceivedLine,
)

PRIOR_PAYER_IMPACT = "23"
COPAY_PERCENT = 25
COPAY = Money(10_00)
_STATUS_OF_SEQUENCE = {PRIMARY: "1", SECONDARY: "2"}


def does_not_balance(claim: ReceivedClaim) -> bool:
    """Whether what the claim says of earlier payers contradicts itself.

    Each line: charge = paid + adjustments, by payer (`SVD02`, CAS of 2430). The claim: AMT*D = what that payer paid on the
    lines - the adjustments of 2320.
    """
    return any(_contradicts(claim, prior) for prior in claim.paying_before)


def _contradicts(claim: ReceivedClaim, prior: PriorPayment) -> bool:
    lines = [
        (line, each) for line in claim.lines for each in line.prior if each.payer_identifier == prior.payer_identifier
    ]
    if any(line.charge != each.paid + _total(each.adjustments) for line, each in lines):
        return True
    on_lines = Money.total(each.paid for _, each in lines) if lines else claim.charge
    return prior.paid != on_lines - _total(prior.adjustments)


def _total(adjustments: tuple[Adjustment, ...]) -> Money:
    return Money.total(each.amount for each in adjustments)


def adjudicate_next(claim: ReceivedClaim, seed: int) -> Decision:
    """Pay what the last payer before left to the patient (PR), line by line; one claim in four leaves a copay of it.

    Everything else of the charge is OA-23, the impact of what was paid and taken off before.
    """
    last = claim.paying_before[-1]
    left = [_left_on(line, last) for line in claim.lines]
    on_the_claim = _patient_share(last.adjustments)
    for index, line in enumerate(claim.lines):
        more = min(on_the_claim, line.charge - left[index])
        left[index] += more
        on_the_claim -= more
    copay = COPAY if claim_dice(seed, "next payer", claim).chance(COPAY_PERCENT) else Money(0)
    lines = []
    for line, open_amount in zip(claim.lines, left, strict=True):
        share = min(copay, open_amount)
        copay -= share
        lines.append(_decided(line, open_amount, share))
    return Decision(claim, _STATUS_OF_SEQUENCE.get(claim.sequence, "3"), tuple(lines))


def _left_on(line: ReceivedLine, last: PriorPayment) -> Money:
    shares = (_patient_share(each.adjustments) for each in line.prior if each.payer_identifier == last.payer_identifier)
    return Money.total(shares)


def _patient_share(adjustments: tuple[Adjustment, ...]) -> Money:
    return Money.total(each.amount for each in adjustments if each.group is AdjustmentGroup.PATIENT)


def _decided(line: ReceivedLine, open_amount: Money, share: Money) -> LineDecision:
    adjustments = []
    if line.charge != open_amount:
        adjustments.append(Adjustment(AdjustmentGroup.OTHER, PRIOR_PAYER_IMPACT, line.charge - open_amount))
    if share:
        adjustments.append(Adjustment(AdjustmentGroup.PATIENT, "3", share))
    return LineDecision(line, open_amount - share, open_amount, tuple(adjustments))


def forwarded_claim(decision: Decision, next_payer: str, member_id: str, paid_on: str) -> ReceivedClaim:
    """The claim that a payer passes on to the next one: its own decision, told as a prior payment (crossover).

    It keeps the biller's claim number, for the biller has sent no other.
    """
    claim = decision.claim
    own = claim.payer_identifier
    earlier = PriorPayment(claim.sequence, own, decision.paid, decision.claim_adjustments)
    return replace(
        claim,
        payer_identifier=next_payer,
        member_id=member_id,
        lines=tuple(_with_prior(each, own, paid_on) for each in decision.lines) or claim.lines,
        sequence=SECONDARY if claim.sequence == PRIMARY else TERTIARY,
        prior=(*claim.prior, earlier),
    )


def _with_prior(decided: LineDecision, payer_identifier: str, paid_on: str) -> ReceivedLine:
    told = PriorLine(payer_identifier, decided.paid, decided.adjustments, paid_on)
    return replace(decided.line, prior=(*decided.line.prior, told))
