"""Where the asking of an account stands on a day: by its open visits, what was sent, its plan, and what stops the asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from canonical.master_data import DunningStepRow
from chassis.eventstore import EventStore

from payments.application.asking_rows import STATEMENTS_SENT
from payments.application.dispute_rows import DISPUTES
from payments.application.patient_rows import PAYMENTS
from payments.application.row_values import instant_of
from payments.application.write_off_rows import PATIENT_WRITE_OFFS
from payments.domain.dunning import (
    DEFAULT_POLICY,
    Dunning,
    DunningPolicy,
    DunningStep,
    OpenVisit,
    PolicyStep,
    Sent,
    Stop,
    dunning,
)
from payments.domain.payment_plan import PlanStanding
from payments.domain.statement import Visit
from payments.domain.write_off import WriteOffState
from payments.domain.write_off_rules import WriteOffKind

READ_MAX = 1_000

Policies = Callable[[str, date], DunningPolicy]
"""The policy of an entity on a day."""


def default_policy(entity: str, on: date) -> DunningPolicy:
    """The one that comes with the software."""
    return DEFAULT_POLICY


def policies_in(rows: Callable[[], Sequence[DunningStepRow]]) -> Policies:
    """The policies that two people released; an entity without rows has the one that comes with the software."""

    def of(entity: str, on: date) -> DunningPolicy:
        held = [row for row in rows() if row.entity == entity and row.holds_on(on)]
        return policy_of(held) if held else DEFAULT_POLICY

    return of


def policy_of(rows: Iterable[DunningStepRow]) -> DunningPolicy:
    """The steps of an entity by their days."""
    steps = [
        PolicyStep(DunningStep(row.code), row.after_days, row.least, frozenset(map(Stop, row.stopped_by)))
        for row in rows
    ]
    return DunningPolicy(tuple(sorted(steps, key=lambda each: each.after_days)))


def asking_of(
    store: EventStore,
    account_id: UUID,
    visits: Sequence[Visit],
    plan: PlanStanding | None,
    as_of: date,
    known_at: datetime,
    policy: DunningPolicy = DEFAULT_POLICY,
) -> Dunning:
    """The step of an account. A dispute that nobody has decided yet, charity that nobody has decided, or a plan that is kept, stops
    the asking for all of it; an insurance that has not answered stops it for its visit."""
    whole = set()
    if _is_disputed(store, account_id):
        whole.add(Stop.DISPUTE)
    if _awaits_charity(store, account_id):
        whole.add(Stop.CHARITY_PENDING)
    if plan is not None and not plan.missed:
        whole.add(Stop.PLAN)
    open_visits = [_open(visit, frozenset(whole)) for visit in visits]
    return dunning(open_visits, as_of, policy, _sent(store, account_id, as_of, known_at))


def _open(visit: Visit, stops: frozenset[Stop]) -> OpenVisit:
    pending = frozenset({Stop.PENDING_INSURANCE}) if visit.billing.waiting else frozenset()
    return OpenVisit(visit.open, visit.since, stops | pending)


def _sent(store: EventStore, account_id: UUID, as_of: date, known_at: datetime) -> list[Sent]:
    """What was sent before that day: what is sent on it says by which step it asks."""
    rows = store.rows(STATEMENTS_SENT, {"account_id": account_id}, order=("-sent_on",), limit=READ_MAX)
    return [
        Sent(on, DunningStep(str(row["step"])))
        for row in rows
        if isinstance(on := row["sent_on"], date) and on < as_of and instant_of(row["recorded_at"]) <= known_at
    ]


def _is_disputed(store: EventStore, account_id: UUID) -> bool:
    payments = store.rows(PAYMENTS, {"account_id": account_id}, limit=READ_MAX)
    ids = [row["payment_id"] for row in payments]
    return bool(ids and store.rows(DISPUTES, {"payment_id": ids, "outcome": None}, limit=1))


def _awaits_charity(store: EventStore, account_id: UUID) -> bool:
    asked = {"kind": WriteOffKind.CHARITY.value, "state": WriteOffState.REQUESTED.value}
    return bool(store.rows(PATIENT_WRITE_OFFS, {"account_id": account_id, **asked}, limit=1))
