"""Proofs and breaks as people and other services meet them: by sweep, by call, and by public event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import grpc
import pytest
from billing.reconciliation.v1 import reconciliation_pb2 as pb
from canonical.events.reconciliation import BreakOpened, BreakResolved
from canonical.money import Money
from chassis.domain import Unavailable
from chassis.rpc import BadArgument, NotThere
from chassis.telemetry.correlation import caused_by, incoming
from reconciliation.adapters.grpc import Reconciliation
from reconciliation.application.queries import RUNS
from reconciliation.application.use_cases import Sweeping, UnknownEntity
from reconciliation.domain.breaks import SamePerson
from reconciliation.main import SHAPE

from .test_planted_errors import entry_of, missing_at_the_erp, one_cent_in_billing
from .world import Bench, consistent_world

NO_CONTEXT = cast(grpc.ServicerContext, None)


@pytest.fixture
def bench() -> Bench:
    world = consistent_world()
    one_cent_in_billing(world)
    return Bench(world)


@pytest.fixture
def called_by() -> Callable[[str], Any]:
    """Calls are made by this person."""
    return lambda actor: caused_by(incoming(actor, str(uuid4()), None))


def test_a_proof_can_be_read_again_with_the_positions_it_was_made_at(
    bench: Bench, called_by: Callable[[str], Any]
) -> None:
    service = Reconciliation(bench.core, bench.reconciling)
    with called_by("user:controller"):
        run = service.Run(pb.RunRequest(), NO_CONTEXT).run
        again = service.GetRun(pb.GetRunRequest(run_id=run.run_id), NO_CONTEXT).run
        latest = service.GetRun(pb.GetRunRequest(run_id="latest"), NO_CONTEXT).run
        listed = service.ListRuns(pb.ListRunsRequest(), NO_CONTEXT).runs
    assert run == again == latest
    assert [one.run_id for one in listed] == [run.run_id]
    assert not listed[0].results
    assert run.requested_by == "user:controller"
    assert dict(run.positions) == {
        "claims": 10,
        "payments": 20,
        "ledger": 30,
        "reconciliation": run.positions["reconciliation"],
    }
    assert (run.broken, run.unexplained.minor, len(run.results)) == (1, 1, run.controls)
    broken = next(result for result in run.results if result.verdict == "broken")
    assert (broken.control, broken.residual.minor, broken.first_divergence.what) == ("ar-payer", 1, "claim")


def test_a_proof_of_one_entity_leaves_the_other_alone(bench: Bench, called_by: Callable[[str], Any]) -> None:
    service = Reconciliation(bench.core, bench.reconciling)
    with called_by("user:controller"):
        run = service.Run(pb.RunRequest(entities=["SOUTH"]), NO_CONTEXT).run
    assert {result.entity for result in run.results} == {"SOUTH"}
    assert run.broken == 0


def test_an_entity_without_books_is_refused(bench: Bench) -> None:
    with pytest.raises(UnknownEntity, match="WEST"):
        bench.reconciling.run(["WEST"])


def test_what_does_not_exist_or_parse_is_told(bench: Bench, called_by: Callable[[str], Any]) -> None:
    service = Reconciliation(bench.core, bench.reconciling)
    with called_by("user:controller"):
        with pytest.raises(NotThere):
            service.GetRun(pb.GetRunRequest(run_id="latest"), NO_CONTEXT)
        with pytest.raises(NotThere):
            service.GetRun(pb.GetRunRequest(run_id=str(uuid4())), NO_CONTEXT)
        with pytest.raises(BadArgument, match="run_id"):
            service.GetRun(pb.GetRunRequest(run_id="x"), NO_CONTEXT)
        with pytest.raises(BadArgument, match="how"):
            service.ResolveBreak(pb.ResolveBreakRequest(break_id=str(uuid4()), how="x"), NO_CONTEXT)
        with pytest.raises(BadArgument, match="state"):
            service.ListBreaks(pb.ListBreaksRequest(state="x"), NO_CONTEXT)


def test_a_break_is_written_off_by_two_people_and_then_explains_itself(
    bench: Bench, called_by: Callable[[str], Any]
) -> None:
    bench.prove()
    service = Reconciliation(bench.core, bench.reconciling)
    with called_by("user:maker"):
        found = service.ListBreaks(pb.ListBreaksRequest(only_open=True), NO_CONTEXT).breaks[0]
        service.RequestWriteOff(pb.RequestWriteOffRequest(break_id=found.break_id, reason="a single cent"), NO_CONTEXT)
        with pytest.raises(SamePerson):
            service.WriteOffBreak(pb.WriteOffBreakRequest(break_id=found.break_id, reason="my own"), NO_CONTEXT)
    with called_by("user:checker"):
        answer = service.WriteOffBreak(
            pb.WriteOffBreakRequest(break_id=found.break_id, reason="agreed"), NO_CONTEXT
        ).found
    assert (answer.state, answer.written_off.minor, answer.requested_by, answer.approved_by) == (
        "written-off",
        1,
        "user:maker",
        "user:checker",
    )
    results = bench.prove()
    assert [item.reason for result in results for item in result.items if item.amount == Money(1)] == ["written off"]
    assert {row["state"] for row in bench.breaks()} == {"written-off"}


def test_a_person_judges_a_break_and_the_next_proof_tells(bench: Bench, called_by: Callable[[str], Any]) -> None:
    bench.prove()
    service = Reconciliation(bench.core, bench.reconciling)
    with called_by("user:biller"):
        found = service.ListBreaks(pb.ListBreaksRequest(), NO_CONTEXT).breaks[0]
        for how, state in (("explained", "explained"), ("corrected", "resolved")):
            request = pb.ResolveBreakRequest(break_id=found.break_id, how=how, reason="payer was asked")
            assert service.ResolveBreak(request, NO_CONTEXT).found.state == state
    bench.prove()
    assert [(row["state"], row["occurrence"]) for row in bench.breaks()] == [("opened", 2)]


def test_breaks_are_announced_when_they_open_and_when_they_end() -> None:
    world = consistent_world()
    missing_at_the_erp(world)
    bench = Bench(world)
    bench.prove()
    entry = entry_of(world)
    world.erp["NORTH"][entry.number] = entry.lines
    bench.prove()
    logged = bench.store.log(0, 10_000)
    public = [event for one in logged for event in SHAPE.publishing(one.event)]
    opened = {event.break_id: event for event in public if isinstance(event, BreakOpened)}
    resolved = {event.break_id: event.how for event in public if isinstance(event, BreakResolved)}
    assert opened.keys() == resolved.keys()
    assert {event.first_divergence for event in opened.values()} == {entry.journal_id}
    assert set(resolved.values()) == {"agrees"}


def test_the_sweep_proves_when_its_time_has_come_and_not_before(bench: Bench) -> None:
    sweep = Sweeping(bench.reconciling, 300)
    for seconds, proofs in ((0, 1), (299, 1), (1, 2), (10, 2)):
        bench.clock.advance(seconds=seconds)
        assert sweep.run() == 0
        assert len(bench.store.rows(RUNS, {})) == proofs


def test_a_sweep_of_zero_seconds_never_proves(bench: Bench) -> None:
    Sweeping(bench.reconciling, 0).run()
    assert bench.store.rows(RUNS, {}) == []


def test_nothing_is_recorded_while_an_erp_does_not_answer(bench: Bench) -> None:
    bench.world.is_erp_down = True
    before = bench.store.last_position()
    with pytest.raises(Unavailable):
        bench.reconciling.run()
    assert bench.store.last_position() == before
