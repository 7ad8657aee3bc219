"""Verifies access tokens (RFC 9068 JWTs): signature by an allowed algorithm, type, issuer, audience, times, scopes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from chassis.domain import Unavailable

ALGORITHMS = ("ES256", "RS256")
TOKEN_TYPES = ("at+jwt", "application/at+jwt")
LEEWAY_SECONDS = 30
KEYS_FRESH_SECONDS = 300.0
KEYS_REFETCH_SECONDS = 10.0
FETCH_TIMEOUT_SECONDS = 3.0
TOKEN_MAX_CHARACTERS = 8192
REMEMBERED_MAX = 1_000


class Unauthenticated(Exception):
    """No token, or one that does not hold; the message names the failed check and never the token."""


class Forbidden(Exception):
    """The caller is known and may not do this; names the missing scope."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller."""

    subject: str
    client_id: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        """As it stands in events: a client that acts for itself is a service, else it is a user."""
        return f"service:{self.subject}" if self.subject == self.client_id else f"user:{self.subject}"

    def require(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Forbidden(f"the scope {scope} is missing")


class Verifier(Protocol):
    def verify(self, token: str) -> Principal: ...


class RememberingVerifier(Verifier, Protocol):
    """One that may be asked on an event loop for what it remembers."""

    def remembers(self, token: str) -> bool:
        """Whether to verify the token again takes neither a call nor a signature's computing."""
        ...


class TokenVerifier:
    """Verifies against the keys at `jwks_url`, cached, fetched again at most every ten seconds for an unknown key.

    A signature that held is not computed again while the same keys are; the times in a token are looked at every time.
    """

    def __init__(
        self,
        jwks_url: str,
        issuer: str,
        audience: str,
        *,
        fetch: Callable[[str], KeySet] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jwks_url = jwks_url
        self._fetch = fetch or fetch_keys
        self._monotonic = monotonic
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._lock = threading.Lock()
        self._remembered: dict[bytes, tuple[jwt.Token, float]] = {}
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    def verify(self, token: str) -> Principal:
        """The caller behind a token.

        Raises:
            Unauthenticated: the token does not hold.
            Unavailable: the keys cannot be fetched.
        """
        if not token or len(token) > TOKEN_MAX_CHARACTERS:
            raise Unauthenticated("a bearer token is needed")
        try:
            decoded = self._decoded(token)
            self._claims.validate(decoded.claims)
        except (JoseError, ValueError, KeyError) as error:
            raise Unauthenticated(f"the token does not hold: {type(error).__name__}") from None
        if str(decoded.header.get("typ", "")).lower() not in TOKEN_TYPES:
            raise Unauthenticated("the token is no access token (typ)")
        claims = decoded.claims
        subject = str(claims["sub"])
        scopes = frozenset(str(claims.get("scope", "")).split())
        return Principal(subject, str(claims.get("client_id", subject)), scopes)

    def remembers(self, token: str) -> bool:
        return self._known(token) is not None

    def _decoded(self, token: str) -> jwt.Token:
        known = self._known(token)
        if known is not None:
            return known
        decoded = self._computed(token)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[_mark(token)] = (decoded, self._fetched_at)
        return decoded

    def _known(self, token: str) -> jwt.Token | None:
        decoded, fetched_at = self._remembered.get(_mark(token), (None, 0.0))
        return decoded if self._monotonic() - fetched_at < KEYS_FRESH_SECONDS else None

    def _computed(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._known_keys(KEYS_FRESH_SECONDS), algorithms=list(ALGORITHMS))
        except InvalidKeyIdError:
            return jwt.decode(token, self._known_keys(KEYS_REFETCH_SECONDS), algorithms=list(ALGORITHMS))

    def _known_keys(self, fresh_seconds: float) -> KeySet:
        with self._lock:
            now = self._monotonic()
            if self._keys is None or now - self._fetched_at >= fresh_seconds:
                try:
                    self._keys = self._fetch(self._jwks_url)
                    self._fetched_at = now
                except Unavailable:
                    if self._keys is None:
                        raise
            return self._keys


def _mark(token: str) -> bytes:
    return sha256(token.encode()).digest()


def fetch_keys(url: str) -> KeySet:
    """The public keys at `url`.

    Raises:
        Unavailable: no usable answer.
    """
    try:
        answer = httpx.get(url, timeout=FETCH_TIMEOUT_SECONDS, trust_env=False)
        answer.raise_for_status()
        return KeySet.import_key_set(answer.json())
    except (httpx.HTTPError, JoseError, ValueError) as error:
        raise Unavailable(f"the signing keys cannot be fetched: {type(error).__name__}") from None
