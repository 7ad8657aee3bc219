"""A code that nobody knows, on real servers: its charges wait, two people map it, and a kill on the way costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from billing.operations.v1 import operations_pb2, operations_pb2_grpc
from canonical.master_data import LISTS, Crosswalk, load_master_data
from canonical.master_data.tables import table_lines
from sandbox.world.ehr import deliveries
from sandbox.world.own_words import OwnWord, in_own_words
from sandbox.world.scenario import Scenario
from throughline.connection import SERVICES, Access, read_connection
from throughline.mastering.calls import MasterDataDesk
from throughline.outcome import Refused

from tests.integration.story import Story, ehr_of, until
from tests.integration.suite import Bench, broken_promises, write_canaries

pytestmark = [pytest.mark.servers, pytest.mark.slow]

WORD = "NOBODY-KNOWS"
WHY = "The EHR calls this payer so since its new dictionary."
HELD = "SELECT count(*) FROM held_for_codes"
OPEN_ITEMS = "SELECT count(*) FROM exception_cases WHERE code = 'UnmappedCode' AND state = 'open'"
CLAIMS = "SELECT count(*) FROM claims"


@pytest.fixture
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    bench = Bench(tmp_path_factory.mktemp("mapping-suite"))
    bench.start_servers()
    try:
        bench.prepare()
        bench.start_services()
        today = datetime.now(UTC).date()
        with Story(bench, Scenario.small(today), today) as told:
            write_canaries(bench.folder, told.scenario)
            yield told
    finally:
        bench.stop()


def versions(access: Access) -> dict[str, str]:
    """The version of master data that each service uses."""
    return {
        name: access.call(
            name,
            operations_pb2_grpc.OperationsServiceStub(access.channel(name)).GetStatus,
            operations_pb2.GetStatusRequest(),
        ).master_data_version
        for name in SERVICES
        if name != "reconciliation"
    }


def test_what_waits_for_a_code_flows_once_two_people_have_mapped_it(story: Story) -> None:
    bench = story.bench
    assert isinstance(bench, Bench)
    first = next(each for each in story.scenario.billable)
    assert first.coverage is not None
    own = OwnWord(first.source, first.coverage.payer, WORD)
    story.deliver(ehr_of(bench), in_own_words(deliveries(story.scenario.encounters), own))
    waiting = bench.count("intake", HELD)
    assert waiting > 0

    connection = read_connection(bench.folder)
    secret = bench.suite.tokens.secret("approver")
    proposer = Access(connection)
    approver = Access(connection.model_copy(update={"client_id": "approver", "client_secret": secret}))
    payers = {payer.code: payer.code for payer in load_master_data(bench.master_data_file).payers}
    rows = [
        Crosswalk(code=code, source=own.source, kind="payer", ours=ours)
        for code, ours in (payers | {WORD: own.payer}).items()
    ]
    desk = MasterDataDesk(proposer)
    (unmapped,) = [each for each in desk.unmapped(10).codes if each.code == WORD]
    change = desk.propose([("crosswalks", "".join(table_lines(LISTS["crosswalks"], rows)).encode())], WHY)
    with pytest.raises(Refused, match="proposed change"):
        desk.approve(change.change_id)

    until(lambda: set(versions(proposer).values()) == {"1"}, "what was adopted is in the file")
    bench.running["intake"].stop()
    bench.start_service("intake", {"CRASH_AT": "intake:before-send", "CRASH_MARK": str(bench.folder / "mark")})
    assert MasterDataDesk(approver).approve(change.change_id) == 2
    bench.running["intake"].wait_for_exit(30)
    assert (bench.folder / "mark").exists(), "the fault struck between the approval and the file"
    bench.start_service("intake")
    others = bench.count("intake", HELD) - unmapped.encounters
    until(lambda: bench.count("intake", HELD) <= max(others, 0), "what waited for the code is released")
    until(lambda: set(versions(proposer).values()) == {"2"}, "every service uses the new version")
    until(lambda: len(story.payers.verdicts) >= len(story.outcomes), "the payers have every claim")
    assert bench.count("claims", CLAIMS) >= len(story.outcomes)
    assert broken_promises(bench.folder) == {}
    for access in (proposer, approver):
        access.close()
