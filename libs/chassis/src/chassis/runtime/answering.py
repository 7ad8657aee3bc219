"""The doors of a service at which somebody waits for an answer: gRPC, HTTP, and sockets that are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from starlette.types import ASGIApp

from chassis.domain import UnsafeSetting
from chassis.rpc.operations import operations_service
from chassis.rpc.server import GrpcService, Server, make_server
from chassis.runtime.core import ServiceCore
from chassis.runtime.doors import Door, Doors
from chassis.runtime.http_server import OwnSignals, http_server
from chassis.runtime.settings import Settings
from chassis.security.tokens import TokenVerifier
from chassis.turns import short_turns

GRPC_GRACE_SECONDS = 10.0


class Answering:
    """Opens the doors that have a port. The operations service is served beside the service's own."""

    def __init__(
        self,
        core: ServiceCore,
        settings: Settings,
        services: Sequence[GrpcService],
        http_app: ASGIApp | None,
        doors: Sequence[Door],
        after_call: Callable[[], None],
        fatal: Callable[[BaseException], None],
    ) -> None:
        self._settings = settings
        self._services = [operations_service(core), *services]
        self._http_app = http_app
        self._doors = Doors(doors, fatal)
        self._after_call = after_call
        self._grpc: Server | None = None
        self._http: OwnSignals | None = None

    @property
    def port(self) -> int:
        """Where gRPC is served, 0 where it is not."""
        return self._grpc.port if self._grpc else 0

    def start(self, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """Opens the doors, not ready yet; `spawn` runs what serves HTTP.

        Raises:
            UnsafeSetting: gRPC would be open to everybody.
        """
        if self._settings.grpc_port:
            with short_turns():
                self._grpc = self._grpc_server()
        if self._http_app is not None and self._settings.http_port:
            settings = self._settings
            self._http = http_server(self._http_app, settings.bind_host, settings.http_port, self._after_call)
            spawn(self._http.serve())
        self._doors.start()

    def tell(self, *, ready: bool) -> None:
        """What gRPC's health service says from now on."""
        if self._grpc is not None:
            self._grpc.serving(ready=ready)

    async def stop(self) -> None:
        """Takes no new calls and finishes those in hand."""
        await self._doors.stop()
        if self._http is not None:
            self._http.should_exit = True
        if self._grpc is not None:
            await asyncio.to_thread(self._grpc.server.stop(GRPC_GRACE_SECONDS).wait)

    def _grpc_server(self) -> Server:
        settings = self._settings
        if not settings.jwks_url:
            raise UnsafeSetting("THROUGHLINE_JWKS_URL", "not given", "given where a gRPC port is")
        server = make_server(
            self._services,
            TokenVerifier(settings.jwks_url, settings.jwt_issuer, settings.jwt_audience),
            host=settings.bind_host,
            port=settings.grpc_port,
            threads=settings.grpc_threads,
            after_call=self._after_call,
        )
        server.serving(ready=False)
        server.server.start()
        return server
