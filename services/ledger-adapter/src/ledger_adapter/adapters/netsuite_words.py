"""NetSuite's words: what its refusals mean, and how amounts and references are written and read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
from canonical.money import Money

from ledger_adapter.adapters.erp_amounts import net_of_sides
from ledger_adapter.adapters.erp_calls import CLOSED_DOORS
from ledger_adapter.application.ports import RefusalKind, Refused

_THROTTLED = frozenset(("CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED", "WS_REQUEST_BLOCKED"))
_KINDS = {
    "DUP_RCRD": RefusalKind.NUMBER_TAKEN,
    "TRAN_PRD_CLOSED": RefusalKind.PERIOD_CLOSED,
    "TRAN_PERIOD_CLOSED": RefusalKind.PERIOD_CLOSED,
    "TRANS_UNBALNCD": RefusalKind.INVALID,
    "INVALID_KEY_OR_REF": RefusalKind.INVALID,
    "INVALID_CONTENT": RefusalKind.INVALID,
}
_BY_WORDS = (
    (re.compile(r"already exists|already (in use|been used)|duplicate|must be unique", re.I), RefusalKind.NUMBER_TAKEN),
    (re.compile(r"period\b.*\b(closed|locked|not open)|(closed|locked)\b.*\bperiod", re.I), RefusalKind.PERIOD_CLOSED),
    (re.compile(r"balance|invalid .*reference|please (enter|choose)", re.I), RefusalKind.INVALID),
)
IDEMPOTENCY_ERROR = "IDEMPOTENCY_ERROR"


def error_in(response: httpx.Response) -> tuple[str, str]:
    """The `o:errorCode` and the words of an answer; empty where it is not in NetSuite's form."""
    try:
        detail = response.json()["o:errorDetails"][0]
        return str(detail["o:errorCode"]), str(detail["detail"])
    except (ValueError, KeyError, TypeError, IndexError):
        return "", ""


def is_closed_door(response: httpx.Response) -> bool:
    """Whether the call was turned away before anything was looked at: who we are, what we may, how much at once."""
    return response.status_code in CLOSED_DOORS or error_in(response)[0] in _THROTTLED


def refusal_in(response: httpx.Response) -> Refused:
    """What a refusal means, by its code and else by its words; what nobody has classified is not tried again."""
    code, words = error_in(response)
    if not code:
        return Refused(RefusalKind.UNCLASSIFIED, f"HTTP {response.status_code}")
    by_words = (kind for pattern, kind in _BY_WORDS if pattern.search(words))
    kind = _KINDS.get(code) or next(by_words, RefusalKind.UNCLASSIFIED)
    return Refused(kind, f"{code}: {words}"[:200])


def identity_in(response: httpx.Response) -> str:
    """The internal id of what was created, from where the answer says it is; empty where it says nothing."""
    last = response.headers.get("location", "").rstrip("/").rpartition("/")[2]
    return last if last.isascii() and last.isdigit() else ""


def net_of(row: Mapping[str, Any]) -> Money:
    """Debit less credit of a row, either of which may be absent.

    Raises:
        Unavailable: an amount is not whole cents; we do not understand this ERP.
    """
    return net_of_sides(row.get("debit"), row.get("credit"))


def reference_in(value: Any) -> str:
    """The internal id that a field of a record refers to; empty where it refers to nothing."""
    return str(value["id"]) if isinstance(value, Mapping) and "id" in value else ""


def quoted(codes: Iterable[str]) -> str:
    """A list of texts for SuiteQL's IN."""
    return ", ".join("'" + code.replace("'", "''") + "'" for code in sorted(codes))
