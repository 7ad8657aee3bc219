"""Every invariant holds of a consistent world, and none of them of a world in which it is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from throughline.checker.identity import derive
from throughline.checker.invariants.balance import (
    debits_equal_credits,
    journal_lines_sum_to_zero,
    ledger_is_its_events,
)
from throughline.checker.invariants.clearing import clearing_is_explained
from throughline.checker.invariants.completeness import no_orphan_exception, nothing_vanishes
from throughline.checker.invariants.effects import one_effect_per_input
from throughline.checker.invariants.erp_agreement import erp_agrees
from throughline.checker.invariants.log_integrity import logs_are_intact
from throughline.checker.invariants.read_models import rebuilt_equals_live
from throughline.checker.invariants.receivables import receivables_agree
from throughline.checker.invariants.streams import streams_are_whole
from throughline.checker.result import Result
from throughline.checker.world import World

from .small_world import (
    CASE,
    CLAIM,
    REMITTANCE,
    SmallWorld,
    State,
    erp_of,
    line,
    nats_of,
    raised,
    waits,
)

JUDGES: dict[str, Callable[[World], Result]] = {
    "I1": lambda world: debits_equal_credits(world.ledger),
    "I2": one_effect_per_input,
    "I3": nothing_vanishes,
    "I4": lambda world: ledger_is_its_events(world.ledger, world.stores["ledger"].tables),
    "I5": rebuilt_equals_live,
    "I6": lambda world: erp_agrees(world.ledger, erp_of(world.ledger), set()),
    "I7": no_orphan_exception,
    "I8": logs_are_intact,
    "I9": lambda world: streams_are_whole(world, nats_of(world)),
    "M1": lambda world: journal_lines_sum_to_zero(world.ledger),
    "M2": receivables_agree,
    "M3": clearing_is_explained,
}


def verdict(small: SmallWorld, name: str, *, settled: bool = True) -> Result:
    return JUDGES[name](small.read(settled=settled))


def failing(small: SmallWorld) -> set[str]:
    world = small.read()
    return {name for name, judge in JUDGES.items() if not judge(world).holds}


@pytest.mark.parametrize("name", JUDGES)
def test_it_holds_of_a_consistent_world(name: str) -> None:
    result = verdict(SmallWorld(), name)
    assert result.holds, result.failures
    assert result.failures == ()


def one_cent(state: State, place: int, by: str) -> None:
    state["lines"][place]["amount"] = by


def cent_in_a_posting(small: SmallWorld) -> None:
    one_cent(small.find("ledger", "ledger.subledger-posting.drafted"), 0, "100.01 USD")


def cent_in_both_sides_of_a_posting(small: SmallWorld) -> None:
    lines = [line("ar-payer", "100.01", "ACME"), line("gross-revenue", "-100.01")]
    small.find("ledger", "ledger.subledger-posting.drafted")["lines"] = lines


def cent_in_an_entry(small: SmallWorld) -> None:
    state = small.find("ledger", "ledger.journal-entry.intended")
    state["lines"] = [line("ar-payer", "100.01", "ACME"), line("gross-revenue", "-100.00")]


def other_party_in_a_posting(small: SmallWorld) -> None:
    state = small.find("ledger", "ledger.subledger-posting.drafted")
    state["lines"] = [line("ar-payer", "100.00", "OTHER"), line("gross-revenue", "-100.00")]


def posting_dropped(small: SmallWorld) -> None:
    small.drop("ledger", "ledger.subledger-posting.drafted", 2)


def posting_twice(small: SmallWorld) -> None:
    again = dict(small.find("ledger", "ledger.subledger-posting.drafted"))
    small.record("ledger", "ledger.subledger-posting.drafted", "00000000-0000-5000-8000-000000000001", again)


def claim_dropped(small: SmallWorld) -> None:
    for topic in ("drafted", "made-ready", "submitted"):
        small.drop("claims", f"claims.claim.{topic}")


def adjudicated_twice(small: SmallWorld) -> None:
    state = dict(small.find("claims", "claims.claim.adjudicated"))
    public = dict(small.payload("claims", "claim-adjudicated"))
    small.record("claims", "claims.claim.adjudicated", CLAIM, state, ("claim-adjudicated", public))


def deposit_never_matched(small: SmallWorld) -> None:
    small.drop("payments", "payments.remittance.deposit-matched")


def deposit_never_booked(small: SmallWorld) -> None:
    small.drop("ledger", "ledger.subledger-posting.drafted", 3)


def responsibility_twice(small: SmallWorld) -> None:
    topic = "payments.patient-account.responsibility-assigned"
    small.record("payments", topic, small.logs["payments"].events[0][1], dict(small.find("payments", topic)))


def not_witnessed(small: SmallWorld) -> None:
    small.find("reconciliation", "reconciliation.witnessed-journal.confirmed")["lines"] = [line("cash", "1.00")]


def message_unanswered(small: SmallWorld) -> None:
    small.unanswered.add(small.message_id("claims", "claim-adjudicated"))


def inbound_without_verdict(small: SmallWorld) -> None:
    small.drop("intake", "chassis.inbound-message.accepted")


def waits_for_nothing(small: SmallWorld) -> None:
    small.parked["ledger"].append(waits(small.message_id("claims", "claim-adjudicated"), waiting_for=REMITTANCE))


def parked_without_its_case(small: SmallWorld) -> None:
    small.parked["ledger"].append(waits(small.message_id("claims", "claim-adjudicated"), case_id=CASE))


def case_without_its_message(small: SmallWorld) -> None:
    message = small.message_id("claims", "claim-adjudicated")
    small.record("ledger", "chassis.exception-case.raised", CASE, raised(message))


def case_never_raised(small: SmallWorld) -> None:
    small.record("ledger", "chassis.exception-case.ended", CASE, {"how": "dismissed", "reason": "not ours at all"})


def case_ended_without_reason(small: SmallWorld) -> None:
    small.record("ledger", "chassis.exception-case.raised", CASE, raised(None))
    small.record("ledger", "chassis.exception-case.ended", CASE, {"how": "dismissed", "reason": "  "})


def case_dismissed_by_one_of_two(small: SmallWorld) -> None:
    why = {"reason": "the bank took it back"}
    small.record("ledger", "chassis.exception-case.raised", CASE, raised(None))
    small.record("ledger", "chassis.exception-case.dismissal-proposed", CASE, why)
    small.record("ledger", "chassis.exception-case.ended", CASE, {"how": "dismissed", **why})


def uncertain_entry(small: SmallWorld) -> None:
    small.drop("ledger", "ledger.journal-entry.confirmed")
    small.drop("ledger", "ledger.journal-entry.posted")
    journal = small.find("ledger", "ledger.journal-entry.intended")["head"]["journal_id"]
    small.record("ledger", "ledger.journal-entry.became-uncertain", journal, {"reason": "no answer"})


def number_of_another(small: SmallWorld) -> None:
    small.find("ledger", "ledger.journal-entry.intended", 1)["head"]["external_number"] = small.find(
        "ledger", "ledger.journal-entry.intended"
    )["head"]["external_number"]


def payload_changed(small: SmallWorld) -> None:
    small.logs["payments"].announced[-1][0] = (
        "payout-paid",
        {**small.payload("payments", "payout-paid"), "gross": "24.99 USD"},
    )


def unreadable_amount(small: SmallWorld) -> None:
    small.find("payments", "payments.deposit.recorded")["amount"] = "60.000 USD"


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        (cent_in_a_posting, {"I1", "I2", "I4", "M2"}),
        (cent_in_both_sides_of_a_posting, {"I2", "I4", "M2"}),
        (cent_in_an_entry, {"I1", "I4", "I9", "M1"}),
        (other_party_in_a_posting, {"I2", "I4", "M2"}),
        (posting_dropped, {"I2", "I4", "M2", "M3"}),
        (posting_twice, {"I2", "M2"}),
        (claim_dropped, {"I2"}),
        (adjudicated_twice, {"I2", "M2"}),
        (deposit_never_matched, {"I2"}),
        (deposit_never_booked, {"I2", "I4", "M3"}),
        (responsibility_twice, {"I2"}),
        (not_witnessed, {"I2"}),
        (message_unanswered, {"I3"}),
        (inbound_without_verdict, {"I3"}),
        (waits_for_nothing, {"I3"}),
        (parked_without_its_case, {"I3"}),
        (case_without_its_message, {"I7"}),
        (case_never_raised, {"I7"}),
        (case_ended_without_reason, {"I7"}),
        (case_dismissed_by_one_of_two, {"I7"}),
        (uncertain_entry, {"I2", "I6"}),
        (number_of_another, {"I2", "I4", "I6", "I9"}),
        (payload_changed, {"I2", "I9", "M3"}),
        (unreadable_amount, {"I5"}),
    ],
)
def test_what_is_wrong_is_found_and_nothing_else_is_blamed(
    wrong: Callable[[SmallWorld], None], names: set[str]
) -> None:
    small = SmallWorld()
    wrong(small)
    assert failing(small) == names


def test_what_waits_for_a_person_is_no_missing_effect() -> None:
    small = SmallWorld()
    message = small.message_id("claims", "claim-adjudicated")
    for topic in ("subledger-posting.drafted", "journal-entry.intended", "remittance-manifest.met"):
        small.drop("ledger", f"ledger.{topic}", 2 if "remittance" not in topic else 0)
    for topic in ("probed", "posted", "confirmed"):
        small.drop("ledger", f"ledger.journal-entry.{topic}", 2)
    for topic in ("intended", "confirmed"):
        small.drop("reconciliation", f"reconciliation.witnessed-journal.{topic}", 2)
    small.record("ledger", "chassis.exception-case.raised", CASE, raised(message))
    small.parked["ledger"].append(waits(message, case_id=CASE))
    world = small.read()
    assert {name: judge(world).failures for name, judge in JUDGES.items() if not judge(world).holds} == {}
    assert JUDGES["M3"](world).value["open_items"] == 1


def test_a_message_on_its_way_is_lost_only_when_the_suite_is_settled() -> None:
    small = SmallWorld()
    message_unanswered(small)
    small.drop("ledger", "ledger.subledger-posting.drafted", 2)
    assert not verdict(small, "I3").holds
    assert verdict(small, "I3", settled=False).holds
    assert verdict(small, "I2", settled=False).holds
    assert verdict(small, "M2", settled=False).holds


def test_a_failure_names_the_exact_place() -> None:
    small = SmallWorld()
    cent_in_a_posting(small)
    posting = small.logs["ledger"].events[0][1]
    assert verdict(small, "I1").failures[0] == f"posting {posting}: debits and credits differ by 0.01"


def test_the_open_item_of_a_remittance_without_deposit_is_explained() -> None:
    small = SmallWorld()
    for topic in ("remittance.deposit-matched", "deposit.matched", "deposit.recorded"):
        small.drop("payments", f"payments.{topic}")
    small.drop("ledger", "ledger.subledger-posting.drafted", 3)
    result = verdict(small, "M3")
    assert result.holds, result.failures
    assert result.value["items"] == [f"{REMITTANCE}: 60.00, no deposit yet"]


def test_what_is_sealed_under_a_key_that_never_was_is_lost() -> None:
    small = SmallWorld()
    key = derive("key", 1)
    small.find("intake", "intake.encounter.opened")["clinical"] = {"key_id": key, "ciphertext": "AAAA"}
    world = small.read()
    assert world.stores["intake"].keys == {key}
    assert logs_are_intact(replace(world, keys=frozenset({key}))).holds
    lost = logs_are_intact(replace(world, keys=frozenset()))
    assert lost.failures == (f"intake: something is sealed under key {key}, which the key database never had",)
