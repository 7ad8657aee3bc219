"""Encounters that wait for master data to know a code: one work item for each code, and their release by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Change, Table, Work, put, remove
from chassis.eventstore.projecting import of
from chassis.exceptions import case_id_of
from chassis.exceptions.case import CaseState, ExceptionCase, raise_case

from intake.domain.encounter import Encounter
from intake.domain.encounter_content import HoldReason
from intake.domain.unmapped_code import SourceCode, UnmappedCode

UNMAPPED_CODE = "UnmappedCode"

UNMAPPED_CODES = Table(
    "unmapped_codes",
    {
        "code_id": "uuid",
        "source": "text",
        "kind": "text",
        "code": "text",
        "is_open": "boolean",
        "met_at": "timestamptz",
    },
    key=("code_id",),
    indexes=(("is_open",),),
)
HELD_FOR_CODES = Table(
    "held_for_codes",
    {
        "code_id": "uuid",
        "day": "date",
        "encounter_id": "uuid",
        "source": "text",
        "kind": "text",
        "code": "text",
        "department": "text",
        "amount_minor": "bigint",
    },
    key=("code_id", "day", "encounter_id"),
)
HELD_TABLES = (UNMAPPED_CODES, HELD_FOR_CODES)


@of(UnmappedCode, Encounter)
def project_held_codes(event: Event) -> Iterable[Change]:
    """The rows that one stored event changes."""
    match event:
        case UnmappedCode.Met():
            said = {"source": event.code.source, "kind": event.code.kind, "code": event.code.code}
            key = {"code_id": event.originator_id, "met_at": event.timestamp}
            yield put(UNMAPPED_CODES, **key, **said, is_open=True)
        case UnmappedCode.Settled():
            yield put(UNMAPPED_CODES, code_id=event.originator_id, is_open=False)
        case Encounter.Held():
            yield from _no_longer(event.originator_id, event.cleared)
            yield from _held(event)
        case Encounter.Released() | Encounter.Cancelled() | Encounter.Reopened():
            yield from _no_longer(event.originator_id, event.cleared)


def _held(event: Encounter.Held) -> Iterator[Change]:
    for code in codes_in(event.reasons):
        yield put(
            HELD_FOR_CODES,
            code_id=code.code_id,
            day=code.day,
            encounter_id=event.originator_id,
            source=code.source,
            kind=code.kind,
            code=code.code,
            department=code.department,
            amount_minor=event.amount.minor,
        )


def _no_longer(encounter_id: UUID, codes: Iterable[SourceCode]) -> Iterator[Change]:
    for code in codes:
        yield remove(HELD_FOR_CODES, code_id=code.code_id, day=code.day, encounter_id=encounter_id)


def codes_in(reasons: Iterable[HoldReason]) -> tuple[SourceCode, ...]:
    """The codes that the reasons wait for, each once."""
    return tuple(dict.fromkeys(reason.unmapped for reason in reasons if reason.unmapped))


def meet_codes(work: Work, encounter: Encounter, codes: Sequence[SourceCode]) -> None:
    """Sees to it that each code has its work item."""
    assert encounter.facts is not None
    work.prefetch(code.code_id for code in codes)
    amount = Money.total(charge.line.amount for charge in encounter.waiting)
    for code in codes:
        open_code(work, code, encounter.facts.entity, amount)


def open_code(work: Work, code: SourceCode, entity: str, amount: Money) -> None:
    """Opens the work item of a code, where it has none."""
    unmapped = work.get_or_new(UnmappedCode, code.code_id)
    if unmapped.meet(code):
        raise_case(
            work,
            unmapped.work_item,
            code=UNMAPPED_CODE,
            summary=f"{code}; charges wait for it",
            subject="unmapped-code",
            subject_id=unmapped.id,
            entity=entity,
            amount=amount,
        )


def work_item_says(code: SourceCode, waiting: int) -> str:
    """What its case says of a code that so many encounters wait for."""
    return f"{code}; {waiting} encounters wait for it"


def restate_code(work: Work, code: SourceCode, waiting: int, amount: Money) -> bool:
    """Says in the case of a code how many encounters wait for it by now, and what they charge; whether that is news."""
    case = _case_of(work, work.require(UnmappedCode, code.code_id))
    return case is not None and case.restate(work_item_says(code, waiting), amount)


def settle_code(work: Work, code_id: UUID) -> None:
    """Ends the work item of a code that nothing waits for."""
    unmapped = work.require(UnmappedCode, code_id)
    case = _case_of(work, unmapped)
    unmapped.settle("nothing waits for it any more")
    if case is not None and case.is_open:
        case.end(CaseState.CORRECTED, "nothing waits for the code any more")


def _case_of(work: Work, unmapped: UnmappedCode) -> ExceptionCase | None:
    return work.get(ExceptionCase, case_id_of(unmapped.work_item, UNMAPPED_CODE))
