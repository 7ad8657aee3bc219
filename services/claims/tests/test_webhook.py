"""The door where clearinghouses say that answers wait: only signed, only now, and only once."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import pytest
from chassis.eventstore.memory import MemoryEventStore
from chassis.testing import FixedClock
from claims.adapters.clearinghouses.answers import AnswerDrop
from claims.adapters.clearinghouses.rest import RestAccess, RestClearinghouse
from claims.adapters.clearinghouses.webhook import BODY_BYTES_MAX, PATH, webhook_app
from claims.application.fetching import HINTS, AnswerFetching, AnswerHints
from claims.main import SHAPE
from pydantic import SecretStr
from sandbox.world.clearinghouse_api import HINT, SIGNATURE, ClearinghouseApi
from sandbox.world.loopback import LoopbackApp
from sandbox.world.misbehaviour import Fault
from sandbox.world.payer import Answer, AnswerKind, Payers
from sandbox.world.webhooks import WebhookSender

SECRETS = {"metro": (SecretStr("metro-secret"),), "swift": (SecretStr("new-secret"), SecretStr("old-secret"))}
BODY = b'{"id": "hint-1", "type": "answer.waiting"}'


class Door:
    def __init__(self) -> None:
        self.clock = FixedClock()
        self.store = MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
        self.app = LoopbackApp(webhook_app(AnswerHints(self.store, self.clock), SECRETS, self.clock))
        self.client = httpx.Client(base_url=self.app.url, trust_env=False)

    def post(
        self, body: bytes = BODY, *, secret: str = "new-secret", late_seconds: int = 0, signed: bytes | None = None
    ) -> tuple[int, str]:
        moment = int(self.clock.now.timestamp()) - late_seconds
        digest = hmac.new(secret.encode(), f"{moment}.".encode() + (signed or body), "sha256").hexdigest()
        answer = self.client.post(PATH, content=body, headers={SIGNATURE: f"t={moment},v1={digest}"})
        return answer.status_code, next(iter(answer.json().values()))

    def heard(self) -> list[object]:
        return [row["clearinghouse"] for row in self.store.rows(HINTS, {}, order=("clearinghouse",))]


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    door.app.start()
    yield door
    door.client.close()
    door.app.stop()


def test_a_hint_is_heard_from_whoever_signed_it_and_once(door: Door) -> None:
    assert door.post() == (200, "heard")
    assert door.post() == (200, "known")
    assert door.post(secret="metro-secret") == (200, "heard")
    assert door.heard() == ["metro", "swift"]
    assert door.store.last_position() == 2


def test_while_a_secret_is_rotated_both_are_good(door: Door) -> None:
    assert door.post(secret="old-secret") == (200, "heard")
    assert door.heard() == ["swift"]


@pytest.mark.parametrize("late_seconds", [301, -301, 86_400])
def test_what_is_too_old_or_from_the_future_is_refused(door: Door, late_seconds: int) -> None:
    assert door.post(late_seconds=late_seconds) == (401, "forged")
    assert door.heard() == []


@pytest.mark.parametrize("late_seconds", [300, -300])
def test_clocks_may_differ_by_five_minutes_both_ways(door: Door, late_seconds: int) -> None:
    assert door.post(late_seconds=late_seconds) == (200, "heard")


def test_what_is_signed_by_nobody_or_was_changed_is_refused(door: Door) -> None:
    assert door.post(secret="guess") == (401, "forged")
    assert door.post(BODY.replace(b"1", b"2"), signed=BODY) == (401, "forged")
    for header in ("", "t=1,v1=", "v1=" + "0" * 64, "t=١,v1=" + "0" * 64):
        answer = door.client.post(PATH, content=BODY, headers={SIGNATURE.encode(): header.encode()})
        assert answer.status_code == 401
    assert door.heard() == []


@pytest.mark.parametrize("body", [b"", b"{}", b'{"id": ""}', b'{"id": "a b"}', b"\xff", b'{"id": 5}'])
def test_what_is_signed_and_says_nothing_is_refused(door: Door, body: bytes) -> None:
    assert door.post(body) == (400, "unreadable")


def test_a_body_that_is_too_large_is_not_read_to_its_end(door: Door) -> None:
    assert door.post(b"{" * (BODY_BYTES_MAX + 1)) == (413, "too_large")


class Wired:
    """A clearinghouse on loopback, our door on loopback, and the fetching between them."""

    def __init__(self, folder: Path) -> None:
        clock = partial(datetime.now, UTC)
        self.store = MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
        self.app = LoopbackApp(webhook_app(AnswerHints(self.store, clock), SECRETS, clock))
        payers = Payers(1)
        self.sender = WebhookSender(
            payers.misbehaviour, time.time, retry_pause_seconds=0.0, signature=SIGNATURE, agent="sandbox"
        )
        self.api = ClearinghouseApi(payers, clock, "token", webhooks=self.sender)
        self.app.start()
        self.api.start()
        self.sender.configure(f"{self.app.url}{PATH}", "new-secret")
        self.client = RestClearinghouse(RestAccess(self.api.url, SecretStr("token")))
        drop = AnswerDrop(folder)
        self.fetching = AnswerFetching({"swift": self.client}, drop.keep, self.store, clock, every_seconds=3_600)

    def stop(self) -> None:
        self.client.close()
        self.sender.stop()
        self.api.stop()
        self.app.stop()


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wired]:
    wired = Wired(tmp_path)
    yield wired
    wired.stop()


def test_a_hint_makes_the_fetching_run_long_before_its_time(wired: Wired, tmp_path: Path) -> None:
    assert wired.fetching.run() == 0
    wired.api.put_answer(Answer(AnswerKind.TA1, "one.ta1", b"ISA"))
    assert wired.fetching.run() == 0

    wired.sender.step()

    assert wired.fetching.run() == 1
    assert len(list((tmp_path / "intake-inbound").iterdir())) == 1


def test_a_hint_that_comes_twice_or_wrongly_signed_first_is_heard_once(wired: Wired) -> None:
    faults = wired.api.misbehaviour
    faults.request(Fault.DUPLICATE, target=HINT)
    faults.request(Fault.WRONG_SIGNATURE, target=HINT)
    faults.request(Fault.OLD_TIMESTAMP, target=HINT)
    wired.api.put_answer(Answer(AnswerKind.TA1, "one.ta1", b"ISA"))
    for _ in range(3):
        wired.sender.step()

    assert sorted(attempt.status or 0 for attempt in wired.sender.attempts) == [200, 200, 401]
    assert wired.store.last_position() == 1
    assert {strike.fault for strike in faults.struck} >= {Fault.DUPLICATE, Fault.WRONG_SIGNATURE}
