"""One exception: something that was accepted and could not be done, waiting for a person."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from canonical.money import Money

from chassis.domain import Aggregate, Event, Refusal
from chassis.eventstore.projecting import of
from chassis.eventstore.tables import Change, Table, put
from chassis.eventstore.work import Work

REASON_LENGTH_MIN = 5
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}")


class CaseState(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    RETRIED = "retried"
    CORRECTED = "corrected"
    DISMISSED = "dismissed"


class CaseIsClosed(Refusal):
    """The case has ended; nothing more can be done with it."""


class ReasonMissing(Refusal):
    """Dismissing needs a reason that a later reader can understand."""


class SecondPersonNeeded(Refusal):
    """Who proposed the dismissal cannot agree to it."""


class NobodyNamed(Refusal):
    """An owner is the name or id of a person or a team."""


class ExceptionCase(Aggregate):
    """Raised, perhaps assigned, then retried, corrected or dismissed. One case per cause: raising it again changes nothing."""

    def start(self) -> None:
        self.state = CaseState.OPEN
        self.code = ""
        self.message_id: UUID | None = None
        self.subject = ""
        self.subject_id: UUID | None = None
        self.summary = ""
        self.entity = ""
        self.amount: Money | None = None
        self.dismissal_by = ""

    class Raised(Event):
        """`message_id` is the parked message that a retry would handle again, where there is one; `due_on` is a day that the
        outside set, such as the last one for evidence."""

        TOPIC = "chassis.exception-case.raised"
        code: Public[str]
        summary: Public[str]
        subject: Public[str]
        subject_id: UUID | None = None
        message_id: UUID | None = None
        entity: Public[str] = ""
        amount: Money | None = None
        due_on: Public[date] | None = None

        def apply(self, case: ExceptionCase) -> None:
            case.code = self.code
            case.message_id = self.message_id
            case.subject = self.subject
            case.subject_id = self.subject_id
            case.summary = self.summary
            case.entity = self.entity
            case.amount = self.amount

    class Restated(Event):
        """What is at stake has grown or shrunk since it was raised, or whose it is has become known: `entity` is empty else."""

        TOPIC = "chassis.exception-case.restated"
        summary: Public[str]
        amount: Money | None = None
        entity: Public[str] = ""

        def apply(self, case: ExceptionCase) -> None:
            case.summary = self.summary
            case.entity = self.entity or case.entity
            case.amount = self.amount
            case.dismissal_by = ""

    class Assigned(Event):
        """Somebody works it; a dismissal that was proposed is off."""

        TOPIC = "chassis.exception-case.assigned"
        owner: Public[str]

        def apply(self, case: ExceptionCase) -> None:
            case.state = CaseState.ASSIGNED
            case.dismissal_by = ""

    class DismissalProposed(Event):
        """Its actor says that nothing needs to be done, and somebody else has to agree."""

        TOPIC = "chassis.exception-case.dismissal-proposed"
        reason: Public[str]

        def apply(self, case: ExceptionCase) -> None:
            case.dismissal_by = self.meta.actor

    class Ended(Event):
        """`how` is retried, corrected or dismissed; `reason` is the actor's own words or the rule's, without PHI."""

        TOPIC = "chassis.exception-case.ended"
        how: CaseState
        reason: Public[str]

        def apply(self, case: ExceptionCase) -> None:
            case.state = self.how

    @property
    def is_open(self) -> bool:
        return self.exists and self.state in (CaseState.OPEN, CaseState.ASSIGNED)

    def assign(self, owner: str) -> None:
        """Gives the case to somebody, or to somebody else."""
        self._refuse_closed()
        if not _OWNER.fullmatch(owner):
            raise NobodyNamed(f"{owner[:40]!r}: an owner has 1 to 100 letters, digits and . _ : @ -")
        self.trigger_event(self.Assigned, owner=owner)

    def restate(self, summary: str, amount: Money | None, entity: str = "") -> bool:
        """Says of an open case what is at stake by now, and whose it is where that is known; whether that is news."""
        known = (self.summary, self.amount, self.entity)
        if not self.is_open or known == (summary, amount, entity or self.entity):
            return False
        self.trigger_event(self.Restated, summary=summary, amount=amount, entity=entity)
        return True

    def dismiss(self, reason: str, *, by_two: bool) -> bool:
        """Ends the case with nothing done; where two have to agree, the first only proposes it. Whether it has ended.

        Raises:
            SecondPersonNeeded: the same person has proposed it.
        """
        self._refuse_closed()
        _refuse_short(reason)
        if not by_two or self.dismissal_by not in ("", self.context.meta.actor):
            self.end(CaseState.DISMISSED, reason)
            return True
        if self.dismissal_by:
            raise SecondPersonNeeded(
                f"case {self.id}: {self.dismissal_by} proposed its dismissal, another has to agree"
            )
        self.trigger_event(self.DismissalProposed, reason=reason)
        return False

    def end(self, how: CaseState, reason: str) -> None:
        self._refuse_closed()
        if how is CaseState.DISMISSED:
            _refuse_short(reason)
        self.trigger_event(self.Ended, how=how, reason=reason)

    def _refuse_closed(self) -> None:
        if not self.is_open:
            raise CaseIsClosed(f"case {self.id} is {self.state}")


def _refuse_short(reason: str) -> None:
    if len(reason.strip()) < REASON_LENGTH_MIN:
        raise ReasonMissing(f"dismissing a case needs a reason of at least {REASON_LENGTH_MIN} characters")


def case_id_of(cause: UUID, code: str) -> UUID:
    """The id of the case of a cause, so that many can be loaded at once."""
    return derive("exception-case", cause, code)


def end_case(work: Work, cause: UUID, code: str, reason: str) -> None:
    """Ends the case of a cause as corrected, where it is still open."""
    case = work.get(ExceptionCase, case_id_of(cause, code))
    if case is not None and case.is_open:
        case.end(CaseState.CORRECTED, reason)


def raise_case(
    work: Work,
    cause: UUID,
    *,
    code: str,
    summary: str,
    subject: str,
    subject_id: UUID | None = None,
    message_id: UUID | None = None,
    entity: str = "",
    amount: Money | None = None,
    due_on: date | None = None,
) -> UUID:
    """Opens the case of a cause, once; its id follows from cause and code."""
    identity = case_id_of(cause, code)
    case = work.get_or_new(ExceptionCase, identity)
    if not case.exists:
        case.trigger_event(
            ExceptionCase.Raised,
            code=code,
            summary=summary,
            subject=subject,
            subject_id=subject_id,
            message_id=message_id,
            entity=entity,
            amount=amount,
            due_on=due_on,
        )
    return identity


CASES = Table(
    "exception_cases",
    {
        "case_id": "uuid",
        "state": "text",
        "code": "text",
        "summary": "text",
        "subject": "text",
        "subject_id": "uuid",
        "message_id": "uuid",
        "entity": "text",
        "amount_minor": "bigint",
        "owner": "text",
        "reason": "text",
        "actor": "text",
        "raised_at": "timestamptz",
        "ended_at": "timestamptz",
        "due_on": "date",
        "dismissal_by": "text",
        "dismissal_reason": "text",
    },
    key=("case_id",),
    indexes=(("state",), ("message_id",)),
)


_NOT_PROPOSED = {"dismissal_by": None, "dismissal_reason": None}


@of(ExceptionCase)
def project_cases(event: Event) -> Iterable[Change]:
    """The rows of the exception queue."""
    if isinstance(event, ExceptionCase.Raised):
        yield put(
            CASES,
            case_id=event.originator_id,
            state=CaseState.OPEN.value,
            code=event.code,
            summary=event.summary,
            subject=event.subject,
            subject_id=event.subject_id,
            message_id=event.message_id,
            entity=event.entity,
            amount_minor=event.amount.minor if event.amount else None,
            raised_at=event.timestamp,
            due_on=event.due_on,
        )
    elif isinstance(event, ExceptionCase.Restated):
        amount_minor = event.amount.minor if event.amount else None
        said = {"summary": event.summary, "amount_minor": amount_minor}
        said |= {"entity": event.entity} if event.entity else {}
        yield put(CASES, case_id=event.originator_id, **said, **_NOT_PROPOSED)
    elif isinstance(event, ExceptionCase.Assigned):
        yield put(
            CASES, case_id=event.originator_id, state=CaseState.ASSIGNED.value, owner=event.owner, **_NOT_PROPOSED
        )
    elif isinstance(event, ExceptionCase.DismissalProposed):
        proposed = {"dismissal_by": event.meta.actor, "dismissal_reason": event.reason}
        yield put(CASES, case_id=event.originator_id, **proposed)
    elif isinstance(event, ExceptionCase.Ended):
        yield put(
            CASES,
            case_id=event.originator_id,
            state=event.how.value,
            reason=event.reason,
            actor=event.meta.actor,
            ended_at=event.timestamp,
        )
