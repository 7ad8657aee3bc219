"""Tryton's analytic accounts: a root for each dimension that the books keep, and its values as the accounts below it.

It needs Tryton's module `analytic_account`. A line of the income statement gets one analytic line for each dimension that it has a
value of, over its whole amount.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from canonical.codes import AccountRole, Dimension
from canonical.money import Money

from ledger_adapter.adapters.tryton_words import money_in
from ledger_adapter.application.ports import DimensionBalance, ErpLine, RefusalKind, Refused

ACCOUNT = "analytic_account.account"
LINE = "analytic_account.line"
LINES_PER_QUERY = 500
PAGE_ROWS = 5_000
PAGES_MAX = 1_000
Search = Callable[..., list[Any]]
Kept = Mapping[Dimension, str]


class AnalyticAccounts:
    """The analytic accounts of companies; ids never change, so that they are asked for once."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._ids: dict[tuple[int, str, str], int] = {}

    def lines(
        self, company_id: int, kept: Kept, line: ErpLine, booked: Mapping[str, object]
    ) -> list[dict[str, object]] | Refused:
        """The analytic lines of a line that is booked with this debit and credit."""
        made: list[dict[str, object]] = []
        for dimension, root in kept.items():
            value = getattr(line, dimension.value)
            account = self._account(company_id, root, value) if value else None
            if value and account is None:
                return Refused(RefusalKind.INVALID, f"the ERP has no {root} {value}")
            if value:
                made.append({"account": account, "debit": booked["debit"], "credit": booked["credit"]})
        return made

    def values_of(self, company_id: int, kept: Kept, lines: Sequence[int]) -> dict[int, dict[str, str]]:
        """By move line, its value of each dimension. One that is spread over several accounts of a root has none of it."""
        dimensions = {root: dimension.value for dimension, root in kept.items()}
        found: dict[int, dict[str, str]] = {}
        for start in range(0, len(lines) if kept else 0, LINES_PER_QUERY):
            domain = [["move_line", "in", list(lines[start : start + LINES_PER_QUERY])], _below(kept)]
            for row in self._search(company_id, LINE, domain, "move_line", "account.code", "account.root.code"):
                values = found.setdefault(row["move_line"], {})
                dimension = dimensions[row["account"]["root"]["code"]]
                values[dimension] = "" if dimension in values else row["account"]["code"]
        return found

    def balances(self, company_id: int, kept: Kept, accounts: Mapping[int, AccountRole]) -> list[DimensionBalance]:
        """What is posted to these accounts, by their ids, under each value of each dimension."""
        dimensions = {root: dimension for dimension, root in kept.items()}
        sums: dict[tuple[AccountRole, Dimension, str], Money] = {}
        for row in self._posted(company_id, kept, accounts):
            place = (
                accounts[row["move_line"]["account"]],
                dimensions[row["account"]["root"]["code"]],
                row["account"]["code"],
            )
            sums[place] = sums.get(place, Money(0)) + money_in(row["debit"]) - money_in(row["credit"])
        return [DimensionBalance(role, dimension, value, amount) for (role, dimension, value), amount in sums.items()]

    def _posted(self, company_id: int, kept: Kept, accounts: Iterable[int]) -> Iterable[Any]:
        """The analytic lines of posted moves, page by page."""
        domain = [
            ["move_line.account", "in", sorted(accounts)],
            ["move_line.move.state", "=", "posted"],
            _below(kept),
        ]
        fields = ("move_line.account", "account.code", "account.root.code", "debit", "credit")
        last = 0
        for _ in range(PAGES_MAX):
            rows = self._search(company_id, LINE, [*domain, ["id", ">", last]], *fields, page_rows=PAGE_ROWS)
            yield from rows
            if len(rows) < PAGE_ROWS:
                return
            last = rows[-1]["id"]

    def _account(self, company_id: int, root: str, code: str) -> int | None:
        place = (company_id, root, code)
        if place not in self._ids:
            domain = [["company", "=", company_id], ["root.code", "=", root], ["code", "=", code]]
            rows = self._search(company_id, ACCOUNT, domain, "id")
            if rows:
                self._ids[place] = int(rows[0]["id"])
        return self._ids.get(place)


def without_value(
    kept: Kept, totals: Mapping[AccountRole, Money], told: Iterable[DimensionBalance]
) -> list[DimensionBalance]:
    """What is posted to each account under no value of a dimension; nothing where nothing is."""
    rest = {(role, dimension): total for role, total in totals.items() for dimension in kept}
    for each in told:
        rest[each.account, each.dimension] = rest.get((each.account, each.dimension), Money(0)) - each.amount
    return [DimensionBalance(role, dimension, "", amount) for (role, dimension), amount in rest.items() if amount.minor]


def _below(kept: Kept) -> list[object]:
    return ["account.root.code", "in", sorted(kept.values())]
