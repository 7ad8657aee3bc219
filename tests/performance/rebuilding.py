"""How fast all read models of all stores are made again from their events."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

import claims.main
import intake.main
import ledger_adapter.main
import payments.main
import psycopg
import reconciliation.main
from chassis.eventstore.postgres import PostgresEventStore
from chassis.runtime import ServiceShape

from tests.performance.bare_rows import copy_again_seconds, read_model_names
from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.world import World

BAR = Bar(20_000, 60_000)
SHAPES: dict[str, ServiceShape] = {
    "intake.main": intake.main.SHAPE,
    "claims.main": claims.main.SHAPE,
    "payments.main": payments.main.SHAPE,
    "ledger_adapter.main": ledger_adapter.main.SHAPE,
    "reconciliation.main": reconciliation.main.SHAPE,
}


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What one service's process told."""

    service: str
    events: int
    seconds: float


def rebuilding(world: World) -> Figure:
    """The row: events a second over all stores, each service in a process of its own as when it starts."""
    world.stop_services()
    before = {shape.name: _hashes(world, shape) for shape in SHAPES.values()}
    seconds, rebuilt = _rebuild_side_by_side(world)
    events = sum(each.events for each in rebuilt)
    bare = sum(_bare_seconds(world, shape.name) for shape in SHAPES.values())
    return Figure(
        row="rebuild",
        work=f"all read models of all stores from {events:,} events, five services at once",
        value=events / seconds,
        unit="events/s",
        bar=BAR,
        baseline=Baseline("the logs read and parsed as JSON, the same rows copied, one by one", events / bare),
        details=tuple(f"{each.service}: {each.events:,} events in {each.seconds:.1f} s" for each in rebuilt),
        sums=tuple(
            Sums(f"read models of {shape.name} as before", before[shape.name], _hashes(world, shape))
            for shape in SHAPES.values()
        ),
    )


def _rebuild_side_by_side(world: World) -> tuple[float, list[Rebuilt]]:
    """Wall time of all, from when every process is loaded and waits for the word."""
    command = [sys.executable, "-m", "tests.performance.rebuilding_alone"]
    processes = {}
    for module, shape in SHAPES.items():
        dsn = world.seeded.database(shape.name).app_dsn
        processes[shape.name] = subprocess.Popen(
            [*command, module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert processes[shape.name].stdin is not None
        _tell(processes[shape.name], dsn)
    for process in processes.values():
        assert _hear(process) == "loaded"
    began = perf_counter()
    for process in processes.values():
        _tell(process, "go")
    rebuilt = []
    for service, process in processes.items():
        told = _hear(process).split()
        rebuilt.append(Rebuilt(service, int(told[0]), float(told[1])))
    seconds = perf_counter() - began
    for process in processes.values():
        process.communicate()
    return seconds, rebuilt


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _hashes(world: World, shape: ServiceShape) -> str:
    dsn = world.seeded.database(shape.name).app_dsn
    with PostgresEventStore(dsn, shape.registry(), shape.all_projections, shape.all_tables) as store:
        return ",".join(store.read_model_hash(table)[:16] for table in shape.all_tables)


def _bare_seconds(world: World, service: str) -> float:
    with psycopg.connect(world.seeded.database(service).owner_dsn) as connection:
        began = perf_counter()
        _parse(connection.execute("SELECT state FROM stored_events ORDER BY notification_id").fetchall())
        seconds = perf_counter() - began
        for table in read_model_names(connection):
            seconds += copy_again_seconds(connection, table)
    return seconds


def _parse(states: Iterable[tuple[object, ...]]) -> None:
    for (state,) in states:
        assert isinstance(state, bytes)
        json.loads(state)
