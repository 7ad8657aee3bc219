"""Reversals, next payers, matches, notes and provider-level adjustments: right, and each of them wrong by a cent or a copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from throughline.checker.identity import derive
from throughline.checker.invariants.provider_balances import due_to_payers_agrees
from throughline.checker.result import Result
from throughline.checker.world import World

from .small_world import CASE, line, raised, waits
from .test_invariants import JUDGES as SMALL_JUDGES
from .traffic_world import BALANCE, SECOND, THIRD, TrafficWorld

JUDGES: dict[str, Callable[[World], Result]] = {**SMALL_JUDGES, "M4": due_to_payers_agrees}
DRAFTED = "ledger.subledger-posting.drafted"
ADJUDICATED = "claims.claim.adjudicated"


def failing(traffic: TrafficWorld) -> set[str]:
    world = traffic.read()
    return {name for name, judge in JUDGES.items() if not judge(world).holds}


@pytest.mark.parametrize("name", JUDGES)
def test_it_holds_of_payers_traffic(name: str) -> None:
    result = JUDGES[name](TrafficWorld().read())
    assert result.holds, result.failures


def posting(traffic: TrafficWorld, identity: str) -> dict[str, object]:
    """The state of one posting, to be changed in place."""
    return next(s for topic, found, s in traffic.logs["ledger"].events if topic == DRAFTED and found == identity)


def taken_away(traffic: TrafficWorld, identity: str) -> None:
    places = [
        n for n, (topic, found, _) in enumerate(traffic.logs["ledger"].events) if (topic, found) == (DRAFTED, identity)
    ]
    del traffic.logs["ledger"].events[places[0]]
    del traffic.logs["ledger"].announced[places[0]]


def again(traffic: TrafficWorld, identity: str) -> None:
    traffic.record("ledger", DRAFTED, derive("posting", "again", identity), dict(posting(traffic, identity)))


REVERSAL = derive("posting", "claim-payment", THIRD, 0)
FORWARDED = derive("posting", "provider-adjustment", SECOND, 0)
MATCH = derive("posting", "claim-match", SECOND, 1, 1)
NOTE = derive("posting", "claim-payment", SECOND, 2)


def cent_in_an_adjustment(traffic: TrafficWorld) -> None:
    posting(traffic, FORWARDED)["lines"] = [line("due-to-payer", "-4.01"), line("eft-clearing", "4.01")]


def adjustment_on_another_account(traffic: TrafficWorld) -> None:
    posting(traffic, FORWARDED)["lines"] = [line("provider-adjustments", "-4.00"), line("eft-clearing", "4.00")]


def adjustment_with_the_other_sign(traffic: TrafficWorld) -> None:
    posting(traffic, FORWARDED)["lines"] = [line("due-to-payer", "4.00"), line("eft-clearing", "-4.00")]


def adjustment_never_booked(traffic: TrafficWorld) -> None:
    taken_away(traffic, FORWARDED)


def adjustment_booked_twice(traffic: TrafficWorld) -> None:
    again(traffic, FORWARDED)


def move_by_another_cent(traffic: TrafficWorld) -> None:
    traffic.find("payments", "payments.provider-balance.moved")["amount"] = "-4.01 USD"
    traffic.payload("payments", "provider-balance-moved")["amount"] = "-4.01 USD"


def move_twice(traffic: TrafficWorld) -> None:
    topic = "payments.provider-balance.moved"
    public = ("provider-balance-moved", dict(traffic.payload("payments", "provider-balance-moved")))
    traffic.record("payments", topic, BALANCE, dict(traffic.find("payments", topic)), public)


def move_missing(traffic: TrafficWorld) -> None:
    traffic.drop("payments", "payments.provider-balance.moved")


def reversal_booked_twice(traffic: TrafficWorld) -> None:
    again(traffic, REVERSAL)


def reversal_never_booked(traffic: TrafficWorld) -> None:
    taken_away(traffic, REVERSAL)


def reversal_booked_as_a_decision(traffic: TrafficWorld) -> None:
    posting(traffic, REVERSAL)["lines"] = [
        line("eft-clearing", "60.00"),
        line("ar-payer", "-100.00", "ACME"),
        line("contractual-allowance", "30.00"),
        line("ar-patient", "10.00", "PATIENTS-NORTH"),
    ]


def reversal_left_with_the_patient(traffic: TrafficWorld) -> None:
    traffic.drop("payments", "payments.patient-account.responsibility-assigned", 2)


def next_payers_share_with_the_patient(traffic: TrafficWorld) -> None:
    posting(traffic, derive("posting", "claim-payment", SECOND, 0))["lines"] = [
        line("eft-clearing", "120.00"),
        line("ar-payer", "-200.00", "ACME"),
        line("contractual-allowance", "40.00"),
        line("ar-patient", "40.00", "PATIENTS-NORTH"),
    ]


def match_out_of_the_bank(traffic: TrafficWorld) -> None:
    posting(traffic, MATCH)["lines"] = [line("eft-clearing", "25.00"), line("ar-payer", "-25.00", "ACME")]


def match_never_booked(traffic: TrafficWorld) -> None:
    taken_away(traffic, MATCH)


def matched_without_having_been_unknown(traffic: TrafficWorld) -> None:
    states = [s for topic, _, s in traffic.logs["claims"].events if topic == ADJUDICATED]
    states[-1]["match"] = 3
    traffic.payload("claims", "claim-adjudicated", 4)["match"] = 3


def note_that_moves_money(traffic: TrafficWorld) -> None:
    posting(traffic, NOTE)["lines"] = [line("eft-clearing", "0.01"), line("unapplied-payer", "-0.01")]


def note_never_counted(traffic: TrafficWorld) -> None:
    taken_away(traffic, NOTE)


def secondary_claim_without_a_primary(traffic: TrafficWorld) -> None:
    traffic.find("claims", "claims.claim.drafted", 2)["content"]["sequence"] = 3


def write_off_by_another_cent(traffic: TrafficWorld) -> None:
    identity = next(
        i for t, i, s in traffic.logs["ledger"].events if t == DRAFTED and s["group_kind"] == "denial-write-off"
    )
    posting(traffic, identity)["lines"] = [line("denial-write-off", "2.01"), line("ar-payer-denied", "-2.01", "ACME")]


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        (cent_in_an_adjustment, {"I2", "I4", "M3", "M4"}),
        (adjustment_on_another_account, {"I2", "I4", "M4"}),
        (adjustment_with_the_other_sign, {"I2", "I4", "M3", "M4"}),
        (adjustment_never_booked, {"I2", "I4", "M3", "M4"}),
        (adjustment_booked_twice, {"I2", "I4", "M3", "M4"}),
        (move_by_another_cent, {"M4"}),
        (move_twice, {"I2"}),
        (move_missing, {"M4"}),
        (reversal_booked_twice, {"I2", "I4", "M2", "M3"}),
        (reversal_never_booked, {"I2", "I4", "M2", "M3"}),
        (reversal_booked_as_a_decision, {"I2", "I4", "M2", "M3"}),
        (reversal_left_with_the_patient, {"I2"}),
        (next_payers_share_with_the_patient, {"I2", "I4", "M2"}),
        (match_out_of_the_bank, {"I2", "I4", "M3"}),
        (match_never_booked, {"I2", "I4", "M2", "M3"}),
        (matched_without_having_been_unknown, {"I2"}),
        (note_that_moves_money, {"I2", "I4", "M3"}),
        (note_never_counted, {"I2", "I4"}),
        (secondary_claim_without_a_primary, {"I2"}),
        (write_off_by_another_cent, {"I2", "I4", "M2"}),
    ],
)
def test_what_is_wrong_in_the_traffic_is_found_and_nothing_else_is_blamed(
    wrong: Callable[[TrafficWorld], None], names: set[str]
) -> None:
    traffic = TrafficWorld()
    wrong(traffic)
    assert failing(traffic) == names


def test_a_wrong_adjustment_is_named_by_its_remittance_code_and_amount() -> None:
    traffic = TrafficWorld()
    cent_in_an_adjustment(traffic)
    message = traffic.message_id("payments", "remittance-accepted", 1)
    faults = JUDGES["I2"](traffic.read()).failures
    assert faults[0] == (f"remittance-accepted {message}, adjustment 0 (FB): due-to-payer is -4.01, it must be -4.00")


def test_a_remittance_whose_adjustment_has_no_rule_waits_for_a_person_and_explains_itself() -> None:
    traffic = TrafficWorld()
    message = traffic.message_id("payments", "remittance-accepted", 2)
    taken_away(traffic, derive("posting", "provider-adjustment", THIRD, 0))
    places = [n for n, (t, i, _) in enumerate(traffic.logs["ledger"].events) if i == derive("manifest", THIRD)]
    for place in reversed(places):
        del traffic.logs["ledger"].events[place]
        del traffic.logs["ledger"].announced[place]
    journal = derive("journal", "remittance", THIRD, 1)
    for service, identity in (("ledger", journal), ("reconciliation", derive("witness", journal))):
        log = traffic.logs[service]
        kept = [n for n, (_, i, _) in enumerate(log.events) if i != identity]
        log.events, log.announced = [log.events[n] for n in kept], [log.announced[n] for n in kept]
    traffic.record("ledger", "chassis.exception-case.raised", CASE, raised(message))
    traffic.parked["ledger"].append(waits(message, case_id=CASE))
    world = traffic.read()
    assert {name: judge(world).failures for name, judge in JUDGES.items() if not judge(world).holds} == {}


def test_what_is_due_to_payers_is_not_judged_once_the_stream_is_trimmed() -> None:
    world = TrafficWorld().read()
    store = world.stores["payments"]
    assert store.stream is not None
    store.stream = replace(store.stream, trimmed=True)
    assert due_to_payers_agrees(world).holds is None
