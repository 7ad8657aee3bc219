"""The token endpoint of Microsoft Entra as its ERPs' doubles need it: client credentials by a secret, checked as documented."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from sandbox.erps.given_tokens import GivenTokens

TOKEN_SECONDS = 3599


class EntraRefused(Exception):
    """No token is given; the text is the `error` of the answer."""


class EntraTokens(GivenTokens):
    """Gives tokens to one application. `now` counts seconds since the epoch."""

    def __init__(self, client_id: str, client_secret: str, scope: str, now: Callable[[], float]) -> None:
        super().__init__(now)
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope

    def give(self, form: Mapping[str, str]) -> dict[str, object]:
        """
        Raises:
            EntraRefused: another grant, application, secret or scope.
        """
        if form.get("grant_type") != "client_credentials":
            raise EntraRefused("unsupported_grant_type")
        if form.get("client_id") != self._client_id:
            raise EntraRefused("unauthorized_client")
        if not hmac.compare_digest(form.get("client_secret", ""), self._client_secret):
            raise EntraRefused("invalid_client")
        if form.get("scope") != self._scope:
            raise EntraRefused("invalid_scope")
        return {"token_type": "Bearer", "expires_in": TOKEN_SECONDS, "access_token": self.give_for(TOKEN_SECONDS)}
