"""The doors over real connections: answers come after the commit, and say what is wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from chassis.domain import Transient
from chassis.inbound.receiving_queue import ReceivingQueue
from intake.adapters.fhir import fhir_app
from intake.adapters.hl7v2 import MllpDoor
from intake.application.deliveries import InboundDelivery, Outcome
from sandbox.world.ehr import send_mllp
from starlette.testclient import TestClient

from .fhir_world import door_of
from .world import (
    IntakeUnderTest,
    Wire,
    bundle,
    charge_message,
    encounters,
    messages_of,
    raw,
    replace_field,
    resources,
)

ENCOUNTER = encounters(Wire.FHIR)[0]
BUNDLE = messages_of(ENCOUNTER).messages[0]
JSON = {"Content-Type": "application/fhir+json", "Authorization": "Bearer ehr"}
Queue = ReceivingQueue[InboundDelivery, Outcome]


@pytest.fixture
def service() -> IntakeUnderTest:
    return IntakeUnderTest()


@pytest.fixture
def queue(service: IntakeUnderTest) -> Iterator[Queue]:
    opened: Queue = ReceivingQueue(service.intake.messages.receive)
    yield opened
    opened.stop()


@pytest.fixture
def http(service: IntakeUnderTest, queue: Queue) -> Iterator[TestClient]:
    with TestClient(fhir_app(door_of(service, queue))) as client:
        yield client


def issues(body: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    return [(issue["severity"], issue["code"]) for issue in body["issue"]]


def test_a_bundle_is_answered_entry_by_entry(service: IntakeUnderTest, http: TestClient) -> None:
    answer = http.post("/fhir", content=BUNDLE, headers=JSON)
    body = answer.json()
    assert (answer.status_code, body["type"]) == (200, "transaction-response")
    assert len(body["entry"]) == len(bundle(ENCOUNTER)["entry"])
    assert service.store.last_position() > 0


def test_a_bundle_that_comes_again_is_answered_the_same(service: IntakeUnderTest, http: TestClient) -> None:
    http.post("/fhir", content=BUNDLE, headers=JSON)
    position = service.store.last_position()
    assert http.post("/fhir", content=BUNDLE, headers=JSON).status_code == 200
    assert service.store.last_position() == position


def test_a_refusal_names_path_and_rule(http: TestClient) -> None:
    content = bundle(ENCOUNTER)
    del resources(content, "ChargeItem")[0]["occurrenceDateTime"]
    answer = http.post("/fhir", content=raw(content), headers=JSON)
    (issue,) = answer.json()["issue"]
    assert answer.status_code == 422
    assert issue["expression"] == ["Bundle.entry[5].ChargeItem.occurrenceDateTime"]
    assert issue["diagnostics"].startswith("required: ")


def test_a_changed_charge_is_a_conflict(http: TestClient) -> None:
    content = bundle(ENCOUNTER)
    http.post("/fhir", content=raw(content), headers=JSON)
    resources(content, "ChargeItem")[0]["priceOverride"]["value"] += 1
    answer = http.post("/fhir", content=raw(content), headers=JSON)
    assert (answer.status_code, issues(answer.json())) == (409, [("error", "conflict")])


def test_a_held_encounter_is_accepted_with_a_warning(http: TestClient) -> None:
    content = bundle(ENCOUNTER)
    resources(content, "Encounter")[0]["location"][0]["location"]["identifier"]["value"] = "MOON"
    answer = http.post("/fhir", content=raw(content), headers=JSON)
    outcome = answer.json()["entry"][0]["response"]["outcome"]
    assert ("warning", "business-rule") in issues(outcome)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/fhir+json"}, 401),
        (JSON | {"Authorization": "Bearer nobody"}, 401),
        (JSON | {"Authorization": "Bearer reader"}, 403),
        (JSON | {"Content-Type": "text/plain"}, 415),
    ],
)
def test_who_may_not_write_changes_nothing(
    service: IntakeUnderTest, http: TestClient, headers: dict[str, str], status: int
) -> None:
    assert http.post("/fhir", content=BUNDLE, headers=headers).status_code == status
    assert service.store.last_position() == 0


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 400), (b"\xff", 400), (b'{"a": NaN}', 422), (b" " * 5_000_001, 413)]
)
def test_what_is_no_message_is_refused(http: TestClient, content: bytes, status: int) -> None:
    answer = http.post("/fhir", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


def test_single_resources_are_put_at_their_address(http: TestClient) -> None:
    patient = resources(bundle(ENCOUNTER), "Patient")[0] | {"meta": {"source": ENCOUNTER.source}}
    keyed = JSON | {"Idempotency-Key": "one"}
    assert http.put(f"/fhir/Patient/{patient['id']}", content=raw(patient), headers=JSON).status_code == 201
    assert http.put(f"/fhir/Patient/{patient['id']}", content=raw(patient), headers=keyed).status_code == 200
    assert http.put("/fhir/Patient/other", content=raw(patient), headers=keyed).status_code == 422
    assert http.post("/fhir/Patient", content=raw(patient), headers=keyed).status_code == 201


def test_what_the_door_takes_is_open_to_read(http: TestClient) -> None:
    body = http.get("/fhir/metadata").json()
    assert {each["type"] for each in body["rest"][0]["resource"]} >= {"Patient", "ChargeItem"}


def test_what_could_not_be_kept_is_not_answered_as_kept() -> None:
    def down(deliveries: object) -> list[Outcome]:
        raise Transient("the database is away")

    queue: Queue = ReceivingQueue(down)
    with TestClient(fhir_app(door_of(IntakeUnderTest(), queue))) as client:
        answer = client.post("/fhir", content=BUNDLE, headers=JSON)
    queue.stop()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@contextmanager
def mllp(queue: Queue, service: IntakeUnderTest) -> Iterator[Callable[..., list[bytes]]]:
    """An open MLLP door; gives a function that sends messages on one connection and returns the answers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    ports: list[int] = []
    opened = threading.Event()

    def started(port: int) -> None:
        ports.append(port)
        opened.set()

    serving = asyncio.run_coroutine_threadsafe(
        MllpDoor(queue.submit, service.clock).serve("127.0.0.1", 0, started=started), loop
    )
    assert opened.wait(5)
    yield lambda *messages: asyncio.run(send_mllp("127.0.0.1", ports[0], messages, timeout_seconds=5))
    serving.cancel()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_each_message_on_a_connection_is_acknowledged_by_its_own_number(service: IntakeUnderTest, queue: Queue) -> None:
    messages = messages_of(encounters(Wire.HL7)[0]).messages
    with mllp(queue, service) as send:
        answers = send(*messages)
    numbers = [message.split(b"\r")[0].split(b"|")[9] for message in messages]
    assert [answer.split(b"\r")[1] for answer in answers] == [b"MSA|AA|" + number for number in numbers]


def test_a_refused_message_leaves_its_connection_open(service: IntakeUnderTest, queue: Queue) -> None:
    bad = replace_field(charge_message(), "FT1", 4, "")
    with mllp(queue, service) as send:
        refused, rejected, accepted = send(bad, b"no header", charge_message().encode())
    assert refused.split(b"\r")[1].startswith(b"MSA|AE|")
    assert rejected.split(b"\r")[1].startswith(b"MSA|AR|")
    assert accepted.split(b"\r")[1].startswith(b"MSA|AA|")


def test_a_message_that_could_not_be_kept_gets_no_answer(service: IntakeUnderTest) -> None:
    def down(deliveries: object) -> list[Outcome]:
        raise Transient("the database is away")

    queue: Queue = ReceivingQueue(down)
    with mllp(queue, service) as send, pytest.raises(asyncio.IncompleteReadError):
        send(charge_message().encode())
    queue.stop()
