"""The books configuration: one account for each role, one role for each account, and no way to say PHI to an ERP."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from canonical.codes import AccountRole
from canonical.money import Money
from ledger_adapter.adapters.books import ConfiguredErps, ErpSettings, UnknownErpKind, load_books
from ledger_adapter.adapters.fake_erp import FakeErp
from ledger_adapter.application.ports import ErpJournal, ErpLine, UnknownEntity
from ledger_adapter.main import ADAPTERS
from pydantic import ValidationError

SAMPLE = Path(__file__).parents[1] / "books.sample.json"


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "books.json"
    path.write_text(json.dumps(json.loads(SAMPLE.read_text()) | changes))
    return path


def test_the_sample_is_valid_and_its_paths_stand_beside_it() -> None:
    configuration = load_books(SAMPLE)
    assert configuration.erps["tryton"].connection_file == SAMPLE.parent / "tryton-info.json"
    assert set(configuration.charts["standard"].accounts) == set(AccountRole)


def test_a_role_without_an_account_is_refused(tmp_path: Path) -> None:
    accounts = json.loads(SAMPLE.read_text())["charts"]["standard"]["accounts"]
    del accounts["cash"]
    with pytest.raises(ValidationError, match="no account for: cash"):
        load_books(written(tmp_path, charts={"standard": {"accounts": accounts}}))


def test_two_roles_on_one_account_are_refused(tmp_path: Path) -> None:
    accounts = json.loads(SAMPLE.read_text())["charts"]["standard"]["accounts"]
    accounts["cash"] = accounts["eft-clearing"]
    with pytest.raises(ValidationError, match="share one account code"):
        load_books(written(tmp_path, charts={"standard": {"accounts": accounts}}))


def test_one_entity_may_place_what_is_given_up_among_expenses_and_another_against_revenue(tmp_path: Path) -> None:
    sample = json.loads(SAMPLE.read_text())
    standard = sample["charts"]["standard"]
    expenses = {"charity-care": "6300", "price-concession": "6310", "bad-debt": "6320"}
    against = {"charity-care": "4300", "price-concession": "4310", "bad-debt": "4320"}
    charts = {
        name: standard | {"accounts": standard["accounts"] | placed}
        for name, placed in (("expenses", expenses), ("against", against))
    }
    entities = {
        entity: sample["entities"]["NORTH"] | {"chart": chart, "erp": "fake"}
        for entity, chart in (("NORTH", "expenses"), ("SOUTH", "against"))
    }
    path = written(tmp_path, erps={"fake": {"kind": "fake"}}, charts=charts, entities=entities)
    erps = ConfiguredErps(load_books(path), {"fake": lambda name, settings, books: FakeErp(name)})
    for role in map(AccountRole, expenses):
        assert erps.account_code("NORTH", role) == expenses[role.value]
        assert erps.account_code("SOUTH", role) == against[role.value]


def test_an_entity_at_an_unknown_erp_is_refused(tmp_path: Path) -> None:
    entities = {"NORTH": {"erp": "nowhere", "company": "NORTH", "chart": "standard"}}
    with pytest.raises(ValidationError, match="nowhere"):
        load_books(written(tmp_path, entities=entities))


def test_each_entity_is_kept_by_the_erp_that_the_file_says(tmp_path: Path) -> None:
    entities = {
        "NORTH": {"erp": "tryton", "company": "NORTH", "chart": "standard"},
        "SOUTH": {"erp": "legacy", "company": "S-1", "chart": "standard"},
    }
    seen: dict[str, list[str]] = {}

    def build(name: str, settings: object, books: Any) -> FakeErp:
        seen[name] = [f"{entity}={of.company}" for entity, of in books.items()]
        return FakeErp(name)

    erps = ConfiguredErps(load_books(written(tmp_path, entities=entities)), {"tryton": build, "file": build})
    assert seen == {"tryton": ["NORTH=NORTH"], "legacy": ["SOUTH=S-1"]}
    assert erps.of("SOUTH").name == "legacy"
    with pytest.raises(UnknownEntity, match="WEST"):
        erps.of("WEST")


def test_an_erp_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownErpKind, match="file"):
        ConfiguredErps(load_books(SAMPLE), {"tryton": lambda name, settings, books: FakeErp(name)})


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("ar-documents", "mode 'ar-documents' .* is not built yet; use 'gl-summary'"),
        (["gl-summary", "ar-documents"], "one of gl-summary"),
        ("both", "mode 'both': one of gl-summary"),
    ],
)
def test_books_of_another_mode_than_sums_are_refused_by_name(tmp_path: Path, mode: object, reason: str) -> None:
    books: dict[str, object] = {"erp": "tryton", "company": "NORTH", "chart": "standard", "mode": "gl-summary"}
    assert load_books(written(tmp_path, entities={"NORTH": books})).entities["NORTH"].mode == "gl-summary"
    with pytest.raises(ValidationError, match=reason):
        load_books(written(tmp_path, entities={"NORTH": books | {"mode": mode}}))


@pytest.mark.parametrize("kind", ["tryton", "netsuite", "business-central"])
def test_an_erp_that_is_called_needs_a_connection_file(kind: str) -> None:
    settings = ErpSettings(kind=kind)
    with pytest.raises(ValueError, match=f"ERP main: a {kind} needs a connection_file"):
        ADAPTERS[kind]("main", settings, {})


LINES = (
    {"account": "cash", "amount": "1.00 USD"},
    {"account": "eft-clearing", "amount": "-1.00 USD"},
)


@pytest.mark.parametrize(
    "change",
    [
        {"description": "John Doe"},
        {"number": "John Doe"},
        {"number": "TL1\n"},
        {"entity": "NORTH; John"},
        {"lines": [LINES[0] | {"party": "John Doe"}, LINES[1]]},
        {"lines": [LINES[0] | {"memo": "x"}, LINES[1]]},
        {"lines": LINES[:1]},
    ],
)
def test_a_document_for_the_erp_cannot_hold_free_text(change: dict[str, Any]) -> None:
    content = {"number": "TL1", "entity": "NORTH", "effective_date": date(2026, 3, 2), "lines": LINES}
    assert ErpJournal.model_validate(content).lines[0] == ErpLine(account=AccountRole.CASH, amount=Money(100))
    with pytest.raises(ValidationError):
        ErpJournal.model_validate(content | change)
