"""The fake, the file adapter and Tryton keep the same promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ledger_adapter.adapters.books import Books, load_books
from ledger_adapter.adapters.fake_erp import FakeErp
from ledger_adapter.adapters.file_erp import FileErp
from ledger_adapter.adapters.tryton import TrytonConnection, TrytonErp
from sandbox.servers.postgres import PostgresServer
from sandbox.servers.tryton import TrytonServer
from sandbox.servers.tryton_plan import PayerParty, TrytonPlan

from .erp_contract import CONTRACT, ErpUnderTest
from .legacy_erp import LegacyErp

SAMPLE = Path(__file__).parents[1] / "books.sample.json"


def sample_books() -> Mapping[str, Books]:
    chart = load_books(SAMPLE).charts["standard"]
    return {entity: Books(entity=entity, company=entity, journal="TL", chart=chart) for entity in ("NORTH", "SOUTH")}


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_the_fake_erp_keeps_the_promise(promise: Callable[[ErpUnderTest], None]) -> None:
    erp = FakeErp()
    promise(ErpUnderTest(erp, lambda _, day: erp.closed_months.add((day.year, day.month))))


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_the_file_erp_keeps_the_promise(promise: Callable[[ErpUnderTest], None], tmp_path: Path) -> None:
    erp = FileErp("legacy", tmp_path, sample_books())
    legacy = LegacyErp(tmp_path)
    legacy.run()
    close = lambda _, day: legacy.closed_months.add((day.year, day.month))  # noqa: E731
    for company in ("NORTH", "SOUTH"):
        (tmp_path / "balances" / f"{company}.csv").touch()
    promise(ErpUnderTest(erp, close, legacy.run))


@pytest.fixture(scope="module")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    plan = TrytonPlan(payers=(PayerParty("ACME", "Acme Health Plan"), PayerParty("MEDICARE", "Medicare of Ohio")))
    with (
        PostgresServer(tmp_path_factory.mktemp("postgres")) as postgres,
        TrytonServer(tmp_path_factory.mktemp("tryton"), postgres, plan=plan) as running,
    ):
        yield running


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_tryton_keeps_the_promise(promise: Callable[[ErpUnderTest], None], tryton: TrytonServer) -> None:
    erp = TrytonErp("tryton", TrytonConnection.read(tryton.info_file), sample_books())

    def close_period(entity: str, day: date) -> None:
        company = tryton.info.entities[entity].company_id
        period: Any = erp._period(company, day)
        erp._http.post(f"account.period/{period}/close", json={}).raise_for_status()

    promise(ErpUnderTest(erp, close_period))
    erp.close()
