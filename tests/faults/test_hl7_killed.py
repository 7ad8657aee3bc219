"""`kill -9` of intake while a sender waits for an ACK: what was answered is kept, and what is sent again is taken once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sandbox.world.ehr import DeliveryKind, deliveries, send_mllp
from sandbox.world.scenario import Scenario

from tests.integration.suite import Bench

pytestmark = [pytest.mark.servers, pytest.mark.slow]

DURABLE = ("after-commit", "before-ack")
"""Between the commit and the ACK: the message is kept, and its sender does not know."""
LOST = ("after-receive", "before-commit")
"""Between reading and the commit: nothing is kept, and the sender has to come again."""
STORED = "SELECT count(*) FROM inbound_messages"
ACCEPTED = "SELECT count(*) FROM inbound_messages WHERE state = 'accepted' AND readings = 1"
CAPTURED = "SELECT count(*) FROM stored_events WHERE topic = 'intake.encounter.charge-captured'"
POSTINGS = "SELECT count(*) FROM stored_events WHERE topic = 'intake.encounter.charged'"
CHARGED = "SELECT coalesce(sum(charged_minor), 0)::bigint FROM encounters"
POSTED = "SELECT coalesce(sum(posted_minor), 0)::bigint FROM encounters"


class Hospital:
    """One visit, told message by message over MLLP, each on a connection of its own."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self._bench = bench
        self._mark = folder / "intake.died"
        scenario = Scenario.small(datetime.now(UTC).date())
        visit = next(each for each in scenario.encounters if delivered_by_mllp(scenario, each.ordinal))
        (delivery,) = deliveries([visit])
        self.messages: Sequence[bytes] = delivery.messages
        self.total = visit.total.minor
        self.charges = len(visit.charges)

    def send(self, message: bytes) -> bytes:
        """The acknowledgement; empty where the connection ended without one."""
        host, _, port = self._bench.address("intake", "mllp").rpartition(":")
        try:
            (answer,) = asyncio.run(send_mllp(host, int(port), [message]))
        except (OSError, asyncio.IncompleteReadError):
            return b""
        return answer

    def start_intake(self, crash_at: str = "") -> None:
        armed = {"CRASH_AT": f"intake:{crash_at}", "CRASH_MARK": str(self._mark)} if crash_at else None
        self._bench.start_service("intake", armed)

    def send_until_killed(self) -> int:
        """Sends each message once; the number of the one that got no answer, for which intake died."""
        for number, message in enumerate(self.messages):
            if not self.send(message):
                assert self._bench.running["intake"].wait_for_exit(5) == -9
                return number
        raise AssertionError("intake was to die")

    @property
    def died_at(self) -> str:
        return self._mark.read_text().strip()

    def is_kept_once(self) -> bool:
        """Every message stored and read once, and every charge of the visit there and billed once."""
        count = self._bench.count
        return (
            count("intake", STORED) == count("intake", ACCEPTED) == len(self.messages)
            and count("intake", CAPTURED) == self.charges
            and count("intake", POSTINGS) == 1
            and count("intake", CHARGED) == count("intake", POSTED) == self.total
        )


def delivered_by_mllp(scenario: Scenario, ordinal: int) -> bool:
    (delivery,) = deliveries([scenario.encounters[ordinal]])
    return delivery.kind is DeliveryKind.MLLP and len(scenario.encounters[ordinal].charges) > 1


def acknowledged(message: bytes) -> bytes:
    """What tells the sender of a message that it is kept: AA, and its own MSH-10."""
    return b"MSA|AA|" + message.split(b"\r")[0].split(b"|")[9]


@pytest.fixture
def hospital(bench: Bench, tmp_path: Path) -> Hospital:
    return Hospital(bench, tmp_path)


@pytest.mark.parametrize("step", DURABLE)
def test_killed_between_commit_and_ack_the_same_message_is_answered_and_kept_once(
    bench: Bench, hospital: Hospital, step: str
) -> None:
    last = len(hospital.messages) - 1
    hospital.start_intake(f"{step}:{last + 1}")
    assert hospital.send_until_killed() == last
    assert hospital.died_at == step
    assert bench.count("intake", STORED) == len(hospital.messages), "it was durable before the ACK"
    hospital.start_intake()
    assert acknowledged(hospital.messages[last]) in hospital.send(hospital.messages[last])
    assert hospital.is_kept_once()


@pytest.mark.parametrize("step", LOST)
def test_killed_between_reading_and_commit_nothing_is_kept_and_what_is_sent_again_is_taken_once(
    bench: Bench, hospital: Hospital, step: str
) -> None:
    last = len(hospital.messages) - 1
    hospital.start_intake(f"{step}:{last + 1}")
    assert hospital.send_until_killed() == last
    assert hospital.died_at == step
    assert bench.count("intake", STORED) == last, "what got no ACK is not kept"
    hospital.start_intake()
    for message in (*hospital.messages, *hospital.messages):
        assert acknowledged(message) in hospital.send(message)
    assert hospital.is_kept_once()


def test_killed_at_the_first_message_of_all_the_visit_is_taken_once(bench: Bench, hospital: Hospital) -> None:
    hospital.start_intake("before-ack")
    assert hospital.send_until_killed() == 0
    assert bench.count("intake", STORED) == 1
    hospital.start_intake()
    for message in hospital.messages:
        assert acknowledged(message) in hospital.send(message)
    assert hospital.is_kept_once()
