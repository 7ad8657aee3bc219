"""Exceptions of all services as one list, and how one of them is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from canonical.money import Money

from throughline.connection import Service
from throughline.outcome import Failure, NotFound, Unusable
from throughline.wire import as_uuid

WAITING = ("open", "assigned")
PREFIX_LENGTH_MIN = 4
CASES_MAX = 1000
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Action:
    """Something that may be done about an exception, with the command that does it and the scope that it needs."""

    name: str
    does: str
    command: str
    scope: str


@dataclass(frozen=True, slots=True)
class Case:
    """One exception of one service; the fields are those of `billing.operations.v1.Case`."""

    service: Service
    case_id: str
    state: str
    code: str
    summary: str
    subject: str
    subject_id: str
    message_id: str
    entity: str
    amount: Money | None
    owner: str
    reason: str
    actor: str
    raised_at: str
    ended_at: str
    means: str = ""
    evidence: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    due_on: str = ""
    needs_second_person: bool = False
    dismissal_by: str = ""
    dismissal_reason: str = ""

    @property
    def waits(self) -> bool:
        return self.state in WAITING

    def as_data(self) -> dict[str, object]:
        """The same fields, the amount as `"12.30 USD"` or null."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        told = {"amount": None if self.amount is None else str(self.amount), "evidence": list(self.evidence)}
        return data | told | {"actions": [asdict(action) for action in self.actions]}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which exceptions of a service: those in a state, of a code, of an owner; empty is any."""

    state: str = ""
    code: str = ""
    owner: str = ""
    limit: int = CASES_MAX


class Desk(Protocol):
    """The exceptions of the services, wherever they are."""

    def list(self, service: Service, wanted: Wanted) -> Sequence[Case]: ...

    def get(self, service: Service, case_id: str) -> Case: ...

    def retry(self, service: Service, case_id: str, reason: str) -> Case: ...

    def assign(self, service: Service, case_id: str, owner: str) -> Case: ...

    def dismiss(self, service: Service, case_id: str, reason: str) -> Case: ...


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the services answered, and which of them did not."""

    cases: tuple[Case, ...]
    unreachable: tuple[tuple[Service, str], ...]


def gather(desk: Desk, services: Sequence[Service], states: Sequence[str], wanted: Wanted) -> Gathered:
    """The exceptions of these services, the newest first; a service that does not answer does not hide the others."""

    def ask(service: Service) -> list[Case]:
        return [case for state in states for case in desk.list(service, replace(wanted, state=state))]

    answers = _of_each(services, ask)
    found = [case for _, answer in answers if not isinstance(answer, Failure) for case in answer]
    down = tuple((service, answer.message) for service, answer in answers if isinstance(answer, Failure))
    found.sort(key=lambda case: (case.raised_at, case.case_id), reverse=True)
    return Gathered(tuple(found[: wanted.limit]), down)


def find(desk: Desk, services: Sequence[Service], wanted: str) -> Case:
    """The exception with this id, or the only one whose id begins like this.

    Raises:
        NotFound: there is none.
        Unusable: neither an id nor a long enough beginning of one, or more than one begins so.
        Unreachable: nothing was found, and a service did not answer.
    """
    if as_uuid(wanted) is not None:
        answers = _of_each(services, lambda service: [desk.get(service, wanted)])
    elif len(wanted) >= PREFIX_LENGTH_MIN:
        answers = _of_each(services, lambda service: _beginning(desk.list(service, Wanted()), wanted))
    else:
        raise Unusable(f"{wanted!r} is neither the id of an exception nor its first {PREFIX_LENGTH_MIN} characters")
    found = [case for _, answer in answers if not isinstance(answer, Failure) for case in answer]
    if len(found) > 1:
        raise Unusable(f"{len(found)} exceptions begin with {wanted}: {', '.join(case.case_id for case in found)}")
    if found:
        return found[0]
    for _, answer in answers:
        if isinstance(answer, Failure) and not isinstance(answer, NotFound):
            raise answer
    raise NotFound(f"no exception {wanted}")


def age(raised_at: str, now: datetime) -> str:
    """How long ago, in the largest unit that says something: `40s`, `5m`, `3h`, `12d`."""
    try:
        passed = max(now - datetime.fromisoformat(raised_at), timedelta())
    except (TypeError, ValueError):
        return ""
    seconds = int(passed.total_seconds())
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _beginning(cases: Iterable[Case], wanted: str) -> list[Case]:
    return [case for case in cases if case.case_id.startswith(wanted.lower())]


def _of_each(services: Sequence[Service], ask: Callable[[Service], _Found]) -> list[tuple[Service, _Found | Failure]]:
    def told(service: Service) -> tuple[Service, _Found | Failure]:
        try:
            return service, ask(service)
        except Failure as failure:
            return service, failure

    with ThreadPoolExecutor(max_workers=max(len(services), 1)) as pool:
        return list(pool.map(told, services))
