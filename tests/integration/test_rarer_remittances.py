"""What payers seldom do, on real servers and followed to the books: 19, 23, 25, split claims, PLB, third payers, 7 and 8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from canonical.codes import ClaimType
from canonical.money import Money
from sandbox.world.adjudication import PayerRules
from sandbox.world.file_drop import CLAIMS_TAKEN
from sandbox.world.misbehaviour import Fault
from sandbox.world.received_claims import SECONDARY, TERTIARY
from x12.validation import validate

from tests.integration.rarer import (
    DENTAL,
    INTEREST,
    LEVY,
    REFUND,
    REPLACED,
    STAY,
    VOIDED,
    Rarer,
    scenario_of,
)
from tests.integration.story import own_story
from tests.integration.suite import Bench, broken_promises
from tests.integration.test_payer_traffic import booked, sent_claims

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module")
def rarer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rarer]:
    """The three weeks, told; the suite is at rest and still running."""
    with own_story(tmp_path_factory.mktemp("rarer-suite"), scenario_of) as (bench, story):
        story.payers.rules = PayerRules(rejected_percent=0)
        told = Rarer(bench, story)
        told.tell()
        yield told


def test_everything_that_was_asked_for_happened(rarer: Rarer) -> None:
    assert {strike.fault for strike in rarer.story.misbehaviour.struck} == {
        Fault.SPLIT_CLAIM,
        Fault.PREDETERMINATION,
        Fault.FORWARDED,
        Fault.CROSSOVER,
        Fault.INTEREST,
        Fault.LEVY,
        Fault.REFUND_ACKNOWLEDGED,
        Fault.RECOUPMENT_DEFERRED,
    }
    told = {paid.decision.status for _, paid in rarer.paid()}
    assert told >= {"1", "2", "3", "19", "22", "23", "25"}


def test_the_books_are_those_that_the_rules_give(rarer: Rarer) -> None:
    assert booked(rarer.bench) == rarer.expected()


def test_every_file_that_left_passes_its_guide(rarer: Rarer) -> None:
    for path in (rarer.bench.exchange / CLAIMS_TAKEN).iterdir():
        assert validate(path.read_bytes()) == []


def test_a_stay_and_a_visit_to_the_dentist_leave_in_their_own_guides_and_are_paid(rarer: Rarer) -> None:
    sent = {claim.patient_control_number: claim.claim_type for claim in sent_claims(rarer.bench)}
    for ordinal, kind in ((STAY, ClaimType.INSTITUTIONAL), (DENTAL, ClaimType.DENTAL)):
        file = rarer.primary(ordinal)
        assert sent[file.claim.patient_control_number] is kind
        assert file.paid > Money(0)
    assert rarer.primary(STAY).claim.drg


def test_a_third_payer_is_shown_what_both_before_it_paid(rarer: Rarer) -> None:
    (third,) = [claim for claim in sent_claims(rarer.bench) if claim.sequence == TERTIARY]
    assert [each.sequence for each in third.paying_before] == ["P", "S"]
    assert rarer.statuses_of(third) == ["3"]
    assert state_of(rarer.bench, third.patient_control_number) == "adjudicated"


def test_a_claim_that_crossed_over_is_not_billed_by_us_and_paid_under_its_first_number(rarer: Rarer) -> None:
    crossed = [paid for _, paid in rarer.paid() if paid.decision.status == "19"]
    (claim,) = [paid.decision.claim for paid in crossed]
    ours = [each for each in sent_claims(rarer.bench) if each.charge == claim.charge and each.sequence == SECONDARY]
    assert claim.patient_control_number not in {each.patient_control_number for each in ours}
    assert rarer.statuses_of(claim) == ["19", "2"]


def test_what_moves_no_money_leaves_a_note_and_nothing_in_the_books(rarer: Rarer) -> None:
    noted = [paid.decision.claim for _, paid in rarer.paid() if paid.decision.status in ("23", "25")]
    assert len(noted) == 2
    events = rarer.bench.count(
        "claims", "SELECT count(*) FROM stored_events WHERE topic = 'claims.claim.payment-noted'"
    )
    assert events == 2


def test_a_split_claim_is_decided_by_its_parts_together(rarer: Rarer) -> None:
    parts = [paid for _, paid in rarer.paid() if paid.split_from and paid.decision.status != "22"]
    assert parts
    number = parts[0].decision.claim.patient_control_number
    whole = next(claim for claim in sent_claims(rarer.bench) if claim.patient_control_number == number)
    told = [paid.decision.claim for _, paid in rarer.paid() if paid.decision.claim.patient_control_number == number]
    assert Money.total(each.charge for each in told[:2]) == whole.charge


def test_interest_levies_and_recoupments_stand_in_accounts_of_their_own(rarer: Rarer) -> None:
    told = Counter(pair.code for each in rarer.remittances for pair in each.provider_adjustments)
    assert told["L6"] == told["LE"] == 1
    assert told["72"] == 1
    assert told["WO"] >= 2
    assert balance(rarer.bench, "interest-income") == -INTEREST.minor
    assert balance(rarer.bench, "levies-withheld") == LEVY.minor
    amounts = {pair.code: pair.amount for each in rarer.remittances for pair in each.provider_adjustments}
    assert abs(amounts["72"].minor) == REFUND.minor
    assert -balance(rarer.bench, "due-to-payer") == rarer.story.payers.still_to_take().minor


def test_a_replacement_is_reversed_and_decided_again_and_a_void_only_reversed(rarer: Rarer) -> None:
    replaced, voided = rarer.primary(REPLACED), rarer.primary(VOIDED)
    assert rarer.statuses_of(replaced.claim)[-2:] == ["22", "1"]
    assert rarer.statuses_of(voided.claim)[-1] == "22"
    assert replaced.claim.payer_reference
    assert voided.claim.payer_reference
    assert (replaced.paid > Money(0), voided.paid) == (True, Money(0))


def test_no_person_is_asked_for_anything_but_what_the_story_planted(rarer: Rarer) -> None:
    """The claim without a member id; and the second payer's claim, whose first payer took its payment back afterwards."""
    waiting: Counter[str] = Counter()
    for service in ("intake", "claims", "payments", "ledger"):
        with rarer.bench.admin(service) as connection:
            query = "SELECT code FROM exception_cases WHERE state IN ('open', 'assigned')"
            waiting.update(str(row[0]) for row in connection.execute(query))
    assert waiting == {"ClaimHeld": 1, "PrimaryChanged": 1}
    assert [verdict.status for verdict in rarer.story.payers.verdicts if not verdict.accepted] == []


def test_the_checker_finds_that_every_invariant_holds(rarer: Rarer) -> None:
    assert broken_promises(rarer.bench.folder) == {}


def state_of(bench: Bench, control_number: str) -> str:
    with bench.admin("claims") as connection:
        query = "SELECT state FROM claims WHERE patient_control_number = %s"
        (row,) = connection.execute(query, (control_number,)).fetchall()
    return str(row[0])


def balance(bench: Bench, account: str) -> int:
    with bench.admin("ledger") as connection:
        query = "SELECT coalesce(sum(confirmed_minor), 0)::bigint FROM account_balances WHERE account = %s"
        (row,) = connection.execute(query, (account,)).fetchall()
    return int(str(row[0]))
