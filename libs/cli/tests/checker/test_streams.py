"""The streams: each message against its event, the settings, and how far each durable has read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from throughline.checker.folding import Sources, fold_log
from throughline.checker.invariants.streams import Nats, floors, partitions_of, streams_are_whole
from throughline.checker.reading.stores import BOOKS
from throughline.checker.reading.streams import headers_of, message_of
from throughline.checker.records import Message
from throughline.checker.world import Store

from .small_world import SmallWorld, nats_of


def judged(messages: list[Message], *, trimmed: bool = False) -> tuple[list[str], int]:
    store = Store("payments", BOOKS["payments"]())
    fold_log(SmallWorld().stored("payments"), store, Sources(messages, trimmed=trimmed))
    assert store.stream is not None
    return store.stream.failures.shown, store.stream.unpublished


def messages() -> list[Message]:
    return SmallWorld().messages("payments")


def with_header(message: Message, name: str, value: str) -> Message:
    return message._replace(headers={**message.headers, name: value})


def renumbered(found: list[Message]) -> list[Message]:
    return [message._replace(sequence=number) for number, message in enumerate(found, 1)]


def test_a_whole_stream_is_its_log() -> None:
    assert judged(messages()) == ([], 0)


def test_a_message_that_is_not_there_is_missing() -> None:
    failures, _ = judged(renumbered([messages()[0], *messages()[2:]]))
    assert len(failures) == 1
    assert "remittance-chunk-accepted" in failures[0]
    assert "is not in the stream" in failures[0]


def test_a_gap_in_the_sequences_is_found() -> None:
    failures, _ = judged([messages()[0], *messages()[2:]])
    assert "sequence 2 is missing" in failures


def test_a_message_that_no_event_announces_is_found() -> None:
    stranger = messages()[1]._replace(sequence=99)
    failures, _ = judged([*messages(), stranger])
    assert any("no event of the log announces it" in failure for failure in failures)


def test_a_repeated_message_is_found() -> None:
    doubled = renumbered([messages()[0], messages()[0], *messages()[1:]])
    failures, _ = judged(doubled)
    assert failures == ["sequence 2 (billing.payments.remittance-accepted.v1): no event of the log announces it"]


def test_the_end_of_the_log_may_not_be_published_yet() -> None:
    assert judged(messages()[:-2]) == ([], 2)


def test_a_trimmed_stream_lacks_only_its_beginning() -> None:
    assert judged(messages()[2:], trimmed=True) == ([], 0)


@pytest.mark.parametrize("name", ["ce-id", "Nats-Msg-Id", "ce-sequence", "ce-subject", "ce-type", "ce-ordinal"])
def test_a_header_that_is_not_the_event_s_is_found(name: str) -> None:
    found = messages()
    found[0] = with_header(found[0], name, "other")
    failures, _ = judged(found)
    assert len(failures) == 1
    assert f"{name} is other" in failures[0]


def test_a_missing_header_is_found() -> None:
    found = messages()
    found[0] = with_header(found[0], "ce-actor", "")
    assert "headers are missing: ce-actor" in judged(found)[0][0]


def test_a_subject_of_another_partition_is_found() -> None:
    found = messages()
    found[0] = found[0]._replace(subject=found[0].subject.replace(".v1.", ".v1.9"))
    assert "its subject is" in judged(found)[0][0]


def test_changed_data_differs_from_the_stored_event() -> None:
    found = messages()
    found[0] = found[0]._replace(data=found[0].data.replace(b"60.00", b"60.01"))
    assert "summary differs from the stored event" in judged(found)[0][0]


def test_a_reply_of_the_server_gives_the_message() -> None:
    reply = (
        b'{"message":{"subject":"billing.x","seq":7,"data":"e30=",'
        b'"hdrs":"TkFUUy8xLjANCmNlLWlkOiBhOmINCmNlLXRpbWU6IHQNCg0K"}}'
    )
    message = message_of(reply)
    assert message is not None
    assert (message.sequence, message.data, message.headers) == (7, b"{}", {"ce-id": "a:b", "ce-time": "t"})
    assert message_of(b'{"error":{"code":404}}') is None
    assert headers_of(b"NATS/1.0\r\n\r\n") == {}


Change = Callable[[dict[str, Any], dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda stream, durable: stream["config"].update(discard="old"), "discard is old, not new"),
        (lambda stream, durable: stream["config"].update(retention="interest"), "retention is interest"),
        (lambda stream, durable: stream["config"].update(num_replicas=0), "0 replicas, not 1"),
        (lambda stream, durable: stream["config"].update(duplicate_window=1), "duplicate_window is 1 ns"),
        (lambda stream, durable: stream["config"].update(persist_mode="async"), "before it has written"),
        (lambda stream, durable: stream["state"].update(num_deleted=1), "1 messages are deleted"),
        (lambda stream, durable: stream["state"].update(messages=0), "it holds 0 messages"),
        (lambda stream, durable: durable.update(num_pending=2), "2 messages pending"),
        (lambda stream, durable: durable.update(num_ack_pending=3), "3 unacknowledged"),
        (lambda stream, durable: durable.update(ack_floor={"stream_seq": 0}), "acknowledged up to 0"),
        (lambda stream, durable: durable["config"].update(ack_policy="all"), "ack_policy all"),
        (lambda stream, durable: durable["config"].update(max_deliver=5), "max_deliver is 5"),
        (lambda stream, durable: durable["config"].update(ack_wait=1), "ack_wait is 1 ns"),
        (lambda stream, durable: durable["config"].update(max_ack_pending=10), "less than a batch"),
        (
            lambda stream, durable: durable["config"].update(filter_subject="billing.intake.*.*.0.*"),
            "1 of 32 partitions",
        ),
    ],
)
def test_a_setting_or_state_that_may_lose_messages_is_found(change: Change, said: str) -> None:
    world = SmallWorld().read()
    nats = nats_of(world)
    streams: Mapping[str, Any] = deepcopy(nats.streams)
    consumers: Mapping[str, Any] = deepcopy(nats.consumers)
    change(streams["BILLING_INTAKE"], consumers["BILLING_INTAKE"][0])
    result = streams_are_whole(world, Nats(streams, consumers, sync_always=True))
    assert not result.holds
    assert any(said in failure for failure in result.failures), result.failures


def test_a_server_that_syncs_later_or_lacks_a_stream_fails() -> None:
    world = SmallWorld().read()
    nats = nats_of(world)
    assert not streams_are_whole(world, replace(nats, sync_always=None)).holds
    streams = {name: answer for name, answer in nats.streams.items() if name != "BILLING_LEDGER"}
    assert (
        "BILLING_LEDGER: the stream is not there" in streams_are_whole(world, replace(nats, streams=streams)).failures
    )


def test_filters_say_which_partitions_a_durable_reads() -> None:
    assert len(partitions_of(["billing.intake.>"], "intake")) == 32
    assert partitions_of(["billing.intake.*.*.3.*", "billing.intake.*.*.7.*"], "intake") == {3, 7}
    assert partitions_of(["billing.claims.>"], "intake") == set()
    assert floors(nats_of(SmallWorld().read()))["ledger", "intake"][5] == SmallWorld().messages("intake")[-1].sequence
