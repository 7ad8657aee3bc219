"""Master data of a hundred thousand prices: read from CSV, looked up, and what it takes of memory."""

from __future__ import annotations

import io
import resource
from datetime import date, timedelta
from time import perf_counter

from canonical.master_data import LISTS, ChargeMasterRow, MasterData, faults_in
from canonical.master_data.tables import parse_table, table_lines
from canonical.money import Money

from tests.performance.figures import Baseline, Figure, Sums
from tests.performance.sizes import Sizes

DAY = date(2026, 3, 1)
BARE_LOOK_UPS = 200


def master_data(sizes: Sizes) -> list[Figure]:
    """Reading a charge master, and finding rows in it; bare is going through the list for each."""
    text = "".join(table_lines(LISTS["charge_master"], _rows(sizes.prices)))
    before, began = _peak_megabytes(), perf_counter()
    table = parse_table(text, LISTS["charge_master"])
    read_seconds = perf_counter() - began
    prices = tuple(row for row in table.rows if isinstance(row, ChargeMasterRow))
    content = MasterData(version="1", entities=(), payers=(), providers=(), charge_master=prices)
    assert not faults_in(content)
    codes = [row.code for row in prices[:: max(1, len(prices) // sizes.look_ups)]]
    began = perf_counter()
    found = [content.charge_master_row(code, "", DAY) for code in codes]
    seconds = perf_counter() - began
    lines = io.StringIO(text).readlines()
    return [
        Figure(
            "master-data",
            f"read {len(prices):,} prices from CSV",
            len(prices) / read_seconds,
            "rows/s",
            baseline=Baseline("lines split at commas", _bare_reading(lines)),
            memory_mb=_peak_megabytes() - before,
            sums=(Sums("rows", str(sizes.prices), str(len(prices))),),
        ),
        Figure(
            "master-data",
            f"look up a price of {len(prices):,}",
            len(found) / seconds,
            "look-ups/s",
            baseline=Baseline("going through the list", _bare_look_ups(prices, codes)),
            sums=(Sums("found", str(len(codes)), str(sum(row is not None for row in found))),),
        ),
    ]


def _rows(count: int) -> list[ChargeMasterRow]:
    return [
        ChargeMasterRow(code=f"P{number:06d}", price=Money(100 + number), valid_from=DAY - timedelta(days=number % 900))
        for number in range(count)
    ]


def _bare_reading(lines: list[str]) -> float:
    began = perf_counter()
    count = sum(len(line.split(",")) > 1 for line in lines)
    return count / (perf_counter() - began)


def _bare_look_ups(rows: tuple[ChargeMasterRow, ...], codes: list[str]) -> float:
    chosen = codes[:: max(1, len(codes) // BARE_LOOK_UPS)]
    began = perf_counter()
    for code in chosen:
        next(row for row in rows if row.code == code and row.holds_on(DAY))
    return len(chosen) / (perf_counter() - began)


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
