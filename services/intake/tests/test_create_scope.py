"""Who may only create cannot change what is known by sending it as a create."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from chassis.inbound.receiving_queue import ReceivingQueue
from intake.adapters.fhir import fhir_app
from intake.adapters.fhir.outcomes import status_of
from intake.application.deliveries import InboundDelivery, Outcome
from intake.domain.source_reference import ResourceSeen
from starlette.testclient import TestClient

from .fhir_world import as_client, door_of
from .people import message, person, seen, somebody
from .test_fhir_rest import resource
from .world import IntakeUnderTest, raw

CREATED = ResourceSeen("Patient", "Patient", -1, "Patient/1", b"one", person("1"), may_update=False)


def test_a_create_of_what_is_known_needs_the_scope_to_update() -> None:
    service = IntakeUnderTest()
    first, again, other = (
        replace(message(key, seen("1", somebody(number))), resources=(replace(CREATED, content=content),))
        for key, number, content in (("m1", "1", b"one"), ("m2", "1", b"one"), ("m3", "2", b"two"))
    )
    outcomes = [service.receive(each)[0] for each in (first, again, other)]
    assert [each.accepted for each in outcomes] == [True, True, False]
    assert (outcomes[2].rule, status_of(outcomes[2])) == ("scope", 403)
    allowed = replace(other, delivery_key="m4", raw=b"m4", resources=(replace(other.resources[0], may_update=True),))
    assert service.receive(allowed)[0].accepted


@pytest.fixture
def http() -> Iterator[TestClient]:
    service = IntakeUnderTest()
    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(service.intake.messages.receive)
    with TestClient(fhir_app(door_of(service, queue))) as client:
        yield client
    queue.stop()


def created(http: TestClient, client: str, content: dict[str, Any], *, in_batch: bool) -> int:
    """The status of a create by a client's token, on its own or as the one entry of a batch."""
    if not in_batch:
        return int(http.post("/fhir/Patient", content=raw(content), headers=as_client(client)).status_code)
    entry = {"resource": content, "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "batch", "meta": content["meta"], "entry": [entry]}
    answer = http.post("/fhir", content=raw(bundle), headers=as_client(client))
    return int(answer.json()["entry"][0]["response"]["status"].split()[0])


@pytest.mark.parametrize("in_batch", [False, True], ids=["alone", "in a batch"])
def test_a_token_that_only_creates_cannot_change_what_is_known(http: TestClient, in_batch: bool) -> None:
    patient = {name: value for name, value in resource("Patient").items() if name != "id"}
    changed = patient | {"gender": "unknown"}
    assert created(http, "creator", patient, in_batch=in_batch) == 201
    assert created(http, "creator", patient, in_batch=in_batch) in (200, 201)
    assert created(http, "creator", changed, in_batch=in_batch) == 403
    assert created(http, "north", changed, in_batch=in_batch) == 200
    assert created(http, "creator", changed, in_batch=in_batch) in (200, 201)
