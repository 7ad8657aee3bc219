"""What every event store promises, in memory and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import ContextSource, Event
from chassis.eventstore import (
    Above,
    Commit,
    InboxEntry,
    ParkedMessage,
    Question,
    RawSpan,
    Row,
    VersionConflict,
    Work,
    transact,
)
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.postgres import PostgresEventStore
from chassis.testing import FixedClock, context
from chassis.testing.clock import START
from chassis.testing.sample import OWNERS, PURSES, TABLES, Purse, PurseIsClosed, project_purses, purse_id, registry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Store = MemoryEventStore | PostgresEventStore


def fill(store: Store, name: object, *cents: int, actor: str = "ann") -> None:
    def decide(work: Work) -> None:
        purse = work.get_or_new(Purse, purse_id(name))
        if not purse.exists:
            purse.open(f"owner of {name}")
        for amount in cents:
            purse.fill(Money(amount))

    transact(store, context(actor=actor), decide)


def close(store: Store, name: object) -> None:
    transact(store, context(), lambda work: work.require(Purse, purse_id(name)).close())


def purse_of(store: Store, name: object) -> Purse:
    return Work(store, context()).require(Purse, purse_id(name))


def new_events(name: object, cents: int = 100) -> list[Event]:
    purse = Purse(purse_id(name), ContextSource(context()))
    purse.open("someone")
    purse.fill(Money(cents))
    return purse.pending


def entry(number: int, content: bytes = b"content") -> InboxEntry:
    return InboxEntry(derive("message", number), content)


def parked_message(number: int, key: int = 0, waiting_for: UUID | None = None) -> ParkedMessage:
    return ParkedMessage(
        message_id=derive("message", number),
        consumer="claims-intake",
        key=derive("key", key),
        waiting_for=waiting_for,
        case_id=None,
        subject="billing.intake.x.v1.0.00",
        headers={"ce-id": str(number), 'quote"': "back\\slash"},
        data=b"\x00\xff{}",
        parked_at=START,
        reason="its predecessor is not here",
    )


def test_what_was_saved_is_loaded_in_order(store: Store) -> None:
    fill(store, "a", 100, 250)
    fill(store, "b", 7)
    fill(store, "a", 1)
    found = store.load([purse_id("a"), purse_id("b"), purse_id("nobody")])
    assert found.keys() == {purse_id("a"), purse_id("b")}
    assert [event.originator_version for event in found[purse_id("a")].events] == [1, 2, 3, 4]
    assert purse_of(store, "a").balance == Money(351)


def test_an_event_is_loaded_as_it_was_saved(store: Store) -> None:
    events = new_events("a")
    store.save(Commit(events=list(events)))
    assert store.load([purse_id("a")])[purse_id("a")].events == events


def test_positions_count_the_log_from_one(store: Store) -> None:
    assert store.last_position() == 0
    assert store.save(Commit(events=new_events("a"))) == 2
    assert store.save(Commit(events=new_events("b"))) == 4
    assert store.save(Commit(inbox=[entry(1)])) == 0
    assert store.last_position() == 4
    assert [logged.position for logged in store.log(0, 10)] == [1, 2, 3, 4]
    assert [logged.position for logged in store.log(1, 2)] == [2, 3]
    assert [logged.event.originator_id for logged in store.log(2, 10)] == [purse_id("b")] * 2


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda events: events, id="the same versions again"),
        pytest.param(lambda events: [at_version(events[1], 4)], id="a version past a hole"),
        pytest.param(lambda events: [at_version(events[1], 3), at_version(events[1], 5)], id="a hole in the batch"),
        pytest.param(lambda events: [at_version(events[1], 3), at_version(events[1], 3)], id="a version twice"),
    ],
)
def test_a_version_that_does_not_follow_is_a_conflict(
    store: Store, spoil: Callable[[list[Event]], list[Event]]
) -> None:
    events = new_events("a")
    store.save(Commit(events=list(events)))
    with pytest.raises(VersionConflict):
        store.save(Commit(events=spoil(events), inbox=[entry(1)]))
    assert store.last_position() == 2
    assert store.answered([entry(1).id]) == {}


def at_version(event: Event, version: int) -> Event:
    return event.model_copy(update={"originator_version": version})


def test_a_message_is_answered_once(store: Store) -> None:
    store.save(Commit(events=new_events("a"), inbox=[entry(1, b"one"), entry(2, b"two")]))
    with pytest.raises(VersionConflict):
        store.save(Commit(events=new_events("b"), inbox=[entry(3), entry(2, b"other")]))
    asked = [entry(number).id for number in (1, 2, 3)]
    assert store.answered(asked) == {entry(1).id: b"one", entry(2).id: b"two"}
    assert store.load([purse_id("b")]) == {}


def test_a_conflict_leaves_nothing_of_its_batch(store: Store) -> None:
    fill(store, "a", 5)
    before = {table.name: store.read_model_hash(table) for table in TABLES}
    spans = [RawSpan(derive("raw", 1), 0, 0, 1, derive("key"), b"c")]
    with pytest.raises(VersionConflict):
        store.save(Commit(new_events("b") + new_events("a"), [entry(1)], [parked_message(1)], [], spans))
    assert store.parked() == []
    assert store.spans(derive("raw", 1)) == []
    assert {table.name: store.read_model_hash(table) for table in TABLES} == before


def test_parked_messages_come_back_whole_and_in_the_order_they_were_parked(store: Store) -> None:
    messages = [parked_message(number, key=number % 2, waiting_for=derive("wait", number % 3)) for number in range(6)]
    store.save(Commit(parked=messages[:4]))
    store.save(Commit(parked=messages[4:]))
    assert store.parked() == messages
    assert store.parked(keys=[derive("key", 1)]) == messages[1::2]
    assert store.parked(waiting_for=[derive("wait", 0)], keys=[derive("key", 1)]) == [messages[3]]
    assert store.parked(message_ids=[messages[5].message_id, messages[2].message_id]) == [messages[2], messages[5]]
    assert store.parked(consumer="payments-claims") == []
    assert store.parked(limit=2) == messages[:2]
    assert store.parked(keys=[]) == []


def test_parking_again_keeps_the_place_and_unparking_gives_it_up(store: Store) -> None:
    first, second = parked_message(1), parked_message(2)
    store.save(Commit(parked=[first, second]))
    again = replace(first, waiting_for=None, case_id=derive("case"), reason="refused")
    store.save(Commit(parked=[again]))
    assert store.parked() == [again, second]
    store.save(Commit(parked=[first], unparked=[first.message_id]))
    assert store.parked() == [second, first]
    store.save(Commit(unparked=[first.message_id, second.message_id]))
    assert store.parked() == []


def test_a_parked_message_is_let_go_once(store: Store) -> None:
    message = parked_message(1, waiting_for=purse_id("a"))
    store.save(Commit(parked=[message]))
    store.save(Commit(events=new_events("a"), unparked=[message.message_id]))
    with pytest.raises(VersionConflict):
        store.save(Commit(events=new_events("b"), unparked=[message.message_id]))
    assert store.load([purse_id("b")]) == {}


def test_raw_spans_come_back_in_order_and_are_kept_once(store: Store) -> None:
    message = derive("raw", 1)
    spans = [RawSpan(message, number, number * 3, 3, derive("key", number), b"\x00c%d" % number) for number in range(3)]
    store.save(Commit(spans=spans[::-1]))
    assert store.spans(message) == spans
    with pytest.raises(VersionConflict):
        store.save(Commit(spans=[spans[0]], inbox=[entry(1)]))
    assert store.answered([entry(1).id]) == {}


def test_a_row_has_what_was_put_and_nothing_else(store: Store) -> None:
    fill(store, "a")
    assert store.rows(PURSES, {"purse_id": purse_id("a")}) == [
        {
            "purse_id": purse_id("a"),
            "owner": "owner of a",
            "balance_minor": 0,
            "fills": None,
            "is_large": None,
            "opened_on": START.date(),
            "opened_at": START,
            "notes": {"opened": ["owner of a", None]},
            "mark": purse_id("a").bytes,
        }
    ]


def test_amounts_add_up_within_and_between_batches(store: Store) -> None:
    fill(store, "a", 100, 200)
    fill(store, "a", 200_000, -50)
    fill(store, "b", 3)
    (row,) = store.rows(PURSES, {"purse_id": purse_id("a")})
    assert (row["balance_minor"], row["fills"], row["is_large"]) == (200_250, 4, True)
    assert store.rows(OWNERS, {}) == [{"owner": "ann", "day": START.date(), "filled_minor": 200_253}]


def test_a_row_removed_and_made_again_in_one_batch_starts_empty(store: Store) -> None:
    fill(store, "a", 200_000)

    def decide(work: Work) -> None:
        purse = work.require(Purse, purse_id("a"))
        purse.close()
        purse.open("another")
        purse.fill(Money(5))

    transact(store, context(), decide)
    (row,) = store.rows(PURSES, {})
    assert (row["owner"], row["balance_minor"], row["fills"], row["is_large"]) == ("another", 5, 1, None)
    close(store, "a")
    assert store.rows(PURSES, {}) == []


def test_rows_are_filtered_by_value_by_any_of_several_and_by_absence(store: Store) -> None:
    fill(store, "a", 200_000)
    fill(store, "b")
    fill(store, "c", 2)
    names = ["owner of a", "owner of c", "nobody"]

    def owners(**where: object) -> list[object]:
        return [row["owner"] for row in store.rows(PURSES, where, order=["owner"])]

    assert owners(owner="owner of b") == ["owner of b"]
    assert owners(owner=names) == ["owner of a", "owner of c"]
    assert owners(fills=None) == ["owner of b"]
    assert owners(is_large=[True, None], owner=("owner of a", "owner of b")) == ["owner of a", "owner of b"]
    assert owners(owner=[]) == []
    assert owners(fills=Above.ZERO) == ["owner of a", "owner of c"]
    assert owners(fills=Above.ZERO, owner=names[1:]) == ["owner of c"]


def test_rows_are_ordered_as_asked_and_then_by_key(store: Store) -> None:
    for name, cents in (("Zoë", 5), ("adam", 5), ("Bea", 900), ("émile", 900)):
        fill(store, name, cents)
    fill(store, "none")
    by_amount = [row["balance_minor"] for row in store.rows(PURSES, {}, order=["-balance_minor"])]
    assert by_amount == [900, 900, 5, 5, 0]
    by_owner = [str(row["owner"]).removeprefix("owner of ") for row in store.rows(PURSES, {}, order=["owner"])]
    assert by_owner == ["Bea", "Zoë", "adam", "none", "émile"]
    assert store.rows(PURSES, {}, order=["-fills"])[0]["fills"] is None
    assert store.rows(PURSES, {}, order=["fills"])[-1]["fills"] is None
    keys = [row["purse_id"] for row in store.rows(PURSES, {})]
    assert keys == sorted(keys)  # type: ignore[type-var]
    assert len(store.rows(PURSES, {}, limit=2)) == 2


def test_a_story_is_told_whole_or_part_by_part(store: Store) -> None:
    fill(store, "a", 1, 2, 3)
    identity = purse_id("a")
    whole = store.story(identity)
    assert [event.originator_version for event in whole] == [1, 2, 3, 4]
    parts = [store.story(identity, after=after, limit=2) for after in (0, 2, 4)]
    assert parts == [whole[:2], whole[2:], []]
    assert store.story(identity, after=3) == whole[3:]


def test_rows_come_page_by_page_each_once_however_many_are_equal(store: Store) -> None:
    for name, cents in (("a", 5), ("b", 5), ("c", 5), ("d", 900), ("e", 900)):
        fill(store, name, cents)
    seen: list[Row] = []
    while page := store.rows(PURSES, {}, order=["balance_minor"], limit=2, after=seen[-1] if seen else None):
        seen += page
    assert seen == store.rows(PURSES, {}, order=["balance_minor"])
    few = {"owner": ["owner of b", "owner of e"]}
    assert store.rows(PURSES, few, order=["balance_minor"], after=seen[2]) == store.rows(
        PURSES, {"owner": "owner of e"}
    )


def test_several_questions_are_answered_at_once_each_as_it_is_alone(store: Store) -> None:
    fill(store, "a", 3)
    fill(store, "b", 900)
    questions = [
        Question(PURSES, {"purse_id": purse_id("a")}),
        Question(PURSES, {}, order=("-balance_minor",), limit=1),
        Question(OWNERS, {"owner": "nobody"}),
    ]
    alone = [store.rows(each.table, each.where, order=each.order, limit=each.limit) for each in questions]
    assert store.rows_of_each(questions) == alone
    assert [len(rows) for rows in alone] == [1, 1, 0]
    assert store.rows_of_each([]) == []


def test_sums_are_by_group_in_order(store: Store) -> None:
    clock = FixedClock()
    for amount in (100, 20, 3):
        work = Work(store, context(now=clock(), actor=f"by {amount % 2}"))
        start(work, purse_id(amount), amount)
        work.commit()
        clock.advance(days=1)
    assert store.sums(OWNERS, ["filled_minor"], ["owner"], {}) == [
        {"owner": "by 0", "filled_minor": 120, "count": 2},
        {"owner": "by 1", "filled_minor": 3, "count": 1},
    ]
    tomorrow = START.date() + timedelta(days=1)
    assert store.sums(OWNERS, ["filled_minor"], [], {"day": tomorrow}) == [{"filled_minor": 20, "count": 1}]
    assert store.sums(OWNERS, ["filled_minor"], [], {"owner": "nobody"}) == []
    assert store.sums(OWNERS, [], ["day"], {"owner": "by 1"}) == [{"day": tomorrow + timedelta(days=1), "count": 1}]


def start(work: Work, identity: UUID, cents: int) -> None:
    purse = work.get_or_new(Purse, identity)
    purse.open("someone")
    purse.fill(Money(cents))


def test_the_relay_position_never_steps_back(store: Store) -> None:
    assert store.relay_position() == 0
    store.record_relay_position(7)
    store.record_relay_position(3)
    assert store.relay_position() == 7


def test_a_long_history_is_loaded_from_its_snapshot_on(store: Store) -> None:
    fill(store, "a", *range(1, 25))
    fill(store, "a", 1000)
    history = store.load([purse_id("a")])[purse_id("a")]
    assert history.snapshot is not None
    assert history.snapshot.version == 25
    assert [event.originator_version for event in history.events] == [26]
    assert purse_of(store, "a").balance == Money(sum(range(1, 25)) + 1000)


def test_a_refused_command_saves_nothing(store: Store) -> None:
    fill(store, "a")
    close(store, "a")
    with pytest.raises(PurseIsClosed):
        transact(store, context(), lambda work: work.require(Purse, purse_id("a")).fill(Money(1)))
    assert store.last_position() == 2


def test_rolling_back_forgets_one_message_and_keeps_the_rest_of_the_batch(store: Store) -> None:
    fill(store, "a", 100)
    work = Work(store, context())
    work.require(Purse, purse_id("a")).fill(Money(10))
    mark = work.mark()
    work.require(Purse, purse_id("a")).fill(Money(7))
    work.get_or_new(Purse, purse_id("b")).open("b")
    work.roll_back(mark)
    work.commit()
    assert purse_of(store, "a").balance == Money(110)
    assert store.load([purse_id("b")]) == {}


def test_rolling_back_onto_a_history_that_has_moved_is_a_conflict(store: Store) -> None:
    fill(store, "a", 100)
    work = Work(store, context())
    work.require(Purse, purse_id("a")).fill(Money(10))
    mark = work.mark()
    work.require(Purse, purse_id("a")).fill(Money(7))
    fill(store, "a", 1)
    with pytest.raises(VersionConflict, match="has moved on to version 3"):
        work.roll_back(mark)


def test_a_lost_race_is_decided_again_on_what_is_there_now(store: Store) -> None:
    fill(store, "a", 100)
    seen: list[Money] = []

    def decide(work: Work) -> None:
        purse = work.require(Purse, purse_id("a"))
        seen.append(purse.balance)
        if len(seen) == 1:
            fill(store, "a", 5)
        purse.fill(Money(1))

    transact(store, context(), decide)
    assert seen == [Money(100), Money(105)]
    assert purse_of(store, "a").balance == Money(106)


def test_a_batch_decided_on_rows_that_others_added_to_meanwhile_is_decided_again(store: Store) -> None:
    fill(store, "a", 100)
    seen: list[int] = []

    def decide(work: Work) -> None:
        owned = work.rows_to_stay(PURSES, {"purse_id": [purse_id(name) for name in "abc"]})
        seen.append(len(owned))
        if len(seen) == 1:
            fill(store, "b", 5)
            fill(store, "unseen", 5)
        work.get_or_new(Purse, purse_id("c")).open("someone")

    transact(store, context(), decide)
    assert seen == [1, 2]
    assert len(store.rows(PURSES, {"purse_id": [purse_id(name) for name in "abc"]})) == 3


def test_rows_that_a_batch_adds_itself_do_not_count_against_what_it_saw(store: Store) -> None:
    work = Work(store, context())
    assert work.rows_to_stay(PURSES, {"purse_id": purse_id("a")}) == []
    work.get_or_new(Purse, purse_id("a")).open("someone")
    assert work.commit() == 1


def test_read_models_rebuilt_from_the_log_equal_the_live_ones(store: Store) -> None:
    for round_number in range(3):
        for name in "abcde":
            fill(store, name, round_number, 100_001)
        close(store, "b")
        transact(store, context(), lambda work: work.require(Purse, purse_id("b")).open("again"))
    live = {table.name: store.read_model_hash(table) for table in TABLES}
    assert store.rebuild_read_models() == store.last_position()
    assert {table.name: store.read_model_hash(table) for table in TABLES} == live


Batch = list[tuple[int, int, int]]
batches = st.lists(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.integers(1, 500)), max_size=6), max_size=8
)


def deliver(store: Store, run: int, batch: Batch) -> None:
    """A consumer in small: what is answered is left out, the rest decided and saved at once."""

    def decide(work: Work) -> None:
        done = set(store.answered([derive("message", run, number) for number, _, _ in batch]))
        for number, name, cents in batch:
            message = derive("message", run, number)
            if message not in done:
                done.add(message)
                work.answer(InboxEntry(message, b""))
                purse = work.get_or_new(Purse, purse_id((run, name)))
                if not purse.exists:
                    purse.open(str(name))
                purse.fill(Money(cents))

    transact(store, context(), decide)


@given(batches, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_redelivery_in_other_batches_and_order_changes_nothing_in_memory(sent: list[Batch], random: Random) -> None:
    store = MemoryEventStore(registry(), [project_purses])
    check_redelivery(store, sent, random)


@pytest.mark.servers
@given(batches, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_redelivery_in_other_batches_and_order_changes_nothing_on_postgresql(
    postgres_store: PostgresEventStore, sent: list[Batch], random: Random
) -> None:
    check_redelivery(postgres_store, sent, random)


def check_redelivery(store: Store, sent: list[Batch], random: Random) -> None:
    run = store.last_position()
    for batch in sent:
        deliver(store, run, batch)
    before = (store.last_position(), [store.read_model_hash(table) for table in TABLES])
    messages = [message for batch in sent for message in batch]
    random.shuffle(messages)
    for start_at in range(0, len(messages), 5):
        deliver(store, run, messages[start_at : start_at + 5])
    assert (store.last_position(), [store.read_model_hash(table) for table in TABLES]) == before
    assert store.rebuild_read_models() == before[0]
    assert [store.read_model_hash(table) for table in TABLES] == before[1]
