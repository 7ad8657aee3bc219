"""`throughline trace` over real gRPC calls, as people and as scripts read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from throughline.main import app
from typer.testing import CliRunner

from . import small_books
from .served_books import ServedBooks
from .small_books import SmallBooks, usd
from .test_trace import in_the_subledger

Serve = Callable[..., Path]


@pytest.fixture
def books() -> SmallBooks:
    return SmallBooks()


@pytest.fixture
def suite(serve: Serve, books: SmallBooks) -> Path:
    return serve(ServedBooks(books).answers())


def trace(runner: CliRunner, suite: Path, *words: str) -> tuple[int, dict[str, Any]]:
    result = runner.invoke(app, ["trace", *words, "--state", str(suite), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_an_erp_number_is_traced_as_data(runner: CliRunner, suite: Path, books: SmallBooks) -> None:
    code, data = trace(runner, suite, books.of_kind("remittance").external_number)
    assert (code, data["adds_up"], data["kind"]) == (0, True, "journal")
    (journal,) = data["journals"]
    assert (journal["erp"], journal["erp_document"], journal["erp_read"]) == ("tryton", "M-17", True)
    cash = next(line for line in journal["lines"] if line["account"] == "eft-clearing")
    assert (cash["amount"], cash["amount_at_erp"], cash["amount_of_parts"]) == ("75.00 USD",) * 3
    assert [part["amount"] for part in cash["parts"]] == ["70.00 USD", "5.00 USD"]
    place = cash["parts"][0]["origin"]["places"][0]
    assert (place["start"], place["length"]) == (400, len(small_books.CLP))
    assert place["content"] is None


def test_the_parts_of_all_pages_are_in_the_sums(runner: CliRunner, suite: Path, books: SmallBooks) -> None:
    _, data = trace(runner, suite, books.of_kind("remittance").journal_id, "--parts", "1")
    counted = sum(line["part_count"] for line in data["journals"][0]["lines"])
    assert counted == len(books.of_kind("remittance").parts)
    for line in data["journals"][0]["lines"]:
        shown = sum((usd(part["amount"].split()[0]).minor for part in line["parts"]), 0)
        assert shown + usd(line["rest_amount"].split()[0]).minor == usd(line["amount"].split()[0]).minor


@pytest.mark.parametrize("kind", ["charges", "remittance"])
def test_a_trace_is_told_from_the_erp_to_the_byte_range(
    runner: CliRunner, suite: Path, books: SmallBooks, kind: str
) -> None:
    result = runner.invoke(app, ["trace", books.of_kind(kind).external_number, "--state", str(suite)])
    assert result.exit_code == 0, result.output
    assert "at the ERP: tryton document M-17, read back now" in result.stdout
    assert "Every level adds up, from the ERP to the message." in result.stdout
    assert "bytes " in result.stdout
    assert "DOE" not in result.stdout


def test_a_patient_control_number_is_traced_to_charges_and_remittance(runner: CliRunner, suite: Path) -> None:
    code, data = trace(runner, suite, small_books.NUMBER)
    assert (code, data["kind"]) == (0, "claim")
    assert [journal["kind"] for journal in data["journals"]] == ["remittance", "charges"]


def test_one_cent_off_is_exit_code_one_and_its_line_is_named(runner: CliRunner, suite: Path, books: SmallBooks) -> None:
    in_the_subledger(books)
    code, data = trace(runner, suite, books.of_kind("remittance").external_number)
    wrong = [line["account"] for line in data["journals"][0]["lines"] if not line["adds_up"]]
    assert (code, data["adds_up"], wrong) == (1, False, ["eft-clearing"])


def test_an_entry_that_the_erp_has_lost_does_not_add_up(runner: CliRunner, suite: Path, books: SmallBooks) -> None:
    books.erp_lines.clear()
    code, data = trace(runner, suite, books.of_kind("deposit").external_number)
    assert (code, data["journals"][0]["lines"][0]["amount_at_erp"]) == (1, "0.00 USD")


def test_bytes_are_opened_only_on_request_and_by_permission(runner: CliRunner, suite: Path, books: SmallBooks) -> None:
    words = (small_books.REMITTANCE, "--account", "ar-patient", "--open")
    _, data = trace(runner, suite, *words)
    origin = data["journals"][0]["lines"][0]["parts"][0]["origin"]
    assert origin["bytes_agree"] is True
    assert origin["places"][0]["content"] == small_books.CLP.decode()
    books.may_read_raw = False
    _, data = trace(runner, suite, *words)
    place = data["journals"][0]["lines"][0]["parts"][0]["origin"]["places"][0]
    assert (place["content"], "intake.raw.read" in place["refusal"]) == (None, True)


def test_an_account_that_the_entry_does_not_have_is_not_found(
    runner: CliRunner, suite: Path, books: SmallBooks
) -> None:
    code, data = trace(runner, suite, books.of_kind("deposit").external_number, "--account", "ar-payer")
    assert (code, data["error"]["code"]) == (1, "NotFound")


def test_an_id_of_nothing_is_exit_code_one(runner: CliRunner, suite: Path) -> None:
    code, data = trace(runner, suite, "TLNOTHING")
    assert (code, data["error"]["message"]) == (1, "no service knows TLNOTHING")


def test_a_silent_service_is_exit_code_three(runner: CliRunner, serve: Serve, books: SmallBooks) -> None:
    suite = serve(ServedBooks(books).answers(), without=("ledger",))
    code, data = trace(runner, suite, small_books.CLAIM)
    assert (code, data["error"]["code"]) == (3, "Unreachable")
