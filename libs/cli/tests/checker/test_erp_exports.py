"""Books that an ERP has written into a file, and books that several ERPs keep together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from throughline.checker.books.ledger import LedgerBook
from throughline.checker.evidence import Evidence
from throughline.checker.invariants.erp_agreement import ErpBooks, books_of_all, erp_agrees
from throughline.checker.invariants.secrets_kept import Canaries, Search, no_phi
from throughline.checker.reading.erp_exports import read_export

from .small_world import SmallWorld, erp_of


@pytest.fixture(scope="module")
def book() -> LedgerBook:
    return SmallWorld().read().ledger


def exported(erp: ErpBooks) -> dict[str, Any]:
    documents = [
        {
            "document": move.document,
            "number": move.number,
            "entity": move.entity,
            "day": move.day,
            "is_posted": move.is_posted,
            "lines": [[account, party, cents] for (account, party), cents in move.lines.items()],
        }
        for move in erp.moves
    ]
    balances = {
        entity: [[account, party, cents] for (account, party), cents in held.items()]
        for entity, held in erp.balances.items()
    }
    return {"documents": documents, "balances": balances}


def written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps(content))
    return path


def test_an_export_of_the_books_agrees_as_the_books_do(book: LedgerBook, tmp_path: Path) -> None:
    erp = erp_of(book)
    read = read_export(written(tmp_path, exported(erp)))
    assert read == erp
    assert erp_agrees(book, read, set()).holds


def test_an_amount_of_an_export_that_is_no_whole_number_of_cents_is_refused(book: LedgerBook, tmp_path: Path) -> None:
    content = exported(erp_of(book))
    content["documents"][0]["lines"][0][2] = 99.99
    with pytest.raises(ValueError, match="whole number of cents"):
        read_export(written(tmp_path, content))


def test_a_patients_name_in_an_export_is_found(book: LedgerBook, tmp_path: Path) -> None:
    content = exported(erp_of(book)) | {"memo": "Lindqvist-Okafor"}
    search = Search(Canaries(["Lindqvist-Okafor"]))
    read_export(written(tmp_path, content), search)
    assert not no_phi(search, 1, {}).holds


def halves(erp: ErpBooks) -> list[ErpBooks]:
    """An entity that has moved from one ERP to another: each holds some of its documents, and balances of those."""
    parts = []
    for moves in (erp.moves[:1], erp.moves[1:]):
        balances: dict[str, dict[tuple[str, str], int]] = {}
        for move in moves:
            sums = balances.setdefault(move.entity, {})
            for place, amount in move.lines.items():
                sums[place] = sums.get(place, 0) + amount
        parts.append(replace(erp, moves=moves, balances=balances))
    return parts


def test_books_that_two_erps_keep_agree_together_and_not_alone(book: LedgerBook) -> None:
    first, second = halves(erp_of(book))
    assert erp_agrees(book, books_of_all([first, second]), set()).holds
    assert erp_agrees(book, books_of_all([second]), set()).holds is False


def test_a_document_in_both_erps_is_there_twice(book: LedgerBook) -> None:
    first, second = halves(erp_of(book))
    told = erp_agrees(book, books_of_all([first, second, replace(first, balances={})]), set())
    assert any("2 documents at the ERP" in failure for failure in told.failures)


def test_evidence_without_a_tryton_has_an_erp_where_there_is_an_export() -> None:
    login = {"url": "", "user": "", "password": "", "inbox_prefix": ""}
    stores = {name: {"dsn": name} for name in ("intake", "claims", "payments", "ledger")}
    content = {"stores": stores, "nats": login, "nats_monitoring": ""}
    assert not Evidence.of(content).has_erp
    assert Evidence.of({**content, "erp_exports": ["books.json"]}).erp_exports == (Path("books.json"),)
    assert Evidence.of({**content, "erp_exports": ["books.json"]}).has_erp
