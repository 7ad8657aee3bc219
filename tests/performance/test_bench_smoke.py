"""The bench produces every row, and what it posts adds up; how fast is never asserted."""

from __future__ import annotations

import json

import pytest

from tests.performance.__main__ import MEASURES, main
from tests.performance.figures import Bar, Baseline, Figure, Sums, sums_agree

ROWS = {"read", "write", "save", "consume", "idle", "remittance", "webhook", "balance", "relay", "rebuild"}
ROWS |= {"intake-hl7", "intake-fhir", "intake-bulk", "master-data", "webhook-storm", "webhook-answers", "payment-calls"}
ROWS |= {"erp-lanes"}


@pytest.mark.slow
@pytest.mark.servers
def test_every_row_is_produced_and_every_sum_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["row"] for row in rows} == ROWS
    assert all(row["sums_agree"] for row in rows)
    assert all(row["verdict"] != "TOO LARGE" for row in rows)
    assert {row["row"] for row in rows if row["sums"]} >= {
        "read",
        "write",
        "save",
        "consume",
        "remittance",
        "balance",
        "rebuild",
    }


def test_a_measure_has_the_name_of_its_row() -> None:
    assert set(MEASURES) <= ROWS


def test_a_rate_is_judged_upwards_and_a_time_downwards() -> None:
    assert Figure("relay", "", 9_999, "events/s", Bar(10_000, 25_000)).verdict == "UNDER"
    assert Figure("relay", "", 10_000, "events/s", Bar(10_000, 25_000)).verdict == "first bar"
    assert Figure("webhook", "", 2.1, "s", Bar(2, 0.5)).verdict == "UNDER"
    assert Figure("webhook", "", 0.4, "s", Bar(2, 0.5)).verdict == "goal"


def test_too_much_memory_misses_the_bar_however_fast_it_was() -> None:
    assert Figure("read", "", 99_000, "claims/s", Bar(1, 2), memory_mb=151, memory_bar_mb=150).verdict == "TOO LARGE"


def test_the_ratio_is_the_share_of_the_bare_speed_that_is_left() -> None:
    assert Figure("relay", "", 5_000, "events/s", baseline=Baseline("bare", 10_000)).ratio == 0.5
    assert Figure("webhook", "", 2.0, "s", baseline=Baseline("bare", 1.0)).ratio == 0.5


def test_a_cent_too_much_is_told() -> None:
    assert not sums_agree([Figure("relay", "", 1, "s", sums=(Sums("paid", "100", "101"),))])
