"""Entities with different ERPs, and one that moves to another while everything runs: nothing upstream of the ledger notices."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from sandbox.folders import private_folder
from throughline.checker.invariants.erp_agreement import ErpMove
from throughline.stack.erp_configuration import ACCOUNTS

from tests.faults.erp_subjects import SUBJECTS, Subject
from tests.integration.state import Facts
from tests.integration.story import differences, settled_as, small_story, until
from tests.integration.suite import Bench, broken_promises

pytestmark = [pytest.mark.servers, pytest.mark.slow]

ERPS = ("tryton", "business-central", "file")
FIRST = {"NORTH": "tryton", "SOUTH": "business-central"}
THEN = {"NORTH": "tryton", "SOUTH": "file"}
STILL_OPEN = "SELECT count(*) FROM journals WHERE state <> 'confirmed'"
BOOKED = "SELECT count(*) FROM journals"


@pytest.fixture
def erps(bench: Bench, tmp_path: Path) -> Iterator[Mapping[str, Subject]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(SUBJECTS[name].open(bench, private_folder(tmp_path / name))) for name in ERPS}


def configure(path: Path, erps: Mapping[str, Subject], places: Mapping[str, str]) -> dict[str, str]:
    """Which entity's books are where; the environment of the ledger that says so."""
    books = {
        "erps": {name: subject.settings for name, subject in erps.items()},
        "charts": {"standard": {"accounts": {role.value: code for role, code in ACCOUNTS.items()}}},
        "entities": {entity: {"erp": erp, "company": entity, "chart": "standard"} for entity, erp in places.items()},
    }
    path.write_text(json.dumps(books), encoding="utf-8")
    return {"THROUGHLINE_BOOKS_PATH": str(path)}


def test_an_entity_moves_to_another_erp_and_nothing_upstream_notices(
    bench: Bench, erps: Mapping[str, Subject], undisturbed: Facts, tmp_path: Path
) -> None:
    books = tmp_path / "books.json"
    bench.start_services({"ledger": configure(books, erps, FIRST)})
    upstream = {name: process.pid for name, process in bench.running.items() if name != "ledger"}
    with small_story(bench) as story:
        story.charge()
        until(lambda: is_drained(bench), "every charge is booked")
        bench.running["ledger"].stop()
        bench.start_service("ledger", configure(books, erps, THEN))
        story.be_paid()
        story.pay_by_card()
        story.pay_out()
        assert differences(undisturbed, settled_as(bench, undisturbed)) == {}
    assert {name: process.pid for name, process in bench.running.items() if name != "ledger"} == upstream
    assert {name: entities_in(subject) for name, subject in erps.items()} == {
        "tryton": {"NORTH"},
        "business-central": {"SOUTH"},
        "file": {"SOUTH"},
    }
    export(bench.folder, tmp_path, erps)
    assert broken_promises(bench.folder) == {}


def is_drained(bench: Bench) -> bool:
    return bench.count("ledger", BOOKED) > 1 and bench.count("ledger", STILL_OPEN) == 0


def entities_in(subject: Subject) -> set[str]:
    return {move.entity for move in subject.moves()}


def export(folder: Path, into: Path, erps: Mapping[str, Subject]) -> None:
    """Each ERP writes its books for the checker, which holds all of them together to the ledger's entries (I6)."""
    paths = []
    for name, subject in erps.items():
        path = into / f"{name}-books.json"
        path.write_text(json.dumps(exported(subject)), encoding="utf-8")
        paths.append(str(path))
    evidence = folder / "checker.json"
    evidence.write_text(json.dumps(json.loads(evidence.read_text()) | {"erp_exports": paths}))


def exported(subject: Subject) -> Mapping[str, object]:
    sums: dict[str, Counter[tuple[str, str]]] = {}
    for move in subject.moves():
        sums.setdefault(move.entity, Counter()).update(move.lines)
    balances = {entity: _rows(held) for entity, held in sums.items()}
    return {"documents": list(map(_document, subject.moves())), "balances": balances}


def _document(move: ErpMove) -> Mapping[str, object]:
    told = {"document": move.document, "number": move.number, "entity": move.entity, "day": move.day}
    return {**told, "is_posted": move.is_posted, "lines": _rows(move.lines)}


def _rows(lines: Mapping[tuple[str, str], int]) -> list[list[object]]:
    return [[account, party, cents] for (account, party), cents in lines.items()]
