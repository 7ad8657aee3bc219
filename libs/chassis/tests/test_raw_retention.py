"""Raw bytes are kept as long as the policy says: never shorter, never while held, and their hash for ever."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from chassis.domain import Context, Meta
from chassis.eventstore import EventRegistry, Work, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.inbound import (
    INBOUND_MESSAGES,
    AlreadyDecided,
    Arrival,
    ExpiredRaw,
    InboundMessage,
    keep,
    message_id_of,
    messages_by_delivery,
    project_inbound_messages,
    read_raw,
    retention,
)
from chassis.inbound.retention import (
    DONE_DAYS,
    KEEP_DAYS,
    RawRetention,
    RetentionPolicy,
    WrongRetention,
    read_retention,
)
from chassis.keys import MemoryKeyStore, Sealer
from chassis.testing import FixedClock, context, given, happened

RECEIVED = happened(
    InboundMessage.Received,
    source_system="ehr",
    delivery_key="k",
    source_reference="",
    format="hl7v2",
    entity="NORTH",
    size_bytes=3,
    content_address="00",
    span_count=1,
    span_digest="00",
)


class Archive:
    """A store with messages of several ages."""

    def __init__(self) -> None:
        self.store = MemoryEventStore(EventRegistry((InboundMessage,)), (project_inbound_messages,))
        self.clock = FixedClock(datetime(2015, 1, 1, tzinfo=UTC))
        self.sealer = Sealer(MemoryKeyStore())
        self.policy = RetentionPolicy()

    def receive(self, key: str, *, format_name: str = "hl7v2", source: str = "ehr", decided: bool = True) -> UUID:
        arrival = Arrival(source, key, format_name, "NORTH")
        raw = key.encode()
        identity = message_id_of(self.sealer, arrival, raw)

        def decide(work: Work) -> None:
            message = keep(work, self.sealer, arrival, raw, [])
            if decided:
                message.accept()

        meta = Meta(correlation_id=identity, causation_id=identity, actor="test")
        transact(self.store, Context(self.clock(), meta), decide)
        return identity

    def sweep(self, done: Path | None = None) -> int:
        return RawRetention(self.store, self.clock, lambda: self.policy, "intake", done).run()

    def kept(self) -> set[str]:
        rows = self.store.rows(INBOUND_MESSAGES, {"is_raw_kept": True})
        return {str(row["delivery_key"]) for row in rows}


@pytest.fixture
def archive() -> Archive:
    return Archive()


def test_bytes_go_after_ten_years_and_not_a_day_before(archive: Archive) -> None:
    message_id = archive.receive("old")
    archive.clock.advance(days=KEEP_DAYS)
    assert archive.sweep() == 0
    archive.clock.advance(seconds=1)
    assert archive.sweep() == 1
    assert archive.store.spans(message_id) == []
    with pytest.raises(ExpiredRaw, match="expired after 3653 days"):
        read_raw(archive.store, archive.sealer, message_id)


def test_what_is_left_tells_when_by_whom_and_the_hash(archive: Archive) -> None:
    message_id = archive.receive("old")
    address = archive.sealer.content_address(b"old").hex()
    archive.clock.advance(days=KEEP_DAYS + 1)
    archive.sweep()
    (row,) = messages_by_delivery(archive.store, "ehr", "old")
    assert (row["content_address"], row["state"], row["is_raw_kept"]) == (address, "accepted", False)
    expired = archive.store.story(message_id)[-1]
    assert isinstance(expired, InboundMessage.RawExpired)
    assert (expired.meta.actor, expired.keep_days) == ("service:intake", KEEP_DAYS)
    assert archive.sweep() == 0


def test_each_format_has_its_own_time(archive: Archive) -> None:
    archive.policy = RetentionPolicy(formats={"x12": 400})
    archive.receive("claim", format_name="x12")
    archive.receive("visit")
    archive.clock.advance(days=401)
    assert archive.sweep() == 1
    assert archive.kept() == {"visit"}


def test_a_message_that_nobody_has_decided_keeps_its_bytes(archive: Archive) -> None:
    archive.receive("open", decided=False)
    archive.clock.advance(days=KEEP_DAYS * 2)
    assert archive.sweep() == 0
    given(InboundMessage, [RECEIVED]).when(lambda message: message.expire_raw(1)).then_refused(AlreadyDecided)


def test_a_legal_hold_keeps_a_message_or_all_of_a_source_in_a_time(archive: Archive) -> None:
    held = archive.receive("held")
    archive.receive("sourced", source="north")
    archive.receive("other")
    archive.clock.advance(days=30)
    archive.receive("later", source="north")
    holds = [
        {"message": str(held), "reason": "audit"},
        {"source": "north", "received_from": "2015-01-01", "received_to": "2015-01-15", "reason": "case 12"},
    ]
    archive.policy = RetentionPolicy.model_validate({"holds": holds})
    archive.clock.advance(days=KEEP_DAYS * 2)
    assert archive.sweep() == 2
    assert archive.kept() == {"held", "sourced"}
    archive.policy = RetentionPolicy()
    assert archive.sweep() == 2


def test_what_is_held_does_not_hide_what_is_due_behind_it(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_PER_PAGE", 2)
    monkeypatch.setattr(retention, "PAGES_PER_RUN_MAX", 2)
    for number in range(9):
        archive.receive(f"held{number}", source="north")
    archive.clock.advance(seconds=1)
    archive.receive("free")
    archive.policy = RetentionPolicy.model_validate({"holds": [{"source": "north", "reason": "case 12"}]})
    archive.clock.advance(days=KEEP_DAYS + 1)
    sweep = RawRetention(archive.store, archive.clock, lambda: archive.policy, "intake")
    assert [sweep.run() for _ in range(3)] == [0, 0, 1]
    assert "free" not in archive.kept()
    archive.policy = RetentionPolicy()
    assert sum(sweep.run() for _ in range(6)) == 9


def test_files_that_were_taken_lie_in_the_clear_for_so_many_days_alone(archive: Archive, tmp_path: Path) -> None:
    done = tmp_path / "intake-done"
    assert archive.sweep(done) == 0
    (done / "folder").mkdir(parents=True)
    (done / "a.835").write_bytes(b"ISA")
    os.utime(done / "a.835", (0, 0))
    archive.clock.now = datetime.now(UTC) + timedelta(days=DONE_DAYS - 1)
    assert archive.sweep(done) == 0
    archive.clock.advance(days=2)
    assert archive.sweep(done) == 1
    assert [path.name for path in done.iterdir()] == ["folder"]


def test_a_sweep_is_bounded_and_the_next_goes_on(archive: Archive) -> None:
    for number in range(130):
        archive.receive(f"m{number}")
    archive.clock.advance(days=KEEP_DAYS + 1)
    assert [archive.sweep(), archive.sweep(), archive.sweep()] == [100, 30, 0]


def test_the_policy_is_read_from_a_file_and_a_short_or_unclear_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "retention.json"
    assert read_retention(None).days_of("hl7v2") == KEEP_DAYS
    path.write_text(json.dumps({"formats": {"hl7v2": 500}}), "utf-8")
    assert read_retention(path).days_of("hl7v2") == 500
    for wrong in ({"keep_days": 30}, {"formats": {"x12": 1}}, {"holds": [{"reason": "all"}]}, {"keep": 1}):
        path.write_text(json.dumps(wrong), "utf-8")
        with pytest.raises(WrongRetention, match="retention"):
            read_retention(path)
    with pytest.raises(WrongRetention, match="No such file"):
        read_retention(tmp_path / "nowhere.json")


def test_ages_are_counted_from_the_receipt_whatever_the_zone() -> None:
    row = {"message_id": UUID(int=1), "source_system": "ehr", "received_at": context().now + timedelta(hours=1)}
    policy = RetentionPolicy.model_validate({"holds": [{"source": "ehr", "reason": "x"}]})
    assert policy.is_held(row)
