"""Feeds for other systems: a reader that goes page by page misses nothing, and every mapping is known since when it holds."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest
from billing.ledger.v1 import ledger_feeds_pb2 as pb
from chassis.rpc import BadArgument
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_adapter.adapters.books import ConfiguredErps, load_books
from ledger_adapter.adapters.fake_erp import FakeErp
from ledger_adapter.adapters.grpc_feeds import LedgerFeeds, Mappings, feed_services
from ledger_adapter.application.mappings import MappingRecording, editions
from ledger_adapter.application.queries import JOURNALS

from .erps_under_test import SAMPLE
from .examples import BOOKS, charged, deposit, patient_paid, payout
from .world import World

CALL: grpc.ServicerContext = None  # type: ignore[assignment]
FACTS = (charged(), deposit(), patient_paid("10.00"), payout())


def all_changes(feeds: LedgerFeeds, after: int, size: int, **asked: str) -> tuple[list[pb.JournalChange], int]:
    found: list[pb.JournalChange] = []
    for _ in range(200):
        page = feeds.ListJournalChanges(
            pb.ListJournalChangesRequest(after_position=after, page_size=size, **asked),
            CALL,
        )
        assert len(page.changes) <= size
        found += page.changes
        after = page.next_position
        if not page.has_more:
            return found, after
    raise AssertionError("the feed never ends")


@settings(max_examples=25, deadline=None)
@given(st.permutations(FACTS), st.integers(1, 4))
def test_a_reader_that_goes_on_from_each_page_ends_with_every_entry_as_it_is(order: list[object], size: int) -> None:
    world = World()
    feeds, position = LedgerFeeds(world.core), 0
    held: dict[str, str] = {}
    for fact in order:
        world.deliver(fact)  # type: ignore[arg-type]
        changes, position = all_changes(feeds, position, size)
        held |= {change.journal.journal_id: change.journal.state for change in changes}
        world.settle()
    changes, position = all_changes(feeds, position, size)
    held |= {change.journal.journal_id: change.journal.state for change in changes}
    assert held == {str(row["journal_id"]): row["state"] for row in world.rows(JOURNALS)}
    assert len(held) == len(FACTS)
    assert [change.position for change in changes] == sorted(change.position for change in changes)
    assert all_changes(feeds, position, size) == ([], position)


def test_only_entries_of_an_entity_or_changed_since_an_instant_are_told_where_that_is_asked() -> None:
    world = World()
    world.deliver(deposit())
    world.settle()
    world.clock.advance(seconds=3600)
    since = world.clock().isoformat()
    world.deliver(patient_paid("10.00"))
    world.settle()
    feeds = LedgerFeeds(world.core)
    kinds = [each.journal.kind for each in all_changes(feeds, 0, 10, changed_since=since)[0]]
    assert kinds == ["patient-payment"]
    assert {each.journal.kind for each in all_changes(feeds, 0, 10, entity="NORTH")[0]} == {
        "deposit",
        "patient-payment",
    }
    assert all_changes(feeds, 0, 10, entity="SOUTH")[0] == []


@pytest.mark.parametrize("asked", [{"changed_since": "soon"}, {"changed_since": "2026-03-02T09:00:00"}])
def test_an_instant_without_an_offset_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(BadArgument, match="changed_since: an ISO 8601 instant with an offset"):
        all_changes(LedgerFeeds(World().core), 0, 10, **asked)


def receivables_of(feeds: LedgerFeeds, size: int) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    token = ""
    while True:
        request = pb.ListReceivableBalancesRequest(entity="NORTH", page_size=size, page_token=token)
        page = feeds.ListReceivableBalances(request, CALL)
        assert len(page.balances) <= size
        found += [(each.account, each.party, each.subledger.minor) for each in page.balances]
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("size", [1, 2, 100])
def test_receivables_are_told_by_party_and_page_and_add_up_to_the_trial_balance(size: int) -> None:
    world = World()
    world.deliver(charged(), patient_paid("10.00"))
    found = receivables_of(LedgerFeeds(world.core), size)
    told = {f"NORTH {account} {party}": minor for account, party, minor in found if minor}
    assert told == {place: minor for place, minor in world.balances().items() if place.split()[1].startswith("ar-pa")}
    assert len(found) == len(set(found)) >= 1


def test_a_page_token_that_no_page_told_is_refused() -> None:
    with pytest.raises(BadArgument, match="page_token"):
        LedgerFeeds(World().core).ListReceivableBalances(pb.ListReceivableBalancesRequest(page_token="7"), CALL)


def recorded(world: World, *books: object) -> int:
    return MappingRecording(world.store, world.clock, books).run()  # type: ignore[arg-type]


def test_a_mapping_holds_until_the_service_starts_with_another_and_is_known_for_every_instant() -> None:
    world = World()
    first = world.clock()
    assert recorded(world, BOOKS) == 1
    world.clock.advance(seconds=60)
    assert recorded(world, BOOKS) == 0
    assert recorded(world, BOOKS.model_copy(update={"erp": "netsuite"})) == 1
    mappings = Mappings(world.core)

    def in_force(at: str) -> list[str]:
        return [each.erp for each in mappings.ListMappings(pb.ListMappingsRequest(at=at), CALL).mappings]

    assert in_force((first + timedelta(seconds=59)).isoformat()) == ["tryton"]
    assert in_force((first + timedelta(seconds=60)).isoformat()) == in_force("") == ["netsuite"]
    assert in_force((first - timedelta(seconds=1)).isoformat()) == []
    told = mappings.ListMappings(pb.ListMappingsRequest(entity="NORTH", all_editions=True), CALL).mappings
    assert [(each.edition, bool(each.valid_until)) for each in told] == [(1, True), (2, False)]
    assert [(each.ours, each.theirs) for each in told[0].parties] == [("ACME", "C-7")]
    assert not mappings.ListMappings(pb.ListMappingsRequest(entity="SOUTH", all_editions=True), CALL).mappings


def test_what_the_books_file_says_is_what_is_recorded_of_every_entity() -> None:
    configuration = load_books(SAMPLE)
    erps = ConfiguredErps(configuration, dict.fromkeys(("tryton", "file"), lambda name, _, books: FakeErp(name)))
    world = World()
    assert recorded(world, *erps.named_books()) == len(configuration.entities)
    for edition in editions(world.store):
        chart = configuration.charts[configuration.entities[edition.books.entity].chart]
        assert {each.ours: each.theirs for each in edition.books.accounts} == {
            role.value: code for role, code in chart.accounts.items()
        }
        assert edition.books.company == configuration.entities[edition.books.entity].company


def test_every_call_of_the_feeds_needs_the_scope_to_read() -> None:
    services = feed_services(World().core)
    assert {call: scope for service in services for call, scope in service.scopes.items()} == dict.fromkeys(
        ("ListJournalChanges", "ListReceivableBalances", "ListMappings"), "ledger.read"
    )
