"""Many intents sent to one ERP by the real service, which is killed again and again while the ERP misbehaves; then the books are compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any

from chassis.eventstore import Work, transact
from chassis.eventstore.postgres import PostgresEventStore
from ledger_adapter.application.drafting import context_for
from ledger_adapter.main import SHAPE
from sandbox.folders import private_folder
from throughline.stack.erp_configuration import ACCOUNTS

from tests.faults.erp_intents import ENTITIES, Intent, Verdict, compare
from tests.faults.erp_subjects import SPARED_MAX, Candidate, Subject, Trouble
from tests.integration.forking import DidNotStart, ForkedService
from tests.integration.story import NeverCame, until
from tests.integration.suite import Bench

LEDGER = "ledger"
STEPS = ("before-erp", "after-erp", "before-commit", "after-commit")
STRIKE_SECONDS_MAX = 15.0
END_SECONDS_MAX = 900.0
OPEN = "SELECT count(*) FROM journals WHERE state <> 'confirmed'"
UNCERTAIN = "SELECT count(*) FROM journals WHERE state = 'uncertain'"


class Death(Enum):
    """When the service is killed beside any moment at all: at a step of its own, or while the ERP works for it."""

    AT_A_STEP = "at a step"
    AT_WORK = "at work"


DEATHS = (Death.AT_A_STEP, Death.AT_A_STEP, Death.AT_WORK)
SHARE_OF_DEATHS = 0.3


@dataclass
class Storm:
    """One ERP under fire. Each portion of intents meets one strike, drawn by `seed`."""

    bench: Bench
    candidate: Candidate
    intents: int
    portions: int
    seed: int
    killed: int = 0

    def run(self) -> Verdict:
        """Ends when every entry is confirmed, or when that does not come."""
        self.bench.renew()
        folder = private_folder(self.bench.folder / f"storm-{self.seed}-{self.candidate.title.split()[0].strip(',')}")
        with self.candidate.open(self.bench, folder) as subject, self._store() as store:
            environment = books_of(folder, subject)
            try:
                self._play(subject, store, environment, folder)
            finally:
                self.bench.kill_services()
            return self._judged(subject)

    def _store(self) -> PostgresEventStore:
        dsn = self.bench.database(LEDGER).app_dsn
        return PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables)

    def _play(self, subject: Subject, store: PostgresEventStore, environment: dict[str, str], folder: Path) -> None:
        dice = Random(self.seed)
        self.bench.start_service(LEDGER, environment)
        for ordinal, portion in enumerate(self._portioned()):
            is_death = dice.random() < SHARE_OF_DEATHS or not subject.troubles
            strike = dice.choice(DEATHS if is_death else subject.troubles)
            if isinstance(strike, Trouble) or (strike is Death.AT_WORK and subject.troubles):
                _ask(subject, strike if isinstance(strike, Trouble) else subject.troubles[0], dice)
                intend(store, portion)
                _within(lambda: not subject.misbehaviour.open_requests)
                if strike is Death.AT_WORK:
                    self._restart(environment)
            else:
                step = f"{LEDGER}:{dice.choice(STEPS)}:{dice.randint(1, 3)}"
                self._die_at(
                    environment | {"CRASH_AT": step, "CRASH_MARK": str(folder / f"died-{ordinal}")}, portion, store
                )
                self._restart(environment)
        _within(lambda: self.bench.count(LEDGER, OPEN) == 0, END_SECONDS_MAX)

    def _die_at(self, armed: dict[str, str], portion: Sequence[Intent], store: PostgresEventStore) -> None:
        """It may die of what an earlier process left, before it says that it is ready."""
        intend(store, portion)
        try:
            dying = self._restart(armed)
        except DidNotStart:
            return
        _within(lambda: not dying.is_running())

    def _portioned(self) -> Iterator[list[Intent]]:
        each, rest = divmod(self.intents, self.portions)
        first = 0
        for ordinal in range(self.portions):
            size = each + (ordinal < rest)
            yield [Intent(number, self.seed) for number in range(first, first + size)]
            first += size

    def _restart(self, environment: dict[str, str]) -> ForkedService:
        """`kill -9`, where it is not dead already, and a new process."""
        running = self.bench.running[LEDGER]
        if running.is_running():
            running.kill()
        running.wait_for_exit(5)
        self.killed += 1
        return self.bench.start_service(LEDGER, environment)

    def _judged(self, subject: Subject) -> Verdict:
        struck = Counter(strike.fault.value for strike in subject.misbehaviour.struck)
        verdict = Verdict(self.intents, struck, self.killed)
        intents = [intent for portion in self._portioned() for intent in portion]
        compare(intents, subject.moves(), verdict)
        verdict.twice += subject.booked_twice()
        verdict.uncertain = self.bench.count(LEDGER, UNCERTAIN)
        verdict.not_confirmed = self.bench.count(LEDGER, OPEN)
        return verdict


def intend(store: PostgresEventStore, portion: Sequence[Intent]) -> None:
    """All of them in one commit."""

    def decide(work: Work) -> None:
        for intent in portion:
            intent.intend(work)

    if portion:
        transact(store, context_for(portion[0].group_id, datetime.now(UTC)), decide)


def _ask(subject: Subject, trouble: Trouble, dice: Random) -> None:
    spared = dice.randrange(SPARED_MAX) if trouble.is_spared else 0
    subject.misbehaviour.request(
        trouble.fault, target=trouble.target, measure=trouble.measure, spared=spared, times=trouble.times
    )


def _within(happened: Any, seconds_max: float = STRIKE_SECONDS_MAX) -> bool:
    """Whether it came; what did not is told by the books in the end."""
    try:
        until(happened, "it strikes", seconds_max=seconds_max)
    except NeverCame:
        return False
    return True


def books_of(folder: Path, subject: Subject) -> dict[str, str]:
    """The books configuration that has every entity at this ERP, as the service's environment."""
    books = {
        "erps": {"subject": subject.settings},
        "charts": {"standard": {"accounts": {role.value: code for role, code in ACCOUNTS.items()}}},
        "entities": {entity: {"erp": "subject", "company": entity, "chart": "standard"} for entity in ENTITIES},
    }
    path = folder / "books.json"
    path.write_text(json.dumps(books), encoding="utf-8")
    return {"THROUGHLINE_BOOKS_PATH": str(path)}
