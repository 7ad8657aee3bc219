"""Every ERP keeps the same promises: the fake, the file adapter, Tryton, and the adapters whose ERP is simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from canonical.codes import Dimension
from ledger_adapter.adapters.tryton import TrytonConnection, TrytonErp
from ledger_adapter.application.ports import PeriodState
from sandbox.servers.postgres import PostgresServer
from sandbox.servers.tryton import TrytonServer
from sandbox.servers.tryton_plan import AnalyticDimension, PayerParty, TrytonPlan
from sandbox.world.erp_proxy import ErpProxy
from sandbox.world.misbehaviour import Fault

from .erp_contract import CONTRACT, VALUES, ErpUnderTest, Trouble, books_every_document_once_through
from .erps_under_test import QUICK, sample_books

Promise = Callable[[ErpUnderTest], None]
BOOKING = "account.move/book"
TRYTON_ROOTS = {dimension: dimension.value.upper().replace("_", "-") for dimension in Dimension}
TRYTON_TROUBLES = {
    Trouble.ANSWER_LOST: Fault.TIMEOUT_AFTER_WORK,
    Trouble.ERROR_BEFORE_WORK: Fault.SERVER_ERROR,
}
TROUBLED = [(name, trouble) for name, candidate in QUICK.items() for trouble in sorted(candidate.troubles)]


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_every_erp_keeps_the_promise(promise: Promise, name: str, tmp_path: Path) -> None:
    with QUICK[name].open(tmp_path) as subject:
        promise(subject)


@pytest.mark.parametrize(("name", "trouble"), TROUBLED, ids=lambda word: str(getattr(word, "name", word)))
def test_every_document_is_booked_once_through_every_trouble(name: str, trouble: Trouble, tmp_path: Path) -> None:
    with QUICK[name].open(tmp_path) as subject:
        books_every_document_once_through(subject, trouble)


@pytest.fixture(scope="module")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    plan = TrytonPlan(
        payers=(PayerParty("ACME", "Acme Health Plan"), PayerParty("MEDICARE", "Medicare of Ohio")),
        dimensions=tuple(AnalyticDimension(root, (VALUES[each], "OTHER")) for each, root in TRYTON_ROOTS.items()),
    )
    with (
        PostgresServer(tmp_path_factory.mktemp("postgres")) as postgres,
        TrytonServer(tmp_path_factory.mktemp("tryton"), postgres, plan=plan) as running,
    ):
        yield running


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_tryton_keeps_the_promise(promise: Promise, tryton: TrytonServer) -> None:
    erp = TrytonErp("tryton", TrytonConnection.read(tryton.info_file), sample_books(TRYTON_ROOTS))

    def close_period(entity: str, day: date) -> None:
        if not any(each.holds(day) and each.state is PeriodState.OPEN for each in erp.periods(entity)):
            return
        company = tryton.info.entities[entity].company_id
        period: Any = erp._period(company, day)
        erp._http.post(f"account.period/{period}/close", json={}).raise_for_status()

    promise(ErpUnderTest(erp, close_period))
    erp.close()


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.parametrize("trouble", TRYTON_TROUBLES, ids=lambda trouble: trouble.name)
def test_tryton_books_every_document_once_through_trouble(trouble: Trouble, tryton: TrytonServer) -> None:
    with ErpProxy(tryton.port) as proxy:
        straight = TrytonConnection.read(tryton.info_file)
        erp = TrytonErp("tryton", replace(straight, base_url=proxy.url), sample_books(TRYTON_ROOTS))
        erp.find("NORTH", [])

        def ask_for(asked: Trouble) -> None:
            proxy.misbehaviour.request(TRYTON_TROUBLES[asked], target=BOOKING)

        subject = ErpUnderTest(
            erp, lambda entity, day: None, ask_for=ask_for, is_met=lambda: not proxy.misbehaviour.open_requests
        )
        books_every_document_once_through(subject, trouble)
        erp.close()
