"""Money is exact, one currency, and never a float."""

from decimal import Decimal

import pytest
from canonical.money import Money, MoneyRefused, parse_x12_amount
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

minors = st.integers(min_value=-(10**12), max_value=10**12)


class Bill(BaseModel):
    amount: Money


@given(minors)
def test_money_comes_back_from_its_wire_form(minor: int) -> None:
    bill = Bill(amount=Money(minor))
    assert Bill.model_validate_json(bill.model_dump_json()) == bill


@given(minors, st.lists(st.integers(min_value=0, max_value=50), min_size=1, max_size=9).filter(sum))
def test_a_split_never_loses_a_cent(minor: int, weights: list[int]) -> None:
    parts = Money(minor).split(weights)
    assert Money.total(parts) == Money(minor)
    assert all(not part for part, weight in zip(parts, weights, strict=True) if weight == 0)


@pytest.mark.parametrize(
    "value", [12.3, 12, "12.3", "12.30", "1_0.00 USD", "٣.00 USD", "NaN USD", "12.300 USD", "1e3 USD", None]
)
def test_anything_but_the_wire_form_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Bill.model_validate({"amount": value})


def test_a_float_cannot_become_money() -> None:
    with pytest.raises(MoneyRefused):
        Money(12.0)  # type: ignore[arg-type]


def test_money_cannot_be_changed() -> None:
    amount = Money(1)
    with pytest.raises(AttributeError):
        amount.minor = 2


def test_two_currencies_never_add_up() -> None:
    with pytest.raises(MoneyRefused, match="EUR"):
        Money(1, "USD") + Money(1, "EUR")


@pytest.mark.parametrize("currency", ["JPY", "usd", "US", "KWD"])
def test_a_currency_without_hundredths_is_refused(currency: str) -> None:
    with pytest.raises(MoneyRefused):
        Money(1, currency)


@pytest.mark.parametrize(
    ("text", "minor"),
    [(".75", 75), ("34.", 3400), ("605.0000", 60500), ("-12.5", -1250), ("0", 0), ("-.01", -1), ("000123.40", 12340)],
)
def test_the_legal_x12_decimals_are_read(text: str, minor: int) -> None:
    assert parse_x12_amount(text) == Money(minor)


@pytest.mark.parametrize("text", ["", "-", ".", "1,000.00", "12.345", "1E5", "+5", " 5", "5 ", "٣", "NaN", "9" * 25])
def test_anything_else_is_refused_as_an_x12_decimal(text: str) -> None:
    with pytest.raises(MoneyRefused):
        parse_x12_amount(text)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1E+400000", "0.001", "1E-3"])
def test_an_inexact_decimal_is_refused(value: str) -> None:
    with pytest.raises(MoneyRefused):
        Money.from_decimal(Decimal(value))


@pytest.mark.parametrize(
    ("minor", "numerator", "denominator", "share"),
    [(1, 1, 2, 0), (3, 1, 2, 2), (5, 1, 2, 2), (-1, 1, 2, 0), (-3, 1, 2, -2), (10000, 35, 100, 3500), (101, 1, 3, 34)],
)
def test_a_share_rounds_the_half_cent_to_the_even_cent(
    minor: int, numerator: int, denominator: int, share: int
) -> None:
    assert Money(minor).share_half_even(numerator, denominator) == Money(share)
