"""How the fields of a gateway's JSON are read: strictly, and refused by name and rule without their content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from uuid import UUID

from canonical.money import Money, MoneyRefused

Fields = Mapping[str, object]
BODY_BYTES_MAX = 1_000_000
MINOR_MAX = 10**12
CODE_MAX = 60


class WebhookRefused(ValueError):
    """The webhook cannot be believed or read; the message names the rule and never the content."""


class ForgedWebhook(WebhookRefused):
    """The signature does not fit the raw bytes, or is too old or too far in the future."""


def json_object(raw: bytes) -> Fields:
    """The JSON object in the bytes; a number with a decimal point is refused.

    Raises:
        WebhookRefused: not such an object.
    """
    try:
        found = json.loads(raw, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError):
        raise WebhookRefused("the body is not JSON that we read") from None
    if not isinstance(found, dict):
        raise WebhookRefused("the body is no JSON object")
    return found


def _no_float(text: str) -> object:
    raise ValueError("gateway amounts are whole cents")


def text(content: Fields, name: str) -> str:
    """A text of 1 to 255 ASCII characters."""
    value = content.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 255 or not value.isascii():
        raise WebhookRefused(f"{name}: missing, or not a short text")
    return value


def whole(content: Fields, name: str, *, least: int = 0) -> int:
    """A whole number, by default not below zero."""
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < MINOR_MAX:
        raise WebhookRefused(f"{name}: missing, or not a whole number in range")
    return value


def money(content: Fields, name: str, *, least: int = 0) -> Money:
    """A whole number of cents, with the object's `currency`."""
    try:
        return Money(whole(content, name, least=least), text(content, "currency").upper())
    except MoneyRefused:
        raise WebhookRefused("currency: not one whose minor unit is a hundredth") from None


def day(content: Fields, name: str) -> date:
    """The day (UTC) of an instant in seconds."""
    return datetime.fromtimestamp(whole(content, name), UTC).date()


def nested(content: Fields, name: str) -> Fields:
    """An object inside; empty where there is none."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def listed(content: Fields, name: str) -> list[Fields]:
    """The objects of a list inside; empty where there is none."""
    found = content.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def metadata(content: Fields, name: str = "metadata") -> dict[str, str]:
    """What our own forms and orders added to an object."""
    return {str(key): str(value) for key, value in nested(content, name).items()}


def own_id(told: Mapping[str, str], name: str) -> UUID | None:
    """An id of ours among what was added, if it is one."""
    try:
        return UUID(told[name])
    except (KeyError, ValueError):
        return None


def plain_code(found: object, otherwise: str) -> str:
    """A gateway's code for a reason, never its sentences: those may name a person."""
    plain = isinstance(found, str) and found.isascii() and found.replace("_", "").replace("-", "").isalnum()
    return str(found)[:CODE_MAX] if plain else otherwise


def named(content: Fields, name: str) -> str:
    """The id of another object, be it named or given whole; empty where there is none."""
    found = content.get(name)
    if isinstance(found, dict):
        found = found.get("id")
    return found if isinstance(found, str) and len(found) <= 255 and found.isascii() else ""
