"""The statement of the story opens in a browser, can be used by every reader, and says what `throughline balance` says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from billing.payments.v1 import payments_pb2, payments_pb2_grpc
from canonical.money import Money
from throughline.connection import Access
from throughline.main import app
from typer.testing import CliRunner

from tests.integration.browser import SeenPage, SeenTable, seen
from tests.integration.story import Story
from tests.integration.suite import OpenStack

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PHONE, DESK = 500, 1000
CONTRAST_MIN = 7.0
"""What WCAG 2 asks of text at its level AAA."""
FONT_PIXELS_MIN = 16
ACCOUNTS = 3
LINES, AGES = "Every line of your account", "How long it has been open"


def run(suite: OpenStack, *words: str) -> dict[str, object]:
    result = CliRunner().invoke(app, [*words, "--state", str(suite.folder), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def cents(told: str) -> int:
    """`−$1,234.50` as the page writes it, or `-12.30 USD` as data has it."""
    plain = told.replace("\N{MINUS SIGN}", "-").replace("$", "").replace(",", "").removesuffix(" USD")
    return Money.of(plain, "USD").minor


@pytest.fixture(scope="module")
def accounts(told: Story, access: Access) -> list[str]:
    """Those with the most to tell: who owes something, and who has paid."""
    stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
    found = access.call("payments", stub.ListAccounts, payments_pb2.ListAccountsRequest(limit=100)).accounts
    assert len(found) >= ACCOUNTS
    paid = sorted(found, key=lambda each: (-each.applied.minor, each.account_id))
    owing = sorted(found, key=lambda each: (-each.balance.minor, each.account_id))
    return list(dict.fromkeys(each.account_id for each in (*paid[: ACCOUNTS - 1], owing[0])))


@pytest.fixture(scope="module")
def pages(suite: OpenStack, accounts: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("statements")
    for account in accounts:
        run(suite, "statement", account, "--out", str(folder / f"{account}.html"))
    return {account: folder / f"{account}.html" for account in accounts}


def table_of(page: SeenPage, heading: str) -> SeenTable:
    return next(table for table in page.tables if table.heading == heading)


def test_what_the_page_shows_is_what_balance_says(suite: OpenStack, pages: dict[str, Path]) -> None:
    for account, path in pages.items():
        page, balance = seen(path, path.parent), run(suite, "balance", account)
        owed = cents(str(balance["balance"]))
        assert cents(page.told["You owe"]) == owed
        assert page.told["Account"] == account
        assert page.please.startswith("Please pay " if owed > 0 else "You ")
        visits = [table for table in page.tables if table.heading.startswith("Visit on ")]
        assert visits
        assert sum(cents(table.rows[-1][-1]) for table in visits) == owed
        assert sum(cents(row[-1]) for row in table_of(page, AGES).rows) == max(owed, 0)


def test_every_line_of_the_balance_is_on_the_page_in_words(suite: OpenStack, pages: dict[str, Path]) -> None:
    for account, path in pages.items():
        balance = run(suite, "balance", account)
        activity = balance["activity"]
        assert isinstance(activity, list)
        *lines, total = table_of(seen(path, path.parent), LINES).rows
        counted = sorted(cents(line["amount"]) for line in activity if line["kind"] != "application")
        assert sorted(cents(row[-1]) for row in lines) == counted
        assert cents(total[-1]) == sum(counted)
        assert all(row[1].strip() and not row[1].isupper() for row in lines)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_every_reader_can_use_the_page(pages: dict[str, Path], width: int) -> None:
    path = next(iter(pages.values()))
    page = seen(path, path.parent, width)
    assert (page.lang, page.mains, page.loaded) == ("en", 1, 0)
    assert page.title.startswith("Your statement of ")
    assert page.headings == [1, *[2] * len(page.tables)]
    assert page.contrast_least >= CONTRAST_MIN
    assert page.font_pixels_least >= FONT_PIXELS_MIN
    assert page.width_needed <= page.width
    for table in page.tables:
        assert table.caption
        assert (table.headers_without_scope, table.rows_without_header) == (0, 0)
