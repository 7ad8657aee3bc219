"""An external platform works the claims of one of two entities, on real servers: the books of both tie to the same promises."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from canonical.master_data import MasterData
from sandbox.folders import write_private
from sandbox.world.clearinghouse_api import SIGNATURE
from sandbox.world.file_drop import Exchange
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.misbehaviour import Fault
from sandbox.world.payer import PAYER_SEED, Payers
from sandbox.world.rcm_platform import PlatformDesk
from sandbox.world.rcm_platform_api import RcmPlatformApi
from sandbox.world.scenario import Scenario
from sandbox.world.webhooks import WebhookSender

from tests.integration.story import Story, ehr_of, until
from tests.integration.suite import Bench, broken_promises, write_canaries

pytestmark = [pytest.mark.servers, pytest.mark.slow]

NAME, CLIENT, SECRET = "northstar", ("throughline", "a-secret-of-the-test"), "a-webhook-secret-of-the-test"
ENTITY = "SOUTH"
NEVER = "86400"
THEIRS = "SELECT count(*) FROM claims WHERE worked_by = 'northstar' AND state = 'accepted'"
OURS = "SELECT count(*) FROM claims WHERE worked_by = '' AND state = 'accepted'"
UNDECIDED = "SELECT count(*) FROM claims WHERE state = 'accepted'"
DECIDED = "SELECT count(*) FROM claims WHERE state IN ('adjudicated', 'denied', 'secondary-billed', 'crossed-over')"
COMPARED = "SELECT count(*) FROM platform_balances WHERE state = 'agrees'"
DIFFERING = "SELECT count(*) FROM platform_balances WHERE state <> 'agrees'"
LOOSE = "SELECT count(*) FROM remittances WHERE settlement = 'waiting'"


def one_entity_outside() -> MasterData:
    known = sandbox_master_data()
    entities = tuple(
        each.model_copy(update={"claims_worked_by": NAME}) if each.code == ENTITY else each for each in known.entities
    )
    return known.model_copy(update={"entities": entities})


@dataclass
class Road:
    """The suite with the platform beside the clearinghouse, and every encounter of a small story charged."""

    bench: Bench
    api: RcmPlatformApi
    desk: PlatformDesk
    sender: WebhookSender
    story: Story


def platform_of(folder: Path) -> tuple[RcmPlatformApi, PlatformDesk, WebhookSender, dict[str, str], dict[str, str]]:
    """The platform, started, and what claims and all services are told of it."""
    clock = partial(datetime.now, UTC)
    payers = Payers(PAYER_SEED, master_data=one_entity_outside(), first_control_number=500_000)
    sender = WebhookSender(payers.misbehaviour, time.time, signature=SIGNATURE, agent="sandbox")
    desk = PlatformDesk(NAME, payers)
    api = RcmPlatformApi(desk, clock, CLIENT, webhooks=sender)
    api.start()
    write_private(folder / "northstar.secret", CLIENT[1])
    write_private(folder / "northstar.webhook", SECRET)
    way = {"kind": "rest", "base_url": api.url, "token_url": api.token_url, "client_id": CLIENT[0]}
    files = {"client_secret_file": "northstar.secret", "webhook_secret_file": "northstar.webhook"}
    write_private(folder / "platforms.json", json.dumps({"platforms": {NAME: way | files}}))
    write_private(folder / "master_data.json", one_entity_outside().model_dump_json())
    known = {"THROUGHLINE_MASTER_DATA_PATH": str(folder / "master_data.json")}
    told = known | {
        "THROUGHLINE_PLATFORMS_PATH": str(folder / "platforms.json"),
        "THROUGHLINE_PLATFORM_PATIENCE_SECONDS": "2",
        "THROUGHLINE_FETCH_SECONDS": NEVER,
    }
    return api, desk, sender, told, known


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    bench = Bench(tmp_path_factory.mktemp("platform-suite"))
    api, desk, sender, told, known = platform_of(tmp_path_factory.mktemp("platform"))
    bench.start_servers()
    try:
        bench.prepare()
        bench.start_services({"claims": told, "intake": known})
        today = datetime.now(UTC).date()
        sender.configure(f"http://{bench.address('claims', 'http')}/clearinghouse/webhook", SECRET)
        sender.start()
        with Story(bench, Scenario.small(today), today) as story:
            write_canaries(bench.folder, story.scenario)
            story.send_all(ehr_of(bench))
            yield Road(bench, api, desk, sender, story)
    finally:
        sender.stop()
        api.stop()
        bench.stop()


def test_both_ways_end_in_books_that_keep_every_promise(road: Road) -> None:
    bench, story, desk = road.bench, road.story, road.desk
    expected = len(story.outcomes)
    until(
        lambda: len(desk.payers.verdicts) + len(story.payers.verdicts) >= expected,
        "the platform or the payers have every claim",
    )
    assert {verdict.claim.billing_npi for verdict in desk.payers.verdicts} == {
        entity.npi for entity in one_entity_outside().entities if entity.code == ENTITY
    }
    accepted = [sum(each.accepted for each in payers.verdicts) for payers in (desk.payers, story.payers)]
    until(lambda: [bench.count("claims", THEIRS), bench.count("claims", OURS)] == accepted, "all are answered")

    ours = story.clearinghouse.settle(story.today)
    theirs, report = desk.settle(story.today)
    assert report is not None
    road.api.misbehaviour.request(Fault.DUPLICATE, target="answers")
    road.api.put_answer(report)
    story.bank.deposit_remittances([*ours, *theirs])
    story.bank.drop_statement(Exchange(bench.exchange), story.today, datetime.now(UTC))
    until(lambda: bench.count("claims", UNDECIDED) == 0, "every claim is decided")
    until(lambda: bench.count("payments", LOOSE) == 0, "every remittance is in the bank")
    until(lambda: bench.count("claims", DIFFERING) == 0, "every balance of the platform agrees")

    assert bench.count("claims", COMPARED) > 0
    assert bench.count("claims", DECIDED) >= sum(accepted)
    assert broken_promises(bench.folder) == {}
