"""One denial: what a payer would not pay, worked until it is recovered or given up."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event, Refusal

from claims.domain.denial_facts import (
    STATE_AFTER,
    DenialAction,
    DenialClock,
    DenialFacts,
    DenialOutcome,
    DenialState,
    outcome_of,
)

DENIED_NO_MORE = ("the payer denies it no more", "rule:denied-no-more")
"""Why, and by whom, a write-off is taken back."""


class DenialClosed(Refusal):
    """Nothing of the denial is at risk, so that there is nothing to do about it."""


class NotAppealed(Refusal):
    """The payer can uphold only what was appealed."""


class WriteOffBeyondRisk(Refusal):
    """A write-off is above zero and at most what is at risk."""


class NoWriteOffRequested(Refusal):
    """There is no request to decide on."""


class OtherAmountRequested(Refusal):
    """Whoever approves says how much; it must be what was asked for, which may have changed since they saw it."""


class OwnRequest(Refusal):
    """Whoever asks for a write-off cannot approve it."""


class Denial(Aggregate):
    """`amount == at_risk + recovered + written_off`, always; `recovered` is what the payer denies no more."""

    facts: DenialFacts

    def start(self) -> None:
        self.state = DenialState.OPEN
        self.amount = Money.zero()
        self.at_risk = Money.zero()
        self.recovered = Money.zero()
        self.written_off = Money.zero()
        self.owner = ""
        self.requested = Money.zero()
        self.request_reason = ""
        self.requested_by = ""
        self.warned: frozenset[DenialClock] = frozenset()

    class Opened(Event):
        TOPIC = "claims.denial.opened"
        facts: DenialFacts
        amount: Money

        def apply(self, denial: Denial) -> None:
            denial.facts = self.facts
            denial.amount = denial.at_risk = self.amount

    class Resettled(Event):
        """A later decision of the payer moved it; a request for more than is at risk now has lapsed."""

        TOPIC = "claims.denial.resettled"
        at_risk: Money
        recovered: Money
        state: DenialState
        outcome: DenialOutcome

        def apply(self, denial: Denial) -> None:
            denial.at_risk = self.at_risk
            denial.recovered = self.recovered
            denial.state = self.state
            if denial.state is not DenialState.AWAITING_APPROVAL:
                denial.requested = Money.zero()

    class Assigned(Event):
        TOPIC = "claims.denial.assigned"
        owner: Public[str]
        queue: Public[str]
        state: DenialState

        def apply(self, denial: Denial) -> None:
            denial.owner = self.owner
            denial.state = self.state

    class ActedOn(Event):
        """`note` is the person's own words, without names of patients; `reference` a number of the payer or of ours."""

        TOPIC = "claims.denial.acted-on"
        action: DenialAction
        note: Public[str]
        reference: Financial[str]
        state: DenialState

        def apply(self, denial: Denial) -> None:
            denial.state = self.state

    class WriteOffRequested(Event):
        TOPIC = "claims.denial.write-off-requested"
        amount: Money
        reason: Public[str]
        requested_by: Public[str]

        def apply(self, denial: Denial) -> None:
            denial.requested = self.amount
            denial.request_reason = self.reason
            denial.requested_by = self.requested_by
            denial.state = DenialState.AWAITING_APPROVAL

    class WriteOffTurnedDown(Event):
        TOPIC = "claims.denial.write-off-turned-down"
        turned_down_by: Public[str]
        reason: Public[str]

        def apply(self, denial: Denial) -> None:
            denial.requested = Money.zero()
            denial.state = DenialState.IN_WORK

    class WrittenOff(Event):
        """`change` was given up, or taken back below zero; the other amounts are what they are now."""

        TOPIC = "claims.denial.written-off"
        change: Money
        at_risk: Money
        recovered: Money
        written_off: Money
        reason: Public[str]
        approved_by: Public[str]
        state: DenialState
        outcome: DenialOutcome

        def apply(self, denial: Denial) -> None:
            denial.at_risk = self.at_risk
            denial.recovered = self.recovered
            denial.written_off = self.written_off
            denial.state = self.state
            denial.requested = Money.zero()

    class DeadlineNear(Event):
        TOPIC = "claims.denial.deadline-near"
        clock: DenialClock
        deadline: Financial[date]

        def apply(self, denial: Denial) -> None:
            denial.warned = denial.warned | {self.clock}

    def open(self, facts: DenialFacts, amount: Money) -> None:
        assert not self.exists, "a denial is opened once"
        assert amount.minor > 0, "what is denied is above zero"
        self.trigger_event(self.Opened, facts=facts, amount=amount)

    def resettle(self, denied: Money) -> Money:
        """So much of it is denied now. What was written off beyond that, which the payer denies no more, is taken back.

        Returns:
            The change of what is written off: zero, or below.
        """
        assert Money.zero() <= denied <= self.amount, "no more than was first denied"
        if denied < self.written_off:
            change = denied - self.written_off
            self._write_off(change, denied, *DENIED_NO_MORE)
            return change
        at_risk = denied - self.written_off
        if at_risk != self.at_risk:
            recovered = self.amount - denied
            outcome = outcome_of(at_risk, recovered, self.written_off)
            state = self._state_with(at_risk)
            self.trigger_event(self.Resettled, at_risk=at_risk, recovered=recovered, state=state, outcome=outcome)
        return Money.zero()

    def assign(self, owner: str, queue: str) -> None:
        """Raises DenialClosed."""
        self._refuse_closed()
        state = DenialState.IN_WORK if self.state is DenialState.OPEN else self.state
        self.trigger_event(self.Assigned, owner=owner, queue=queue or self.facts.queue, state=state)

    def act(self, action: DenialAction, note: str, reference: str) -> None:
        """Raises DenialClosed, NotAppealed."""
        self._refuse_closed()
        if action is DenialAction.UPHELD and self.state is not DenialState.APPEALED:
            raise NotAppealed(f"denial {self.id} is {self.state}")
        waits = self.state is DenialState.AWAITING_APPROVAL
        state = self.state if waits else STATE_AFTER[action]
        self.trigger_event(self.ActedOn, action=action, note=note, reference=reference, state=state)

    def request_write_off(self, amount: Money, reason: str, by: str) -> None:
        """Raises DenialClosed, WriteOffBeyondRisk."""
        self._refuse_closed()
        self._refuse_beyond_risk(amount)
        self.trigger_event(self.WriteOffRequested, amount=amount, reason=reason, requested_by=by)

    def approve_write_off(self, amount: Money, by: str) -> None:
        """
        Raises:
            NoWriteOffRequested, OwnRequest, OtherAmountRequested: see there.
        """
        self._refuse_own_request(by)
        if amount != self.requested:
            raise OtherAmountRequested(f"denial {self.id}: {amount} approved, {self.requested} asked for")
        self._write_off(amount, self.amount - self.recovered, self.request_reason, by)

    def turn_write_off_down(self, by: str, reason: str) -> None:
        """Raises NoWriteOffRequested; whoever asked may take the request back."""
        if not self.requested:
            raise NoWriteOffRequested(f"denial {self.id} is {self.state}")
        self.trigger_event(self.WriteOffTurnedDown, turned_down_by=by, reason=reason)

    def write_off_by_rule(self, reason: str, rule: str) -> Money:
        """Gives up what the payer's allow-list gives up of it; how much that is now."""
        wanted = min(self.facts.automatic - self.written_off, self.at_risk)
        if wanted.minor <= 0:
            return Money.zero()
        self._write_off(wanted, self.amount - self.recovered, reason, rule)
        return wanted

    def warn(self, clock: DenialClock, deadline: date) -> bool:
        """Whether the warning is new."""
        if not self.at_risk or clock in self.warned:
            return False
        self.trigger_event(self.DeadlineNear, clock=clock, deadline=deadline)
        return True

    def _write_off(self, change: Money, denied: Money, reason: str, approved_by: str) -> None:
        written_off = self.written_off + change
        at_risk, recovered = denied - written_off, self.amount - denied
        self.trigger_event(
            self.WrittenOff,
            change=change,
            at_risk=at_risk,
            recovered=recovered,
            written_off=written_off,
            reason=reason,
            approved_by=approved_by,
            state=DenialState.IN_WORK if at_risk else DenialState.CLOSED,
            outcome=outcome_of(at_risk, recovered, written_off),
        )

    def _state_with(self, at_risk: Money) -> DenialState:
        if not at_risk:
            return DenialState.CLOSED
        lapsed = self.state is DenialState.AWAITING_APPROVAL and at_risk < self.requested
        if self.state is DenialState.CLOSED:
            return DenialState.OPEN
        return DenialState.IN_WORK if lapsed else self.state

    def _refuse_closed(self) -> None:
        if not self.at_risk:
            raise DenialClosed(f"denial {self.id}: nothing of it is at risk")

    def _refuse_beyond_risk(self, amount: Money) -> None:
        if not Money.zero(amount.currency) < amount <= self.at_risk:
            raise WriteOffBeyondRisk(f"denial {self.id}: {amount} asked for, {self.at_risk} at risk")

    def _refuse_own_request(self, by: str) -> None:
        if not self.requested:
            raise NoWriteOffRequested(f"denial {self.id} is {self.state}")
        if by == self.requested_by:
            raise OwnRequest(f"denial {self.id}: {by} asked for it, another person approves it")


def denial_id_of(claim_id: UUID, number: int) -> UUID:
    return derive("denial", claim_id, number)
