"""Bearer tokens of ERPs: got when needed, shared by all threads of a client, and got once more where one is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import httpx
from chassis.domain import Unavailable

RENEWED_BEFORE_SECONDS = 60.0


class TokenAuth(httpx.Auth):
    """Puts a token on every request. `ask` makes the request for one; `now` counts seconds."""

    requires_response_body = True

    def __init__(self, name: str, ask: Callable[[], httpx.Request], now: Callable[[], float]) -> None:
        self._name = name
        self._ask = ask
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = yield from self._valid_token(refused="")
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = yield from self._valid_token(refused=token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _valid_token(self, *, refused: str) -> Generator[httpx.Request, httpx.Response, str]:
        with self._lock:
            if self._token == refused or self._now() >= self._until - RENEWED_BEFORE_SECONDS:
                self._take((yield self._ask()))
            return self._token

    def _take(self, response: httpx.Response) -> None:
        try:
            told = response.json() if response.is_success else {}
            self._token, lasts = str(told["access_token"]), int(told["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{self._name} gives no token: it answered {response.status_code}") from error
        self._until = self._now() + lasts


def entra_token_request(token_url: str, client_id: str, client_secret: str, scope: str) -> httpx.Request:
    """The client-credentials grant of Microsoft Entra, by a secret.

    Source: Microsoft identity platform, "OAuth 2.0 client credentials flow", first case: access token request with a shared secret.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        "scope": scope,
    }
    return httpx.Request("POST", token_url, data=form)
