"""The gRPC server of a service: every call is verified, timed, counted, traced, and answered with typed errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.rpc.errors import WireError, on_the_wire
from chassis.security.tokens import Forbidden, Unauthenticated, Verifier
from chassis.telemetry.correlation import CORRELATION_HEADER, TRACE_HEADER, caused_by, incoming
from chassis.telemetry.logs import frames_of
from chassis.telemetry.metrics import GRPC_CALLS, GRPC_SECONDS
from chassis.telemetry.tracing import span
from chassis.turns import take_short_turns

MESSAGE_MAX_BYTES = 4 * 1024 * 1024
CONCURRENT_CALLS_PER_THREAD = 8
OPEN_SERVICES = ("grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection")

_log = structlog.get_logger(__name__)

Behaviour = Callable[[Any, grpc.ServicerContext], Any]


@dataclass(frozen=True)
class GrpcService:
    """One gRPC service to serve: its full name, how to add it, and the scope each method needs.

    A method without a scope cannot be called by anybody.
    """

    name: str
    add: Callable[[grpc.Server], None]
    scopes: Mapping[str, str]


@dataclass(frozen=True)
class Server:
    """A server that has not started yet; `port` is the bound one."""

    server: grpc.Server
    health: health.HealthServicer
    port: int

    def serving(self, *, ready: bool) -> None:
        """What the health service says of the whole server."""
        state = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        self.health.set("", state)


def make_server(
    services: Sequence[GrpcService],
    verifier: Verifier,
    *,
    host: str,
    port: int,
    threads: int,
    after_call: Callable[[], None] = lambda: None,
) -> Server:
    """Binds and fills a server; `after_call` runs after every answered call (it may have changed something)."""
    scopes = {f"/{service.name}/{method}": scope for service in services for method, scope in service.scopes.items()}
    server = grpc.server(
        ThreadPoolExecutor(threads, "grpc", take_short_turns),
        interceptors=[CallInterceptor(verifier, scopes, after_call)],
        maximum_concurrent_rpcs=threads * CONCURRENT_CALLS_PER_THREAD,
        options=[
            ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
            ("grpc.max_send_message_length", MESSAGE_MAX_BYTES),
            ("grpc.so_reuseport", 0),
        ],
    )
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for service in services:
        service.add(server)
    names = (*(service.name for service in services), *OPEN_SERVICES)
    reflection.enable_server_reflection(names, server)
    bound = server.add_insecure_port(f"{host}:{port}")
    return Server(server, servicer, bound)


class CallInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Stands before every method but health and reflection."""

    def __init__(self, verifier: Verifier, scopes: Mapping[str, str], after_call: Callable[[], None]) -> None:
        self._verifier = verifier
        self._scopes = scopes
        self._after_call = after_call

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.split("/")[1] in OPEN_SERVICES:
            return handler
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._single(method, handler.unary_unary), handler.request_deserializer, handler.response_serializer
            )
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(
                self._streamed(method, handler.unary_stream), handler.request_deserializer, handler.response_serializer
            )
        return grpc.unary_unary_rpc_method_handler(_unsupported)

    def _single(self, method: str, behaviour: Behaviour) -> Behaviour:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            with self._around(method, context):
                return behaviour(request, context)

        return call

    def _streamed(self, method: str, behaviour: Behaviour) -> Behaviour:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._around(method, context):
                yield from behaviour(request, context)

        return call

    @contextmanager
    def _around(self, method: str, context: grpc.ServicerContext) -> Iterator[None]:
        started = time.monotonic()
        failure: WireError | None = None
        sent = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        try:
            actor = self._caller(method, sent.get("authorization", ""))
            trace = sent.get(TRACE_HEADER)
            with (
                caused_by(incoming(actor, sent.get(CORRELATION_HEADER), trace)) as cause,
                span(method, cause.traceparent),
            ):
                yield
                self._after_call()
        except Exception as error:  # noqa: BLE001 -- the edge of the process: every failure gets its wire form here
            failure = on_the_wire(error)
            if failure.status is grpc.StatusCode.INTERNAL:
                _log.error("grpc call failed", method=method, error=error, frames=frames_of(error))
        finally:
            status = failure.status if failure else grpc.StatusCode.OK
            GRPC_CALLS.labels(method, status.name).inc()
            GRPC_SECONDS.labels(method).observe(time.monotonic() - started)
        if failure is not None:
            context.set_trailing_metadata(failure.trailing_metadata())
            context.abort(failure.status, failure.message)

    def _caller(self, method: str, authorization: str) -> str:
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            raise Unauthenticated("a bearer token is needed")
        principal = self._verifier.verify(token.strip())
        scope = self._scopes.get(method)
        if scope is None:
            raise Forbidden("this method is open to nobody: it has no scope")
        principal.require(scope)
        return principal.actor


def _unsupported(request: Any, context: grpc.ServicerContext) -> Any:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "streamed requests are not supported")
