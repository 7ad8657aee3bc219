"""A patient may be covered twice: the payers stand in order, and the second pays what the first leaves."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from canonical.encounter import EncounterPhi
from canonical.events.intake import EncounterCharged
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.scenario import Wire

from .world import IntakeUnderTest, bundle, charge_message, encounters, raw, resources

ENCOUNTER = encounters(Wire.FHIR)[0]
assert ENCOUNTER.coverage is not None
PRIMARY = ENCOUNTER.coverage.payer
SECONDARY = next(payer.code for payer in sandbox_master_data().payers if payer.code != PRIMARY)


def twice_covered(payer: str = SECONDARY, orders: tuple[int | None, int | None] = (1, 2)) -> dict[str, Any]:
    """The bundle of a patient with a second coverage, at `payer`."""
    content = bundle(ENCOUNTER)
    (organization,) = [entry for entry in content["entry"] if entry["resource"].get("id") == f"payer-{PRIMARY}"]
    (first,) = [entry for entry in content["entry"] if entry["resource"]["resourceType"] == "Coverage"]
    second, insurer = copy.deepcopy(first), copy.deepcopy(organization)
    insurer["resource"] |= {"id": f"payer-{payer}-2", "name": payer}
    insurer["resource"]["identifier"][0]["value"] = payer
    second["resource"] |= {"id": "cov-2", "subscriberId": "SECOND77"}
    second["resource"]["payor"] = [{"reference": f"Organization/payer-{payer}-2"}]
    for entry, order in zip((first, second), orders, strict=True):
        entry["resource"].pop("order", None)
        if order is not None:
            entry["resource"]["order"] = order
    for entry in (insurer, second):
        resource = entry["resource"]
        entry["fullUrl"] = f"urn:sandbox:{resource['resourceType']}:{resource['id']}"
        entry["request"] = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    place = content["entry"].index(first)
    content["entry"][place:place] = [insurer, second]
    return content


def charged(service: IntakeUnderTest) -> EncounterCharged:
    (event,) = [event for event in service.events() if isinstance(event, EncounterCharged)]
    return event


def test_the_payers_of_a_bundle_stand_in_the_order_of_their_coverages() -> None:
    service = IntakeUnderTest()
    (outcome,) = service.receive(raw(twice_covered()))
    event = charged(service)
    details = service.sealer.open(event.details, EncounterPhi)
    assert outcome.accepted
    assert (event.payer, [(each.payer, each.has_member_id) for each in event.next_payers]) == (
        PRIMARY,
        [(SECONDARY, True)],
    )
    assert [each.member_id for each in details.other_coverages] == ["SECOND77"]
    assert details.coverage is not None
    assert details.coverage.member_id == ENCOUNTER.coverage.member_id  # type: ignore[union-attr]


def test_the_plans_of_the_coverages_are_told_by_their_codes() -> None:
    content = twice_covered()
    first, second = sorted(resources(content, "Coverage"), key=lambda coverage: coverage["order"])
    for coverage, plan in ((first, "GOLD"), (second, "SILVER")):
        coverage["class"].append({"type": {"coding": [{"code": "plan"}]}, "value": plan})
    service = IntakeUnderTest()
    service.receive(raw(content))
    event = charged(service)
    assert (event.plan, [each.plan for each in event.next_payers]) == ("GOLD", ["SILVER"])
    details = service.sealer.open(event.details, EncounterPhi)
    assert details.coverage is not None
    assert details.coverage.group_number


def test_an_order_turned_around_turns_the_payers_around() -> None:
    service = IntakeUnderTest()
    service.receive(raw(twice_covered(orders=(2, 1))))
    event = charged(service)
    assert (event.payer, [each.payer for each in event.next_payers]) == (SECONDARY, [PRIMARY])


@pytest.mark.parametrize("orders", [(1, 1), (1, 9)])
def test_an_order_that_nobody_can_follow_is_refused(orders: tuple[int, int]) -> None:
    (outcome,) = IntakeUnderTest().receive(raw(twice_covered(orders=orders)))
    assert not outcome.accepted
    assert len(outcome.findings) == 1
    assert "coverage-order" in str(outcome.findings[0])


def test_a_second_payer_that_nobody_knows_holds_the_encounter_like_the_first() -> None:
    service = IntakeUnderTest()
    (outcome,) = service.receive(raw(twice_covered("NOSUCH")))
    assert outcome.accepted
    assert [case["code"] for case in service.cases()] == ["UnmappedCode"]
    assert not [event for event in service.events() if isinstance(event, EncounterCharged)]


def test_the_second_insurance_of_a_charge_message_is_the_second_payer() -> None:
    segments = charge_message().rstrip("\r").split("\r")
    place = next(index for index, text in enumerate(segments) if text.startswith("IN1"))
    fields = segments[place].split("|")
    first, (fields[1], fields[3]) = fields[3], ("2", next(p for p in (PRIMARY, SECONDARY) if p != fields[3]))
    segments.insert(place + 1, "|".join(fields))
    service = IntakeUnderTest()
    service.receive(("\r".join(segments) + "\r").encode())
    event = charged(service)
    assert (event.payer, [each.payer for each in event.next_payers]) == (first, [fields[3]])


def test_the_same_coverages_again_change_nothing() -> None:
    service = IntakeUnderTest()
    service.receive(raw(twice_covered()))
    position = len(service.events())
    changed = twice_covered()
    resources(changed, "Patient")[0]["address"][0]["city"] = "Elsewhere"
    service.receive(raw(changed))
    kinds = [type(entry.event).__name__ for entry in service.store.log(0, 1_000)]
    assert kinds.count("NextCoverageAttached") == 1
    assert len(service.events()) == position
