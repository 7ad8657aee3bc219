"""Four weeks of payer traffic on real servers: copies post once, what is taken back ends at the right balance, chains end at zero."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from canonical.money import Money
from sandbox.world.expected_books import PAYER_SIDE
from sandbox.world.file_drop import CLAIMS_TAKEN
from sandbox.world.next_payer import does_not_balance
from sandbox.world.received_claims import SECONDARY, ReceivedClaim
from sandbox.world.x12_claims import read_interchange
from throughline.main import app
from typer.testing import CliRunner
from x12.validation import validate

from tests.integration.story import own_story
from tests.integration.suite import Bench, broken_promises
from tests.integration.traffic import CHAIN, Traffic, scenario_of, traffic_of

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    """The four weeks, told; the suite is at rest and still running."""
    with own_story(tmp_path_factory.mktemp("traffic-suite"), scenario_of) as (bench, story):
        told = traffic_of(bench, tmp_path_factory.mktemp("files"), story)
        told.tell()
        yield told


def test_every_file_is_accepted_at_the_door(traffic: Traffic) -> None:
    assert {answer["fate"] for answer in traffic.answers} == {"accepted"}


def test_three_layouts_of_one_remittance_post_once(traffic: Traffic) -> None:
    remittance = traffic.in_three_layouts
    assert remittance is not None
    shown = remit("show", remittance.trace_number, traffic)
    assert Counter(copy["verdict"] for copy in shown["receipts"]) == {"accepted": 1, "duplicate": 2}
    postings = traffic.bench.count(
        "ledger", "SELECT count(*) FROM journals WHERE kind = 'remittance' AND state = 'confirmed'"
    )
    assert postings == len(traffic.handed_over)


def test_reversals_and_corrections_end_at_the_right_balance_in_either_order(traffic: Traffic) -> None:
    assert booked(traffic.bench) == traffic.expected()


def test_a_forward_balance_chain_ends_at_zero(traffic: Traffic) -> None:
    with_balance = [each for each in traffic.chain if each.provider_adjustments]
    assert len(with_balance) >= 3
    assert Money.total(traffic.forwarded()) == Money(0)
    entity, payer = CHAIN
    with traffic.bench.admin("payments") as connection:
        query = "SELECT open_minor FROM provider_balances WHERE entity = %s AND payer = %s"
        assert connection.execute(query, (entity, payer)).fetchall() == [(0,)]


def test_what_is_due_to_payers_is_what_they_still_want_back(traffic: Traffic) -> None:
    due = traffic.bench.count(
        "ledger", "SELECT -sum(confirmed_minor)::bigint FROM account_balances WHERE account = 'due-to-payer'"
    )
    assert due == traffic.story.payers.still_to_take().minor
    open_items = traffic.bench.count("payments", "SELECT -sum(open_minor)::bigint FROM provider_balances")
    assert abs(open_items) == due


def test_a_secondary_claim_passes_pyx12_and_the_payer_pays_what_was_left(traffic: Traffic) -> None:
    for path in (traffic.bench.exchange / CLAIMS_TAKEN).iterdir():
        assert validate(path.read_bytes()) == []
    secondary = [claim for claim in sent_claims(traffic.bench) if claim.sequence == SECONDARY]
    for claim in secondary:
        assert [each.sequence for each in claim.paying_before] == ["P"]
        assert not does_not_balance(claim)
    decisions = traffic.story.payers.decisions
    decided = [decisions[number] for claim in secondary if (number := claim.patient_control_number) in decisions]
    assert len(decided) >= 2
    assert {decision.status for decision in decided} == {"2"}
    assert any(decision.paid for decision in decided)


def test_no_exception_waits_for_a_person_but_those_of_the_story(traffic: Traffic) -> None:
    """What was decided twice until its reversal came is no case any more; a claim refused at the payer's door is one."""
    refused = sum(not verdict.accepted for verdict in traffic.story.payers.verdicts)
    waiting: Counter[str] = Counter()
    for service in ("claims", "payments", "ledger"):
        with traffic.bench.admin(service) as connection:
            query = "SELECT code FROM exception_cases WHERE state IN ('open', 'assigned')"
            waiting.update(str(row[0]) for row in connection.execute(query))
    assert waiting == +Counter({"ClaimHeld": 1, "ClaimRejected": refused})


def test_the_checker_finds_that_every_invariant_holds(traffic: Traffic) -> None:
    assert broken_promises(traffic.bench.folder) == {}


def remit(command: str, argument: str, traffic: Traffic) -> dict[str, list[dict[str, str]]]:
    arguments = ["remit", command, argument, "--state", str(traffic.bench.folder), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, list[dict[str, str]]] = json.loads(result.stdout)
    return found


def booked(bench: Bench) -> dict[tuple[str, str, str], int]:
    """The payers' side of our ledger, all of it confirmed by the ERP."""
    accounts = {role.value for role in PAYER_SIDE}
    query = "SELECT entity, account, party, subledger_minor, confirmed_minor FROM account_balances"
    found: Counter[tuple[str, str, str]] = Counter()
    with bench.admin("ledger") as connection:
        for entity, account, party, subledger, confirmed in connection.execute(query):
            assert subledger == confirmed, account
            if account in accounts:
                found[str(entity), str(account), str(party)] += int(str(confirmed))
    return {place: minor for place, minor in found.items() if minor}


def sent_claims(bench: Bench) -> list[ReceivedClaim]:
    """Every claim that the payers were sent, read from its bytes."""
    files = [read_interchange(path.read_bytes()) for path in (bench.exchange / CLAIMS_TAKEN).iterdir()]
    return [claim for file in files for group in file.groups for each in group.sets for claim in each.claims]
