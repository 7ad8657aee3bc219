"""Tryton's JSON words: amounts, dates and contexts as its REST API writes them, and what its refusals mean."""

from __future__ import annotations

import base64
import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
from canonical.money import Money
from chassis.domain import Unavailable

from ledger_adapter.application.ports import RefusalKind, Refused

_AMOUNT = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,6})?")
_REFUSALS: tuple[tuple[re.Pattern[str], RefusalKind], ...] = (
    (re.compile(r"external number .* must be unique", re.I), RefusalKind.NUMBER_TAKEN),
    (
        re.compile(r"closed (journal-)?period|reopen the period|create a period|period .* is closed", re.I),
        RefusalKind.PERIOD_CLOSED,
    ),
    (re.compile(r"balance|must include the date|is not valid|required|\bparty\b", re.I), RefusalKind.INVALID),
)


def refusal_in(response: httpx.Response) -> Refused:
    """What Tryton's words mean; words nobody has classified are not tried again."""
    try:
        message = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return Refused(RefusalKind.UNCLASSIFIED, f"HTTP {response.status_code}")
    kinds = (kind for pattern, kind in _REFUSALS if pattern.search(message))
    return Refused(next(kinds, RefusalKind.UNCLASSIFIED), message[:200])


def context_of(company_id: int | None) -> dict[str, str]:
    context: dict[str, object] = {"posted": True}
    if company_id is not None:
        context["company"] = company_id
    return {"X-Tryton-Context": encoded(context)}


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("content-type", "")


def decimal_words(amount: Money) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": amount.decimal_text}


def money_in(value: Any) -> Money:
    """An amount as Tryton writes it; anything but a plain decimal means that we do not understand this ERP."""
    text = value["decimal"] if isinstance(value, dict) else ""
    if not _AMOUNT.fullmatch(text):
        raise Unavailable("the ERP gave an amount that is not a plain decimal")
    return Money.from_decimal(Decimal(text))


def date_words(day: date) -> dict[str, object]:
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}


def date_in(value: Any) -> date:
    return date(value["year"], value["month"], value["day"])
