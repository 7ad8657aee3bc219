"""What an accepted remittance does beside its claims: it moves provider balances, and may say what another one said."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import RemittanceSummary
from chassis.eventstore import Work
from chassis.exceptions import ExceptionCase, case_id_of, raise_case
from chassis.exceptions.case import CaseState

from payments.domain.provider_balance import ProviderBalance, provider_balance_id
from payments.domain.provider_items import Item, Move
from payments.domain.remittance_content import RemittanceContent, remittance_content_id

UNEXPLAINED = "UnexplainedRecoupment"
SUSPECTED_DUPLICATE = "SuspectedDuplicateRemittance"
ROUNDS_MAX = 100


def ids_touched(summary: RemittanceSummary) -> list[UUID]:
    """What is loaded to judge a remittance."""
    providers = dict.fromkeys(adjustment.provider for adjustment in summary.provider_adjustments)
    balances = [provider_balance_id(summary.payer_id, provider) for provider in providers]
    return [summary.remittance_id, remittance_content_id(summary.payer_id, summary.content_hash), *balances]


def suspect_duplicate(work: Work, summary: RemittanceSummary) -> None:
    """Tells a person, once, that the payer said the same to the cent under another trace number. It is posted still.

    A remittance without claims and adjustments says nothing that could be said twice.
    """
    if not summary.claim_count and not summary.provider_adjustments:
        return
    content = work.get_or_new(RemittanceContent, remittance_content_id(summary.payer_id, summary.content_hash))
    earlier = content.see(summary.remittance_id, summary.trace_number)
    if not earlier:
        return
    raise_case(
        work,
        summary.remittance_id,
        code=SUSPECTED_DUPLICATE,
        summary=f"trace {summary.trace_number} says what trace {earlier[0]} said: {summary.payment} for "
        f"{summary.claim_count} claims; it is posted, and its deposit will tell whether the payer paid twice",
        subject="remittance",
        subject_id=summary.remittance_id,
        entity=summary.entity,
        amount=summary.payment,
    )


def move_provider_balances(work: Work, summary: RemittanceSummary) -> None:
    """Takes each provider-level adjustment into the open items of its payer and provider."""
    for provider, moves in _moves_by_provider(summary).items():
        balance = work.get_or_new(ProviderBalance, provider_balance_id(summary.payer_id, provider))
        before = balance.pairing.unexplained
        balance.take(entity=summary.entity, payer=summary.payer_id, provider=provider, moves=moves)
        _tell_unexplained(work, summary, before, balance.pairing.unexplained)


def _moves_by_provider(summary: RemittanceSummary) -> dict[str, list[Move]]:
    found: dict[str, list[Move]] = {}
    for ordinal, adjustment in enumerate(summary.provider_adjustments):
        move = Move(
            remittance_id=summary.remittance_id,
            adjustment=ordinal,
            reason=adjustment.reason,
            reference=adjustment.reference,
            amount=adjustment.amount,
            effective_date=summary.effective_date,
        )
        found.setdefault(adjustment.provider, []).append(move)
    return found


def _tell_unexplained(
    work: Work, summary: RemittanceSummary, before: Mapping[UUID, Item], after: Mapping[UUID, Item]
) -> None:
    """Opens a case for what is newly unexplained, and ends that of what an item explains by now.

    A remittance that comes late may explain what was not, or take the item that explained another: so a recoupment may
    have its case more than once.
    """
    for identity in dict.fromkeys((*before, *after)):
        was = before[identity].open_amount if identity in before else Money(0)
        now = after[identity].open_amount if identity in after else Money(0)
        if was == now:
            continue
        cause = _cause_of_next_case(work, identity)
        if now:
            _raise_unexplained(work, summary, after[identity], cause)


def _cause_of_next_case(work: Work, identity: UUID) -> UUID:
    """Ends the open case of a recoupment, if there is one; the cause under which the next one is raised."""
    for number in range(1, ROUNDS_MAX):
        cause = derive("unexplained-recoupment", identity, number)
        case = work.get(ExceptionCase, case_id_of(cause, UNEXPLAINED))
        if case is None:
            return cause
        if case.is_open:
            case.end(CaseState.CORRECTED, "another remittance of the payer changed what explains it")
    return derive("unexplained-recoupment", identity, ROUNDS_MAX)


def _raise_unexplained(work: Work, summary: RemittanceSummary, item: Item, cause: UUID) -> None:
    move = item.opened_by
    raise_case(
        work,
        cause,
        code=UNEXPLAINED,
        summary=f"{summary.payer_id} took {item.open_amount} on {move.effective_date} by PLB {move.reason}, adjustment "
        f"{move.adjustment + 1} of its remittance: nothing open explains it",
        subject="remittance",
        subject_id=move.remittance_id,
        entity=summary.entity,
        amount=item.open_amount,
    )
