"""The books of an ERP as it has written them into a file itself: every document with its lines, and its own balances.

`{"documents": [{"document", "number", "entity", "day", "is_posted", "lines": [[account, party, cents]]}],
"balances": {entity: [[account, party, cents]]}}`; debits are positive, and only receivables carry a party.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from throughline.checker.expected import Place
from throughline.checker.invariants.erp_agreement import ErpBooks, ErpMove
from throughline.checker.invariants.secrets_kept import Search


def read_export(path: Path, search: Search | None = None) -> ErpBooks:
    """
    Raises:
        OSError, ValueError, KeyError, TypeError: there is none, or it is not in that form.
    """
    text = path.read_text(encoding="utf-8")
    if search is not None:
        search.look("ERP", f"export {path.name}", text.encode())
    told = json.loads(text)
    balances = {str(entity): _summed(rows) for entity, rows in told["balances"].items()}
    return ErpBooks(tuple(map(_move, told["documents"])), balances)


def _move(told: Any) -> ErpMove:
    names = ("document", "number", "entity", "day")
    lines = {place: amount for place, amount in _summed(told["lines"]).items() if amount}
    return ErpMove(**{name: str(told[name]) for name in names}, is_posted=told["is_posted"] is True, lines=lines)


def _summed(rows: Iterable[Any]) -> dict[Place, int]:
    sums: dict[Place, int] = {}
    for account, party, cents in rows:
        if type(cents) is not int:
            raise ValueError("an amount is a whole number of cents")
        place = (str(account), str(party))
        sums[place] = sums.get(place, 0) + cents
    return sums
