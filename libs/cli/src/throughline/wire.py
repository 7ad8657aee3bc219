"""Values of the protos as our own: money with its currency, absent where it was not sent."""

from __future__ import annotations

from uuid import UUID

from billing.common.v1 import common_pb2
from canonical.money import USD, Money, MoneyRefused
from google.protobuf.message import Message

from throughline.outcome import Unusable


def money_of(sent: common_pb2.Money) -> Money:
    """The amount; zero where nothing was sent."""
    return Money(sent.minor, sent.currency or USD)


def amount_text(amount: Money | None) -> str:
    """The amount with thousands apart, as the tables show it; nothing for None."""
    if amount is None:
        return ""
    whole, _, cents = abs(amount).decimal_text.partition(".")
    sign = "-" if amount.minor < 0 else ""
    currency = "" if amount.currency == USD else f" {amount.currency}"
    return f"{sign}{int(whole):,}.{cents}{currency}"


def amount_in(text: str, option: str) -> common_pb2.Money:
    """An amount that a person typed.

    Raises:
        Unusable: it is none; the option is named.
    """
    try:
        return common_pb2.Money(minor=Money.of(text).minor)
    except MoneyRefused as refused:
        raise Unusable(f"{option}: {refused}") from None


def data_of(message: Message) -> dict[str, object]:
    """A message under its own field names, for JSON: money as exact text, what was not sent as null."""
    data: dict[str, object] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.is_repeated:
            data[field.name] = [_plain(each) for each in value]
        elif field.message_type is not None and not message.HasField(field.name):
            data[field.name] = None
        else:
            data[field.name] = _plain(value)
    return data


def _plain(value: object) -> object:
    if isinstance(value, common_pb2.Money):
        return str(money_of(value))
    return data_of(value) if isinstance(value, Message) else value


def as_uuid(text: str) -> UUID | None:
    """The UUID that this is the text of, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def identity_in(text: str, what: str) -> str:
    """A UUID in its usual form.

    Raises:
        Unusable: it is none.
    """
    found = as_uuid(text)
    if found is None:
        raise Unusable(f"{what} is a UUID, such as 3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77")
    return str(found)
