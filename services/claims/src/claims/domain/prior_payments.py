"""What later payers must be shown of a payer's decisions, and when there is something to bill the next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from canonical.codes import AdjustmentGroup
from canonical.money import Money
from canonical.remittance import ClaimAdjustment

from claims.domain.claim_content import ClaimContent, PriorLine, PriorPayment, control_number_of_posting
from claims.domain.decisions import Booked, Decisions


def prior_payment_by(content: ClaimContent, decisions: Decisions) -> PriorPayment | None:
    """What this payer decided, once its decisions cover the whole charge; half of a split claim is shown to nobody."""
    chosen = _covering(content, decisions)
    if not chosen:
        return None
    lines = _by_line(content, chosen)
    adjustments = (
        [cas for each in chosen for cas in each.decision.claim_adjustments]
        if lines
        else [cas for each in chosen for cas in each.decision.adjustments]
    )
    last = max(chosen, key=lambda each: each.decision.effective_date).decision
    return PriorPayment(
        payer=content.payer,
        paid=Money.total(each.decision.paid for each in chosen),
        adjustments=_merged(adjustments),
        lines=lines,
        adjudication_date=last.effective_date,
        payer_control_number=last.payer_control_number,
    )


def leaves_something(content: ClaimContent, decisions: Decisions) -> bool:
    """Whether there is anything to bill the next payer for; a denial is worked before anybody else is asked."""
    return sum(each.shares.patient.minor for each in _covering(content, decisions)) > 0


def content_for_next(content: ClaimContent, prior: tuple[PriorPayment, ...]) -> ClaimContent:
    """The claim for the same charges to the next payer, with what those before it have decided so far."""
    following, *rest = content.next_payers
    sequence = content.sequence + 1
    return content.model_copy(
        update={
            "patient_control_number": control_number_of_posting(content.encounter_id, content.posting, sequence),
            "payer": following.payer,
            "payer_class": following.payer_class,
            "has_member_id": following.has_member_id,
            "plan": following.plan,
            "sequence": sequence,
            "next_payers": tuple(rest),
            "prior": prior,
        }
    )


def _covering(content: ClaimContent, decisions: Decisions) -> Sequence[Booked]:
    """The decisions that together decide the charge once; a denial that a later decision made up for is left out."""
    paying = [each for each in decisions.standing if not each.denied]
    for chosen in (decisions.standing, paying):
        if sum(each.decision.charge.minor for each in chosen) == content.total.minor:
            return chosen
    return ()


def _by_line(content: ClaimContent, chosen: Sequence[Booked]) -> tuple[PriorLine, ...]:
    """Payment and adjustments of every submitted line; nothing where the decisions do not cover them line by line."""
    charged = dict.fromkeys(range(1, len(content.lines) + 1), 0)
    paid = dict(charged)
    reasons: dict[int, list[ClaimAdjustment]] = {number: [] for number in charged}
    for each in chosen:
        for line, adjustments in each.decision.line_adjustments():
            if line.line not in charged:
                return ()
            charged[line.line] += line.charge.minor
            paid[line.line] += line.paid.minor
            reasons[line.line] += adjustments
    if any(charged[number] != line.amount.minor for number, line in enumerate(content.lines, 1)):
        return ()
    return tuple(
        PriorLine(line=number, paid=Money(paid[number]), adjustments=_merged(reasons[number])) for number in charged
    )


def _merged(adjustments: Iterable[ClaimAdjustment]) -> tuple[ClaimAdjustment, ...]:
    """One for each group and reason, in order of first use: the parts of a split claim may repeat them."""
    sums: dict[tuple[AdjustmentGroup, str], Money] = {}
    for each in adjustments:
        key = (each.group, each.reason)
        sums[key] = sums.get(key, Money.zero(each.amount.currency)) + each.amount
    return tuple(
        ClaimAdjustment(group=group, reason=reason, amount=amount) for (group, reason), amount in sums.items() if amount
    )
