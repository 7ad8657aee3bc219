"""Calls to other services: every one has a deadline, a token, and the ids of what caused it; refusals come back typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from chassis.domain import Refusal, Transient, Unavailable
from chassis.failure_policy import FailureClass, classify
from chassis.rpc.errors import refusal_in
from chassis.telemetry.correlation import CORRELATION_HEADER, TRACE_HEADER, current_cause

DEADLINE_SECONDS = 5.0


class TokenSource(Protocol):
    def token(self) -> str: ...


class RemoteRefusal(Refusal):
    """Another service's rule said no; `code` is that rule's name there."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self._rule = rule

    @property
    def code(self) -> str:
        return self._rule


@dataclass(frozen=True)
class _Details(grpc.ClientCallDetails):  # type: ignore[misc, unused-ignore]
    method: str
    timeout: float | None
    metadata: tuple[tuple[str, str | bytes], ...]
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None = None
    compression: grpc.Compression | None = None


class CallingInterceptor(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
    """Adds deadline, token and cause to each call, and turns its failure into one of our families."""

    def __init__(self, tokens: TokenSource | None, deadline_seconds: float) -> None:
        self._tokens = tokens
        self._deadline_seconds = deadline_seconds

    def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.ClientCallDetails, Any], Any],
        client_call_details: grpc.ClientCallDetails,
        request: Any,
    ) -> Any:
        call = continuation(self._completed(client_call_details), request)
        error = call.exception()
        if error is not None:
            raise family_of(error) from None
        return call

    def _completed(self, details: grpc.ClientCallDetails) -> grpc.ClientCallDetails:
        metadata = list(details.metadata or ())
        if self._tokens is not None:
            metadata.append(("authorization", f"Bearer {self._tokens.token()}"))
        cause = current_cause()
        if cause is not None:
            metadata.append((CORRELATION_HEADER, str(cause.correlation_id)))
            metadata.append((TRACE_HEADER, cause.traceparent))
        timeout = self._deadline_seconds if details.timeout is None else details.timeout
        return _Details(details.method, timeout, tuple(metadata), details.credentials)


def family_of(error: grpc.RpcError) -> Exception:
    """The failure in our own terms; an unclassified one stays what it is."""
    refusal = refusal_in(error)
    found = classify(error)
    if found is FailureClass.REFUSED and refusal is not None:
        return RemoteRefusal(*refusal)
    code = error.code() if hasattr(error, "code") else None
    if found is FailureClass.OUTAGE:
        return Unavailable(f"gRPC {code}")
    if found is FailureClass.TRANSIENT:
        return Transient(f"gRPC {code}")
    return error


def channel_to(
    target: str, tokens: TokenSource | None = None, *, deadline_seconds: float = DEADLINE_SECONDS
) -> grpc.Channel:
    """A channel for generated stubs. Calls raise RemoteRefusal, Transient, Unavailable, or what nobody classified."""
    options = [("grpc.keepalive_time_ms", 30_000), ("grpc.enable_http_proxy", 0)]
    channel = grpc.insecure_channel(target, options=options)
    return grpc.intercept_channel(channel, CallingInterceptor(tokens, deadline_seconds))
