"""A break: two sides came apart and nothing explains it; it ends when they agree again, or when it is written off by two people."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.money import Money
from chassis.domain import Aggregate, Event, Refusal

from reconciliation.domain.findings import ControlResult, Divergence, Place, Verdict

REASON_LENGTH_MIN = 5


class BreakIsClosed(Refusal):
    """Nothing can be done with a break that has ended."""


class ReasonMissing(Refusal):
    """A later reader must be able to understand why."""


class NothingRequested(Refusal):
    """A write-off is approved after somebody else asked for it."""


class SamePerson(Refusal):
    """Who asks for a write-off does not approve it."""


class ResidualMoved(Refusal):
    """The residual is no longer what the write-off was asked for."""


class BreakState(StrEnum):
    NONE = "none"
    OPENED = "opened"
    EXPLAINED = "explained"
    RESOLVED = "resolved"
    WRITTEN_OFF = "written-off"


class Resolution(StrEnum):
    """How a break ended, or how a person judges it."""

    AGREES = "agrees"
    CORRECTED = "corrected"
    WRITTEN_OFF = "written-off"


class Break(Aggregate):
    """One per place; `occurrence` counts how often its sides came apart. `written_off` is what two people gave up so far."""

    def start(self) -> None:
        self.state = BreakState.NONE
        self.occurrence = 0
        self.residual = Money(0)
        self.divergence: Divergence | None = None
        self.written_off = Money(0)
        self.requested_by = ""
        self.requested_residual = Money(0)

    class Opened(Event):
        """`residual` is what nothing explains, ours minus theirs."""

        TOPIC = "reconciliation.break.opened"
        place: Place
        occurrence: int
        residual: Money
        first_divergence: Divergence | None
        run_id: UUID

        def apply(self, one: Break) -> None:
            one.state = BreakState.OPENED
            one.occurrence = self.occurrence
            one.residual = self.residual
            one.divergence = self.first_divergence
            one.requested_by = ""

    class Moved(Event):
        """Still apart, by another amount or at another place."""

        TOPIC = "reconciliation.break.moved"
        residual: Money
        first_divergence: Divergence | None
        run_id: UUID

        def apply(self, one: Break) -> None:
            one.state = BreakState.OPENED
            one.residual = self.residual
            one.divergence = self.first_divergence

    class Explained(Event):
        """A person says what it is; it stays until the sides agree."""

        TOPIC = "reconciliation.break.explained"
        reason: Public[str]

        def apply(self, one: Break) -> None:
            one.state = BreakState.EXPLAINED

    class Resolved(Event):
        """`run_id` is the proof that found the sides agreeing; none where a person says that the cause was corrected."""

        TOPIC = "reconciliation.break.resolved"
        how: Resolution
        reason: Public[str] = ""
        run_id: UUID | None = None

        def apply(self, one: Break) -> None:
            one.state = BreakState.RESOLVED
            one.residual = Money(0)
            one.requested_by = ""

    class WriteOffRequested(Event):
        TOPIC = "reconciliation.break.write-off-requested"
        requested_by: Public[str]
        residual: Money
        reason: Public[str]

        def apply(self, one: Break) -> None:
            one.requested_by = self.requested_by
            one.requested_residual = self.residual

    class WrittenOff(Event):
        TOPIC = "reconciliation.break.written-off"
        requested_by: Public[str]
        approved_by: Public[str]
        residual: Money
        reason: Public[str]

        def apply(self, one: Break) -> None:
            one.state = BreakState.WRITTEN_OFF
            one.written_off += self.residual
            one.residual = Money(0)
            one.requested_by = ""

    class WriteOffLapsed(Event):
        """The sides agree without what was written off."""

        TOPIC = "reconciliation.break.write-off-lapsed"
        run_id: UUID

        def apply(self, one: Break) -> None:
            one.written_off = Money(0)

    @property
    def is_open(self) -> bool:
        return self.state in (BreakState.OPENED, BreakState.EXPLAINED)

    def take(self, found: ControlResult, run_id: UUID) -> None:
        """What one proof says of this place, what was written off before included."""
        if found.verdict is Verdict.IN_MOTION:
            return
        if found.unexplained:
            self._apart(found, run_id)
            return
        if self.written_off and all(item.subject_id != self.id for item in found.items):
            self.trigger_event(self.WriteOffLapsed, run_id=run_id)
        self.vanish(run_id)

    def vanish(self, run_id: UUID) -> None:
        """Neither side has anything at this place any more."""
        if self.is_open:
            self.trigger_event(self.Resolved, how=Resolution.AGREES, run_id=run_id)

    def _apart(self, found: ControlResult, run_id: UUID) -> None:
        if not self.is_open:
            self.trigger_event(
                self.Opened,
                place=found.place,
                occurrence=self.occurrence + 1,
                residual=found.unexplained,
                first_divergence=found.first_divergence,
                run_id=run_id,
            )
        elif (found.unexplained, found.first_divergence) != (self.residual, self.divergence):
            self.trigger_event(
                self.Moved, residual=found.unexplained, first_divergence=found.first_divergence, run_id=run_id
            )

    def explain(self, reason: str) -> None:
        self._refuse_closed()
        _refuse_empty(reason)
        self.trigger_event(self.Explained, reason=reason)

    def correct(self, reason: str) -> None:
        """A person corrected the cause; the next proof opens it again where that is not so."""
        self._refuse_closed()
        _refuse_empty(reason)
        self.trigger_event(self.Resolved, how=Resolution.CORRECTED, reason=reason)

    def request_write_off(self, reason: str) -> None:
        self._refuse_closed()
        _refuse_empty(reason)
        actor = self.context.meta.actor
        self.trigger_event(self.WriteOffRequested, requested_by=actor, residual=self.residual, reason=reason)

    def write_off(self, reason: str) -> None:
        """Approves what another person asked for.

        Raises:
            NothingRequested, SamePerson, ResidualMoved: see there.
        """
        self._refuse_closed()
        _refuse_empty(reason)
        actor = self.context.meta.actor
        if not self.requested_by:
            raise NothingRequested(f"break {self.id}: nobody has asked to write it off")
        if actor == self.requested_by:
            raise SamePerson(f"break {self.id}: {actor} asked for the write-off; another person approves it")
        if self.requested_residual != self.residual:
            raise ResidualMoved(
                f"break {self.id}: asked for {self.requested_residual}, the residual is {self.residual} now; ask again"
            )
        self.trigger_event(
            self.WrittenOff,
            requested_by=self.requested_by,
            approved_by=actor,
            residual=self.residual,
            reason=reason,
        )

    def _refuse_closed(self) -> None:
        if not self.is_open:
            raise BreakIsClosed(f"break {self.id} is {self.state}")


def _refuse_empty(reason: str) -> None:
    if len(reason.strip()) < REASON_LENGTH_MIN:
        raise ReasonMissing(f"a reason of at least {REASON_LENGTH_MIN} characters is needed")
