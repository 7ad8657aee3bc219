"""Runs one of the sample services for real: `python -m chassis.testing.main announcer|noter`."""

from __future__ import annotations

import os
import sys
from uuid import UUID

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.eventstore import EventStore
from chassis.runtime.core import ServiceCore, Sweep
from chassis.runtime.service import run
from chassis.runtime.settings import Settings
from chassis.testing.contexts import context
from chassis.testing.sample_service import ANNOUNCER, NOTER, TwinAnnouncing, announce, noting, postgres_store, utc_now

SELDOM_SECONDS = 600.0


def announcing_app(store: EventStore) -> Starlette:
    """`POST /patients/<kind>/<id>` announces a patient, and answers when that is stored."""

    async def take(request: Request) -> Response:
        patient, kind = UUID(request.path_params["patient"]), request.path_params["kind"]
        await run_in_threadpool(announce, store, context(), [patient], kind=kind)
        return Response(status_code=204)

    return Starlette(routes=[Route("/patients/{kind}/{patient}", take, methods=["POST"])])


def main(name: str) -> int:
    """Serves until stopped; the exit code of the process."""
    settings = Settings.from_environment(os.environ)
    shape = {"announcer": ANNOUNCER, "noter": NOTER}[name]
    store = postgres_store(shape, settings.database_url.get_secret_value())
    if shape is NOTER:
        consumers = noting(store, utc_now, crash_point=settings.crash_points("claims"))
        return run(ServiceCore(shape, store, utc_now, consumers), settings)
    twins = Sweep("announce-twins", SELDOM_SECONDS, TwinAnnouncing(store).run)
    return run(ServiceCore(shape, store, utc_now, {}, (twins,)), settings, http_app=announcing_app(store))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
