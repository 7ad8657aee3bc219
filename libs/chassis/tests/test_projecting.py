"""A store asks a projection only about the events that it reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from chassis.domain import Aggregate, Event, Meta
from chassis.eventstore import Change, Table, put
from chassis.eventstore.projecting import Projecting, of
from chassis.testing.projections import unasked

SEEN = Table("seen", {"topic": "text", "by": "text"}, key=("topic", "by"))
META = Meta(correlation_id=UUID(int=1), causation_id=UUID(int=2), actor="service:test")


class Door(Aggregate):
    class Opened(Event):
        TOPIC = "test.door.opened"


class Window(Aggregate):
    class Opened(Event):
        TOPIC = "test.window.opened"


def of_everything(event: Event) -> Iterable[Change]:
    yield put(SEEN, topic=event.TOPIC, by="everything")


@of(Door)
def of_doors(event: Event) -> Iterable[Change]:
    yield put(SEEN, topic=event.TOPIC, by="doors")


def _event(kind: type[Event]) -> Event:
    return kind(originator_id=UUID(int=3), originator_version=1, timestamp=datetime(2026, 3, 1, tzinfo=UTC), meta=META)


EVENTS = [_event(Door.Opened), _event(Window.Opened), _event(Door.Opened)]


def test_a_projection_of_an_aggregate_is_asked_about_its_events_alone_and_in_its_turn() -> None:
    found = Projecting([of_doors, of_everything]).changes(EVENTS)
    door, window = ("test.door.opened", "test.window.opened")
    assert [(each.key["topic"], each.key["by"]) for each in found] == [
        (door, "doors"),
        (door, "everything"),
        (window, "everything"),
        (door, "doors"),
        (door, "everything"),
    ]


def test_a_projection_that_would_make_rows_of_other_events_is_found() -> None:
    assert unasked([of_doors, of_everything], EVENTS) == ["test.window.opened"]


def test_a_projection_of_an_aggregate_can_still_be_asked_by_itself() -> None:
    assert [each.key["by"] for each in of_doors(_event(Door.Opened))] == ["doors"]
