"""Two replicas of intake register one person at the same moment: they find each other, whoever is quicker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from chassis.eventstore import EventStore
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import PatientIdentifier
from intake.domain.patient import Patient
from intake.main import SHAPE
from sandbox.servers.postgres import PostgresServer

from .people import JANE, OTHER_SOURCE, message, person, seen, somebody
from .world import IntakeUnderTest

HOSPITAL = PatientIdentifier("HOSP", "MR", "4711")
HERE, THERE = person("A"), person("Z", OTHER_SOURCE)
Open = Callable[[], EventStore]


def in_memory(stack: ExitStack, tmp: pytest.TempPathFactory) -> Open:
    kept = MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
    return lambda: kept


def on_postgres(stack: ExitStack, tmp: pytest.TempPathFactory) -> Open:
    server = stack.enter_context(PostgresServer(tmp.mktemp("postgres")))
    roles = {"owner_role": "intake_owner", "owner_password": "o", "app_role": "intake_app", "app_password": "a"}
    server.ensure_database("intake", **roles)
    migrate(server.dsn("intake", "intake_owner", "o"), SHAPE.all_tables, "intake_app")
    dsn = server.dsn("intake", "intake_app", "a")
    tables = SHAPE.all_tables
    return lambda: stack.enter_context(PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, tables))


@pytest.fixture(params=[in_memory, pytest.param(on_postgres, marks=pytest.mark.servers)])
def replicas(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[IntakeUnderTest, IntakeUnderTest]]:
    """Two processes' worth of intake on one database."""
    with ExitStack() as stack:
        opened: Open = request.param(stack, tmp_path_factory)
        yield IntakeUnderTest(opened()), IntakeUnderTest(opened())


def at_once(replicas: tuple[IntakeUnderTest, IntakeUnderTest], here: InboundDelivery, there: InboundDelivery) -> int:
    """The other replica saves after this one has decided, and before it saves; how often this one decided."""
    slow, quick = replicas
    tries = 0

    def crash(step: str) -> None:
        nonlocal tries
        if step == "before-commit":
            tries += 1
            if tries == 1:
                other = threading.Thread(target=quick.receive, args=(there,))
                other.start()
                other.join()

    slow.crash = crash
    slow.receive(here)
    return tries


def linked(service: IntakeUnderTest, patient: object) -> list[object]:
    assert hasattr(patient, "hex")
    events = service.store.load([patient])[patient].events  # type: ignore[list-item, index]
    return [event.linked_id for event in events if isinstance(event, Patient.IdentifierLinked)]


def test_a_shared_identifier_links_them(replicas: tuple[IntakeUnderTest, IntakeUnderTest]) -> None:
    there = message("2", seen("Z", JANE, HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE)
    assert at_once(replicas, message("1", seen("A", JANE, HOSPITAL)), there) == 2
    assert linked(replicas[0], HERE) == [THERE]
    assert linked(replicas[0], THERE) == [HERE]


def test_a_likeness_asks_a_person_about_them_once(replicas: tuple[IntakeUnderTest, IntakeUnderTest]) -> None:
    there = message("2", seen("Z", JANE, source=OTHER_SOURCE), source=OTHER_SOURCE)
    assert at_once(replicas, message("1", seen("A", JANE)), there) == 2
    (case,) = replicas[0].cases()
    assert case["code"] == "ProbableMatch"


def test_a_contradiction_is_seen(replicas: tuple[IntakeUnderTest, IntakeUnderTest]) -> None:
    there = message("2", seen("Z", somebody("Z"), HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE)
    assert at_once(replicas, message("1", seen("A", JANE, HOSPITAL)), there) == 2
    assert [case["code"] for case in replicas[0].cases()] == ["IdentifierContradiction"]


def test_strangers_do_not_wait_for_each_other(replicas: tuple[IntakeUnderTest, IntakeUnderTest]) -> None:
    there = message("2", seen("Z", somebody("Z"), source=OTHER_SOURCE), source=OTHER_SOURCE)
    assert at_once(replicas, message("1", seen("A", JANE)), there) == 1
