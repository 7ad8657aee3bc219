"""Bills what was held for codes that master data knows by now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from uuid import UUID

from canonical.ids import derive
from canonical.master_data import MasterData
from canonical.money import Money
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.keys import Sealer

from intake.application.billing import bill
from intake.application.envelopes import Envelopes
from intake.application.held_codes import HELD_FOR_CODES, UNMAPPED_CODES, codes_in, open_code, settle_code
from intake.application.ports import MasterDataSource
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import EncounterState
from intake.domain.unmapped_code import SourceCode

RELEASED_PER_BATCH = 100
CODES_PER_RUN_MAX = 1000
MAPPED = "master data knows the code now"


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

    def run(self) -> int:
        """How many encounters were moved and work items ended or opened."""
        waiting = self._store.sums(HELD_FOR_CODES, ("amount_minor",), ("code_id", "source", "kind", "code", "day"), {})
        opened = self._store.rows(UNMAPPED_CODES, {"is_open": True}, order=("met_at",), limit=CODES_PER_RUN_MAX)
        if not waiting and not opened:
            return 0
        content = self._master_data()
        codes = [_code_of(row) for row in waiting]
        moved = sum(self._release(code, content) for code in codes if code.is_known(content))
        return moved + self._settle(
            {code.code_id: code for code in codes}, [_identity(row["code_id"]) for row in opened]
        )

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


def _code_of(row: Row) -> SourceCode:
    day = row["day"]
    assert isinstance(day, date)
    return SourceCode(source=str(row["source"]), kind=str(row["kind"]), code=str(row["code"]), day=day)


def _identity(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value
