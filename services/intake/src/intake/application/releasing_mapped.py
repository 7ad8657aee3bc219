"""Bills what was held for codes that master data knows by now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from canonical.ids import derive
from canonical.master_data import MasterData
from canonical.money import Money
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions.case import CASES, CaseState
from chassis.keys import Sealer

from intake.application.billing import bill
from intake.application.envelopes import Envelopes
from intake.application.held_codes import (
    HELD_FOR_CODES,
    UNMAPPED_CODE,
    UNMAPPED_CODES,
    codes_in,
    open_code,
    restate_code,
    settle_code,
    work_item_says,
)
from intake.application.ports import MasterDataSource
from intake.application.stay_codes import is_known
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import EncounterState
from intake.domain.unmapped_code import SourceCode

RELEASED_PER_BATCH = 100
CODES_PER_RUN_MAX = 1000
RESTATED_EVERY_SECONDS = 10
MAPPED = "master data knows the code now"
_BY = ("code_id", "source", "kind", "code", "department", "day")
_Waiting = tuple[SourceCode, int, int]
"""A code, how many encounters wait for it, and what they charge in cents."""


class MappedReleasing:
    """Bills what was held for codes that master data knows by now, batch by batch, and ends their work items.

    What waits is read from the store alone, so a run may be killed anywhere and repeated at will. An encounter that waits
    for something else too is held for that alone from then on.
    """

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        sealer: Sealer,
        master_data: MasterDataSource,
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._master_data = master_data
        self._crash_point = crash_point
        self._restate_at = datetime.min.replace(tzinfo=UTC)

    def run(self) -> int:
        """How many encounters were moved and work items ended or opened."""
        waiting = self._store.sums(HELD_FOR_CODES, ("amount_minor",), _BY, {})
        opened = self._store.rows(UNMAPPED_CODES, {"is_open": True}, order=("met_at",), limit=CODES_PER_RUN_MAX)
        if not waiting and not opened:
            return 0
        content = self._master_data()
        codes = [_code_of(row) for row in waiting]
        hashing = Envelopes(self._sealer).code_hashes
        moved = sum(self._release(code, content) for code in codes if is_known(code, content, hashing))
        moved += self._settle({code.code_id: code for code in codes}, [_identity(row["code_id"]) for row in opened])
        if not moved:
            self._restate()
        return moved

    def _restate(self) -> None:
        """Brings the cases of codes up to what waits for them, now and then: charges may come in all the time."""
        now = self._clock()
        if now < self._restate_at:
            return
        self._restate_at = now + timedelta(seconds=RESTATED_EVERY_SECONDS)
        waiting = {each[0].code_id: each for each in self._waiting()}
        asked = [(row, waiting.get(_identity(row["subject_id"]))) for row in self._open_cases()]
        news = [each for row, each in asked if each and (row["summary"], row["amount_minor"]) != _says(each)]
        if news:
            context = self._context(derive("restate-codes", *(code.code_id for code, _, _ in news)))
            transact(self._store, context, lambda work: _restate_all(work, news), crash_point=self._crash_point)

    def _open_cases(self) -> Iterator[Row]:
        """What people are asked to map; a case that somebody dismissed is not among them."""
        where = {"code": UNMAPPED_CODE, "state": [CaseState.OPEN.value, CaseState.ASSIGNED.value]}
        last: Row | None = None
        while page := self._store.rows(CASES, where, order=("case_id",), limit=CODES_PER_RUN_MAX, after=last):
            yield from page
            last = page[-1]

    def _waiting(self) -> list[_Waiting]:
        """Every code that encounters wait for, how many they are, and what they charge in cents."""
        found: dict[UUID, _Waiting] = {}
        for row in self._store.sums(HELD_FOR_CODES, ("amount_minor",), _BY, {}):
            code = _code_of(row)
            _, count, minor = found.get(code.code_id, (code, 0, 0))
            found[code.code_id] = (code, count + _number(row["count"]), minor + _number(row["amount_minor"]))
        return list(found.values())

    def _release(self, code: SourceCode, content: MasterData) -> int:
        where = {"code_id": code.code_id, "day": code.day}
        rows = self._store.rows(HELD_FOR_CODES, where, order=("encounter_id",), limit=RELEASED_PER_BATCH)
        identities = [_identity(row["encounter_id"]) for row in rows]

        def decide(work: Work) -> int:
            work.prefetch(identities)
            return sum(self._clear(work, identity, code, content) for identity in identities)

        return transact(self._store, self._context(code.code_id), decide, crash_point=self._crash_point)

    def _clear(self, work: Work, encounter_id: UUID, code: SourceCode, content: MasterData) -> bool:
        encounter = work.get(Encounter, encounter_id)
        if encounter is None or encounter.state is not EncounterState.HELD:
            return False
        if code not in codes_in(encounter.reasons):
            return False
        bill(work, encounter, Envelopes(self._sealer), content, release_reason=MAPPED)
        return encounter.state is not EncounterState.HELD or code not in codes_in(encounter.reasons)

    def _settle(self, waiting: dict[UUID, SourceCode], opened: Sequence[UUID]) -> int:
        """Ends the work items for which nothing waits, and opens those that somebody waits for."""
        done = [identity for identity in opened if identity not in waiting]
        lacking = [code for identity, code in waiting.items() if identity not in opened]
        lacking = lacking if len(opened) < CODES_PER_RUN_MAX else []
        if not done and not lacking:
            return 0

        def decide(work: Work) -> int:
            still = {_identity(row["code_id"]) for row in work.store.sums(HELD_FOR_CODES, (), ("code_id",), {})}
            for identity in done:
                if identity not in still:
                    settle_code(work, identity)
            for code in lacking:
                if code.code_id in still:
                    open_code(work, code, "", Money.zero())
            return len(work.pending_events())

        return transact(
            self._store, self._context(derive("settle-codes", *done)), decide, crash_point=self._crash_point
        )

    def _context(self, cause: UUID) -> Context:
        meta = Meta(correlation_id=cause, causation_id=cause, actor="service:intake")
        return Context(self._clock(), meta)


def _restate_all(work: Work, waiting: Sequence[_Waiting]) -> int:
    work.prefetch(code.code_id for code, _, _ in waiting)
    return sum(restate_code(work, code, count, Money(minor)) for code, count, minor in waiting)


def _says(waiting: _Waiting) -> tuple[str, int]:
    """Summary and amount of its case."""
    code, count, minor = waiting
    return work_item_says(code, count), minor


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _code_of(row: Row) -> SourceCode:
    day = row["day"]
    assert isinstance(day, date)
    texts = {name: str(row[name] or "") for name in ("source", "kind", "code", "department")}
    return SourceCode(day=day, **texts)


def _identity(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value
