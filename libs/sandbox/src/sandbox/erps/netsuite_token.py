"""The token endpoint of the NetSuite double: OAuth 2.0 client credentials by a signed assertion, checked as documented."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from sandbox.erps.given_tokens import GivenTokens

ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "rest_webservices"
ASSERTION_SECONDS_MAX = 3600
TOKEN_SECONDS = 3600
RSA_BITS_MIN = 3072


class TokenRefused(Exception):
    """The assertion does not hold; the text is the `error` of the answer."""


class TokenEndpoint(GivenTokens):
    """Gives tokens to one integration with one mapped certificate. `now` counts seconds since the epoch."""

    def __init__(self, client_id: str, certificate_id: str, key: ECKey | RSAKey, now: Callable[[], float]) -> None:
        if isinstance(key, RSAKey) and key.raw_value.key_size < RSA_BITS_MIN:
            raise ValueError(f"an RSA certificate needs at least {RSA_BITS_MIN} bits")
        super().__init__(now)
        self.url = ""
        self._client_id = client_id
        self._certificate_id = certificate_id
        self._key = key

    def give(self, form: Mapping[str, str]) -> dict[str, object]:
        """
        Raises:
            TokenRefused: another grant, or the assertion is not from whom, for what, to whom and when it must be.
        """
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenRefused("unsupported_grant_type")
        self._check(form.get("client_assertion", ""))
        return {"access_token": self.give_for(TOKEN_SECONDS), "expires_in": str(TOKEN_SECONDS), "token_type": "Bearer"}

    def _check(self, assertion: str) -> None:
        try:
            token = jwt.decode(assertion, self._key, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError) as error:
            raise TokenRefused("invalid_client") from error
        claims = token.claims
        issued, ends = claims.get("iat"), claims.get("exp")
        is_timely = (
            isinstance(issued, int)
            and isinstance(ends, int)
            and ends - issued <= ASSERTION_SECONDS_MAX
            and issued - ASSERTION_SECONDS_MAX < self._now() < ends
        )
        is_ours = token.header.get("kid") == self._certificate_id and token.header.get("typ") == "JWT"
        is_meant = claims.get("iss") == self._client_id and claims.get("aud") == self.url
        if not is_timely or not is_ours or not is_meant or SCOPE not in str(claims.get("scope", "")).split(","):
            raise TokenRefused("invalid_grant")
