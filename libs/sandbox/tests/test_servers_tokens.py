"""The token server gives short-lived signed tokens to known programs, for their own scopes only."""

import time
from collections.abc import Iterator

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sandbox.servers.tokens import TokenServer

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    with TokenServer(tmp_path_factory.mktemp("tokens")) as running:
        yield running


def ask(server: TokenServer, client: str, secret: str, **form: str) -> httpx.Response:
    return httpx.post(server.token_url, data={"grant_type": "client_credentials", **form}, auth=(client, secret))


def verified(server: TokenServer, token: str) -> jwt.Token:
    keys = KeySet.import_key_set(httpx.get(server.jwks_url).json())
    return jwt.decode(token, keys, algorithms=["ES256"])


def test_a_token_is_signed_by_the_published_key_for_the_platform_and_five_minutes(server: TokenServer) -> None:
    token = verified(server, server.token("ehr"))
    assert token.header["typ"] == "at+jwt"
    assert token.claims["iss"] == server.issuer
    assert token.claims["aud"] == "throughline"
    assert token.claims["sub"] == token.claims["client_id"] == "ehr"
    assert token.claims["scope"] == "intake.write"
    assert token.claims["exp"] - token.claims["iat"] == 300
    assert abs(token.claims["iat"] - time.time()) < 60


def test_a_client_may_ask_for_fewer_scopes_than_it_has(server: TokenServer) -> None:
    assert verified(server, server.token("auditor", "claims.read")).claims["scope"] == "claims.read"


@pytest.mark.parametrize("scope", ["claims.write", "no.such.scope", "intake.write claims.read"])
def test_a_scope_that_is_not_the_clients_is_refused(server: TokenServer, scope: str) -> None:
    answer = ask(server, "ehr", server.secret("ehr"), scope=scope)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"


@pytest.mark.parametrize("client", ["ehr", "nobody"])
def test_a_wrong_secret_or_client_is_refused(server: TokenServer, client: str) -> None:
    answer = ask(server, client, "guess")
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_no_other_grant_is_given(server: TokenServer) -> None:
    answer = ask(server, "ehr", server.secret("ehr"), grant_type="password", username="a", password="b")
    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("body", ["not a form", "grant_type=client_credentials&scope=a&scope=b", "x=" + "y" * 10_000])
def test_a_malformed_request_is_refused(server: TokenServer, body: str) -> None:
    answer = httpx.post(server.token_url, content=body, auth=("ehr", server.secret("ehr")))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_the_published_keys_hold_nothing_private(server: TokenServer) -> None:
    (key,) = httpx.get(server.jwks_url).json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_discovery_names_the_token_endpoint_and_the_keys(server: TokenServer) -> None:
    page = httpx.get(f"{server.issuer}/.well-known/openid-configuration").json()
    assert (page["issuer"], page["token_endpoint"], page["jwks_uri"]) == (
        server.issuer,
        server.token_url,
        server.jwks_url,
    )


def test_tokens_given_before_a_restart_are_still_trusted_after_it(server: TokenServer) -> None:
    token = server.token("ehr")
    server.stop()
    server.start()
    assert verified(server, token).claims["sub"] == "ehr"


def test_a_stopped_token_server_leaves_no_process(server: TokenServer) -> None:
    record = server.process.record
    assert record is not None
    server.stop()
    assert not record.is_running()
    assert not server.is_healthy()
    server.start()
