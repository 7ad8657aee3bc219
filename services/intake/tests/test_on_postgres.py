"""The same story on a real PostgreSQL: same announcements, same read models, and rebuilt equal to live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from random import Random

import pytest
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.inbound import INBOUND_MESSAGES, read_raw
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import read_message
from intake.application.queries import TABLES
from intake.domain.facts import PatientIdentifier
from intake.main import SHAPE
from sandbox.servers.postgres import PostgresServer
from sandbox.world.bulk import generate_remittance
from sandbox.world.remittances import corrupted

from .people import JANE, merged, message, seen
from .world import STORY, IntakeUnderTest

pytestmark = pytest.mark.servers
PAID_ON = date(2026, 2, 27)
ALL_TABLES = (INBOUND_MESSAGES, *TABLES)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresEventStore]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        roles = {"owner_role": "intake_owner", "owner_password": "o", "app_role": "intake_app", "app_password": "a"}
        server.ensure_database("intake", **roles)
        migrate(server.dsn("intake", "intake_owner", "o"), SHAPE.all_tables, "intake_app")
        dsn = server.dsn("intake", "intake_app", "a")
        with PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as opened:
            yield opened


def told(service: IntakeUnderTest) -> IntakeUnderTest:
    national = PatientIdentifier("USA", "SS", "219-09-9999")
    for _ in range(2):
        service.receive_encounters(STORY.encounters)
        service.receive(message("a", seen("A", JANE, national)), message("b", seen("B", JANE)), message("c", seen("C")))
        service.receive(message("d", merged("C", "A"), merged("C", "B"), seen("E", JANE, national)))
        service.receive_file(generate_remittance(4600, PAID_ON).content)
        service.receive_file(corrupted(generate_remittance(3, PAID_ON, seed=2)).content, "bad.835")
    return service


def test_postgres_and_memory_hold_the_same_and_rebuild_to_the_same(store: PostgresEventStore) -> None:
    on_postgres, in_memory = told(IntakeUnderTest(store)), told(IntakeUnderTest())
    sent = generate_remittance(4600, PAID_ON).content
    accepted = store.rows(INBOUND_MESSAGES, {"format": "x12", "state": "accepted"})

    tables = [store.read_model_hash(table) for table in ALL_TABLES]
    assert tables == [in_memory.store.read_model_hash(table) for table in ALL_TABLES]  # type: ignore[attr-defined]
    assert len(on_postgres.events()) == len(in_memory.events())
    assert [read_raw(store, on_postgres.sealer, row["message_id"]) for row in accepted] == [sent]  # type: ignore[arg-type]
    store.rebuild_read_models()
    assert tables == [store.read_model_hash(table) for table in ALL_TABLES]


@pytest.mark.parametrize("door", ["mllp", "fhir"])
def test_whatever_a_sender_calls_its_delivery_it_is_kept_and_refused(store: PostgresEventStore, door: str) -> None:
    name = Random(1).randbytes(5_000).hex()
    if door == "mllp":
        message = f"MSH|^~\\&|EHR|NORTH|US|US|20260227||ADT^A04|{name}|P|2.5.1\r".encode()
        delivery = read_message(message, actor="door:mllp").delivery
    else:
        bundle = {"resourceType": "Bundle", "meta": {"source": "ehr"}, "identifier": {"value": name}}
        sent = json.dumps(bundle).encode()
        delivery = read_submission(sent, FhirNames(), Sender("service:ehr")).deliveries[0]
    (outcome,) = IntakeUnderTest(store).intake.messages.receive([delivery])
    (row,) = store.rows(INBOUND_MESSAGES, {"message_id": outcome.message_id})
    assert (outcome.accepted, row["state"]) == (False, "refused")
    assert name not in str(row)
