"""What the calls of claims take: filters, sizes, reasons, days."""

from __future__ import annotations

from datetime import date

from chassis.rpc import BadArgument

from claims.application import queries

SIZE_DEFAULT = 100
REASON_LENGTH_MIN = 5


def given(**filters: str) -> dict[str, object]:
    """The filters that are not empty."""
    return {column: value for column, value in filters.items() if value}


def size_of(field: str, asked: int) -> int:
    if not 0 <= asked <= queries.PAGE_MAX:
        raise BadArgument(f"{field}: 0 to {queries.PAGE_MAX}")
    return asked or SIZE_DEFAULT


def offset_in(token: str) -> int:
    """Where a page begins, as the page before told."""
    if not token:
        return 0
    if not (token.isascii() and token.isdigit()) or int(token) > queries.ROWS_BEFORE_PAGE_MAX - queries.PAGE_MAX:
        raise BadArgument("page_token: not one that a page told; narrow the list by what it can be asked for")
    return int(token)


def reason_in(text: str, field: str = "reason") -> str:
    """A person's own words."""
    if len(text.strip()) < REASON_LENGTH_MIN:
        raise BadArgument(f"{field}: at least {REASON_LENGTH_MIN} characters")
    return text


def day_in(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadArgument(f"{field}: not an ISO 8601 date") from None
