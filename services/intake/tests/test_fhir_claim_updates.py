"""An update or a cancellation of a claim says all of it: what it names no more is billed nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from canonical.events.intake import PostedCharges
from intake.adapters.fhir.claims import ITEMS_MAX

from .test_fhir_claims import ENCOUNTER, claim, claim_bundle, money, rules
from .world import IntakeUnderTest, bundle, raw, resources

AT_THE_VISIT = {"encounter": [{"reference": f"Encounter/{ENCOUNTER.visit_number}"}]}


def visit_without_charges() -> dict[str, Any]:
    content = bundle(ENCOUNTER)
    items = resources(content, "ChargeItem")
    content["entry"] = [each for each in content["entry"] if each["resource"] not in items]
    return content


def update(number: int, **changes: Any) -> bytes:
    content = claim_bundle(**changes)
    content["identifier"]["value"] = f"update {number}"
    resources(content, "Claim")[0]["meta"] = {"lastUpdated": f"2026-02-07T1{number}:00:00Z"}
    return raw(content)


def totals(service: IntakeUnderTest) -> list[str]:
    """What each posting comes to by the newest word on it."""
    said = [event for event in service.events() if isinstance(event, PostedCharges)]
    return list({(each.encounter_id, each.posting): each.total.decimal_text for each in said}.values())


def test_an_update_that_names_another_encounter_takes_dropped_items_out_of_the_first() -> None:
    service = IntakeUnderTest()
    one_item = [claim()["item"][0] | AT_THE_VISIT]
    messages = (raw(visit_without_charges()), update(1), update(2, item=one_item, total=money(124.5)))
    assert [each.accepted for message in messages for each in service.receive(message)] == [True, True, True]
    assert totals(service) == ["0.00", "124.50"]


def test_updates_in_one_batch_take_dropped_items_out_of_the_first_encounter_too() -> None:
    service = IntakeUnderTest()
    one_item = [claim()["item"][0] | AT_THE_VISIT]
    service.receive(raw(visit_without_charges()))
    service.receive(update(1), update(2, item=one_item, total=money(124.5)))
    assert sorted(totals(service))[-1] == "124.50"
    assert sum(total != "0.00" for total in totals(service)) == 1


def test_an_older_update_takes_nothing_back_of_a_newer_one() -> None:
    service = IntakeUnderTest()
    (*_, older) = service.receive(update(2), update(1, item=claim()["item"][:1], total=money(124.5)))
    assert totals(service) == ["155.25"]
    assert "older-word" in older.notes[-1]


@pytest.mark.parametrize("left", [[], claim()["item"][:1]], ids=["no item", "one item"])
def test_a_cancelled_claim_takes_back_the_items_that_it_does_not_list_too(left: list[dict[str, Any]]) -> None:
    service = IntakeUnderTest()
    service.receive(update(1))
    (outcome,) = service.receive(update(2, status="cancelled", item=left))
    assert outcome.accepted
    assert totals(service) == ["0.00"]


@pytest.mark.parametrize(("number", "told"), [(ITEMS_MAX, []), (ITEMS_MAX + 1, ["item-number"])])
def test_an_item_whose_number_an_update_would_not_look_for_is_refused(number: int, told: list[str]) -> None:
    items = claim()["item"]
    items[1]["sequence"] = number
    assert rules(claim_bundle(item=items)) == told


def test_the_refusal_of_an_items_number_says_what_to_do() -> None:
    items = claim()["item"]
    items[1]["sequence"] = ITEMS_MAX + 1
    (outcome,) = IntakeUnderTest().receive(update(1, item=items))
    (finding,) = outcome.findings
    assert finding.endswith("number the items from 1, and send more services as a further claim of their own")
