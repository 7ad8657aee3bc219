"""Denials follow what payers decide of a claim, and the payer's allow-list gives up what it names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from canonical.codes import AdjustmentGroup
from canonical.master_data import KnownMasterData, Payer
from canonical.money import Money
from chassis.eventstore import Work

from claims.application.contractual_reasons import payer_on
from claims.domain.adjudication import Place
from claims.domain.claim import Claim
from claims.domain.decisions import Booked
from claims.domain.denial import DENIED_NO_MORE, Denial, denial_id_of
from claims.domain.denial_facts import DenialAction, DenialFacts
from claims.domain.denial_reasons import DenialReason, category_of, denial_reasons, queue_of
from claims.domain.still_denied import still_denied

ALLOW_LIST = "rule:denial-write-off-reasons"


def may_have_denials(claim: Claim) -> bool:
    """Most claims have one decision that denies nothing, and are not looked at further."""
    return claim.adjudications > 1 or any(each.shares.denied for each in claim.decisions.standing)


def denial_ids_of(claim: Claim) -> Iterator[UUID]:
    """The denials that the claim can have; each decision opens one at most."""
    return (denial_id_of(claim.id, number) for number in range(1, claim.adjudications + 1))


def settle_denials(work: Work, claim: Claim, master_data: KnownMasterData) -> None:
    """Brings the denials of a claim to what its decisions deny now; to be called after every change of them.

    What no denial covers opens new ones, and what the payer's allow-list gives up is written off.

    Raises:
        PayerGone: master data lost the payer since.
    """
    denials = list(_denials_of(work, claim))
    denied = Money.total(each.shares.denied for each in claim.decisions.standing) - claim.released
    covers, left = still_denied(
        max(denied, Money.zero()), [denial.amount for denial in denials], _own_shares(claim, denials)
    )
    for denial, cover in zip(denials, covers, strict=True):
        give_up(work, claim, denial.resettle(cover), *DENIED_NO_MORE)
    payer = payer_on(master_data, claim.content.payer, claim.content.service_from)
    denials += _open(work, claim, payer, left, denials)
    why = f"{payer.code} gives up denials for {', '.join(given_up(payer, claim.content.plan))}"
    for denial in denials:
        give_up(work, claim, denial.write_off_by_rule(why, ALLOW_LIST), why, ALLOW_LIST)


def answer_with_corrected_claim(work: Work, claim: Claim, reason: str) -> None:
    """A claim in the place of the denied one is what was done about every denial that has something at risk."""
    for denial in _denials_of(work, claim):
        if denial.at_risk:
            denial.act(DenialAction.CORRECTED_CLAIM_SENT, reason, claim.latest_payer_control_number)


def give_up(work: Work, claim: Claim, amount: Money, reason: str, approved_by: str) -> None:
    """The claim's side of a write-off, which moves the books; nothing where the amount is zero."""
    if amount:
        claim.write_off_denial(amount, reason, approved_by, work.context.now.date())


def _denials_of(work: Work, claim: Claim) -> Iterator[Denial]:
    for identity in denial_ids_of(claim):
        denial = work.get(Denial, identity)
        if denial is None:
            return
        yield denial


def _own_shares(claim: Claim, denials: Sequence[Denial]) -> list[Money]:
    """How much the decision behind each denial denies still; two denials of one decision share it in their order."""
    left: dict[Place, Money] = {each.decision.place: each.shares.denied for each in claim.decisions.standing}
    shares = []
    for denial in denials:
        place = _place_of(denial)
        share = max(min(denial.amount, left.get(place, Money.zero())), Money.zero())
        left[place] = left.get(place, Money.zero()) - share
        shares.append(share)
    return shares


def _open(work: Work, claim: Claim, payer: Payer, left: Money, denials: Sequence[Denial]) -> list[Denial]:
    """Opens denials for so much: of the decisions that have none yet, and the rest of the newest one that denies."""
    placed = {_place_of(denial) for denial in denials}
    denying = [each for each in claim.decisions.standing if each.shares.denied.minor > 0]
    fresh = [each for each in denying if each.decision.place not in placed]
    opened: list[Denial] = []
    for booked, share in _divided(left, fresh, denying):
        number = len(denials) + len(opened) + 1
        denial = work.get_or_new(Denial, denial_id_of(claim.id, number))
        earlier = [each for each in (*denials, *opened) if _place_of(each) == booked.decision.place]
        denial.open(_facts(claim, payer, booked, number, earlier), share)
        opened.append(denial)
    return opened


def _divided(left: Money, fresh: Iterable[Booked], denying: Sequence[Booked]) -> Iterator[tuple[Booked, Money]]:
    for booked in fresh:
        share = min(left, booked.shares.denied)
        if share:
            left -= share
            yield booked, share
    if left:
        yield denying[-1], left


def _place_of(denial: Denial) -> Place:
    """Where the decision behind it stands."""
    return (denial.facts.remittance_id, denial.facts.position)


def _facts(claim: Claim, payer: Payer, booked: Booked, number: int, earlier: Iterable[Denial]) -> DenialFacts:
    """`earlier` are denials of the same decision: what the allow-list gives up of it is given up once."""
    content, decision = claim.content, booked.decision
    reasons = denial_reasons(decision.adjustments, payer.contractual_reasons)
    remarks = tuple(
        dict.fromkeys([*decision.remark_codes, *(code for each in decision.lines for code in each.remark_codes)])
    )
    category = category_of(reasons, remarks)
    filing = timedelta(days=payer.timely_filing_days)
    taken = Money.total(min(each.facts.automatic, each.amount) for each in earlier)
    return DenialFacts(
        claim_id=claim.id,
        number=number,
        patient_control_number=content.patient_control_number,
        entity=content.entity,
        payer=content.payer,
        remittance_id=decision.remittance_id,
        position=decision.position,
        reasons=reasons,
        remark_codes=remarks,
        category=category,
        queue=queue_of(category, reasons),
        automatic=max(_automatic(reasons, given_up(payer, content.plan)) - taken, Money.zero()),
        denied_on=decision.effective_date,
        appeal_by=decision.effective_date + timedelta(days=payer.appeal_days),
        file_by=content.service_to + filing if filing else None,
    )


def given_up(payer: Payer, plan: str) -> tuple[str, ...]:
    """The CARCs for which a payer's denials in a plan are written off without a person."""
    return (*payer.denial_write_off_reasons, *payer.denial_write_off_reasons_by_plan.get(plan, ()))


def _automatic(reasons: Iterable[DenialReason], carcs: Collection[str]) -> Money:
    """What the allow-list gives up; what the payer took off on its own initiative (PI) is never among it."""
    return Money.total(
        each.amount for each in reasons if each.group is AdjustmentGroup.CONTRACTUAL and each.reason in carcs
    )
