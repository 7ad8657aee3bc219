"""The story on real servers, through the gateway into Tryton: every cent where the oracle says, by an independent checker."""

from __future__ import annotations

from collections import Counter

import pytest
from billing.ledger.v1 import ledger_desk_pb2, ledger_desk_pb2_grpc
from billing.operations.v1 import operations_pb2, operations_pb2_grpc
from billing.reconciliation.v1 import reconciliation_pb2, reconciliation_pb2_grpc
from canonical.money import Money
from sandbox.world.oracle import Expected
from throughline.connection import SERVICES, Access

from tests.integration.books import ENTITIES, Balances, at_our_ledger, at_the_erp, standing
from tests.integration.story import PAID_WITHOUT_A_NAME, Story, ehr_of
from tests.integration.suite import OpenStack, broken_promises

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def test_what_payers_owe_is_what_the_oracle_says(told: Story, access: Access) -> None:
    wanted: Balances = Counter()
    for encounter in told.scenario.encounters:
        if encounter.coverage:
            wanted[encounter.entity, "ar-payer", encounter.coverage.payer] += encounter.total.minor
    for outcome in remitted(told):
        entity, payer = place_of(outcome)
        wanted[entity, "ar-payer", payer] -= outcome.encounter.total.minor
        if outcome.decision.denied:
            wanted[entity, "ar-payer-denied", payer] += outcome.encounter.total.minor
    found = at_the_erp(access)
    assert {place: found[place] for place in found if place[1].startswith("ar-payer") and found[place]} == +wanted


def test_what_patients_owe_is_what_the_oracle_says(told: Story, suite: OpenStack, access: Access) -> None:
    wanted = told.owed_at_last() - Money.total(amount for _, _, amount in told.card_payments)
    query = "SELECT sum(responsibility_minor - applied_minor)::bigint FROM patient_accounts"
    assert suite.count("payments", query) == wanted.minor
    found = at_the_erp(access)
    assert sum(amount for (_, account, _), amount in found.items() if account == "ar-patient") == wanted.minor


def test_cash_is_what_the_bank_was_given(told: Story, access: Access) -> None:
    paid = Money.total(outcome.decision.paid for outcome in remitted(told))
    gathered = sum(amount for (_, account, _), amount in at_the_erp(access).items() if account == "cash")
    fees = sum(amount for (_, account, _), amount in at_the_erp(access).items() if account == "processing-fees")
    by_card = Money.total(amount for _, entity, amount in told.card_payments if entity == "NORTH") + PAID_WITHOUT_A_NAME
    assert gathered + fees == (paid + by_card).minor


def test_the_erp_holds_the_trial_balance_that_we_hold(told: Story, access: Access) -> None:
    theirs = at_the_erp(access)
    assert standing(theirs) == standing(at_our_ledger(access))
    for entity in ENTITIES:
        assert sum(amount for place, amount in theirs.items() if place[0] == entity) == 0


def test_the_erp_tells_income_apart_by_payer_class_and_department_as_we_do(access: Access) -> None:
    stub = ledger_desk_pb2_grpc.LedgerDeskServiceStub(access.channel("ledger"))
    for entity in ENTITIES:
        asked = ledger_desk_pb2.CompareBalancesRequest(entity=entity)
        told = access.call("ledger", stub.CompareBalances, asked).by_dimension
        assert {row.dimension for row in told} == {"payer_class", "department"}
        assert sum(bool(row.value) for row in told) > 5
        for row in told:
            assert row.ours.minor == row.theirs.minor, f"{entity} {row.account} {row.dimension} {row.value}"


def test_clearing_is_zero_but_for_what_is_explained(told: Story, access: Access) -> None:
    found = at_the_erp(access)
    assert [found[entity, "eft-clearing", ""] for entity in ENTITIES] == [0, 0]
    not_paid_out = Money.total(amount for _, entity, amount in told.card_payments if entity == "SOUTH")
    assert [found[entity, "gateway-clearing", ""] for entity in ENTITIES] == [0, not_paid_out.minor]


def test_exceptions_are_those_that_the_story_plants(told: Story, access: Access) -> None:
    found = Counter(
        (service, case.code, case.state)
        for service in SERVICES
        for case in access.call(
            service,
            operations_pb2_grpc.OperationsServiceStub(access.channel(service)).ListCases,
            operations_pb2.ListCasesRequest(),
        ).cases
    )
    assert found == {
        ("intake", "UnbalancedRemittance", "open"): 1,
        ("claims", "ClaimHeld", "open"): 1,
        ("payments", "UnmatchedPayment", "open"): 1,
    }


def test_reconciliation_leaves_nothing_unexplained(told: Story, access: Access) -> None:
    stub = reconciliation_pb2_grpc.ReconciliationServiceStub(access.channel("reconciliation"))
    access.call("reconciliation", stub.Run, reconciliation_pb2.RunRequest())
    assert not access.call("reconciliation", stub.ListBreaks, reconciliation_pb2.ListBreaksRequest()).breaks


def test_the_same_delivery_through_the_gateway_is_one_message(told: Story, suite: OpenStack) -> None:
    before = suite.count("intake", "SELECT count(*) FROM stored_events")
    told.send_all(ehr_of(suite))
    assert suite.count("intake", "SELECT count(*) FROM stored_events") == before


def test_the_checker_finds_that_every_invariant_holds(told: Story, suite: OpenStack) -> None:
    assert broken_promises(suite.folder) == {}


def remitted(told: Story) -> list[Expected]:
    """The outcomes whose remittance was in order: all but those of the payer that was a cent out."""
    corrupted = {
        (each.entity.code, each.payer.code) for each in told.remittances if each.content != each.faithful_content
    }
    assert corrupted, "one remittance was to be a cent out"
    return [each for each in told.outcomes if not each.rejected and place_of(each) not in corrupted]


def place_of(outcome: Expected) -> tuple[str, str]:
    coverage = outcome.encounter.coverage
    assert coverage is not None
    return outcome.encounter.entity, coverage.payer
