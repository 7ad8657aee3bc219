"""Two hundred intents to each ERP, through its troubles and through `kill -9` of the service: each is booked once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from throughline.checker.invariants.erp_agreement import ErpMove

from tests.faults.erp_intents import Intent, Verdict, compare
from tests.faults.erp_storm import Storm
from tests.faults.erp_subjects import SUBJECTS
from tests.integration.suite import Bench

INTENTS, PORTIONS, SEED = 200, 20, 20260401


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.parametrize("name", SUBJECTS)
def test_every_intent_is_booked_once_whatever_the_erp_does_and_whenever_the_service_dies(
    name: str, bench: Bench
) -> None:
    verdict = Storm(bench, SUBJECTS[name], INTENTS, PORTIONS, SEED).run()
    assert verdict.killed >= PORTIONS // 10
    assert verdict == Verdict(INTENTS, verdict.struck, verdict.killed)
    assert verdict.holds


def as_booked(intent: Intent) -> ErpMove:
    day, lines = intent.as_held
    return ErpMove(f"D{intent.number}", intent.external_number, intent.entity, day, True, lines)


def verdict_on(*moves: ErpMove) -> Verdict:
    verdict = Verdict(2, Counter(), 0)
    compare([Intent(0, SEED), Intent(1, SEED)], moves, verdict)
    return verdict


def one_cent_off(move: ErpMove) -> ErpMove:
    place = sorted(move.lines)[0]
    return replace(move, lines={**move.lines, place: move.lines[place] + 1})


FIRST, SECOND = as_booked(Intent(0, SEED)), as_booked(Intent(1, SEED))
STRANGER = replace(FIRST, document="D9", number="TL0000000000000000ZZ")
TOLD: dict[str, tuple[list[ErpMove], Callable[[Verdict], list[str]], str]] = {
    "missing": ([FIRST], lambda verdict: verdict.missing, SECOND.number),
    "twice": ([FIRST, SECOND, replace(SECOND, document="D8")], lambda verdict: verdict.twice, SECOND.number),
    "unbalanced": ([FIRST, one_cent_off(SECOND)], lambda verdict: verdict.unbalanced, SECOND.number),
    "on another day": (
        [FIRST, replace(SECOND, day="2026-01-01")],
        lambda verdict: verdict.different,
        SECOND.number,
    ),
    "not posted": ([FIRST, replace(SECOND, is_posted=False)], lambda verdict: verdict.different, SECOND.number),
    "of another's amounts": (
        [FIRST, replace(SECOND, lines=FIRST.lines)],
        lambda verdict: verdict.different,
        SECOND.number,
    ),
    "foreign": ([FIRST, SECOND, STRANGER], lambda verdict: verdict.foreign, STRANGER.number),
}


@pytest.mark.parametrize("fault", TOLD)
def test_the_comparison_tells_of_a_document_that_is(fault: str) -> None:
    moves, told, number = TOLD[fault]
    verdict = verdict_on(*moves)
    assert told(verdict) == [number]
    assert not verdict.holds


def test_the_comparison_is_content_where_each_intent_is_booked_once() -> None:
    assert verdict_on(SECOND, FIRST).holds


@pytest.mark.parametrize("left", ["uncertain", "not_confirmed"])
def test_what_is_left_open_is_no_success(left: str) -> None:
    verdict = verdict_on(FIRST, SECOND)
    setattr(verdict, left, 1)
    assert not verdict.holds
