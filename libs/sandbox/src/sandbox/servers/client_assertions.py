"""Clients that prove themselves by a signed assertion: SMART Backend Services, `private_key_jwt` (RFC 7523)."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METHOD = "private_key_jwt"
ALGORITHMS = ("ES384", "RS384")
LIFE_SECONDS_MAX = 300
LEEWAY_SECONDS = 30
REMEMBERED_MAX = 10_000
_TYPES = ("jwt", "client-authentication+jwt", "")


class KeyedClient(Protocol):
    """A client with registered public keys; without any they are None."""

    @property
    def keys(self) -> KeySet | None: ...


class UsedOnce:
    """Remembers the ids of assertions until they have expired; where too many are remembered, no more are taken."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._until: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def take(self, issuer: str, identity: str, expires_at: float) -> bool:
        """Whether this is the first time."""
        with self._lock:
            now = self._now()
            self._until = {key: until for key, until in self._until.items() if until + LEEWAY_SECONDS > now}
            is_new = (issuer, identity) not in self._until and len(self._until) < REMEMBERED_MAX
            if is_new:
                self._until[issuer, identity] = expires_at
            return is_new


class SignedAssertion(JWTBearerClientAssertion):  # type: ignore[misc]
    """Authenticates a client by an assertion for this token server: signed, short-lived, used once."""

    CLIENT_AUTH_METHOD = METHOD

    def __init__(self, audiences: list[str], now: Callable[[], float] = time.time) -> None:
        super().__init__(leeway=LEEWAY_SECONDS)
        self._audiences = audiences
        self._now = now
        self._used = UsedOnce(now)

    def get_audiences(self) -> list[str]:
        return self._audiences

    def resolve_client_public_key(self, client: KeyedClient) -> KeySet:
        if client.keys is None:
            raise InvalidClientError(description="The client has no registered key.")
        return client.keys

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, object]:
        """Raises InvalidClientError where the assertion does not hold."""
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError, KeyError) as error:
            raise InvalidClientError(description="The assertion's signature does not hold.") from error
        if str(token.header.get("typ", "")).lower() not in _TYPES:
            raise InvalidClientError(description="The assertion is of another type.")
        self.verify_claims(token.claims)
        return token.claims

    def validate_jti(self, claims: Mapping[str, object], jti: object) -> bool:
        """Whether the assertion is short-lived and has not been used."""
        expires_at = claims["exp"]
        if not isinstance(jti, str) or not 0 < len(jti) <= 200 or not isinstance(expires_at, int):
            return False
        if expires_at > self._now() + LIFE_SECONDS_MAX + LEEWAY_SECONDS:
            return False
        return self._used.take(str(claims["iss"]), jti, expires_at)


def signed_assertion(client_id: str, audience: str, key: ECKey | RSAKey, *, now: float | None = None) -> str:
    """A client's own assertion, as SMART Backend Services has it: good for five minutes and one use."""
    issued_at = int(time.time() if now is None else now)
    algorithm = "ES384" if isinstance(key, ECKey) else "RS384"
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": issued_at,
        "exp": issued_at + LIFE_SECONDS_MAX,
        "jti": secrets.token_hex(16),
    }
    key.ensure_kid()
    return jwt.encode({"alg": algorithm, "typ": "JWT", "kid": key.kid}, claims, key, algorithms=list(ALGORITHMS))
