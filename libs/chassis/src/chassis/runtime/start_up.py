"""What must hold before a service starts: its schema is there, and no server is set so that it may lose data."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from nats.aio.client import Client

from chassis.domain import Unavailable, UnsafeSetting
from chassis.eventstore.port import EventStore
from chassis.eventstore.postgres import PostgresEventStore, refuse_unsafe_settings
from chassis.failure_policy import SCHEDULES, FailureClass, classify
from chassis.messaging.safety import refuse_unsafe_streams
from chassis.runtime.settings import Settings

_log = structlog.get_logger(__name__)

RETRIED = (FailureClass.OUTAGE, FailureClass.TRANSIENT)


def refuse_unready_store(store: EventStore, *, may_rebuild: bool) -> None:
    """Checks schema and settings of the database, and rebuilds read models that a migration emptied.

    Raises:
        SchemaMissing, UnsafeSetting: the operator must act first.
        Transient, Unavailable: the database does not answer, or read models wait for a process that may rebuild them.
    """
    if not isinstance(store, PostgresEventStore):
        return
    store.refuse_missing_schema()
    refuse_unsafe_settings(store)
    stale = store.stale_read_models()
    if stale and not may_rebuild:
        raise Unavailable(f"{len(stale)} read models wait to be rebuilt by a process that works")
    if stale:
        _log.warning("rebuilding read models", count=len(stale))
        store.rebuild_read_models()


async def refuse_unready_streams(client: Client, settings: Settings, service: str) -> None:
    """Checks the streams and durables this service needs; see `refuse_unsafe_streams`."""
    js = client.jetstream(timeout=5)
    await refuse_unsafe_streams(js, settings.topology, service, settings.nats_monitoring_urls)


async def until_it_holds(check: Callable[[], Coroutine[Any, Any, None]], stopping: asyncio.Event, what: str) -> bool:
    """Waits out an outage at start; False where the process was told to stop meanwhile.

    Raises:
        Exception: whatever `check` raises that is no outage.
    """
    attempt = 0
    while not stopping.is_set():
        try:
            return await _unless_stopped(check(), stopping)
        except Exception as error:
            found = classify(error)
            if isinstance(error, UnsafeSetting) or found not in RETRIED:
                raise
            attempt += 1
            _log.warning("not ready to start", setting=what, error=error, attempt=attempt)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), SCHEDULES[found].delay_seconds(attempt))
    return False


async def _unless_stopped(check: Coroutine[Any, Any, None], stopping: asyncio.Event) -> bool:
    """Waits for the check, which may hang on a server that is away, or for the stop; False where that came first."""
    checking = asyncio.create_task(check)
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait((checking, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not checking.done():
        checking.cancel()
        return False
    checking.result()
    return True
