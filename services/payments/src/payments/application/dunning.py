"""Where the asking of an account stands on a day, by its open visits, its plan, and the disputes of its payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from chassis.eventstore import EventStore

from payments.application.dispute_rows import DISPUTES
from payments.application.patient_rows import PAYMENTS
from payments.domain.dunning import DEFAULT_POLICY, Dunning, DunningPolicy, OpenVisit, Stop, dunning
from payments.domain.payment_plan import PlanStanding
from payments.domain.statement import Visit

READ_MAX = 1_000


def asking_of(
    store: EventStore,
    account_id: UUID,
    visits: Sequence[Visit],
    plan: PlanStanding | None,
    as_of: date,
    policy: DunningPolicy = DEFAULT_POLICY,
) -> Dunning:
    """The step of an account. A dispute that nobody has decided yet, or a plan that is kept, stops the asking for all of it;
    an insurance that has not answered stops it for its visit."""
    whole = set()
    if _is_disputed(store, account_id):
        whole.add(Stop.DISPUTE)
    if plan is not None and not plan.missed:
        whole.add(Stop.PLAN)
    return dunning([_open(visit, frozenset(whole)) for visit in visits], as_of, policy)


def _open(visit: Visit, stops: frozenset[Stop]) -> OpenVisit:
    pending = frozenset({Stop.PENDING_INSURANCE}) if visit.billing.waiting else frozenset()
    return OpenVisit(visit.open, visit.since, stops | pending)


def _is_disputed(store: EventStore, account_id: UUID) -> bool:
    payments = store.rows(PAYMENTS, {"account_id": account_id}, limit=READ_MAX)
    ids = [row["payment_id"] for row in payments]
    return bool(ids and store.rows(DISPUTES, {"payment_id": ids, "outcome": None}, limit=1))
