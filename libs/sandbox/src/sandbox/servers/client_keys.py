"""A client's public keys, fetched from where the client publishes them (SMART Backend Services: JWKS by URL)."""

import json
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import Key, KeySet

FRESH_SECONDS = 300.0
REFETCH_SECONDS = 10.0
FETCH_SECONDS_MAX = 3.0
JWKS_BYTES_MAX = 64_000
KEYS_MAX = 50
URL_CHARACTERS_MAX = 500


class UnusableKeys(Exception):
    """The keys cannot be fetched, or are none; the message says why and holds nothing of them."""


def checked_url(url: str) -> str:
    """The URL of a client's keys.

    Raises:
        ValueError: it is neither https nor on this machine, or names a user.
    """
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
    if not is_safe or not parts.hostname or parts.username or parts.fragment or len(url) > URL_CHARACTERS_MAX:
        raise ValueError("the keys of a client are at an https URL, or on this machine")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class FetchedKeys(KeySet):  # type: ignore[misc, unused-ignore]
    """The keys at a URL: fetched when they are first asked for, when they are no longer fresh, and for an unknown key.

    A client may change its keys at any time: a key that is not known is looked for again, but never sooner than
    `REFETCH_SECONDS` after the last try. Where they cannot be fetched, those that are known go on until they can.
    """

    def __init__(
        self,
        url: str,
        fetch: Callable[[str], bytes] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__([])
        self._url = checked_url(url)
        self._fetch = fetch or fetched
        self._monotonic = monotonic
        self._tried_at: float | None = None
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """There are keys, if not here yet."""
        return True

    def get_by_kid(self, kid: str | None = None, parameters: object = None) -> Key:
        """Raises InvalidKeyIdError where the client has no such key."""
        self._refresh(FRESH_SECONDS)
        try:
            return self._known(kid, parameters)
        except InvalidKeyIdError:
            self._refresh(REFETCH_SECONDS)
            return self._known(kid, parameters)

    def _known(self, kid: str | None, parameters: object) -> Key:
        return super().get_by_kid(kid, parameters)  # type: ignore[arg-type]

    def _refresh(self, after_seconds: float) -> None:
        with self._lock:
            now = self._monotonic()
            wait = after_seconds if self.keys else REFETCH_SECONDS
            if self._tried_at is not None and now - self._tried_at < wait:
                return
            self._tried_at = now
            try:
                self.keys = keys_of(self._fetch(self._url))
            except UnusableKeys:
                return


def keys_of(raw: bytes) -> list[Key]:
    """The keys of a JWKS.

    Raises:
        UnusableKeys: it is none, or holds too many.
    """
    try:
        content = json.loads(raw)
        if not isinstance(content, dict) or len(content["keys"]) > KEYS_MAX:
            raise UnusableKeys(f"no JWKS of at most {KEYS_MAX} keys")
        keys = KeySet.import_key_set(content).keys  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise UnusableKeys(f"no JWKS: {type(error).__name__}") from None
    for key in keys:
        key.ensure_kid()
    return list(keys)


def fetched(url: str) -> bytes:
    """What is at the URL, as it stands there: redirections are not followed.

    Raises:
        UnusableKeys: no answer in `FETCH_SECONDS_MAX`, another status than 200, or more than `JWKS_BYTES_MAX`.
    """
    end = time.monotonic() + FETCH_SECONDS_MAX
    content = b""
    try:
        with httpx.stream("GET", url, timeout=FETCH_SECONDS_MAX, follow_redirects=False, trust_env=False) as answer:
            if answer.status_code != httpx.codes.OK:
                raise UnusableKeys(f"status {answer.status_code}")
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > JWKS_BYTES_MAX or time.monotonic() > end:
                    raise UnusableKeys("too large, or too slow")
    except httpx.HTTPError as error:
        raise UnusableKeys(type(error).__name__) from None
    return content
