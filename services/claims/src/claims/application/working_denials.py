"""What people do about denials: assign, act, ask for a write-off, and approve what another asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import EventStore, Work, transact
from chassis.exceptions import raise_case

from claims.application.contexts import caused_by
from claims.application.denials import give_up
from claims.application.work_read_models import DENIALS, OPEN_STATES
from claims.domain.claim import Claim
from claims.domain.denial import Denial
from claims.domain.denial_facts import DenialAction, DenialClock

DEADLINE_CASE = "DenialDeadline"
WARNED_DAYS_BEFORE = 14
READ_MAX = 200


def assign_denial(work: Work, denial_id: UUID, owner: str, queue: str) -> None:
    """Raises UnknownAggregate, DenialClosed."""
    work.require(Denial, denial_id).assign(owner, queue)


def act_on_denial(work: Work, denial_id: UUID, action: DenialAction, note: str, reference: str) -> None:
    """Raises UnknownAggregate, DenialClosed, NotAppealed."""
    work.require(Denial, denial_id).act(action, note, reference)


def request_write_off(work: Work, denial_id: UUID, amount: Money | None, reason: str) -> None:
    """Asks to give up an amount, or all that is at risk.

    Raises:
        UnknownAggregate, DenialClosed, WriteOffBeyondRisk: see there.
    """
    denial = work.require(Denial, denial_id)
    denial.request_write_off(denial.at_risk if amount is None else amount, reason, work.context.meta.actor)


def approve_write_off(work: Work, denial_id: UUID, amount: Money) -> None:
    """Gives up what another person asked for, exactly so much, in the denial and in the books.

    Raises:
        UnknownAggregate, NoWriteOffRequested, OwnRequest, OtherAmountRequested: see there.
    """
    denial = work.require(Denial, denial_id)
    actor, reason = work.context.meta.actor, denial.request_reason
    denial.approve_write_off(amount, actor)
    give_up(work, work.require(Claim, denial.facts.claim_id), amount, reason, actor)


def turn_write_off_down(work: Work, denial_id: UUID, reason: str) -> None:
    """Raises UnknownAggregate, NoWriteOffRequested."""
    work.require(Denial, denial_id).turn_write_off_down(work.context.meta.actor, reason)


class DenialClocks:
    """`run` opens a case for each denial whose appeal or filing limit comes near, once for each clock."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def run(self) -> int:
        """How many deadlines were told of."""
        now = self._clock()
        horizon = now.date() + timedelta(days=WARNED_DAYS_BEFORE)
        warned = 0
        for clock, column in ((DenialClock.APPEAL, "appeal_by"), (DenialClock.TIMELY_FILING, "file_by")):
            where = {"state": OPEN_STATES, f"{column}_warned": False}
            for row in self._store.rows(DENIALS, where, order=(column,), limit=READ_MAX):
                deadline, denial_id = row[column], row["denial_id"]
                if not isinstance(deadline, date) or deadline > horizon:
                    break
                assert isinstance(denial_id, UUID)
                warned += self._warn(now, denial_id, clock, deadline)
        return warned

    def _warn(self, now: datetime, denial_id: UUID, clock: DenialClock, deadline: date) -> bool:
        def decide(work: Work) -> bool:
            denial = work.require(Denial, denial_id)
            if not denial.warn(clock, deadline):
                return False
            raise_case(
                work,
                derive("denial-deadline", denial_id, clock.value),
                code=DEADLINE_CASE,
                summary=f"{denial.facts.payer} denied {denial.at_risk}: {clock.value} ends on {deadline}",
                subject=f"claim {denial.facts.patient_control_number}",
                subject_id=denial_id,
                entity=denial.facts.entity,
                amount=denial.at_risk,
                due_on=deadline,
            )
            return True

        return transact(self._store, caused_by(now, derive("denial-clocks", denial_id, clock.value)), decide)
