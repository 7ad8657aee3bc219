"""Two replicas of intake on one PostgreSQL decide at the same moment: the second to save decides again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest
from canonical.ids import derive
from canonical.party import CoverageDetails
from chassis.eventstore import EventStore
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from intake.application.charge_places import CHARGE_PLACES
from intake.application.deliveries import InboundDelivery, Outcome
from intake.domain.facts import CoverageSeen, Link, PatientSeen
from intake.main import SHAPE, assemble
from sandbox.servers.postgres import PostgresServer

from .test_moved_charges import delivery
from .test_revisions import DETAILS, charge, visit
from .world import PATIENT, IntakeUnderTest, charge_id

pytestmark = pytest.mark.servers
TOGETHER_SECONDS_MAX = 30.0
HERE, THERE = (derive("test-encounter", "two-replicas", number) for number in range(2))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[PostgresEventStore]]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server, ExitStack() as stack:
        roles = {"owner_role": "intake_owner", "owner_password": "o", "app_role": "intake_app", "app_password": "a"}
        server.ensure_database("intake", **roles)
        migrate(server.dsn("intake", "intake_owner", "o"), SHAPE.all_tables, "intake_app")
        dsn = server.dsn("intake", "intake_app", "a")
        yield [
            stack.enter_context(PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables))
            for _ in range(2)
        ]


def at_once(ours: IntakeUnderTest, told: list[tuple[EventStore, InboundDelivery]]) -> list[Outcome]:
    """What each store's replica answers: both have decided before either saves."""
    together, first_times = Barrier(len(told)), [*told]

    def wait_for_the_others(step: str) -> None:
        if step == "before-commit" and first_times:
            first_times.pop()
            together.wait(TOGETHER_SECONDS_MAX)

    def receive(store: EventStore, message: InboundDelivery) -> Outcome:
        replica = assemble(store, ours.clock, ours.sealer, lambda: ours.master_data, crash_point=wait_for_the_others)
        return replica.messages.receive([message])[0]

    with ThreadPoolExecutor(len(told)) as threads:
        return [each.result() for each in [threads.submit(receive, *each) for each in told]]


def test_a_charge_that_both_take_for_another_visit_is_billed_in_one(stores: list[PostgresEventStore]) -> None:
    ours = IntakeUnderTest(stores[0])
    for number, visit_id in enumerate((HERE, THERE)):
        details = CoverageDetails(member_id="M1")
        coverage = CoverageSeen("coverage", Link(id=PATIENT), Link(id=visit_id), Link(code="ACME"), details)
        patient = PatientSeen("patient", PATIENT, DETAILS)
        assert ours.receive(delivery(f"visit {number}", patient, visit(encounter_id=visit_id), coverage))[0].accepted
    told = [
        (store, delivery(f"charge {number}", charge(9, encounter=Link(id=visit_id))))
        for number, (store, visit_id) in enumerate(zip(stores, (HERE, THERE), strict=True))
    ]
    outcomes = at_once(ours, list(told))
    assert sorted((each.accepted, each.rule) for each in outcomes) == [(False, "ChargeMoved"), (True, "")]
    assert len(stores[0].rows(CHARGE_PLACES, {"charge_id": charge_id(9)})) == 1
