"""The demo's payer traffic: what is chosen nets to zero, and the report says it as a biller would."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from canonical.money import Money
from sandbox.world.clearinghouse import Clearinghouse
from sandbox.world.oracle import claim_of
from sandbox.world.payer import PAYER_SEED, Payers
from sandbox.world.received_claims import ReceivedClaim
from sandbox.world.scenario import Scenario
from sandbox.world.x12_writing import Route, TransactionSet, amount_text, interchange
from throughline.demo.denial_work import WorkedDenial
from throughline.demo.facts import Facts, OracleLine
from throughline.demo.traffic import RULES, Traffic
from throughline.demo.traffic_facts import ChainLink, ClaimStory, Decided, NextPayerStory, TrafficFacts
from throughline.demo.traffic_report import tell_traffic

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
SPARED = "MEDICARE"
ZERO = Money(0)


def segments_of(claim: ReceivedClaim, level: int) -> list[str]:
    lines = "~".join(
        f"LX*{number}~SV1*HC:{line.procedure_code}*{amount_text(line.charge)}*UN*1~DTP*472*D8*{line.service_date}"
        for number, line in enumerate(claim.lines, 1)
    )
    head = (
        f"HL*{level}**20*1~NM1*85*2*CLINIC*****XX*{claim.billing_npi}~HL*{level + 1}*{level}*22*0~SBR*P*18~"
        f"NM1*IL*1*{claim.family_name}*{claim.given_name}****MI*{claim.member_id}~NM1*PR*2*P*****PI*{claim.payer_identifier}~"
        f"CLM*{claim.patient_control_number}*{amount_text(claim.charge)}***11:B:1*Y*A*Y*Y"
    )
    return f"{head}~{lines}".split("~")


def traffic(folder: Path, encounters: int) -> tuple[Traffic, Payers]:
    """Payers that have taken every claim of a demo's story."""
    scenario = Scenario.demo(TODAY, encounters=encounters)
    payers = Payers(PAYER_SEED, rules=RULES, next_coverages=scenario.coverages_after)
    rows = [row for level, each in enumerate(scenario.billable) for row in segments_of(claim_of(each), 2 * level + 1)]
    version = "005010X222A1"
    payers.receive(
        interchange(Route("TLNORTH", "ACMEEDI", 1, NOW), "HC", version, [TransactionSet("837", version, rows)]), NOW
    )
    return Traffic(Clearinghouse(folder, payers, lambda: NOW), scenario, PAYER_SEED, [SPARED]), payers


@pytest.mark.parametrize("encounters", [40, 320])
def test_what_a_payer_carries_forward_is_netted_by_the_payments_chosen_for_it(tmp_path: Path, encounters: int) -> None:
    told, payers = traffic(tmp_path, encounters)
    told.pend()
    payers.settle(TODAY)
    told.choose()
    carried = [
        pair.amount
        for each in told.change_minds(TODAY) + told.run_down(TODAY)
        if told.followed.chain
        and (each.entity.code, each.payer.code) == (told.followed.chain.entity, told.followed.chain.payer)
        for pair in each.provider_adjustments
    ]
    assert len(carried) >= 2
    assert Money.total(carried) == ZERO


def test_the_denial_and_the_payment_that_are_followed_are_reversed_and_decided_again(tmp_path: Path) -> None:
    told, payers = traffic(tmp_path, 320)
    told.pend()
    payers.settle(TODAY)
    followed = told.choose()
    made = told.change_minds(TODAY)
    for number in (followed.denied, followed.corrected):
        decided = [each.decision for remittance in made for each in remittance.claims]
        statuses = [each.status for each in decided if each.claim.patient_control_number == number]
        assert statuses == ["22", "1"]
    assert payers.decisions[followed.denied].paid > ZERO
    assert SPARED not in {each.payer.code for each in made}


def test_a_story_without_claims_has_nothing_to_follow(tmp_path: Path) -> None:
    scenario = Scenario.demo(TODAY, encounters=0)
    told = Traffic(Clearinghouse(tmp_path, Payers(PAYER_SEED), lambda: NOW), scenario, PAYER_SEED, [SPARED])
    told.pend()
    assert (told.choose().denied, told.followed.chain) == ("", None)
    assert told.change_minds(TODAY) + told.run_down(TODAY) == []


def decided(what: str, paid: int, denied: int = 0) -> Decided:
    return Decided("2026-11-20", "T1", what, Money(100_00), Money(paid), ZERO, Money(denied), ZERO)


def test_each_story_is_told_with_its_amounts(capsys: pytest.CaptureFixture[str]) -> None:
    denial = ClaimStory("PCN1", "ACME", "corrected", (decided("denied", 0, 100_00), decided("correction", 70_00)))
    work = WorkedDenial(
        reasons=("CO-50 100.00 USD",),
        category="medical-necessity",
        queue="clinical-review",
        owner="biller-1",
        state="closed",
        outcome="recovered",
        denied_on="2026-11-20",
        appeal_by="2027-05-19",
        amount=Money(100_00),
        at_risk=ZERO,
        recovered=Money(100_00),
        written_off=ZERO,
        history=("appealed",),
    )
    after = NextPayerStory(
        "PCN2", "ACME", Money(100_00), Money(60_00), Money(15_00), "BLUEOAK", Money(5_00), ZERO, "closed"
    )
    link = ChainLink("2026-11-21", "T2", Money(-9_00), ZERO, Money(9_00), ZERO, Money(9_00))
    facts = TrafficFacts(denial, work, None, [after], 1, Money(5_00), "ACME and NORTH", [link], ZERO)
    heads: list[str] = []
    tell_traffic(facts, heads.append)
    printed = capsys.readouterr().out
    assert heads == [
        "A denial worked to recovery",
        "Claims to the next payer",
        "A balance that a payer carried forward to zero",
    ]
    for text in ("it paid 70.00", "5.00 came back", "Open between the two at the end: 0.00", "medical-necessity"):
        assert text in printed


def test_the_stories_are_told_as_data_too() -> None:
    story = ClaimStory("PCN1", "ACME", "corrected", (decided("denied", 0, 100_00),))
    link = ChainLink("2026-11-21", "T2", Money(-9_00), ZERO, Money(9_00), ZERO, Money(9_00))
    told = json.loads(json.dumps(Facts(traffic=TrafficFacts(denial=story, chain=[link])).as_data()))["traffic"]
    assert told["denial"]["decisions"][0]["denied"] == "100.00 USD"
    assert told["chain"][0]["still_owed"] == "9.00 USD"
    assert told["correction"] is None


def test_a_cent_beside_the_oracle_is_no_agreement() -> None:
    facts = Facts()
    facts.compare_with({("NORTH", "ar-payer", "ACME"): 1})
    assert facts.oracle == [OracleLine("NORTH", "ar-payer", "ACME", ZERO, Money(1))]
    assert not facts.agrees_with_oracle
    facts.compare_with({})
    assert facts.agrees_with_oracle
