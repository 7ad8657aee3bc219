"""The published description of the FHIR surface is the served one, and no request that it allows or forbids is a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from chassis.inbound.receiving_queue import ReceivingQueue
from hypothesis import HealthCheck, Phase, settings
from intake.adapters.fhir import fhir_app
from intake.adapters.fhir.import_door import ImportDoor
from intake.adapters.fhir.import_files import LineReading, NdjsonFolder
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.openapi import openapi_document
from intake.application.bulk_importing import BulkImporting
from intake.application.deliveries import InboundDelivery, Outcome
from starlette.testclient import TestClient

from .fhir_world import JSON, door_of
from .world import IntakeUnderTest

PUBLISHED = Path(__file__).parents[3] / "docs" / "contracts" / "openapi" / "fhir.json"
SCHEMA = schemathesis.openapi.from_dict(openapi_document())
CHECKS = (
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    service = IntakeUnderTest()
    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(service.intake.messages.receive)
    folder = NdjsonFolder(tmp_path_factory.mktemp("exchange"))
    importing = BulkImporting(
        service.store, service.clock, service.intake.messages.receive, folder, LineReading(FhirNames())
    )
    more = {"token_url": "https://tokens.example/token", "more_routes": ImportDoor(importing, service.clock).routes}
    yield fhir_app(door_of(service, queue, **more))
    queue.stop()


def test_what_is_published_is_what_is_served(app: Any) -> None:
    served = TestClient(app).get("/fhir/openapi.json").json()
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == served


@pytest.mark.slow
@SCHEMA.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_is_a_fault_of_ours(app: Any, case: schemathesis.Case[Any]) -> None:
    response = case.call(app=app, headers=dict(JSON))
    case.validate_response(response, checks=list(CHECKS))
