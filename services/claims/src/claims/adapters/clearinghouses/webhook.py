"""The door where clearinghouses say that answers wait: signed, heard once, and never more than a hint.

    POST /clearinghouse/webhook   body {"id": "..."}, header `Clearinghouse-Signature: t=<unix seconds>,v1=<hex>`

`v1` is HMAC-SHA256 over `<t>.<body>` under a secret of the clearinghouse; while one is rotated there are two.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from chassis.domain import Transient, Unavailable
from chassis.telemetry.metrics import DOOR_REFUSALS
from pydantic import BaseModel, Field, SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from claims.application.fetching import AnswerHints

PATH = "/clearinghouse/webhook"
SIGNATURE = "clearinghouse-signature"
TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 16 * 1024
_SIGNED = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})", re.ASCII)

Secrets = Mapping[str, Sequence[SecretStr]]


class ForgedHint(Exception):
    """Nobody we know has signed it, or not now."""


class _Hint(BaseModel):
    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


def webhook_app(hints: AnswerHints, secrets: Secrets, clock: Callable[[], datetime]) -> Starlette:
    """The HTTP application with its one path."""

    async def receive(request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body.extend(piece)
            if len(body) > BODY_BYTES_MAX:
                return _refused("too_large", 413)
        try:
            name = signer_of(bytes(body), request.headers.get(SIGNATURE, ""), secrets, clock())
            hint = _Hint.model_validate_json(bytes(body))
        except ForgedHint:
            return _refused("forged", 401)
        except ValidationError:
            return _refused("unreadable", 400)
        try:
            is_new = await run_in_threadpool(hints.hear, name, hint.id)
        except (Transient, Unavailable):
            return JSONResponse({"code": "busy"}, 503, {"Retry-After": "2"})
        return JSONResponse({"answer": "heard" if is_new else "known"})

    return Starlette(routes=[Route(PATH, receive, methods=["POST"])])


def signer_of(body: bytes, signature: str, secrets: Secrets, now: datetime) -> str:
    """The clearinghouse whose secret signed the body within five minutes of now, before or after.

    Raises:
        ForgedHint: there is none.
    """
    signed = _SIGNED.fullmatch(signature)
    if signed is None or abs(int(signed[1]) - now.timestamp()) > TOLERANCE_SECONDS:
        raise ForgedHint
    for name, own in secrets.items():
        for secret in own:
            expected = hmac.new(secret.get_secret_value().encode(), f"{signed[1]}.".encode() + body, hashlib.sha256)
            if hmac.compare_digest(expected.hexdigest(), signed[2]):
                return name
    raise ForgedHint


def _refused(code: str, status: int) -> Response:
    DOOR_REFUSALS.labels("webhook", code).inc()
    return JSONResponse({"code": code}, status)
