"""What the checker writes down a second time is what the suite does: formulas, tables of events, shapes of states."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from canonical import events as canonical_events
from canonical import ids
from canonical.envelope import STREAMS as CANONICAL_STREAMS
from canonical.envelope import partition_of as canonical_partition
from canonical.envelope import registered_events
from throughline.checker.amounts import NotAnAmount, cents, shown
from throughline.checker.identity import derive, external_number, partition_of
from throughline.checker.reading.stores import BOOKS
from throughline.checker.records import Fact
from throughline.checker.rows import Rebuilt, compare
from throughline.checker.vocabulary import ANNOUNCES, REACTS, SERVICES, STREAMS

SERVICES_FOLDER = Path(__file__).resolve().parents[4] / "services"
FIRST = ("raised", "received", "opened", "drafted", "intended", "expected", "accepted", "read", "announced", "recorded")
assert canonical_events.__all__, "importing them registers them"


@pytest.mark.parametrize("parts", [("a", "bc"), ("ab", "c"), (7, "", UUID(int=5)), ()])
def test_ids_follow_from_causes_by_the_same_rule(parts: tuple[object, ...]) -> None:
    assert derive("kind", *parts) == str(ids.derive("kind", *parts))


def test_numbers_and_partitions_follow_from_ids_by_the_same_rule() -> None:
    for number in range(50):
        identity = ids.derive("some", number)
        assert external_number(str(identity)) == ids.external_number(identity)
        assert partition_of(str(identity)) == canonical_partition(identity)


@pytest.mark.parametrize(
    ("text", "minor"),
    [("12.30 USD", 1230), ("-0.05 USD", -5), ("0.00 USD", 0), ("9999999999999999.99 USD", 10**18 - 1)],
)
def test_amounts_are_read_exactly(text: str, minor: int) -> None:
    assert cents(text) == minor
    assert f"{shown(minor)} USD" == text


@pytest.mark.parametrize(
    "text", ["12.3 USD", "12.300 USD", "12.30", "12.30 EUR", "１.00 USD", "1_0.00 USD", 12.3, None]
)
def test_nothing_else_is_an_amount(text: object) -> None:
    with pytest.raises(NotAnAmount):
        cents(text)


def test_every_public_event_has_a_stored_one_and_the_other_way_round() -> None:
    known = {(service, event_type) for service, event_type, _ in registered_events() if service in SERVICES}
    lists: dict[str, object] = {"statuses": [1], "shares": [1], "applied": "1.00 USD", "was_merged": True}
    announced = {
        (service, event_type)
        for service, topics in ANNOUNCES.items()
        for announces in topics.values()
        for event_type in announces(lists)
    }
    assert announced == known
    reacted = {(upstream, t) for upstreams in REACTS.values() for upstream, types in upstreams.items() for t in types}
    assert reacted <= known
    assert STREAMS == CANONICAL_STREAMS


def golden_facts(service: str) -> list[Fact]:
    """The stored events that the service keeps as examples, those first that begin something."""
    folder = SERVICES_FOLDER / {"ledger": "ledger-adapter"}.get(service, service) / "tests" / "golden"
    facts = []
    for position, file in enumerate(sorted(folder.glob("*.json")), 1):
        kept = json.loads(file.read_text(encoding="utf-8"))
        facts.append(Fact(position, kept["originator_id"], kept["originator_version"], kept["topic"], kept["state"]))
    return sorted(facts, key=lambda fact: fact.topic.rsplit(".", 1)[1] not in FIRST)


@pytest.mark.parametrize("service", SERVICES)
def test_the_events_that_a_service_keeps_as_examples_are_read(service: str) -> None:
    book = BOOKS[service]()
    facts = golden_facts(service)
    assert facts, "the examples are not where they were"
    for fact in facts:
        book.take(fact)
    assert book.unreadable.shown == []
    assert sum(len(table.rows) for table in book.tables()) > 0


def live() -> Iterator[tuple[str | None, ...]]:
    yield ("a", "10", "open")
    yield ("b", None, "open")


def rebuilt() -> Rebuilt:
    table = Rebuilt("accounts", ("id",), ("amount_minor", "state"))
    table.add(("a",), amount_minor=4)
    table.add(("a",), amount_minor=6)
    table.put(("a",), state="open")
    table.put(("b",), state="open", amount_minor=0)
    return table


def test_equal_rows_agree_and_a_number_never_added_to_may_be_absent() -> None:
    comparison = compare(rebuilt(), live())
    assert comparison.rows == 2
    assert not comparison.failures


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", "11", "open"), ("b", None, "open")], "accounts a: amount_minor is 11, by the events 10"),
        ([("a", "10", "closed"), ("b", None, "open")], "accounts a: state is closed, by the events open"),
        ([("a", "10", "open")], "accounts b: the row is missing"),
        ([("a", "10", "open"), ("b", None, "open"), ("c", "1", "open")], "accounts c: no event makes this row"),
    ],
)
def test_each_wrong_row_is_named(rows: list[tuple[str | None, ...]], said: str) -> None:
    comparison = compare(rebuilt(), rows)
    assert comparison.failures.shown == [said]
