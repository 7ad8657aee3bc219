"""SMART Backend Services: a client proves itself by a signed, short-lived assertion that is good once."""

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sandbox.servers.client_assertions import ASSERTION_TYPE, SignedAssertion, UsedOnce, signed_assertion
from sandbox.servers.token_issuer import TokenClient, TokenSettings, token_app
from starlette.testclient import TestClient

ISSUER = "http://127.0.0.1:9999"
TOKEN_URL = f"{ISSUER}/token"
EC, RSA, STRANGER = ECKey.generate_key("P-384"), RSAKey.generate_key(2048), ECKey.generate_key("P-384")


def published(*keys: ECKey | RSAKey) -> dict[str, Any]:
    for key in keys:
        key.ensure_kid()
    return {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture
def http() -> TestClient:
    clients = (
        TokenClient(client_id="ehr-smart", scopes=("intake.write", "system/*.cru"), jwks=published(EC, RSA)),
        TokenClient(client_id="other", scopes=("intake.write",), jwks=published(STRANGER)),
        TokenClient(client_id="secretive", secret="s" * 20, scopes=("intake.write",)),
    )
    key = ECKey.generate_key("P-256").as_dict(private=True)
    settings = TokenSettings(
        issuer=ISSUER, signing_key={name: str(each) for name, each in key.items()}, clients=clients
    )
    return TestClient(token_app(settings), base_url="https://testserver")


def ask(http: TestClient, assertion: str, **form: str) -> Any:
    sent = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return http.post("/token", data=sent | form)


def own(key: Any = EC, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    now = int(time.time())
    told = {"iss": "ehr-smart", "sub": "ehr-smart", "aud": TOKEN_URL, "iat": now, "exp": now + 300, "jti": str(now)}
    heading = {"alg": "ES384", "typ": "JWT", "kid": key.kid} | (header or {})
    kept = {name: value for name, value in (told | claims).items() if value is not None}
    return jwt.encode(heading, kept, key, algorithms=[str(heading["alg"])])


@pytest.mark.parametrize("key", [EC, RSA], ids=["ES384", "RS384"])
def test_a_client_gets_a_token_for_an_assertion_by_either_algorithm(http: TestClient, key: ECKey | RSAKey) -> None:
    answer = ask(http, signed_assertion("ehr-smart", TOKEN_URL, key), scope="system/*.cru")
    assert (answer.status_code, answer.json()["scope"]) == (200, "system/*.cru")


def test_an_assertion_is_good_once(http: TestClient) -> None:
    assertion = signed_assertion("ehr-smart", TOKEN_URL, EC)
    assert ask(http, assertion).status_code == 200
    again = ask(http, assertion)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_client")


EC.ensure_kid()
STRANGER.ensure_kid()
SECRET = OctKey.import_key("k" * 48)


@pytest.mark.parametrize(
    "assertion",
    [
        own(STRANGER),
        own(STRANGER, header={"kid": EC.kid}),
        own(aud="https://elsewhere.example/token"),
        own(exp=int(time.time()) - 600),
        own(exp=int(time.time()) + 3600),
        own(exp=None),
        own(jti=None),
        own(iss="other"),
        own(sub="other"),
        own(sub="nobody", iss="nobody"),
        own(header={"typ": "at+jwt"}),
        own(SECRET, header={"alg": "HS384", "kid": EC.kid}),
        own(header={"alg": "ES384", "kid": "unknown"}),
        own()[:-6] + "AAAAAA",
        "nonsense",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJlaHItc21hcnQifQ.",
    ],
    ids=[
        "stranger's key",
        "stranger's key under our name",
        "for another server",
        "expired",
        "good for too long",
        "without an end",
        "without an id",
        "issued by another",
        "about another",
        "unknown client",
        "a token instead",
        "symmetric",
        "unknown key",
        "spoiled signature",
        "nonsense",
        "unsigned",
    ],
)
def test_an_assertion_that_does_not_hold_gets_nothing(http: TestClient, assertion: str) -> None:
    answer = ask(http, assertion)
    assert answer.status_code in (400, 401)
    assert "access_token" not in answer.json()


def test_a_client_of_keys_has_no_secret_and_one_of_secrets_no_keys(http: TestClient) -> None:
    form = {"grant_type": "client_credentials"}
    assert http.post("/token", data=form, auth=("ehr-smart", "")).status_code == 401
    assert http.post("/token", data=form, auth=("secretive", "s" * 20)).status_code == 200
    assert ask(http, signed_assertion("secretive", TOKEN_URL, EC)).status_code == 400


def test_what_was_used_is_remembered_until_it_has_expired() -> None:
    clock = [1000.0]
    used = UsedOnce(lambda: clock[0])
    assert used.take("ehr", "a", 1300)
    assert not used.take("ehr", "a", 1300)
    assert used.take("other", "a", 1300)
    clock[0] = 1400
    assert used.take("ehr", "a", 1700)


def test_an_assertion_is_meant_for_this_server() -> None:
    assert SignedAssertion([TOKEN_URL, ISSUER]).get_audiences() == [TOKEN_URL, ISSUER]
