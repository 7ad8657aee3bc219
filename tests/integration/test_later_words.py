"""Charges that are corrected, taken back, voided or late after they were billed, on real servers and followed to the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import LiteralString

import pytest
from sandbox.world.adjudication import PayerRules
from sandbox.world.encounters import Wire
from sandbox.world.file_drop import CLAIMS_TAKEN
from sandbox.world.received_claims import Frequency
from x12.validation import validate

from tests.integration.later import HELD, PAID_AT_THE_DESK, REPLACED, VOIDED, Later, profiles_in, scenario_of
from tests.integration.story import own_story
from tests.integration.suite import broken_promises
from tests.integration.test_payer_traffic import booked, sent_claims

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Later]:
    """Everything said, and the suite at rest and still running."""
    settings = profiles_in(tmp_path_factory.mktemp("later-profiles"))
    with own_story(tmp_path_factory.mktemp("later-suite"), scenario_of, settings) as (bench, story):
        story.payers.rules = PayerRules(rejected_percent=0)
        told = Later(bench, story)
        told.tell()
        yield told


def test_both_wires_said_something_of_each_kind(later: Later) -> None:
    said = {(word, later.encounter(ordinal).wire) for ordinal, word in {**REPLACED, **VOIDED}.items()}
    assert len(said) == 2 * len(set(REPLACED.values()) | set(VOIDED.values())) - 1
    assert later.encounter(PAID_AT_THE_DESK).wire is Wire.HL7


def test_the_books_are_those_of_the_charges_as_they_are_now(later: Later) -> None:
    assert booked(later.bench) == later.expected()


def test_patients_owe_what_is_left_of_the_charges_as_they_are_now(later: Later) -> None:
    query: LiteralString = "SELECT coalesce(sum(responsibility_minor), 0)::bigint FROM patient_accounts"
    assert later.bench.count("payments", query) == later.owed().minor


@pytest.mark.parametrize("ordinal", REPLACED)
def test_a_claim_that_was_paid_is_replaced_reversed_and_decided_again(later: Later, ordinal: int) -> None:
    file = later.file(ordinal)
    assert file.claim.frequency == Frequency.REPLACEMENT
    assert file.claim.charge == later.at_the_end.encounters[ordinal].total
    statuses = later.statuses_of(file.claim)
    assert statuses[-2] == "22"
    assert statuses[0] == statuses[-1] != "22"


@pytest.mark.parametrize("ordinal", VOIDED)
def test_a_claim_of_which_nothing_is_left_is_voided_and_only_reversed(later: Later, ordinal: int) -> None:
    file = later.file(ordinal)
    assert file.claim.frequency == Frequency.VOID
    assert later.statuses_of(file.claim)[-1] == "22"
    assert file.standing == ()


def test_a_claim_that_no_payer_has_is_redrafted_and_stays_held(later: Later) -> None:
    query: LiteralString = "SELECT charge_minor FROM claims WHERE state = 'held'"
    assert later.bench.count("claims", query) == later.at_the_end.encounters[HELD].total.minor
    charges = [claim.charge for claim in sent_claims(later.bench)]
    assert later.at_the_end.encounters[HELD].total not in charges


def test_cash_of_the_front_desk_is_applied_to_the_visit_and_waits_in_its_own_account(later: Later) -> None:
    paid = later.encounter(PAID_AT_THE_DESK).total.minor
    applied: LiteralString = "SELECT coalesce(sum(applied_minor), 0)::bigint FROM patient_accounts"
    waiting: LiteralString = (
        "SELECT coalesce(sum(confirmed_minor), 0)::bigint FROM account_balances WHERE account = 'front-desk-clearing'"
    )
    assert later.bench.count("payments", applied) == paid
    assert later.bench.count("ledger", waiting) == paid


def test_every_file_that_left_passes_its_guide(later: Later) -> None:
    for path in (later.bench.exchange / CLAIMS_TAKEN).iterdir():
        assert validate(path.read_bytes()) == []


def test_no_person_is_asked_about_a_revision(later: Later) -> None:
    waiting: Counter[str] = Counter()
    for service in ("intake", "claims", "payments", "ledger"):
        with later.bench.admin(service) as connection:
            query: LiteralString = "SELECT code FROM exception_cases WHERE state IN ('open', 'assigned')"
            waiting.update(str(row[0]) for row in connection.execute(query))
    assert waiting == {"ClaimHeld": 1}


def test_the_checker_finds_that_every_invariant_holds(later: Later) -> None:
    assert broken_promises(later.bench.folder) == {}
