"""Our own tokens for calls to other services: client credentials, kept until shortly before they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx

from chassis.domain import Unavailable

RENEW_BEFORE_SECONDS = 30.0
TIMEOUT_SECONDS = 3.0


class ClientCredentials:
    """Gives a valid access token; safe to share between threads."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str = "",
        http: httpx.Client | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token_url = token_url
        self._auth = (client_id, client_secret)
        self._scope = scope
        self._http = http or httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def token(self) -> str:
        """A token with some life left.

        Raises:
            Unavailable: the token server does not answer, or refuses these credentials.
        """
        with self._lock:
            if self._monotonic() >= self._good_until:
                self._renew()
            return self._token

    def _renew(self) -> None:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        try:
            answer = self._http.post(self._token_url, data=form, auth=self._auth)
            answer.raise_for_status()
            given = answer.json()
            self._token = str(given["access_token"])
            self._good_until = self._monotonic() + int(given["expires_in"]) - RENEW_BEFORE_SECONDS
        except httpx.HTTPStatusError as refused:
            raise Unavailable(f"the token server answers {refused.response.status_code}") from None
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise Unavailable(f"no token: {type(error).__name__}") from None
