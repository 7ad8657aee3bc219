"""The platform's REST interface, with a token server of its own: the calls of `claims.adapters.platforms.rest`.

Faults and webhooks are those of `ClearinghouseApi`, of which it is one with other names; a token is good for `lifetime_seconds`.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.world.clearinghouse_api import ClearinghouseApi
from sandbox.world.payer import Answer
from sandbox.world.rcm_platform import PlatformDesk
from sandbox.world.webhooks import WebhookSender

NDJSON = "application/x-ndjson"
TOKEN_PATH = "/token"  # noqa: S105 (a path)


class RcmPlatformApi(ClearinghouseApi):
    """Serves on loopback; `desk` does the work."""

    def __init__(
        self,
        desk: PlatformDesk,
        now: Callable[[], datetime],
        client: tuple[str, str],
        *,
        token: str = "platform-token",  # noqa: S107 (made up)
        lifetime_seconds: int = 300,
        webhooks: WebhookSender | None = None,
    ) -> None:
        names = ("batches", "reports")
        super().__init__(desk.payers, now, token, webhooks=webhooks, names=names, media_type=NDJSON)
        self._platform = desk
        self._client = client
        self._lifetime = lifetime_seconds

    @property
    def token_url(self) -> str:
        return self.url + TOKEN_PATH

    def _routes(self, sent: str, answers: str) -> list[Route]:
        return [*super()._routes(sent, answers), Route(TOKEN_PATH, self._give_token, methods=["POST"])]

    async def _give_token(self, request: Request) -> Response:
        shown = base64.b64encode(":".join(self._client).encode()).decode()
        if not hmac.compare_digest(request.headers.get("authorization", ""), f"Basic {shown}"):
            return Response(status_code=401)
        return JSONResponse({"access_token": self._token, "token_type": "Bearer", "expires_in": self._lifetime})

    def _answers_to(self, content: bytes) -> list[Answer]:
        return self._platform.take(content, self._now())
