"""Cash of patients that should go back to them: it has paid nothing for long, and nothing is owed or expected on its account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from canonical.money import Money
from chassis.eventstore import EventStore, Work

from payments.application.statements import statement
from payments.application.sweeps import context_for
from payments.application.unapplied_cash import Unapplied, Why, unapplied_cash
from payments.domain.cash_spread import NOTHING
from payments.domain.payment import Payment

LOOKED_AT_MAX = 500


@dataclass(frozen=True, slots=True)
class RefundProposal:
    """What of a payment should be refunded, and for how many days it has paid nothing. A person asks for the refund."""

    payment_id: UUID
    account_id: UUID
    entity: str
    amount: Money
    age_days: int


def propose_refunds(
    store: EventStore, entity: str, now: datetime, *, older_than_days: int, limit: int = 100
) -> list[RefundProposal]:
    """The oldest first, of the 500 oldest amounts; none of an account whose other insurance has not answered yet.

    No more than the payment can give back: what was moved to another account is refunded from its own payment.
    """
    listed = unapplied_cash(store, entity, None, LOOKED_AT_MAX, only_unclaimed=False).found
    today = now.date()
    old = [each for each in listed if each.why is Why.NOTHING_OWED and (today - each.since).days >= older_than_days]
    waiting = {account_id for account_id in {each.account_id for each in old} if _waits(store, account_id, now)}
    return _refundable(store, [each for each in old if each.account_id not in waiting], today, now)[:limit]


def _waits(store: EventStore, account_id: UUID | None, now: datetime) -> bool:
    found = statement(store, account_id, now.date(), now) if account_id else None
    return found is None or any(visit.billing.waiting for visit in found.visits)


def _refundable(store: EventStore, old: Sequence[Unapplied], today: date, now: datetime) -> list[RefundProposal]:
    if not old:
        return []
    work = Work(store, context_for(old[0].payment_id, now))
    work.prefetch(each.payment_id for each in old)
    proposals = []
    for each in old:
        payment = work.get(Payment, each.payment_id)
        amount = min(each.amount, payment.refundable) if payment else NOTHING
        if amount > NOTHING and each.account_id is not None:
            age = (today - each.since).days
            proposals.append(RefundProposal(each.payment_id, each.account_id, each.entity, amount, age))
    return proposals
