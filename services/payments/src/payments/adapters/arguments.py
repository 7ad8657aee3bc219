"""What the calls of payments take: amounts, days, instants, names and sizes; each refused by its field's name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from billing.common.v1 import common_pb2
from canonical.money import USD, Money
from chassis.rpc import BadArgument
from chassis.rpc.errors import uuid_in

from payments.domain.card_numbers import refuse_card_numbers

KEY_LENGTH_MIN, KEY_LENGTH_MAX = 8, 100
REASON_LENGTH_MIN, REASON_LENGTH_MAX = 5, 200
PAGE_MAX = 1000
PAGE_DEFAULT = 100
ROWS_MAX = 5000


def amount_in(sent: common_pb2.Money, field: str = "amount") -> Money:
    """An amount above zero in the currency of the books."""
    amount = money_in(sent, field)
    if amount <= Money(0):
        raise BadArgument(f"{field}: above zero")
    return amount


def money_in(sent: common_pb2.Money, field: str) -> Money:
    """An amount in the currency of the books, not below zero."""
    if sent.currency not in ("", USD):
        raise BadArgument(f"{field}: in {USD}")
    if sent.minor < 0:
        raise BadArgument(f"{field}: not below zero")
    return Money(sent.minor)


def day_in(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadArgument(f"{field}: not an ISO 8601 date") from None


def instant_in(text: str, field: str) -> datetime:
    """An instant with its offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadArgument(f"{field}: not an RFC 3339 instant") from None
    if found.tzinfo is None:
        raise BadArgument(f"{field}: without an offset from UTC")
    return found


def key_in(text: str, field: str) -> str:
    """A caller's own name of what it asks for."""
    if not KEY_LENGTH_MIN <= len(text) <= KEY_LENGTH_MAX:
        raise BadArgument(f"{field}: {KEY_LENGTH_MIN} to {KEY_LENGTH_MAX} characters")
    return text_in(text, field, KEY_LENGTH_MAX)


def text_in(text: str, field: str, most: int) -> str:
    if len(text) > most or not text.isprintable():
        raise BadArgument(f"{field}: at most {most} printable characters")
    return text


def reason_in(text: str, field: str = "reason") -> str:
    """A person's own words; no number of a card among them."""
    said = text_in(text.strip(), field, REASON_LENGTH_MAX)
    if len(said) < REASON_LENGTH_MIN:
        raise BadArgument(f"{field}: at least {REASON_LENGTH_MIN} characters")
    refuse_card_numbers(**{field: said})
    return said


def ids_in(**columns: str) -> dict[str, object]:
    """The ids that were given, by column."""
    return {name: uuid_in(text, name) for name, text in columns.items() if text}


def named_in(**columns: str) -> dict[str, object]:
    """The values that were given, by column."""
    return {name: text for name, text in columns.items() if text}


def one_of(text: str, field: str, choices: Sequence[str]) -> str:
    if text not in choices:
        raise BadArgument(f"{field}: one of {', '.join(choices)}")
    return text


def size_in(asked: int, field: str, most: int = PAGE_MAX) -> int:
    """How many to list, 100 where nothing was said."""
    if not 0 <= asked <= most:
        raise BadArgument(f"{field}: 0 to {most}")
    return asked or PAGE_DEFAULT


def place_in(token: str, field: str = "page_token") -> int:
    """Where a page begins, as the page before told."""
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise BadArgument(f"{field}: not one that a page told")
    return int(token)
