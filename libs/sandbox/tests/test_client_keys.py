"""Public keys by URL: fetched within bounds, kept for a while, and looked for again when a client signs with a new one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import ECKey
from pydantic import ValidationError
from sandbox.servers.client_assertions import ASSERTION_TYPE, signed_assertion
from sandbox.servers.client_keys import (
    JWKS_BYTES_MAX,
    REFETCH_SECONDS,
    FetchedKeys,
    UnusableKeys,
    fetched,
    keys_of,
)
from sandbox.servers.token_issuer import TokenClient, TokenSettings, token_app
from starlette.testclient import TestClient

URL = "https://ehr.example/jwks.json"
ISSUER = "http://127.0.0.1:9999"
OLD, NEW = ECKey.generate_key("P-384"), ECKey.generate_key("P-384")


def published(*keys: ECKey) -> bytes:
    for key in keys:
        key.ensure_kid()
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


class Publisher:
    """What a client publishes, and how often it was asked for."""

    def __init__(self, *keys: ECKey) -> None:
        self.keys = keys
        self.now = 1000.0
        self.asked = 0
        self.is_up = True

    def fetch(self, url: str) -> bytes:
        self.asked += 1
        if not self.is_up:
            raise UnusableKeys("down")
        return published(*self.keys)

    def known(self) -> FetchedKeys:
        return FetchedKeys(URL, self.fetch, lambda: self.now)


def test_keys_are_fetched_once_while_they_are_fresh() -> None:
    publisher = Publisher(OLD)
    keys = publisher.known()
    assert {keys.get_by_kid(OLD.kid).kid for _ in range(5)} == {OLD.kid}
    publisher.now += 299
    keys.get_by_kid(OLD.kid)
    assert publisher.asked == 1
    publisher.now += 2
    keys.get_by_kid(OLD.kid)
    assert publisher.asked == 2


def test_a_new_key_is_found_by_its_id_and_an_unknown_one_is_not_asked_for_again_at_once() -> None:
    publisher = Publisher(OLD)
    keys = publisher.known()
    keys.get_by_kid(OLD.kid)
    publisher.keys = (NEW,)
    published(NEW)
    with pytest.raises(InvalidKeyIdError):
        keys.get_by_kid(NEW.kid)
    assert publisher.asked == 1
    publisher.now += REFETCH_SECONDS
    assert keys.get_by_kid(NEW.kid).kid == NEW.kid
    for _ in range(20):
        with pytest.raises(InvalidKeyIdError):
            keys.get_by_kid("of an attacker")
    assert publisher.asked == 2


def test_known_keys_go_on_while_the_client_is_not_reached() -> None:
    publisher = Publisher(OLD)
    keys = publisher.known()
    keys.get_by_kid(OLD.kid)
    publisher.is_up = False
    publisher.now += 10_000
    assert keys.get_by_kid(OLD.kid).kid == OLD.kid


def test_a_client_that_was_never_reached_has_no_key_and_is_tried_again_later() -> None:
    publisher = Publisher(OLD)
    publisher.is_up = False
    keys = publisher.known()
    for _ in range(5):
        with pytest.raises(InvalidKeyIdError):
            keys.get_by_kid(OLD.kid)
    assert publisher.asked == 1
    publisher.is_up, publisher.now = True, publisher.now + REFETCH_SECONDS
    assert keys.get_by_kid(OLD.kid).kid == OLD.kid


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', b'{"keys": [7]}', b"\xff"])
def test_what_is_no_key_set_is_refused(raw: bytes) -> None:
    with pytest.raises(UnusableKeys):
        keys_of(raw)


def test_too_many_keys_are_refused() -> None:
    content = json.loads(published(OLD))
    with pytest.raises(UnusableKeys):
        keys_of(json.dumps({"keys": content["keys"] * 51}).encode())


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example/jwks",
        "ftp://127.0.0.1/x",
        "https://a:b@ehr.example/x",
        "file:///etc/passwd",
        "https:///x",
        "x",
    ],
)
def test_keys_come_by_https_or_from_this_machine_alone(url: str) -> None:
    with pytest.raises(ValidationError):
        TokenClient(client_id="ehr", scopes=("intake.write",), jwks_url=url)


@contextmanager
def serving(status: int, content: bytes, **headers: str) -> Iterator[str]:
    """An address on this machine that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *told: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_neither_too_much_nor_another_status_nor_a_redirection_is_taken() -> None:
    with serving(200, b"x" * (JWKS_BYTES_MAX + 1)) as url, pytest.raises(UnusableKeys, match="too large"):
        fetched(url)
    with serving(404, b"") as url, pytest.raises(UnusableKeys, match="404"):
        fetched(url)
    with serving(302, b"", Location="https://elsewhere.example/") as url, pytest.raises(UnusableKeys, match="302"):
        fetched(url)


def test_a_client_gets_a_token_by_keys_that_it_publishes() -> None:
    with serving(200, published(OLD)) as url:
        client = TokenClient(client_id="ehr", scopes=("intake.write",), jwks_url=url)
        key = ECKey.generate_key("P-256").as_dict(private=True)
        signing = {name: str(each) for name, each in key.items()}
        http = TestClient(
            token_app(TokenSettings(issuer=ISSUER, signing_key=signing, clients=(client,))),
            base_url="https://testserver",
        )
        answers = [
            http.post(
                "/token",
                data={
                    "grant_type": "client_credentials",
                    "client_assertion_type": ASSERTION_TYPE,
                    "client_assertion": signed_assertion("ehr", f"{ISSUER}/token", each),
                },
            )
            for each in (OLD, NEW)
        ]
    assert [each.status_code for each in answers] == [200, 400]
    assert "access_token" in answers[0].json()
