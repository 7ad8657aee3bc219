"""Amounts pass through JSON without losing a cent or gaining a digit."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from canonical.exact_json import read_exact, write_exact
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_an_amount_of_any_size_comes_back_as_it_was_written(minor: int) -> None:
    amount = Decimal(minor).scaleb(-2)
    assert read_exact(write_exact({"amount": amount})) == {"amount": amount}


def test_a_decimal_is_a_plain_number() -> None:
    assert write_exact([Decimal("0.10"), Decimal("1E+3"), 7]) == "[0.10,1000,7]"


@pytest.mark.parametrize("value", [{"a": [1, True, None, 'x"y\\']}, {}, [], "", {"é": {"b": []}}])
def test_everything_else_is_written_as_json_writes_it(value: object) -> None:
    assert json.loads(write_exact(value)) == value
