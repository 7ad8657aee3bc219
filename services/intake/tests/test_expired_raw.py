"""What is said of a message whose raw bytes were kept long enough."""

from __future__ import annotations

from uuid import uuid4

import pytest
from chassis.domain import Context, Meta
from chassis.inbound import INBOUND_MESSAGES, ExpiredRaw
from chassis.inbound.receiving_queue import ReceivingQueue
from chassis.inbound.retention import KEEP_DAYS
from intake.adapters.fhir import fhir_app
from intake.adapters.hl7v2 import read_profiles
from intake.application.deliveries import InboundDelivery, Outcome
from starlette.testclient import TestClient

from .fhir_world import door_of
from .world import IntakeUnderTest, bundle, raw, resources

JSON = {"Authorization": "Bearer ehr"}


@pytest.fixture
def service() -> IntakeUnderTest:
    """Intake with one bundle that came ten years ago, after the sweep."""
    opened = IntakeUnderTest()
    assert opened.receive(raw(bundle()))[0].accepted
    opened.clock.advance(days=KEEP_DAYS + 1)
    (sweep,) = [each for each in opened.intake.core.sweeps if each.name == "expire-raw"]
    assert sweep.run() == 1
    return opened


def test_a_resource_whose_bytes_expired_is_gone_and_not_unknown(service: IntakeUnderTest) -> None:
    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(service.intake.messages.receive)
    patient = resources(bundle(), "Patient")[0]["id"]
    with TestClient(fhir_app(door_of(service, queue))) as http:
        assert http.get(f"/fhir/Patient/{patient}", headers=JSON).status_code == 410
        assert http.get("/fhir/Patient/nobody", headers=JSON).status_code == 404
    queue.stop()


def test_its_message_keeps_verdict_and_hash_and_is_not_read_again(service: IntakeUnderTest) -> None:
    (row,) = service.store.rows(INBOUND_MESSAGES, {})
    assert (row["state"], row["is_raw_kept"]) == ("accepted", False)
    again = service.reprocessing(read_profiles(None))
    call = uuid4()
    caller = Context(service.clock(), Meta(correlation_id=call, causation_id=call, actor="person:auditor"))
    with pytest.raises(ExpiredRaw, match=str(row["content_address"])):
        again.reprocess(caller, row["message_id"], dry_run=True)  # type: ignore[arg-type]
    assert service.receive(raw(bundle()))[0].repeated
