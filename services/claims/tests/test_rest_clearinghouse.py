"""The REST transport against a clearinghouse on loopback, which misbehaves on request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from claims.adapters.clearinghouses import rest
from claims.adapters.clearinghouses.rest import RestAccess, RestClearinghouse
from claims.application.ports import (
    ReceivedAnswer,
    RefusedByClearinghouse,
    TransportUnavailable,
    TransportUncertain,
)
from claims.domain.interchange import OtherBytesSent
from pydantic import SecretStr
from sandbox.world.clearinghouse_api import ClearinghouseApi
from sandbox.world.misbehaviour import Fault
from sandbox.world.payer import Answer, AnswerKind, Payers
from sandbox.world.real_time import AnswerDesk

CONTENT = b"ISA*00*..."
NAME = "000000001.x12"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
TOKEN = "a-token-of-the-test"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(params=[False, True], ids=["X12", "JSON"])
def api(request: pytest.FixtureRequest) -> Iterator[ClearinghouseApi]:
    payers = Payers(1)
    desk = AnswerDesk(payers, lambda: NOW)
    server = ClearinghouseApi(payers, lambda: NOW, TOKEN, desk=desk, wraps_in_json=request.param)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clearinghouse(api: ClearinghouseApi) -> Iterator[RestClearinghouse]:
    client = RestClearinghouse(RestAccess(api.url, SecretStr(TOKEN)))
    yield client
    client.close()


def test_what_was_sent_is_found_by_its_digest(clearinghouse: RestClearinghouse) -> None:
    assert clearinghouse.probe(NAME) is None
    clearinghouse.send(NAME, CONTENT)
    clearinghouse.send(NAME, CONTENT)
    assert clearinghouse.probe(NAME) == DIGEST
    with pytest.raises(OtherBytesSent):
        clearinghouse.send(NAME, b"other")


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.TIMEOUT_AFTER_WORK])
def test_a_failure_after_the_work_is_uncertain_and_a_probe_settles_it(
    api: ClearinghouseApi, clearinghouse: RestClearinghouse, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "TIMEOUT", httpx.Timeout(0.5))
    impatient = RestClearinghouse(RestAccess(api.url, SecretStr(TOKEN)))
    api.misbehaviour.request(fault, target="interchange")
    with pytest.raises(TransportUncertain):
        impatient.send(NAME, CONTENT)
    assert clearinghouse.probe(NAME) == DIGEST
    impatient.close()


def test_a_busy_clearinghouse_got_nothing(api: ClearinghouseApi, clearinghouse: RestClearinghouse) -> None:
    api.misbehaviour.request(Fault.DOWN, target="interchange")
    with pytest.raises(TransportUnavailable):
        clearinghouse.send(NAME, CONTENT)
    assert clearinghouse.probe(NAME) is None


def test_a_file_that_it_never_takes_is_a_persons_matter(
    api: ClearinghouseApi, clearinghouse: RestClearinghouse
) -> None:
    api.misbehaviour.request(Fault.REJECT, target="interchange")
    with pytest.raises(RefusedByClearinghouse):
        clearinghouse.send(NAME, CONTENT)


def test_without_the_right_token_nothing_is_sent_and_nothing_is_asked(api: ClearinghouseApi) -> None:
    stranger = RestClearinghouse(RestAccess(api.url, SecretStr("another")))
    with pytest.raises(RefusedByClearinghouse):
        stranger.send(NAME, CONTENT)
    with pytest.raises(TransportUnavailable):
        stranger.probe(NAME)
    assert api.interchanges == {}
    stranger.close()


def test_a_clearinghouse_that_is_away_got_nothing(api: ClearinghouseApi) -> None:
    api.stop()
    client = RestClearinghouse(RestAccess(api.url, SecretStr(TOKEN)))
    for call in (lambda: client.send(NAME, CONTENT), lambda: client.probe(NAME), lambda: client.fetch(lambda _: None)):
        with pytest.raises(TransportUnavailable):
            call()
    client.close()


def test_answers_are_fetched_until_they_are_taken(api: ClearinghouseApi, clearinghouse: RestClearinghouse) -> None:
    api.put_answer(Answer(AnswerKind.TA1, "one.ta1", b"ISA*\xe9"))
    api.put_answer(Answer(AnswerKind.IMPLEMENTATION, "two.999", b"ISA2"))
    kept: list[ReceivedAnswer] = []
    api.misbehaviour.request(Fault.DUPLICATE, target="answers")
    assert clearinghouse.fetch(kept.append) == 2
    assert clearinghouse.fetch(kept.append) == 1
    assert clearinghouse.fetch(kept.append) == 0
    assert [(each.name, each.content) for each in kept] == [
        ("one.ta1", b"ISA*\xe9"),
        ("two.999", b"ISA2"),
        ("one.ta1", b"ISA*\xe9"),
    ]


def test_an_answer_that_cannot_be_kept_is_given_again(api: ClearinghouseApi, clearinghouse: RestClearinghouse) -> None:
    api.put_answer(Answer(AnswerKind.TA1, "one.ta1", b"ISA"))

    def fails(answer: ReceivedAnswer) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        clearinghouse.fetch(fails)
    kept: list[ReceivedAnswer] = []
    clearinghouse.fetch(kept.append)
    assert [each.name for each in kept] == ["one.ta1"]


def test_what_is_no_question_is_refused_and_a_desk_that_is_away_may_be_asked_again(
    api: ClearinghouseApi, clearinghouse: RestClearinghouse
) -> None:
    with pytest.raises(RefusedByClearinghouse):
        clearinghouse.ask(b"question")
    api.misbehaviour.request(Fault.DOWN, target="real-time")
    with pytest.raises(TransportUnavailable):
        clearinghouse.ask(b"question")
