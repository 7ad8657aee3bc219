"""How fast all read models of all stores are made again from their events."""

from __future__ import annotations

import json
from collections.abc import Iterable
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
SHAPES: tuple[ServiceShape, ...] = (
    intake.main.SHAPE,
    claims.main.SHAPE,
    payments.main.SHAPE,
    ledger_adapter.main.SHAPE,
    reconciliation.main.SHAPE,
)


def rebuilding(world: World) -> Figure:
    """The row: events a second over all stores, one store after the other. No service runs meanwhile."""
    world.stop_services()
    events = 0
    seconds = bare = 0.0
    details, sums = [], []
    for shape in SHAPES:
        dsn = world.seeded.database(shape.name).app_dsn
        with PostgresEventStore(dsn, shape.registry(), shape.all_projections, shape.all_tables) as store:
            before = _hashes(store, shape)
            began = perf_counter()
            count = store.rebuild_read_models()
            took = perf_counter() - began
            sums.append(Sums(f"read models of {shape.name} as before", before, _hashes(store, shape)))
        events, seconds = events + count, seconds + took
        bare += _bare_seconds(world, shape.name)
        details.append(f"{shape.name}: {count:,} events, {count / took:,.0f}/s")
    return Figure(
        row="rebuild",
        work=f"all read models of all stores from {events:,} events",
        value=events / seconds,
        unit="events/s",
        bar=BAR,
        baseline=Baseline("the log read and parsed as JSON, the same rows copied into bare tables", events / bare),
        details=tuple(details),
        sums=tuple(sums),
    )


def _hashes(store: PostgresEventStore, shape: ServiceShape) -> str:
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
