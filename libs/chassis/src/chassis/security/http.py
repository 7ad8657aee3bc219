"""The same tokens at HTTP doors, for Starlette: one decorator that says which scope an endpoint needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.domain import Unavailable
from chassis.security.tokens import Forbidden, Principal, RememberingVerifier, Unauthenticated
from chassis.telemetry.correlation import CORRELATION_HEADER, TRACE_HEADER, caused_by, incoming
from chassis.telemetry.metrics import DOOR_REFUSALS

Endpoint = Callable[[Request], Awaitable[Response]]


def requires(verifier: RememberingVerifier, scope: str) -> Callable[[Endpoint], Endpoint]:
    """Lets a request through to the endpoint only with a valid token of this scope; the caller is then its cause."""

    def protect(endpoint: Endpoint) -> Endpoint:
        async def protected(request: Request) -> Response:
            try:
                principal = await principal_of(request, verifier)
                principal.require(scope)
            except Unauthenticated as error:
                return _refused(401, "unauthenticated", str(error), {"WWW-Authenticate": "Bearer"})
            except Forbidden as error:
                return _refused(403, "forbidden", str(error), {})
            except Unavailable as error:
                return _refused(503, "unavailable", str(error), {"Retry-After": "1"})
            headers = request.headers
            with caused_by(incoming(principal.actor, headers.get(CORRELATION_HEADER), headers.get(TRACE_HEADER))):
                return await endpoint(request)

        return protected

    return protect


async def principal_of(request: Request, verifier: RememberingVerifier) -> Principal:
    """The verified caller of a request.

    Raises:
        Unauthenticated, Unavailable: see TokenVerifier.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise Unauthenticated("a bearer token is needed")
    token = token.strip()
    if verifier.remembers(token):
        return verifier.verify(token)
    return await run_in_threadpool(verifier.verify, token)


def _refused(status: int, code: str, message: str, headers: dict[str, str]) -> Response:
    DOOR_REFUSALS.labels("http", code).inc()
    return JSONResponse({"code": code, "message": message}, status, headers)
