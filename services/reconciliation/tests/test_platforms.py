"""What an external platform holds to be open, proved against billing as every other balance is."""

from __future__ import annotations

from datetime import date

from canonical.ids import derive
from canonical.money import Money
from reconciliation.application.ports import ReportedBalance
from reconciliation.domain.books import OpenCase
from reconciliation.domain.findings import Control, ControlResult, Verdict

from .world import Bench, consistent_world

PLACE = ("NORTH", "northstar")
CLAIM, REPORT = derive("test-claim", 1), derive("test-report")


def reported(ours: int, theirs: int, number: int = 1) -> ReportedBalance:
    return ReportedBalance(derive("test-claim", number), Money(ours), Money(theirs), date(2026, 3, 21), REPORT)


def bench_with(*balances: ReportedBalance) -> Bench:
    bench = Bench(consistent_world())
    bench.world.reported[PLACE] = list(balances)
    return bench


def platform_result(bench: Bench) -> ControlResult:
    (result,) = [each for each in bench.prove() if each.place.control is Control.RCM_PLATFORM]
    return result


def test_a_platform_that_holds_the_same_agrees_and_both_sides_are_shown() -> None:
    result = platform_result(bench_with(reported(5_000, 5_000), reported(100, 100, 2)))
    assert (result.verdict, result.ours, result.theirs) == (Verdict.AGREES, Money(5_100), Money(5_100))
    assert (result.place.entity, result.place.party) == PLACE


def test_a_differing_balance_is_a_break_that_names_claim_and_report_with_both_sides() -> None:
    bench = bench_with(reported(5_000, 5_000, 2), reported(0, 1_200))
    result = platform_result(bench)
    first = result.first_divergence
    assert first is not None
    assert (result.verdict, result.residual) == (Verdict.BROKEN, Money(-1_200))
    assert (first.what, first.subject_id, first.amount) == ("claim", CLAIM, Money(-1_200))
    for told in ("ours 0.00 USD", "northstar 12.00 USD", "2026-03-21", str(REPORT)):
        assert told in first.note
    (row,) = bench.breaks()
    assert (row["state"], row["control"], row["entity"], row["party"]) == ("opened", "rcm-platform", *PLACE)
    assert row["divergence_id"] == CLAIM


def test_an_open_case_of_the_claim_explains_nothing_of_it() -> None:
    bench = bench_with(reported(0, 1_200))
    bench.world.cases.append(OpenCase("claims", "PlatformBalanceDiffers", CLAIM))
    assert platform_result(bench).verdict is Verdict.BROKEN


def test_a_break_with_a_platform_ends_by_itself_once_both_hold_the_same() -> None:
    bench = bench_with(reported(0, 1_200))
    bench.prove()
    bench.world.reported[PLACE] = [reported(0, 0)]
    assert platform_result(bench).verdict is Verdict.AGREES
    (row,) = bench.breaks()
    assert (row["state"], row["residual_minor"]) == ("resolved", 0)


def test_another_platforms_balances_are_another_break() -> None:
    bench = bench_with(reported(0, 1_200))
    bench.world.reported["SOUTH", "eastgate"] = [reported(300, 0, 7)]
    bench.prove()
    places = {(row["entity"], row["party"]): row["residual_minor"] for row in bench.breaks()}
    assert places == {PLACE: -1_200, ("SOUTH", "eastgate"): 300}
