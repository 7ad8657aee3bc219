"""What the tests of the FHIR door share: clients by their tokens, and a door on intake under test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chassis.inbound.receiving_queue import ReceivingQueue
from chassis.security.tokens import Principal, Unauthenticated
from intake.adapters.fhir import FhirDoor, FhirNames, fhir_app
from intake.application.deliveries import InboundDelivery, Outcome
from intake.application.showing_resources import ResourceShowing
from starlette.testclient import TestClient

from .world import IntakeUnderTest

JSON = {"Content-Type": "application/fhir+json", "Authorization": "Bearer ehr"}
SCOPES: Mapping[str, tuple[str, ...]] = {
    "ehr": ("intake.write", "intake.raw.read"),
    "reader": ("intake.read",),
    "north": ("system/*.cru",),
    "charges": ("system/ChargeItem.cu", "system/Patient.r"),
    "creator": ("system/*.c",),
    "stranger": ("intake.write", "intake.raw.read"),
}
SOURCES: Mapping[str, tuple[str, ...]] = {
    "ehr": ("ehr-north", "ehr-south"),
    "reader": ("ehr-north",),
    "north": ("ehr-north",),
    "charges": ("ehr-north",),
    "creator": ("ehr-north",),
}


class KnownTokens:
    """Each client's token is its id."""

    def verify(self, token: str) -> Principal:
        if token not in SCOPES:
            raise Unauthenticated("unknown token")
        return Principal(token, token, frozenset(SCOPES[token]))

    def remembers(self, token: str) -> bool:
        return token in SCOPES


def door_of(service: IntakeUnderTest, queue: ReceivingQueue[InboundDelivery, Outcome], **more: Any) -> FhirDoor:
    """The door of a service that works on its store through this queue."""
    showing = ResourceShowing(service.store, service.sealer)
    names, tokens = FhirNames(), KnownTokens()
    return FhirDoor(queue.submit, showing, service.clock, names, tokens, lambda client: SOURCES.get(client, ()), **more)


@contextmanager
def opened(service: IntakeUnderTest, **more: Any) -> Iterator[TestClient]:
    """A client of the service's own door, as long as that is open."""
    queue: ReceivingQueue[InboundDelivery, Outcome] = ReceivingQueue(service.intake.messages.receive)
    with TestClient(fhir_app(door_of(service, queue, **more))) as client:
        yield client
    queue.stop()


def as_client(client: str, **headers: str) -> dict[str, str]:
    return JSON | {"Authorization": f"Bearer {client}"} | headers
