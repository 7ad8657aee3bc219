"""An encounter that says nothing of its payer, on real servers: it waits, and its claim goes out once a Coverage tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sandbox.world.ehr import Delivery, delivery_of
from sandbox.world.encounters import SimulatedEncounter, Wire
from sandbox.world.scenario import Scenario

from tests.integration.story import Story, ehr_of, own_story, settled, until
from tests.integration.suite import Bench, broken_promises

pytestmark = [pytest.mark.servers, pytest.mark.slow]
SEED, ENCOUNTERS = 6215, 14
HELD = "SELECT count(*) FROM encounters WHERE state = 'held' AND hold_reasons LIKE 'payer: payer-not-stated%'"
WAITING = "SELECT count(*) FROM exception_cases WHERE code = 'PayerNotStated' AND state = 'open'"
CLAIMS = "SELECT count(*) FROM claims"


def scenario_of(today: date) -> Scenario:
    """One visit that comes by FHIR and whose patient is insured."""
    told = Scenario.tell(SEED, ENCOUNTERS, today)
    visit = next(each for each in told.billable if each.wire is Wire.FHIR)
    return replace(told, encounters=(visit,))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Story]]:
    with own_story(tmp_path_factory.mktemp("payer-told-later"), scenario_of) as opened:
        yield opened


def part_of(visit: SimulatedEncounter, name: str, kinds: set[str]) -> Delivery:
    """The visit's bundle under another name, with the resources of these types alone."""
    whole = delivery_of(visit)
    bundle = json.loads(whole.messages[0])
    bundle["identifier"]["value"] = f"{visit.visit_number}-{name}"
    bundle["entry"] = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] in kinds]
    return replace(whole, messages=(json.dumps(bundle).encode(),))


def test_a_claim_waits_for_its_payer_and_goes_out_once_the_coverage_comes(running: tuple[Bench, Story]) -> None:
    bench, story = running
    (visit,) = story.scenario.encounters
    people = {"Patient", "Organization", "Practitioner"}
    story.deliver(ehr_of(bench), [part_of(visit, "visit", {*people, "Encounter", "ChargeItem"})])
    settled(bench)
    assert (bench.count("intake", HELD), bench.count("intake", WAITING), bench.count("claims", CLAIMS)) == (1, 1, 0)

    story.deliver(ehr_of(bench), [part_of(visit, "coverage", {*people, "Coverage"})])
    until(lambda: len(story.payers.verdicts) == 1, "the payer has the claim")
    settled(bench)
    assert (bench.count("intake", HELD), bench.count("intake", WAITING), bench.count("claims", CLAIMS)) == (0, 0, 1)
    (verdict,) = story.payers.verdicts
    assert visit.coverage is not None
    assert (verdict.claim.member_id, verdict.claim.charge) == (visit.coverage.member_id, visit.total)
    assert broken_promises(bench.folder) == {}
