"""When a payer takes claims, and how many at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from canonical.codes import PayerClass
from canonical.master_data import Payer
from pydantic import ValidationError


def payer(**changes: Any) -> Payer:
    plain = {"code": "ACME", "name": "ACME", "payer_class": PayerClass.COMMERCIAL, "expected_contractual_percent": 30}
    return Payer.model_validate(plain | {"x12_identifier": "900100001", "receiver_id": "ACMEEDI"} | changes)


@pytest.mark.parametrize(
    ("window", "moment", "is_open"),
    [
        ("", "03:00", True),
        ("08:00-17:30", "07:59", False),
        ("08:00-17:30", "08:00", True),
        ("08:00-17:30", "17:29", True),
        ("08:00-17:30", "17:30", False),
        ("22:00-04:00", "23:59", True),
        ("22:00-04:00", "03:59", True),
        ("22:00-04:00", "12:00", False),
        ("00:00-00:00", "12:00", True),
    ],
)
def test_a_window_is_open_from_its_first_minute_up_to_its_last(window: str, moment: str, is_open: bool) -> None:
    now = datetime.fromisoformat(f"2026-03-02T{moment}:00").replace(tzinfo=UTC)
    assert payer(sending_window=window).takes_claims_at(now) is is_open


def test_a_window_is_told_in_utc_wherever_the_clock_stands() -> None:
    now = datetime(2026, 3, 2, 23, 30, tzinfo=timezone(-timedelta(hours=5)))
    assert payer(sending_window="04:00-05:00").takes_claims_at(now)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sending_window": "8-17"},
        {"sending_window": "08:00-24:00"},
        {"sending_window": "08:00-17:30 "},
        {"claims_per_interchange": 0},
        {"claims_per_interchange": 501},
    ],
)
def test_a_window_or_size_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        payer(**wrong)
