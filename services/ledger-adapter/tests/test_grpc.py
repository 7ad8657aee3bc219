"""The gRPC answers: what is told adds up, page by page, and what cannot be told is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from billing.ledger.v1 import ledger_pb2 as pb
from chassis.domain import Unavailable
from chassis.rpc import BadArgument, NotThere
from chassis.telemetry.correlation import caused_by, incoming
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp, OneErpForAll
from ledger_adapter.adapters.grpc import READING, Ledger, ledger_service
from ledger_adapter.application.ports import UnknownEntity

from .examples import (
    REMITTANCE,
    accepted,
    adjudicated,
    charged,
    claim_id,
    deposit,
    encounter_id,
    envelope,
    patient_paid,
)
from .test_drafting import EXPECTED_BALANCES, WHOLE_STORY
from .world import World, key_of, sequence_of

CALL: Any = None


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def ledger(world: World) -> Ledger:
    return Ledger(world.core, OneErpForAll(world.erp, ("NORTH", "SOUTH")))


def whole_story(world: World) -> None:
    world.deliver(*WHOLE_STORY)
    world.settle()


def as_dict(lines: Any) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        sums[line.account, line.party] = sums.get((line.account, line.party), 0) + line.amount.minor
    return sums


def by_place(lines: Any) -> dict[tuple[str, ...], int]:
    return {place_of(line): line.amount.minor for line in lines}


def place_of(line: pb.Line) -> tuple[str, ...]:
    return (line.account, line.party, line.payer_class, line.department, line.cost_center, line.location)


def test_every_method_of_the_service_has_a_scope(world: World) -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["LedgerService"].methods}
    assert set(ledger_service(world.core, OneErpForAll(FakeErp(), ())).scopes) == methods
    assert set(READING) < methods


def test_the_trial_balance_is_the_books(world: World, ledger: Ledger) -> None:
    whole_story(world)
    answer = ledger.TrialBalance(pb.TrialBalanceRequest(), CALL)
    told = {
        " ".join(filter(None, (row.entity, row.account, row.party))): row.subledger.minor for row in answer.balances
    }
    assert {place: amount for place, amount in told.items() if amount} == EXPECTED_BALANCES
    assert all(row.subledger == row.intended == row.confirmed for row in answer.balances)
    assert answer.log_position == answer.log_position_after == world.store.last_position()


def test_the_erps_balances_are_passed_on(world: World, ledger: Ledger) -> None:
    whole_story(world)
    answer = ledger.ReadErpBalances(pb.ReadErpBalancesRequest(entity="SOUTH"), CALL)
    assert answer.erp == "fake"
    assert as_dict(answer.balances)["ar-payer", "ACME"] == 5000
    world.erp.is_down = True
    with pytest.raises(Unavailable):
        ledger.ReadErpBalances(pb.ReadErpBalancesRequest(entity="SOUTH"), CALL)
    with pytest.raises(UnknownEntity):
        ledger.ReadErpBalances(pb.ReadErpBalancesRequest(entity="WEST"), CALL)


def test_documents_are_read_from_the_erp_by_our_numbers(world: World, ledger: Ledger) -> None:
    whole_story(world)
    journal = ledger.ListJournals(pb.ListJournalsRequest(entity="SOUTH"), CALL).journals[0]
    request = pb.ReadErpDocumentsRequest(entity="SOUTH", external_numbers=[journal.external_number, "TLNONE"])
    answer = ledger.ReadErpDocuments(request, CALL)
    assert [document.external_number for document in answer.documents] == [journal.external_number]
    assert as_dict(answer.documents[0].lines) == as_dict(journal.lines)


def test_journals_are_listed_by_state(world: World, ledger: Ledger) -> None:
    world.erp.faults = [ErpFault.LOSES_ONE_CENT]
    world.deliver(patient_paid("10.00", number=1))
    world.sweep()
    world.deliver(patient_paid("10.00", number=2))
    world.sweep()
    listed = ledger.ListJournals(pb.ListJournalsRequest(states=["differs"]), CALL).journals
    assert [(journal.state, journal.kind) for journal in listed] == [("differs", "patient-payment")]
    assert "at the ERP 999" in listed[0].reason
    assert len(ledger.ListJournals(pb.ListJournalsRequest(limit=1), CALL).journals) == 1


@pytest.mark.parametrize("page_size", [1, 2, 500])
def test_the_parts_of_every_line_add_up_to_it_page_by_page(world: World, ledger: Ledger, page_size: int) -> None:
    whole_story(world)
    journals = ledger.ListJournals(pb.ListJournalsRequest(), CALL).journals
    assert len(journals) == 7
    for journal in journals:
        sums: dict[tuple[str, ...], int] = {}
        postings = set()
        for part in every_part(ledger, journal.external_number, page_size):
            place = place_of(part.line)
            sums[place] = sums.get(place, 0) + part.line.amount.minor
            postings.add(part.posting_id)
        assert {place: amount for place, amount in sums.items() if amount} == by_place(journal.lines)
        assert len(postings) == journal.posting_count


def every_part(ledger: Ledger, journal: str, page_size: int) -> Iterator[pb.Part]:
    token = ""
    while True:
        request = pb.GetJournalEntryRequest(journal=journal, page_size=page_size, page_token=token)
        answer = ledger.GetJournalEntry(request, CALL)
        assert by_place(answer.part_sums) == by_place(answer.journal.lines)
        yield from answer.parts
        token = answer.next_page_token
        if not token:
            return


def test_a_part_leads_back_to_its_event_claim_and_place_in_the_remittance(world: World, ledger: Ledger) -> None:
    whole_story(world)
    remittance = next(
        journal
        for journal in ledger.ListJournals(pb.ListJournalsRequest(), CALL).journals
        if journal.kind == "remittance"
    )
    request = pb.GetJournalEntryRequest(journal=remittance.journal_id, account="ar-payer", party="ACME")
    answer = ledger.GetJournalEntry(request, CALL)
    (part,) = answer.parts
    told = adjudicated(1)
    assert part.source_event_id == str(envelope(told, key_of(told), sequence_of(told)).id)
    assert (part.claim_id, part.encounter_id) == (str(claim_id(1)), str(encounter_id(1)))
    assert (part.item_id, part.remittance_position, part.rules) == (str(REMITTANCE), 0, "J04,J05,J07")
    assert part.line.amount.minor == -10000
    assert as_dict(answer.part_sums) == {("ar-payer", "ACME"): -10000}


def test_open_groups_say_what_they_wait_for(world: World, ledger: Ledger) -> None:
    world.deliver(charged(1), charged(2, ("200.00",)))
    world.deliver(adjudicated(1), accepted(claims=2, paid="85.00"))
    groups = ledger.ListOpenGroups(pb.ListOpenGroupsRequest(entity="NORTH"), CALL).groups
    assert [(group.kind, group.reason, group.posting_count) for group in groups] == [
        ("charges", "batch not closed", 2),
        ("remittance", "remittance not complete: 1 postings missing", 1),
    ]
    assert as_dict(groups[0].lines)["ar-payer", "ACME"] == 30000
    world.settle()
    groups = ledger.ListOpenGroups(pb.ListOpenGroupsRequest(entity="NORTH"), CALL).groups
    assert [group.kind for group in groups] == ["remittance"]
    assert not ledger.ListOpenGroups(pb.ListOpenGroupsRequest(entity="SOUTH"), CALL).groups


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [((), "remittance not accepted yet"), ((accepted(claims=1, paid="1.00"),), "remittance differs from its manifest")],
)
def test_an_open_remittance_says_why(world: World, ledger: Ledger, manifest: tuple[Any, ...], reason: str) -> None:
    world.deliver(charged(1), adjudicated(1), *manifest)
    world.settle()
    (group,) = ledger.ListOpenGroups(pb.ListOpenGroupsRequest(entity="NORTH"), CALL).groups
    assert group.reason == reason


def test_an_accepted_remittance_of_which_nothing_is_posted_is_an_open_group(world: World, ledger: Ledger) -> None:
    world.deliver(accepted(claims=1, paid="60.00"))
    (group,) = ledger.ListOpenGroups(pb.ListOpenGroupsRequest(entity="NORTH"), CALL).groups
    assert (group.group_id, group.posting_count, list(group.lines)) == (str(REMITTANCE), 0, [])
    assert not ledger.ListOpenGroups(pb.ListOpenGroupsRequest(entity="SOUTH"), CALL).groups


def test_open_groups_and_intended_entries_are_the_whole_subledger(world: World, ledger: Ledger) -> None:
    world.deliver(*WHOLE_STORY[:6])
    world.settle()
    world.deliver(charged(9))
    sums: dict[tuple[str, str], int] = {}
    for group in ledger.ListOpenGroups(pb.ListOpenGroupsRequest(entity="NORTH"), CALL).groups:
        for place, amount in as_dict(group.lines).items():
            sums[place] = sums.get(place, 0) + amount
    for row in ledger.TrialBalance(pb.TrialBalanceRequest(entity="NORTH"), CALL).balances:
        assert row.subledger.minor - row.intended.minor == sums.get((row.account, row.party), 0)


def test_receivables_are_told_by_encounter_and_patient(world: World, ledger: Ledger) -> None:
    world.deliver(charged(1), charged(2, ("200.00",)), charged(3, ("5.00",)), adjudicated(1, position=0))
    request = pb.ListReceivablesRequest(entity="NORTH", account="ar-payer", party="ACME", page_size=1)
    first = ledger.ListReceivables(request, CALL)
    request.page_token = first.next_page_token
    second = ledger.ListReceivables(request, CALL)
    assert second.next_page_token == ""
    told = {row.encounter_id: row.amount.minor for row in (*first.receivables, *second.receivables)}
    assert told == {str(encounter_id(2)): 20000, str(encounter_id(3)): 500}
    assert {row.effective_date for row in first.receivables} == {"2026-03-02"}


def test_a_clearing_account_tells_its_open_items(world: World, ledger: Ledger) -> None:
    world.deliver(charged(1), adjudicated(1))
    request = pb.GetAccountDetailRequest(entity="NORTH", account="eft-clearing")
    answer = ledger.GetAccountDetail(request, CALL)
    assert [(item.item_id, item.kind, item.amount.minor) for item in answer.items] == [
        (str(REMITTANCE), "remittance", 6000)
    ]
    world.deliver(deposit("60.00"))
    assert not ledger.GetAccountDetail(request, CALL).items


def test_a_person_resumes_an_entry(world: World, ledger: Ledger) -> None:
    world.erp.closed_months = {(2026, 3)}
    world.deliver(patient_paid())
    world.sweep()
    world.erp.closed_months = set()
    (journal,) = ledger.ListJournals(pb.ListJournalsRequest(), CALL).journals
    with caused_by(incoming("user:ann", None, None)):
        request = pb.ResumeJournalRequest(journal_id=journal.journal_id, reason="March was opened")
        assert ledger.ResumeJournal(request, CALL).journal.state == "intended"
    world.sweep()
    assert world.journals() == {"patient-payment": ["confirmed"]}


Ask = Callable[[Ledger], object]


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.ReadErpBalances(pb.ReadErpBalancesRequest(), CALL),
        lambda ledger: ledger.ReadErpDocuments(pb.ReadErpDocumentsRequest(entity="NORTH"), CALL),
        lambda ledger: ledger.ListJournals(pb.ListJournalsRequest(states=["lost"]), CALL),
        lambda ledger: ledger.ListJournals(pb.ListJournalsRequest(limit=1001), CALL),
        lambda ledger: ledger.ListOpenGroups(pb.ListOpenGroupsRequest(), CALL),
        lambda ledger: ledger.ListReceivables(pb.ListReceivablesRequest(entity="NORTH", account="cash"), CALL),
        lambda ledger: ledger.GetAccountDetail(pb.GetAccountDetailRequest(entity="NORTH", account="cash"), CALL),
        lambda ledger: ledger.ResumeJournal(pb.ResumeJournalRequest(journal_id="x"), CALL),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(ledger: Ledger, ask: Ask) -> None:
    with pytest.raises(BadArgument):
        ask(ledger)


@pytest.mark.parametrize("name", ["", "TLNONE", str(UUID(int=7))])
def test_an_unknown_journal_is_not_there(ledger: Ledger, name: str) -> None:
    with pytest.raises(NotThere):
        ledger.GetJournalEntry(pb.GetJournalEntryRequest(journal=name), CALL)


def test_page_tokens_are_only_those_that_were_told(world: World, ledger: Ledger) -> None:
    whole_story(world)
    (number, *_) = [j.external_number for j in ledger.ListJournals(pb.ListJournalsRequest(), CALL).journals]
    for token in ("-1", "x", "٣", "1" * 20):
        with pytest.raises(BadArgument):
            ledger.GetJournalEntry(pb.GetJournalEntryRequest(journal=number, page_token=token), CALL)


def test_a_part_of_a_provider_adjustment_says_which_one_and_no_other_part_does(world: World, ledger: Ledger) -> None:
    world.deliver(charged(1), adjudicated(1), accepted(paid="60.00", adjustments=(("L6", "-1.00"), ("FB", "-2.00"))))
    world.settle()
    journals = ledger.ListJournals(pb.ListJournalsRequest(), CALL).journals
    (remittance,) = [journal for journal in journals if journal.kind == "remittance"]
    answer = ledger.GetJournalEntry(pb.GetJournalEntryRequest(journal=remittance.journal_id), CALL)
    told = {part.line.account: part.adjustment for part in answer.parts if part.HasField("adjustment")}
    assert told == {"interest-income": 0, "due-to-payer": 1, "eft-clearing": 1}
    assert all(part.remittance_position == -1 for part in answer.parts if part.HasField("adjustment"))
