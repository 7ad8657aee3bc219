"""The one way in: REST and gRPC say the same, and whoever has no right, or asks too much, is told so."""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from billing.claims.v1 import claims_pb2, claims_pb2_grpc
from billing.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from google.protobuf.json_format import MessageToDict
from joserfc import jwt
from joserfc.jwk import ECKey
from sandbox.servers.envoy import EnvoyServer
from throughline.connection import Access
from throughline.outcome import Failure
from throughline.stack.composition import GATEWAY_TEMPLATE

from tests.integration.story import Story
from tests.integration.suite import OpenStack

pytestmark = [pytest.mark.servers, pytest.mark.slow]

COUNTS = "/v1/claims/counts"
ALLOWED = 20
LIMIT = "{max_tokens: 2000, tokens_per_fill: 1000, fill_interval: 1s}"
LOWER_LIMIT = f"{{max_tokens: {ALLOWED}, tokens_per_fill: 1, fill_interval: 600s}}"
"""The same limit with less patience: whether it holds does not hang on how quick the machine is."""


@pytest.fixture(scope="module")
def http(suite: OpenStack) -> Iterator[httpx.Client]:
    trusted = ssl.create_default_context(cafile=str(suite.folder / "gateway.crt"))
    with httpx.Client(
        base_url=f"https://127.0.0.1:{suite.ports['gateway']}", verify=trusted, trust_env=False
    ) as client:
        yield client


def bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def token_of(suite: OpenStack, **changed: object) -> str:
    """A token signed with the issuer's own key, with some of its claims changed."""
    key = ECKey.import_key(json.loads((suite.suite.tokens.folder / "signing-key.json").read_text(encoding="utf-8")))
    key.ensure_kid()
    now = int(time.time())
    told: dict[str, object] = {
        "iss": suite.suite.tokens.issuer,
        "aud": "throughline",
        "sub": "operator",
        "client_id": "operator",
        "scope": "claims.read",
        "iat": now,
        "exp": now + 300,
        "jti": f"test-{time.monotonic_ns()}",
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}, told | changed, key)


def test_rest_and_grpc_give_the_same_answer(
    told: Story, suite: OpenStack, access: Access, access_without_gateway: Access, http: httpx.Client
) -> None:
    for way in (access, access_without_gateway):
        stub = claims_pb2_grpc.ClaimsServiceStub(way.channel("claims"))
        by_grpc = way.call("claims", stub.CountByState, claims_pb2.CountByStateRequest())
        by_rest = http.get(COUNTS, headers=bearer(suite.suite.tokens.token("operator"))).json()
        assert by_rest == shown(by_grpc)


def test_a_list_by_rest_is_the_list_by_grpc(told: Story, suite: OpenStack, access: Access, http: httpx.Client) -> None:
    stub = ledger_pb2_grpc.LedgerServiceStub(access.channel("ledger"))
    by_grpc = access.call("ledger", stub.TrialBalance, ledger_pb2.TrialBalanceRequest(entity="NORTH"))
    answer = http.get(
        "/v1/ledger/trial-balance", params={"entity": "NORTH"}, headers=bearer(suite.suite.tokens.token("operator"))
    )
    assert len(by_grpc.balances) > 5
    assert answer.json() == shown(by_grpc)


def test_a_payment_is_posted_once_by_rest_and_told_again_with_its_account(suite: OpenStack, http: httpx.Client) -> None:
    headers = bearer(suite.suite.tokens.token("operator"))
    wanted = {
        "idempotency_key": "gateway-test-receipt-1",
        "patient_id": "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77",
        "entity": "NORTH",
        "amount": {"minor": "700", "currency": "USD"},
        "channel": "front-desk",
    }
    posted = http.post("/v1/payments/payments", json=wanted, headers=headers).json()
    again = http.post("/v1/payments/payments", json=wanted, headers=headers).json()
    assert (posted["unapplied"]["minor"], posted["repeated_request"]) == ("700", False)
    assert (again["payment_id"], again["repeated_request"]) == (posted["payment_id"], True)
    other = http.post("/v1/payments/payments", json=wanted | {"reference": "R-18"}, headers=headers)
    assert other.status_code == 409
    balance = http.get(f"/v1/payments/accounts/{posted['account_id']}/balance", headers=headers).json()
    assert balance["accounts"][0]["account"]["unapplied"]["minor"] == "700"
    page = http.get(
        f"/v1/payments/accounts/{posted['account_id']}/statement", params={"format": "html"}, headers=headers
    ).json()
    assert page["adds_up"]
    assert base64.b64decode(page["document"]).startswith(b"<!DOCTYPE html>")
    told = http.get("/v1/payments/unapplied", params={"account_id": posted["account_id"]}, headers=headers).json()
    assert [each["payment_id"] for each in told["unapplied"]] == [posted["payment_id"]]


def test_a_transfer_is_asked_for_and_approved_by_two_people_by_rest(suite: OpenStack, http: httpx.Client) -> None:
    def headers_of(name: str, scope: str) -> Mapping[str, str]:
        return bearer(token_of(suite, sub=name, client_id=name, scope=scope))

    def posted(number: int) -> dict[str, str]:
        wanted = {
            "idempotency_key": f"gateway-test-transfer-{number}",
            "patient_id": f"3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e8{number}",
            "entity": "NORTH",
            "amount": {"minor": "700", "currency": "USD"},
            "channel": "front-desk",
        }
        told: dict[str, str] = http.post("/v1/payments/payments", json=wanted, headers=ann).json()
        return told

    ann, bea = (headers_of(name, "payments.read payments.write payments.approve") for name in ("ann", "bea"))
    giver, taker = posted(1), posted(2)
    wanted = {
        "idempotency_key": "gateway-test-transfer",
        "moved": "cash",
        "source": giver["payment_id"],
        "from_account_id": giver["account_id"],
        "to_account_id": taker["account_id"],
        "amount": {"minor": "200", "currency": "USD"},
        "reason": "paid for a child",
    }
    asked = http.post("/v1/payments/transfers", json=wanted, headers=ann).json()["transfer"]
    approval = f"/v1/payments/transfers/{asked['transfer_id']}:approve"
    own = http.post(approval, json={"amount": asked["amount"]}, headers=ann)
    assert (asked["state"], own.is_success) == ("requested", False)
    assert http.post(approval, json={"amount": asked["amount"]}, headers=bea).json()["transfer"]["state"] == "made"
    listed = http.get("/v1/payments/transfers", params={"to_account_id": taker["account_id"]}, headers=ann).json()
    assert [each["transfer_id"] for each in listed["transfers"]] == [asked["transfer_id"]]
    for path in ("plans", "asking", "payer-credits"):
        assert http.get(f"/v1/payments/{path}", headers=ann).is_success, path
    forbidden = headers_of("ann", "payments.read")
    assert http.post("/v1/payments/transfers", json=wanted, headers=forbidden).status_code == 403


def test_who_may_post_may_not_approve(suite: OpenStack, http: httpx.Client) -> None:
    headers = bearer(token_of(suite, scope="payments.read payments.write"))
    path = "/v1/payments/refunds/3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
    assert http.post(f"{path}:approve", json={"amount": {"minor": "1"}}, headers=headers).status_code == 403
    headers = bearer(token_of(suite, scope="payments.approve"))
    assert http.post(f"{path}:approve", json={"amount": {"minor": "1"}}, headers=headers).status_code == 404


def test_an_exception_is_worked_by_rest_at_the_service_that_the_path_names(
    suite: OpenStack, http: httpx.Client
) -> None:
    path = "/payments/v1/operations/cases/3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
    for verb, told in (("assign", {"owner": "cash-team"}), ("dismiss", {"reason": "known and settled"})):
        reader, writer = (bearer(token_of(suite, scope=f"payments.{right}")) for right in ("read", "write"))
        assert http.post(f"{path}:{verb}", json=told, headers=reader).status_code == 403
        assert http.post(f"{path}:{verb}", json=told, headers=writer).status_code == 404
    listed = http.get("/payments/v1/operations/cases", params={"owner": "cash-team"}, headers=reader)
    assert (listed.status_code, listed.json().get("cases", [])) == (200, [])


def shown(message: claims_pb2.CountByStateResponse | ledger_pb2.TrialBalanceResponse) -> object:
    """As the transcoder prints it: every field, also one that holds nothing."""
    found: object = MessageToDict(message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True)
    return found


def test_a_call_is_answered_by_the_process_that_only_answers_calls(
    told: Story, suite: OpenStack, http: httpx.Client
) -> None:
    def answered(ops: str) -> float:
        metrics = httpx.get(f"http://{suite.address('claims', ops)}/metrics", trust_env=False).text
        counted = re.search(
            r'^throughline_grpc_calls_total\{code="OK",method="[^"]*/CountByState"\} (\S+)$', metrics, re.M
        )
        return float(counted[1]) if counted else 0.0

    before = answered("calls-ops")
    assert http.get(COUNTS, headers=bearer(suite.suite.tokens.token("operator"))).status_code == 200
    assert answered("calls-ops") == before + 1
    assert answered("ops") == 0


def test_without_a_token_nothing_is_told(http: httpx.Client) -> None:
    for path in (COUNTS, "/v1/ledger/trial-balance", "/fhir/Patient/1", "/fhirX", "/no/such/path"):
        assert http.get(path).status_code == 401, path


def test_what_the_fhir_door_takes_is_told_to_everybody_and_no_more(suite: OpenStack, http: httpx.Client) -> None:
    assert http.get("/fhir/metadata").json()["fhirVersion"] == "4.0.1"
    smart = http.get("/fhir/.well-known/smart-configuration").json()
    assert smart["token_endpoint"] == suite.suite.tokens.token_url
    headers = bearer(suite.suite.tokens.token("ehr"))
    assert http.get("/fhirX", headers=headers).status_code == 404
    assert http.get("/fhir/Patient/1", headers=headers).status_code == 403


def test_a_token_that_is_forged_expired_or_meant_for_others_is_refused(suite: OpenStack, http: httpx.Client) -> None:
    good = token_of(suite)
    assert http.get(COUNTS, headers=bearer(good)).status_code == 200
    wrong = {
        "expired": (token_of(suite, exp=int(time.time()) - 600, iat=int(time.time()) - 900), 401),
        "of another issuer": (token_of(suite, iss="https://elsewhere.example"), 401),
        "for another audience": (token_of(suite, aud="somebody-else"), 403),
        "with another signature": (good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"), 401),
        "no token at all": ("nonsense", 401),
    }
    for name, (token, status) in wrong.items():
        assert http.get(COUNTS, headers=bearer(token)).status_code == status, name
        at_the_service = httpx.post(
            f"http://{suite.address('intake', 'http')}/fhir",
            content=b"{}",
            headers={**bearer(token), "Content-Type": "application/fhir+json"},
            trust_env=False,
        )
        assert at_the_service.status_code == 401, name


def test_a_token_for_something_else_is_forbidden_at_the_gateway_and_behind_it(
    suite: OpenStack, access: Access, access_without_gateway: Access, http: httpx.Client
) -> None:
    ehr = suite.suite.tokens.token("ehr")
    assert http.get(COUNTS, headers=bearer(ehr)).status_code == 403
    for way in (access, access_without_gateway):
        narrow = Access(
            way.connection.model_copy(update={"client_id": "ehr", "client_secret": suite.suite.tokens.secret("ehr")})
        )
        stub = claims_pb2_grpc.ClaimsServiceStub(narrow.channel("claims"))
        with pytest.raises(Failure, match=r"(?i)forbidden|permission|denied|scope"):
            narrow.call("claims", stub.CountByState, claims_pb2.CountByStateRequest())
        narrow.close()


def test_a_service_behind_the_gateway_asks_for_a_token_too(access_without_gateway: Access) -> None:
    nobody = Access(access_without_gateway.connection.model_copy(update={"token_url": ""}))
    stub = claims_pb2_grpc.ClaimsServiceStub(nobody.channel("claims"))
    with pytest.raises(Failure, match=r"(?i)token|unauthenticated"):
        nobody.call("claims", stub.CountByState, claims_pb2.CountByStateRequest())
    nobody.close()


def test_a_clearinghouses_webhook_needs_no_token_and_finds_nobody_where_none_is_configured(http: httpx.Client) -> None:
    assert http.post("/clearinghouse/webhook", json={"id": "hint-1"}).status_code == 503
    assert http.post("/clearinghouse/anything", json={"id": "hint-1"}).status_code == 401


def test_too_many_requests_at_once_are_told_to_come_back(suite: OpenStack, tmp_path: Path) -> None:
    template = GATEWAY_TEMPLATE.read_text(encoding="utf-8")
    assert template.count(LIMIT) == 1
    variables = suite.gateway_variables() | {"GATEWAY_ACCESS_LOG": str(tmp_path / "access.log")}
    trusted = ssl.create_default_context(cafile=str(suite.folder / "gateway.crt"))
    with (
        EnvoyServer(tmp_path, template=template.replace(LIMIT, LOWER_LIMIT), variables=variables) as gateway,
        httpx.Client(base_url=f"https://{gateway.address}", verify=trusted, trust_env=False) as http,
    ):
        answers = [http.get("/healthz") for _ in range(ALLOWED + 5)]
    assert [answer.status_code for answer in answers] == [200] * ALLOWED + [429] * 5
    assert {answer.headers["retry-after"] for answer in answers[ALLOWED:]} == {"1"}
