"""A clearinghouse with a REST interface, on real servers: claims out, hints in, answers fetched, coverage asked while one waits."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from canonical.master_data import MasterData
from sandbox.folders import write_private
from sandbox.world.clearinghouse_api import SIGNATURE, ClearinghouseApi
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.payer import PAYER_SEED, Payers
from sandbox.world.real_time import AnswerDesk
from sandbox.world.scenario import Scenario
from sandbox.world.webhooks import WebhookSender
from throughline.main import app
from typer.testing import CliRunner

from tests.integration.story import Story, ehr_of, until
from tests.integration.suite import Bench, broken_promises, write_canaries

pytestmark = [pytest.mark.servers, pytest.mark.slow]

NAME, TOKEN, SECRET = "swift", "a-token-of-the-test", "a-secret-of-the-test"
NEVER = "86400"
SENT = "SELECT count(*) FROM interchanges WHERE state <> 'intended'"
ACCEPTED = "SELECT count(*) FROM claims WHERE state = 'accepted'"


def by_clearinghouse() -> MasterData:
    known = sandbox_master_data()
    payers = tuple(each.model_copy(update={"transport": NAME}) for each in known.payers)
    return known.model_copy(update={"payers": payers})


@dataclass
class Road:
    """The suite with the clearinghouse, and every encounter of a small story charged."""

    bench: Bench
    api: ClearinghouseApi
    sender: WebhookSender
    desk: AnswerDesk
    scenario: Scenario

    def throughline(self, *arguments: str) -> Any:
        result = CliRunner().invoke(app, [*arguments, "--json", "--state", str(self.bench.folder)])
        return json.loads(result.stdout)


def clearinghouse_of(folder: Path) -> tuple[ClearinghouseApi, WebhookSender, AnswerDesk, dict[str, str]]:
    """The clearinghouse, started, and what claims is told of it: it is asked once a day, unless it hints."""
    clock = partial(datetime.now, UTC)
    payers = Payers(PAYER_SEED, master_data=by_clearinghouse())
    sender = WebhookSender(payers.misbehaviour, time.time, signature=SIGNATURE, agent="sandbox")
    desk = AnswerDesk(payers, clock)
    api = ClearinghouseApi(payers, clock, TOKEN, desk=desk, webhooks=sender)
    api.start()
    for name, text in (("swift.token", TOKEN), ("swift.webhook", SECRET)):
        write_private(folder / name, text)
    swift = {"kind": "rest", "base_url": api.url, "token_file": "swift.token", "real_time": True}
    content = {"clearinghouses": {NAME: swift | {"webhook_secret_file": "swift.webhook"}}}
    write_private(folder / "clearinghouses.json", json.dumps(content))
    write_private(folder / "master_data.json", by_clearinghouse().model_dump_json())
    told = {
        "THROUGHLINE_CLEARINGHOUSES_PATH": str(folder / "clearinghouses.json"),
        "THROUGHLINE_MASTER_DATA_PATH": str(folder / "master_data.json"),
        "THROUGHLINE_FETCH_SECONDS": NEVER,
    }
    return api, sender, desk, told


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    bench = Bench(tmp_path_factory.mktemp("clearinghouse-suite"))
    api, sender, desk, told = clearinghouse_of(tmp_path_factory.mktemp("clearinghouse"))
    bench.start_servers()
    try:
        bench.prepare()
        bench.start_services({"claims": told})
        today = datetime.now(UTC).date()
        sender.configure(f"http://{bench.address('claims', 'http')}/clearinghouse/webhook", SECRET)
        with Story(bench, Scenario.small(today), today) as story:
            write_canaries(bench.folder, story.scenario)
            story.send_all(ehr_of(bench))
            yield Road(bench, api, sender, desk, story.scenario)
    finally:
        sender.stop()
        api.stop()
        bench.stop()


def test_answers_wait_until_a_hint_makes_them_fetched(road: Road) -> None:
    until(lambda: road.bench.count("claims", SENT) > 0, "claims are at the clearinghouse")
    until(lambda: len(road.api.payers.verdicts) >= len(road.scenario.billable), "the payers have every claim")
    time.sleep(3)
    assert road.bench.count("claims", ACCEPTED) == 0

    road.sender.start()

    accepted = sum(verdict.accepted for verdict in road.api.payers.verdicts)
    until(lambda: road.bench.count("claims", ACCEPTED) == accepted, "every claim is answered")
    assert {attempt.status for attempt in road.sender.attempts} == {200}


def test_coverage_is_asked_once_and_then_known(road: Road) -> None:
    with road.bench.admin("claims") as connection:
        row = connection.execute("SELECT claim_id::text FROM claims WHERE state = 'accepted' LIMIT 1").fetchone()
    assert row is not None
    first = road.throughline("claim", "coverage", str(row[0]))
    again = road.throughline("claim", "coverage", str(row[0]))

    assert (first["active"], first["clearinghouse"], first["is_fresh"], again["is_fresh"]) == ("yes", NAME, True, False)
    assert len(road.desk.asked) == 1
    assert broken_promises(road.bench.folder) == {}
