"""The ERPs that are put through the contract, each opened anew and closed again; a line of `QUICK` for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from canonical.codes import Dimension
from ledger_adapter.adapters.books import Books, Chart, load_books
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp
from ledger_adapter.adapters.file_erp import FileErp

from .erp_contract import DECEMBER, MARCH, ErpUnderTest, Trouble
from .legacy_erp import LegacyErp

SAMPLE = Path(__file__).parents[1] / "books.sample.json"
ENTITIES = ("NORTH", "SOUTH")


def sample_chart(dimensions: Mapping[Dimension, str] | None = None) -> Chart:
    """The chart of the sample configuration, keeping these dimensions under the ERP's names for them."""
    return load_books(SAMPLE).charts["standard"].model_copy(update={"dimensions": dimensions or {}})


def sample_books(dimensions: Mapping[Dimension, str] | None = None) -> Mapping[str, Books]:
    chart = sample_chart(dimensions)
    return {entity: Books(entity=entity, company=entity, journal="TL", chart=chart) for entity in ENTITIES}


_FAULTS = {
    Trouble.ANSWER_LOST: ErpFault.TIMEOUT_AFTER_WORK,
    Trouble.RESET_BEFORE_WORK: ErpFault.TIMEOUT_BEFORE_WORK,
    Trouble.RESET_WITHIN_BATCH: ErpFault.HALF_THE_BATCH,
    Trouble.SEEN_LATE: ErpFault.SEEN_LATE,
}


@contextmanager
def fake(folder: Path) -> Iterator[ErpUnderTest]:
    months = {(MARCH.year, MARCH.month), (DECEMBER.year, DECEMBER.month)}
    erp = FakeErp(told_months=months, kept_dimensions=frozenset(Dimension))
    yield ErpUnderTest(
        erp,
        lambda _, day: erp.closed_months.add((day.year, day.month)),
        ask_for=lambda trouble: erp.faults.append(_FAULTS[trouble]),
        is_met=lambda: not erp.faults,
    )


@contextmanager
def files(folder: Path) -> Iterator[ErpUnderTest]:
    erp, legacy = FileErp("legacy", folder, sample_books()), LegacyErp(folder)
    for company in ENTITIES:
        (folder / "balances" / f"{company}.csv").touch()

    def close_period(_: str, day: date) -> None:
        legacy.closed_months.add((day.year, day.month))

    yield ErpUnderTest(erp, close_period, legacy.run)


@dataclass(frozen=True)
class Candidate:
    """How an ERP is opened for one promise, in a folder of its own, and which troubles it can be asked for."""

    open: Callable[[Path], AbstractContextManager[ErpUnderTest]]
    troubles: frozenset[Trouble] = frozenset()


QUICK: Mapping[str, Candidate] = {
    "fake": Candidate(fake, frozenset(_FAULTS)),
    "file": Candidate(files),
}
