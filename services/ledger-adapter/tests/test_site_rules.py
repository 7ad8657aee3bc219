"""Posting rules that a site adds: what it may say, from when on, and what waited for them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from canonical.codes import AdjustmentGroup
from chassis.exceptions import CASES
from ledger_adapter.adapters.site_rule_file import load_site_rules
from ledger_adapter.application.queries import POSTINGS
from ledger_adapter.domain.posting_rules import RULES_VERSION, Fact
from ledger_adapter.domain.site_rules import NO_SITE_RULES, SiteRules
from pydantic import ValidationError

from .examples import REMITTANCE, accepted, adjudicated, charged, negated, payment_unknown
from .test_remittances_in_full import SECOND
from .world import World

SAMPLE = Path(__file__).parents[1] / "site-rules.sample.json"
PR, OA = AdjustmentGroup.PATIENT, AdjustmentGroup.OTHER
UNMAPPED = adjudicated(1, paid="60.00", adjustments=(("CO", "45", "30.00"), ("PR", "96", "10.00")))


@pytest.fixture
def world() -> World:
    return World()


def rule(**changes: Any) -> dict[str, Any]:
    return {"group": "PR", "reason": "96", "account": "ar-patient"} | changes


def rules(*adjustments: dict[str, Any], edition: str = "2026.1") -> SiteRules:
    return SiteRules.model_validate({"edition": edition, "adjustments": adjustments})


def started_with(world: World, site_rules: SiteRules) -> None:
    world.site_rules = site_rules
    world.core = world.started()


def waiting(world: World) -> World:
    """A remittance of one claim, of which one code has no rule."""
    world.deliver(charged(1), accepted(claims=1, paid="60.00"), UNMAPPED)
    world.settle()
    assert world.cases() == ["UnmappedAdjustment"]
    return world


def test_the_sample_says_what_codes_mean_by_the_day_of_the_service() -> None:
    site = load_site_rules(SAMPLE)

    assert site.on(date(2025, 6, 1)) == {(PR, "96"): Fact.PATIENT_SHARE}
    assert site.on(date(2026, 12, 31)) == {
        (PR, "96"): Fact.PATIENT_SHARE,
        (PR, "204"): Fact.PATIENT_SHARE,
        (OA, "94"): Fact.CONTRACTUAL_TAKEN,
    }
    assert (OA, "94") not in site.on(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (rule(group="CO", reason="45", account="contractual-allowance"), r"rule 2 \(CO-45 .*no account by a site rule"),
        (rule(group="PI", reason="15", account="ar-payer-denied"), r"rule 2 \(PI-15"),
        (rule(reason="3"), r"rule 2 \(PR-3 .*the shipped rules"),
        (rule(group="OA", reason="23", account="contractual-allowance"), r"rule 2 \(OA-23 .*the shipped rules"),
        (rule(account="contractual-allowance"), r"rule 2 \(PR-96 .*may go to ar-patient"),
        (rule(group="OA", reason="94"), r"rule 2 \(OA-94 .*may go to contractual-allowance"),
        (rule(valid_from="2026-02-01", valid_until="2026-01-31"), r"rule 2 .*ends before it begins"),
        (rule(reason="204", valid_from="2026-06-30"), r"rule 2 .*same code and days \(PR-204 to ar-patient, 2026-01-01 2026-06-30"),
        (rule(reason="9 6"), "adjustments.1.reason"),
        (rule(group="XX"), "adjustments.1.group"),
        (rule(account="petty-cash"), "adjustments.1.account"),
        (rule(until="2026-01-01"), "adjustments.1.until"),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_allowed_is_refused_by_name(entry: dict[str, Any], said: str) -> None:
    first = rule(reason="204", valid_from="2026-01-01", valid_until="2026-06-30")

    with pytest.raises(ValidationError, match=said):
        rules(first, entry)


def test_a_code_may_mean_something_else_the_day_after() -> None:
    first = rule(reason="204", valid_from="2026-01-01", valid_until="2026-06-30")
    assert rules(first, rule(reason="204", valid_from="2026-07-01")).on(date(2026, 7, 1))


def test_the_version_names_the_shipped_rules_the_edition_and_what_it_says() -> None:
    one, other = rules(rule()), rules(rule(reason="97"))

    assert one.version.startswith(f"{RULES_VERSION}+2026.1-")
    assert one.version != other.version
    assert NO_SITE_RULES.version == RULES_VERSION


def test_what_waited_for_a_rule_is_booked_when_the_service_starts_with_it(world: World) -> None:
    waiting(world)

    started_with(world, rules(rule()))
    world.settle()

    assert (world.cases(), world.journals()["remittance"]) == ([], ["confirmed"])
    assert world.balances() == {
        "NORTH ar-patient PATIENTS-NORTH": 1000,
        "NORTH contractual-allowance": 3000,
        "NORTH eft-clearing": 6000,
        "NORTH gross-revenue": -10000,
    }
    (case,) = world.rows(CASES)
    assert case["state"] == "retried"
    (posting,) = world.rows(POSTINGS, group_id=REMITTANCE)
    assert posting["rules_version"] == rules(rule()).version


def test_a_rule_for_other_days_or_codes_leaves_it_waiting(world: World) -> None:
    waiting(world)

    for site in (rules(rule(valid_from="2027-01-01")), rules(rule(reason="97"))):
        started_with(world, site)
        world.settle()
        assert world.cases() == ["UnmappedAdjustment"]
        assert len(world.rows(CASES)) == 1


def test_a_matched_payment_and_its_reversal_know_the_site_rules_and_name_them(world: World) -> None:
    started_with(world, rules(rule()))
    matched = UNMAPPED.model_copy(update={"match": 1})
    world.deliver(charged(1), payment_unknown("60.00"), matched, accepted(claims=1, paid="60.00"))
    started_with(world, NO_SITE_RULES)

    world.deliver(negated(matched, position=0, remittance_id=SECOND))
    world.deliver(accepted(claims=1, paid="-60.00", remittance_id=SECOND))
    world.settle()

    assert world.cases() == []
    assert world.balances() == {"NORTH ar-payer ACME": 10000, "NORTH gross-revenue": -10000}
    versions = [row["rules_version"] for row in world.rows(POSTINGS, group_kind="claim-match")]
    assert versions == [rules(rule()).version]
