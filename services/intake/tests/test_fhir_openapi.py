"""The published description of the FHIR surface is the served one, and no request that it allows or forbids is a fault of ours."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from chassis.inbound.receiving_queue import ReceivingQueue
from hypothesis import HealthCheck, Phase, given, settings
from intake.adapters.fhir import fhir_app
from intake.adapters.fhir.about import capability_statement
from intake.adapters.fhir.import_door import ImportDoor
from intake.adapters.fhir.import_files import LineReading, NdjsonFolder
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.openapi import openapi_document
from intake.application.bulk_importing import BulkImporting
from intake.application.deliveries import InboundDelivery, Outcome
from schemathesis.core.result import Ok
from starlette.testclient import TestClient

from .fhir_requests import ENCOUNTER, FOLDER_FILE, Requests
from .fhir_world import JSON, as_client, door_of
from .world import IntakeUnderTest, messages_of

PUBLISHED = Path(__file__).parents[3] / "docs" / "contracts" / "openapi" / "fhir.json"
SCHEMA = schemathesis.openapi.from_dict(openapi_document())
OPERATIONS = {
    f"{operation.method.upper()} {operation.path}": operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok))
}
CHECKS = (
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
)
EXAMPLES = 60
CLIENTS = ("ehr",) * 6 + ("north",) * 5 + ("charges",)
TAKEN_SHARE_MIN = 0.5
"""Of the requests of each operation: those that are refused at once do not come far."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """A door to a service that knows one visit, and an import that has begun."""
    service = IntakeUnderTest()
    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(service.intake.messages.receive)
    exchange = tmp_path_factory.mktemp("exchange")
    (exchange / "fhir-import").mkdir()
    (exchange / "fhir-import" / FOLDER_FILE).write_bytes(b"{}\n" * 3)
    importing = BulkImporting(
        service.store, service.clock, service.intake.messages.receive, NdjsonFolder(exchange), LineReading(FhirNames())
    )
    more = {"token_url": "https://tokens.example/token", "more_routes": ImportDoor(importing, service.clock).routes}
    opened = fhir_app(door_of(service, queue, **more))
    http = TestClient(opened)
    assert http.post("/fhir", content=messages_of(ENCOUNTER).messages[0], headers=JSON).status_code == 200
    manifest = Requests(random.Random(1), "").manifest()
    begun = http.post("/fhir/$import", json=manifest, headers=JSON | {"Prefer": "respond-async"})
    yield opened, begun.headers["Content-Location"].rpartition("/")[2]
    queue.stop()


def test_what_is_published_is_what_is_served(app: tuple[Any, str]) -> None:
    served = TestClient(app[0]).get("/fhir/openapi.json").json()
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == served


def test_the_capability_statement_names_every_interaction_that_the_description_has() -> None:
    told_of: Any = capability_statement()
    (rest,) = told_of["rest"]
    reads = {"readResource": "read", "readVersion": "vread", "readHistory": "history-instance"}
    named = {each.definition.raw["operationId"] for each in OPERATIONS.values()}
    told = {reads.get(name, name) for name in named & {*reads, "create", "update"}}
    assert {frozenset(each["code"] for each in kind["interaction"]) for kind in rest["resource"]} == {frozenset(told)}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
def test_most_requests_are_taken_and_none_is_a_fault_of_ours(
    app: tuple[Any, str], name: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    door, job = app
    answered: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[name].as_strategy())
    def ask(case: Any) -> None:
        dice = random.Random(f"{answered.total()} {case.body!r}")
        if dice.randrange(5):
            Requests(dice, job).fit(case)
        client = dice.choice(CLIENTS)
        response = case.call(app=door, headers=as_client(client))
        answered[f"{response.status_code // 100}xx"] += 1
        case.validate_response(response, checks=list(CHECKS))

    ask()
    record_testsuite_property(name, dict(answered))
    assert answered["2xx"] >= TAKEN_SHARE_MIN * answered.total()
