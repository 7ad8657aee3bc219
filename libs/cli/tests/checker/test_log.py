"""The log: its chain, its guards, its raw bytes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from chassis.eventstore.chain import ChainedEvent, verify
from eventsourcing.persistence import StoredEvent as TheirStoredEvent
from throughline.checker.books.every_store import Inbound
from throughline.checker.chain import Followed, follow
from throughline.checker.identity import derive
from throughline.checker.reading.guards import GUARDED, unguarded, unsafe_settings
from throughline.checker.reading.spans import Span, digest_of, span_faults
from throughline.checker.records import StoredEvent

from .small_world import SmallWorld

MESSAGE = derive("message", 1)
REFUSES = "BEGIN RAISE EXCEPTION '% is refused', TG_OP; END"


def followed(events: list[StoredEvent]) -> list[str]:
    log = Followed()
    assert list(follow(events, log)) == events
    return log.failures.shown


def test_an_unbroken_log_verifies_and_agrees_with_the_chassis() -> None:
    events = SmallWorld().stored("ledger")
    assert followed(events) == []
    theirs = [ChainedEvent(e.position, TheirStoredEvent(e.id, e.version, e.topic, e.state), e.chain) for e in events]
    assert verify(theirs) == (len(events), events[-1].chain)


@pytest.mark.parametrize("change", ["state", "topic", "id"])
def test_one_changed_event_is_one_failure(change: str) -> None:
    events = SmallWorld().stored("claims")
    values: dict[str, Any] = {
        "state": events[2].state.replace(b"NORTH", b"SOUTH"),
        "topic": "claims.claim.held",
        "id": UUID(int=1),
    }
    events[2] = events[2]._replace(**{change: values[change]})
    failures = [failure for failure in followed(events) if "does not verify" in failure]
    assert failures == [f"position 3 ({events[2].topic}) does not verify"]


def test_a_removed_event_is_a_missing_position() -> None:
    events = SmallWorld().stored("claims")
    del events[1]
    assert followed(events)[0] == "position 2 is missing; 3 follows"


def test_swapped_events_do_not_verify() -> None:
    events = SmallWorld().stored("claims")
    events[0], events[1] = events[1]._replace(position=1), events[0]._replace(position=2)
    assert any("does not verify" in failure for failure in followed(events))
    assert any("has version 2, not 1" in failure for failure in followed(events))


def test_a_tail_written_anew_is_seen_by_its_end() -> None:
    whole, cut = Followed(), Followed()
    events = SmallWorld().stored("claims")
    list(follow(events, whole))
    list(follow(events[:-1], cut))
    assert (whole.chain, whole.position) != (cut.chain, cut.position)


def test_tables_that_refuse_every_change_are_guarded() -> None:
    assert list(unguarded([(table, 2 + 8 + 16 + 32, "A", REFUSES) for table in GUARDED])) == []


@pytest.mark.parametrize(
    ("bits", "enabled", "source"),
    [(2 + 8 + 16, "A", REFUSES), (2 + 8 + 16 + 32, "D", REFUSES), (2 + 8 + 16 + 32, "A", "BEGIN RETURN NULL; END")],
)
def test_a_missing_disabled_or_hollow_trigger_is_no_guard(bits: int, enabled: str, source: str) -> None:
    triggers = [(table, 2 + 8 + 16 + 32, "A", REFUSES) for table in GUARDED[1:]]
    failures = list(unguarded([*triggers, (GUARDED[0], bits, enabled, source)]))
    assert len(failures) == 1
    assert "TRUNCATE" in failures[0]


def test_commits_that_may_be_lost_are_unsafe() -> None:
    assert list(unsafe_settings("on", "on", "on")) == []
    assert list(unsafe_settings("on", "on", "remote_apply")) == []
    assert len(list(unsafe_settings("off", "off", "off"))) == 3


def spans() -> list[Span]:
    key = UUID(derive("key"))
    return [
        Span(UUID(MESSAGE), 0, 0, 6, key, sha256(b"one").digest()),
        Span(UUID(MESSAGE), 1, 6, 4, key, sha256(b"two").digest()),
    ]


def inbound() -> dict[str, Inbound]:
    return {MESSAGE: Inbound("accepted", 2, digest_of(spans()), 10)}


def test_whole_spans_are_those_of_their_event() -> None:
    assert list(span_faults(spans(), inbound())) == []


def test_a_changed_or_missing_span_is_found() -> None:
    changed = [spans()[0], spans()[1]._replace(digest=sha256(b"other").digest())]
    assert list(span_faults(changed, inbound())) == [f"message {MESSAGE}: its raw spans are not those that were kept"]
    assert len(list(span_faults(spans()[:1], inbound()))) == 2
    assert list(span_faults([], inbound())) == [f"message {MESSAGE}: its raw bytes are gone"]
    assert "never received" in next(iter(span_faults(spans(), {})))
