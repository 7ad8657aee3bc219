"""The REST surface of FHIR: versions, conditions, batches, clients and their sources, and what is refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from chassis.inbound.receiving_queue import ReceivingQueue, TooBusy
from intake.adapters.fhir import fhir_app
from intake.application.deliveries import InboundDelivery, Outcome
from starlette.testclient import TestClient

from .fhir_world import JSON, as_client, door_of, opened
from .world import IntakeUnderTest, Wire, bundle, encounters, messages_of, raw, resources

ENCOUNTER = next(each for each in encounters(Wire.FHIR) if each.source == "ehr-north")
BUNDLE = messages_of(ENCOUNTER).messages[0]


@pytest.fixture
def service() -> IntakeUnderTest:
    return IntakeUnderTest()


@pytest.fixture
def http(service: IntakeUnderTest) -> Iterator[TestClient]:
    with opened(service, token_url="https://tokens.example/token") as client:
        yield client


def resource(kind: str, **changes: Any) -> dict[str, Any]:
    found = resources(bundle(ENCOUNTER), kind)[0] | {"meta": {"source": ENCOUNTER.source}}
    return found | changes


def put(http: TestClient, content: dict[str, Any], **headers: str) -> Any:
    address = f"/fhir/{content['resourceType']}/{content['id']}"
    return http.put(address, content=raw(content), headers=JSON | headers)


def rules(answer: Any) -> list[str]:
    return [issue["diagnostics"].split(":")[0] for issue in answer.json()["issue"]]


def test_each_change_of_a_resource_is_a_version_and_the_same_again_is_none(http: TestClient) -> None:
    patient = resource("Patient")
    first, again = put(http, patient), put(http, patient)
    changed = put(http, patient | {"gender": "unknown"})
    back = put(http, patient)
    assert [each.status_code for each in (first, again, changed, back)] == [201, 200, 200, 200]
    assert [each.headers["ETag"] for each in (first, again, changed, back)] == ['W/"1"', 'W/"1"', 'W/"2"', 'W/"3"']
    assert first.headers["Location"] == f"/fhir/Patient/{patient['id']}/_history/1"


def test_an_update_of_another_version_than_expected_is_refused_and_changes_nothing(http: TestClient) -> None:
    patient = resource("Patient")
    put(http, patient)
    changed = patient | {"gender": "unknown"}
    stale = put(http, changed, **{"If-Match": 'W/"7"'})
    fresh = put(http, changed, **{"If-Match": 'W/"1"'})
    assert (stale.status_code, rules(stale)) == (412, ["version-conflict"])
    assert (fresh.status_code, fresh.headers["ETag"]) == (200, 'W/"2"')


def test_an_update_asked_again_after_a_lost_answer_is_answered_as_done_until_another_follows(http: TestClient) -> None:
    patient = resource("Patient")
    put(http, patient)
    at_first = {"If-Match": 'W/"1"'}
    lost = put(http, patient | {"gender": "unknown"}, **at_first)
    again = put(http, patient | {"gender": "unknown"}, **at_first)
    assert (lost.status_code, again.status_code) == (200, 200)
    assert lost.headers["ETag"] == again.headers["ETag"] == 'W/"2"'
    assert put(http, patient | {"gender": "other"}, **at_first).status_code == 412
    put(http, patient | {"gender": "other"})
    assert rules(put(http, patient | {"gender": "unknown"}, **at_first)) == ["version-conflict"]


def test_an_update_that_would_not_change_what_it_expects_is_refused_at_an_older_version(http: TestClient) -> None:
    patient = resource("Patient")
    for gender in ("female", "male", "female"):
        put(http, patient | {"gender": gender})
    assert put(http, patient | {"gender": "female"}, **{"If-Match": 'W/"1"'}).status_code == 412


def test_a_conditional_create_of_what_is_there_takes_nothing(http: TestClient, service: IntakeUnderTest) -> None:
    patient = resource("Patient")
    put(http, patient)
    number = patient["identifier"][0]
    condition = {"If-None-Exist": f"identifier={number['system']}|{number['value']}"}
    changed = patient | {"gender": "unknown"}
    answer = http.post("/fhir/Patient", content=raw(changed), headers=JSON | condition)
    assert answer.status_code == 200
    details = [event for event in service.store.log(0, 1000) if "details-changed" in event.event.TOPIC]
    assert details == []


def test_a_create_is_known_by_what_it_is_and_a_second_one_is_the_same(http: TestClient) -> None:
    patient = resource("Patient")
    first = http.post("/fhir/Patient", content=raw(patient), headers=JSON)
    second = http.post("/fhir/Patient", content=raw(patient | {"gender": "unknown"}), headers=JSON)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["Location"].split("/")[3] == second.headers["Location"].split("/")[3] != patient["id"]


def test_a_resource_is_read_back_as_it_was_written(http: TestClient, service: IntakeUnderTest) -> None:
    assert http.post("/fhir", content=BUNDLE, headers=JSON).status_code == 200
    item = json.loads(BUNDLE)["entry"]
    charge = next(each["resource"] for each in item if each["resource"]["resourceType"] == "ChargeItem")
    answer = http.get(f"/fhir/ChargeItem/{charge['id']}", headers=JSON)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.json()["meta"]["versionId"] == "1"
    assert answer.json() | {"meta": None} == charge | {"meta": None}
    assert b'"value":%s' % str(charge["priceOverride"]["value"]).encode() in answer.content
    assert [each.event.TOPIC for each in service.store.log(0, 1000)][-1] == "intake.disclosure.given"
    same = http.get(f"/fhir/ChargeItem/{charge['id']}", headers=JSON | {"If-None-Match": 'W/"1"'})
    assert same.status_code == 304
    assert http.get("/fhir/ChargeItem/other", headers=JSON).status_code == 404


def test_a_transaction_answers_each_entry_with_place_and_version(http: TestClient) -> None:
    body = http.post("/fhir", content=BUNDLE, headers=JSON).json()
    answers = [entry["response"] for entry in body["entry"]]
    sent = [entry["request"]["url"] for entry in json.loads(BUNDLE)["entry"]]
    assert [answer["location"] for answer in answers] == [f"{place}/_history/1" for place in sent]
    assert {answer["status"] for answer in answers} == {"201 Created"}


def test_a_transaction_is_taken_whole_or_not(http: TestClient, service: IntakeUnderTest) -> None:
    content = bundle(ENCOUNTER)
    content["entry"][-1]["request"]["ifMatch"] = 'W/"3"'
    assert http.post("/fhir", content=raw(content), headers=JSON).status_code == 412
    assert service.events() == []


def test_each_entry_of_a_batch_stands_or_falls_by_itself(http: TestClient, service: IntakeUnderTest) -> None:
    content = bundle(ENCOUNTER) | {"type": "batch"}
    content["entry"].reverse()
    wrong = next(each for each in content["entry"] if each["resource"]["resourceType"] == "ChargeItem")
    wrong["resource"]["status"] = "planned"
    body = http.post("/fhir", content=raw(content), headers=JSON).json()
    statuses = {
        entry["resource"]["resourceType"] + entry["resource"]["id"]: answer["response"]["status"]
        for entry, answer in zip(content["entry"], body["entry"], strict=True)
    }
    refused = [key for key, status in statuses.items() if status == "422"]
    assert body["type"] == "batch-response"
    assert refused == [f"ChargeItem{wrong['resource']['id']}"]
    assert set(statuses.values()) == {"422", "201 Created"}


def test_a_batch_that_comes_again_is_answered_the_same(http: TestClient, service: IntakeUnderTest) -> None:
    content = raw(bundle(ENCOUNTER) | {"type": "batch"})
    http.post("/fhir", content=content, headers=JSON)
    position = service.store.last_position()
    body = http.post("/fhir", content=content, headers=JSON).json()
    assert {entry["response"]["status"] for entry in body["entry"]} == {"200 OK"}
    assert service.store.last_position() == position


@pytest.mark.parametrize(
    ("client", "source", "status"),
    [
        ("ehr", "ehr-north", 200),
        ("north", "ehr-north", 200),
        ("north", "ehr-south", 403),
        ("north", None, 200),
        ("ehr", None, 422),
        ("charges", "ehr-north", 403),
        ("stranger", "ehr-north", 403),
        ("reader", "ehr-north", 403),
    ],
)
def test_a_client_speaks_only_for_its_own_sources_and_types(
    http: TestClient, client: str, source: str | None, status: int
) -> None:
    content = bundle(ENCOUNTER)
    content["meta"] = {"source": source} if source else {}
    assert http.post("/fhir", content=raw(content), headers=as_client(client)).status_code == status


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_who_may_only_create_updates_nothing_by_a_bundle(http: TestClient, kind: str) -> None:
    content = bundle(ENCOUNTER) | {"type": kind, "meta": {"source": ENCOUNTER.source}}
    content["entry"] = [entry for entry in content["entry"] if entry["resource"]["resourceType"] == "Patient"]
    patient = content["entry"][0]["resource"]
    for method, url, status in (("POST", "Patient", 200), ("PUT", f"Patient/{patient['id']}", 403)):
        content["entry"][0]["request"] = {"method": method, "url": url}
        assert http.post("/fhir", content=raw(content), headers=as_client("creator")).status_code == status


def test_what_a_client_may_not_speak_for_is_not_shown_to_it(http: TestClient) -> None:
    http.post("/fhir", content=BUNDLE, headers=JSON)
    patient = resource("Patient")["id"]
    assert http.get(f"/fhir/Patient/{patient}", headers=as_client("charges")).status_code == 200
    assert http.get(f"/fhir/Patient/{patient}", headers=as_client("stranger")).status_code == 404
    assert http.get(f"/fhir/Encounter/{ENCOUNTER.visit_number}", headers=as_client("charges")).status_code == 403


@pytest.mark.parametrize(
    ("method", "address", "headers", "status"),
    [
        ("GET", "/fhirX", {}, 404),
        ("GET", "/fhir/Patient", {}, 405),
        ("DELETE", "/fhir/Patient/1", {}, 405),
        ("PATCH", "/fhir/Patient/1", {}, 405),
        ("GET", "/fhir", {}, 405),
        ("POST", "/fhir/Patient", {"Content-Type": "application/fhir+xml"}, 415),
        ("POST", "/fhir/Patient", {"Content-Type": "application/fhir+json; fhirVersion=5.0"}, 415),
        ("POST", "/fhir/Patient", {"Content-Type": "application/fhir+json; fhirVersion=3.0"}, 415),
        ("POST", "/fhir/Patient", {"Content-Type": "application/fhir+json; charset=latin-1"}, 415),
        ("POST", "/fhir/Patient", {"Accept": "application/fhir+xml"}, 406),
        ("GET", "/fhir/metadata", {"Accept": "text/html"}, 406),
        ("GET", "/fhir/metadata?_format=xml", {}, 406),
        ("GET", "/fhir/metadata?_format=json", {}, 200),
        ("POST", "/fhir/Patient", {"Content-Type": "application/fhir+json; fhirVersion=4.0"}, 422),
    ],
)
def test_what_is_no_request_of_ours_is_refused_by_status(
    http: TestClient, method: str, address: str, headers: dict[str, str], status: int
) -> None:
    answer = http.request(method, address, headers=JSON | headers, content=b"{}" if method == "POST" else None)
    assert answer.status_code == status
    assert answer.json()["resourceType"] in ("OperationOutcome", "CapabilityStatement")


@pytest.mark.parametrize(("version", "name"), [("5.0", "R5"), ("3.0", "STU3"), ("1.0", "DSTU2")])
def test_another_release_is_refused_by_its_name(http: TestClient, version: str, name: str) -> None:
    headers = JSON | {"Content-Type": f"application/fhir+json; fhirVersion={version}"}
    answer = http.post("/fhir", content=BUNDLE, headers=headers)
    assert name in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("wanted", "kind"), [("minimal", ""), ("representation", "Patient"), ("x", "OperationOutcome")]
)
def test_an_answer_is_as_long_as_the_client_wants_it(http: TestClient, wanted: str, kind: str) -> None:
    answer = put(http, resource("Patient"), Prefer=f"return={wanted}")
    assert answer.status_code == 201
    assert (answer.json()["resourceType"] if answer.content else "") == kind


def test_a_full_queue_says_when_to_come_again(service: IntakeUnderTest) -> None:
    def full(delivery: InboundDelivery) -> Any:
        raise TooBusy("2000 deliveries wait")

    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(service.intake.messages.receive)
    with TestClient(fhir_app(replace(door_of(service, queue), submit=full))) as client:
        answer = client.post("/fhir", content=BUNDLE, headers=JSON)
    queue.stop()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")


def test_no_key_of_a_single_resource_is_kept_in_clear(http: TestClient, service: IntakeUnderTest) -> None:
    patient = resource("Patient")
    put(http, patient, **{"Idempotency-Key": "visit-of-somebody"})
    written = "".join(event.event.model_dump_json() for event in service.store.log(0, 1000))
    assert "visit-of-somebody" not in written
    assert f"Patient/{patient['id']}" not in written


def test_where_and_how_to_get_a_token_is_told_to_everybody(http: TestClient) -> None:
    told = http.get("/fhir/.well-known/smart-configuration").json()
    assert told["token_endpoint"] == "https://tokens.example/token"
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]


def test_a_changed_charge_of_a_new_delivery_corrects_and_of_the_same_is_a_conflict(http: TestClient) -> None:
    content = bundle(ENCOUNTER)
    assert http.post("/fhir", content=raw(content), headers=JSON).status_code == 200
    resources(content, "ChargeItem")[0]["priceOverride"]["value"] += 1
    assert http.post("/fhir", content=raw(content), headers=JSON).status_code == 409
    content["identifier"]["value"] += "-corrected"
    answer = http.post("/fhir", content=raw(content), headers=JSON)
    assert answer.status_code == 200, answer.json()


def test_a_charge_that_is_known_by_another_identifier_is_a_conflict(http: TestClient) -> None:
    assert http.post("/fhir", content=BUNDLE, headers=JSON).status_code == 200
    item = resource("ChargeItem")
    item["identifier"] = [item["identifier"][0] | {"value": "another"}]
    assert rules(put(http, item)) == ["identity-changed"]
