"""Which client may do what: scopes of ours or of SMART (`system/ChargeItem.cu`), for the sources that are its own."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from chassis.domain import Unavailable
from chassis.security.http import principal_of
from chassis.security.tokens import Forbidden, Principal, RememberingVerifier, Unauthenticated
from chassis.telemetry.correlation import CORRELATION_HEADER, TRACE_HEADER, caused_by, incoming
from chassis.telemetry.metrics import DOOR_REFUSALS
from starlette.requests import Request
from starlette.responses import Response

from intake.adapters.fhir.outcomes import refused

WRITE_SCOPE = "intake.write"
READ_SCOPE = "intake.raw.read"
CREATE, READ, UPDATE = "c", "r", "u"
SMART_SCOPES = ("system/*.cru", "system/*.write", "system/*.read", WRITE_SCOPE, READ_SCOPE)
_SMART = re.compile(r"system/(\*|[A-Za-z]{1,40})\.(c?r?u?d?s?|read|write|\*)")
_LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}

SourcesOf = Callable[[str], tuple[str, ...]]
"""The sources that a client may speak for, by its id."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified client and its sources."""

    principal: Principal
    sources: tuple[str, ...]

    def may(self, action: str, kinds: Iterable[str]) -> bool:
        """Whether its scopes let it do this with resources of all these types."""
        ours = READ_SCOPE if action == READ else WRITE_SCOPE
        if ours in self.principal.scopes:
            return True
        found = [match for scope in self.principal.scopes if (match := _SMART.fullmatch(scope))]
        granted = {match[1] for match in found if action in _LETTERS.get(match[2], match[2])}
        return bool(granted) and ("*" in granted or set(kinds) <= granted)

    def require(self, action: str, kinds: Iterable[str]) -> None:
        """Raises Forbidden where it may not."""
        if not self.may(action, kinds):
            raise Forbidden(f"the scope {READ_SCOPE if action == READ else WRITE_SCOPE} is missing")


Endpoint = Callable[[Request, Caller], Awaitable[Response]]


class Guard:
    """Lets requests of verified clients through; what it refuses is answered with an OperationOutcome."""

    def __init__(self, verifier: RememberingVerifier, sources_of: SourcesOf) -> None:
        self._verifier = verifier
        self._sources_of = sources_of

    def __call__(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def protected(request: Request) -> Response:
            try:
                principal = await principal_of(request, self._verifier)
                caller = Caller(principal, self._sources_of(principal.client_id))
                headers = request.headers
                cause = incoming(principal.actor, headers.get(CORRELATION_HEADER), headers.get(TRACE_HEADER))
                with caused_by(cause):
                    return await endpoint(request, caller)
            except Unauthenticated as error:
                return _denied(401, "login", str(error), {"WWW-Authenticate": "Bearer"})
            except Forbidden as error:
                return _denied(403, "forbidden", str(error))
            except Unavailable as error:
                return _denied(503, "transient", str(error), {"Retry-After": "1"})

        return protected


def _denied(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    DOOR_REFUSALS.labels("fhir", code).inc()
    return refused(status, code, text, headers)
