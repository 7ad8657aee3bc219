"""The NetSuite double keeps real books, checks who asks, and tells what the documented interface tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from canonical.exact_json import read_exact, write_exact
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sandbox.erps.netsuite import CERTIFICATE_ID, CLIENT_ID, NetSuiteDouble
from sandbox.erps.netsuite_books import NetSuitePlan
from sandbox.erps.netsuite_token import ASSERTION_TYPE, TokenEndpoint
from sandbox.world.misbehaviour import Fault

NOW = 1_790_000_000
ACCOUNTS = {"1100": "AcctRec", "1000": "Bank", "4000": "Income", "6100": "Expense"}
RECORDS = "/services/rest/record/v1"
Json = dict[str, Any]


@dataclass
class Client:
    double: NetSuiteDouble
    token: str = ""

    def claims(self, **more: object) -> Json:
        told = {"iss": CLIENT_ID, "scope": "rest_webservices", "aud": self.double.tokens.url}
        return {**told, "iat": NOW - 5, "exp": NOW + 60, **more}

    def ask_token(self, claims: Json, *, kid: str = CERTIFICATE_ID, alg: str = "ES256") -> httpx.Response:
        header = {"typ": "JWT", "alg": alg, "kid": kid}
        assertion = jwt.encode(header, claims, self.double.key, algorithms=[alg])
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        return httpx.post(self.double.tokens.url, data=form | {"client_assertion": assertion}, trust_env=False)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        told = {"Authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        content = None if body is None else write_exact(body)
        return httpx.request(method, self.double.url + path, content=content, headers=told, trust_env=False)

    def create(self, kind: str, body: Json, **headers: str) -> str:
        """The internal id of a new record."""
        answer = self.call("POST", f"{RECORDS}/{kind}", body, **headers)
        assert answer.status_code == 204, answer.text
        return answer.headers["location"].rpartition("/")[2]

    def suiteql(self, query: str) -> list[Json]:
        answer = self.call("POST", "/services/rest/query/v1/suiteql", {"q": query}, Prefer="transient")
        assert answer.status_code == 200, answer.text
        return [{name: value for name, value in row.items() if name != "links"} for row in answer.json()["items"]]


@pytest.fixture
def client() -> Iterator[Client]:
    plan = NetSuitePlan(ACCOUNTS, segments={"department": ("RADIOLOGY",)}, items={"VISIT": "4000"})
    with NetSuiteDouble(plan, now=lambda: NOW) as double:
        made = Client(double)
        made.token = made.ask_token(made.claims()).json()["access_token"]
        yield made


def journal(amount: str = "10.00", *, credit: str = "", day: str = "2026-03-05", **more: object) -> Json:
    lines = [
        {"account": {"id": "1"}, "entity": {"id": "1"}, "debit": Decimal(amount)},
        {"account": {"id": "3"}, "department": {"id": "1"}, "credit": Decimal(credit or amount)},
    ]
    return {"subsidiary": {"id": "1"}, "tranDate": day, "line": {"items": lines}, **more}


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["o:errorDetails"][0]["o:errorCode"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody else"},
        {"aud": "https://elsewhere.example/token"},
        {"scope": "restlets"},
        {"exp": NOW - 1},
        {"exp": NOW + 3700},
        {"iat": NOW + 7200, "exp": NOW + 7300},
        {"exp": None},
    ],
)
def test_an_assertion_of_somebody_else_for_something_else_or_of_another_time_gets_no_token(
    client: Client, wrong: Json
) -> None:
    refused = client.ask_token(client.claims(**wrong))
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})


def test_an_assertion_under_another_certificate_or_key_gets_no_token(client: Client) -> None:
    assert client.ask_token(client.claims(), kid="another").status_code == 400
    client.double.key = ECKey.generate_key("P-256")
    assert client.ask_token(client.claims()).json() == {"error": "invalid_client"}


def test_a_short_rsa_key_cannot_be_mapped() -> None:
    with pytest.raises(ValueError, match="3072"):
        TokenEndpoint(CLIENT_ID, CERTIFICATE_ID, RSAKey.generate_key(2048), lambda: NOW)


def test_nothing_is_told_without_a_token_that_is_valid(client: Client) -> None:
    client.double.tokens.revoke_all()
    refused = client.call("GET", f"{RECORDS}/customer/eid:ACME")
    assert (refused.status_code, code_of(refused)) == (401, "INVALID_LOGIN")


def test_a_journal_is_booked_once_and_read_back_by_record_and_by_suiteql(client: Client) -> None:
    identity = client.create("journalEntry", journal(externalId="TL1"))
    again = client.call("POST", f"{RECORDS}/journalEntry", journal("99.00", externalId="TL1"))
    assert (again.status_code, code_of(again)) == (400, "DUP_RCRD")
    shown = read_exact(client.call("GET", f"{RECORDS}/journalentry/eid:TL1?expandSubResources=true").content)
    assert [line.get("debit") for line in shown["line"]["items"]] == [Decimal("10.00"), None]
    assert client.suiteql("SELECT t.id, t.tranid FROM transaction t WHERE t.externalid = 'TL1'") == [
        {"id": identity, "tranid": f"JO{identity}"}
    ]
    assert client.double.trial_balance() == {("NORTH", "1100", "ACME"): 1000, ("NORTH", "4000", ""): -1000}


def test_external_ids_are_unique_across_all_kinds_of_transactions(client: Client) -> None:
    client.create("journalEntry", journal(externalId="TL1"))
    body = {"externalId": "TL1", "entity": {"id": "1"}, "subsidiary": {"id": "1"}, "tranDate": "2026-03-05"}
    assert code_of(client.call("POST", f"{RECORDS}/invoice", body)) == "DUP_RCRD"


def test_an_upsert_creates_and_then_changes_what_is_booked(client: Client) -> None:
    path = f"{RECORDS}/journalEntry/eid:TL1"
    assert client.call("PUT", path, journal("10.00")).status_code == 204
    assert client.call("PUT", path + "?replace=line", journal("7.00")).status_code == 204
    assert client.double.trial_balance()["NORTH", "1100", "ACME"] == 700
    assert client.call("PUT", path, journal("1.00")).status_code == 204
    assert client.double.trial_balance()["NORTH", "1100", "ACME"] == 800


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (journal("10.00", credit="9.99"), "TRANS_UNBALNCD"),
        (journal(day="2031-01-01"), "INVALID_KEY_OR_REF"),
        (journal(day="yesterday"), "INVALID_CONTENT"),
        (journal() | {"subsidiary": {"id": "77"}}, "INVALID_KEY_OR_REF"),
        (journal() | {"line": {"items": []}}, "TRANS_UNBALNCD"),
        (journal() | {"line": {"items": [{"account": {"id": "1"}, "debit": 5}]}}, "INVALID_CONTENT"),
        (journal() | {"line": {"items": [{"account": {"id": "3"}, "debit": "5"}]}}, "INVALID_CONTENT"),
        (journal("10.001"), "INVALID_CONTENT"),
    ],
)
def test_a_journal_that_does_not_hold_is_refused_and_not_booked(client: Client, body: Json, code: str) -> None:
    refused = client.call("POST", f"{RECORDS}/journalEntry", body)
    assert (refused.status_code, code_of(refused)) == (400, code)
    assert client.double.trial_balance() == {}


def test_a_period_that_is_closed_or_locked_takes_nothing_until_it_is_open_again(client: Client) -> None:
    day = date(2026, 3, 9)
    for close in (client.double.close_period, client.double.lock_period):
        close(day)
        assert code_of(client.call("POST", f"{RECORDS}/journalEntry", journal())) == "TRAN_PRD_CLOSED"
        client.double.reopen_period(day)
    client.create("journalEntry", journal())


def test_an_unknown_property_is_an_error_only_where_the_client_wants_it_so(client: Client) -> None:
    body = journal(patientName="x")
    strict = client.call("POST", f"{RECORDS}/journalEntry", body, X_NetSuite_PropertyNameValidation="Error")
    assert (strict.status_code, code_of(strict)) == (400, "INVALID_CONTENT")
    client.create("journalEntry", body)


def test_a_payment_is_applied_to_an_invoice_and_the_rest_stays_open(client: Client) -> None:
    place = {"subsidiary": {"id": "1"}, "tranDate": "2026-03-05"}
    items = {"items": [{"item": {"externalId": "VISIT"}, "amount": Decimal("200.00")}]}
    invoice = client.create("invoice", place | {"entity": {"externalId": "ACME"}, "item": items})
    applied = {"items": [{"doc": {"id": invoice}, "apply": True, "amount": Decimal("150.00")}]}
    payment = place | {"customer": {"id": "1"}, "account": {"id": "2"}, "payment": Decimal("180.00"), "apply": applied}
    paid = client.create("customerPayment", payment)
    left = read_exact(client.call("GET", f"{RECORDS}/invoice/{invoice}").content)["amountRemaining"]
    unapplied = read_exact(client.call("GET", f"{RECORDS}/customerPayment/{paid}").content)["amountRemaining"]
    assert (left, unapplied) == (Decimal("50.00"), Decimal("30.00"))
    assert client.double.trial_balance()["NORTH", "1100", "ACME"] == 2000


@pytest.mark.parametrize(("amount", "customer"), [("200.01", "1"), ("10.00", "2"), ("0.00", "1")])
def test_more_than_is_open_and_documents_of_others_cannot_be_applied(
    client: Client, amount: str, customer: str
) -> None:
    place = {"subsidiary": {"id": "1"}, "tranDate": "2026-03-05"}
    items = {"items": [{"item": {"id": "1"}, "amount": 200}]}
    invoice = client.create("invoice", place | {"entity": {"id": "1"}, "item": items})
    applied = {"items": [{"doc": {"id": invoice}, "apply": True, "amount": Decimal(amount)}]}
    body = place | {"customer": {"id": customer}, "account": {"id": "2"}, "payment": 300, "apply": applied}
    assert client.call("POST", f"{RECORDS}/customerPayment", body).status_code == 400


def test_a_credit_memo_and_a_refund_move_the_receivable_both_ways(client: Client) -> None:
    place = {"subsidiary": {"id": "1"}, "tranDate": "2026-03-05"}
    items = {"items": [{"item": {"id": "1"}, "amount": 40}]}
    memo = client.create("creditMemo", place | {"entity": {"id": "1"}, "item": items})
    assert client.double.trial_balance()["NORTH", "1100", "ACME"] == -4000
    applied = {"items": [{"doc": {"id": memo}, "apply": True, "amount": 40}]}
    refund = place | {"customer": {"id": "1"}, "account": {"id": "2"}, "total": 40, "apply": applied}
    client.create("customerRefund", refund)
    assert client.double.trial_balance()["NORTH", "1000", ""] == -4000
    assert client.call("POST", f"{RECORDS}/customerRefund", refund).status_code == 400


def test_a_customer_is_made_and_changed_by_its_external_id(client: Client) -> None:
    path = f"{RECORDS}/customer/eid:P-0001"
    assert client.call("PUT", path, {"companyName": "Account P-0001"}).status_code == 204
    assert client.call("PUT", path, {"companyName": "Account P-0002", "isInactive": True}).status_code == 204
    (row,) = client.suiteql("SELECT name, isinactive FROM customer WHERE externalid = 'P-0001'")
    assert row == {"name": "Account P-0002", "isinactive": "T"}
    assert client.call("GET", path).json()["externalId"] == "P-0001"
    assert code_of(client.call("GET", f"{RECORDS}/customer/eid:nobody")) == "NONEXISTENT_ID"


def test_a_job_runs_once_for_its_key_and_tells_how_it_ended(client: Client) -> None:
    client.double.api.holds_jobs = True
    key = str(uuid4())
    asked = {"Prefer": "respond-async", "X_NetSuite_idempotency_key": key}
    first = client.call("POST", f"{RECORDS}/journalEntry", journal(externalId="TL1"), **asked)
    second = client.call("POST", f"{RECORDS}/journalEntry", journal(externalId="TL1"), **asked)
    assert (first.status_code, second.status_code, code_of(second)) == (202, 400, "IDEMPOTENCY_ERROR")
    assert first.headers["location"] == second.headers["location"]
    job = first.headers["location"]
    assert client.call("GET", job).json()["progress"] == "pending"
    assert client.double.numbers() == []
    client.double.api.run_jobs()
    assert client.call("GET", job).json()["progress"] == "succeeded"
    assert client.call("GET", f"{job}/task/1/result").status_code == 204
    assert client.double.numbers() == ["TL1"]


def test_a_job_that_fails_tells_why(client: Client) -> None:
    asked = {"Prefer": "respond-async", "X_NetSuite_idempotency_key": str(uuid4())}
    job = client.call("POST", f"{RECORDS}/journalEntry", journal(credit="9.99"), **asked).headers["location"]
    assert client.call("GET", job).json() | {"task": None, "id": None} == {
        "completed": True,
        "progress": "failed",
        "task": None,
        "id": None,
    }
    assert code_of(client.call("GET", f"{job}/task/1/result")) == "TRANS_UNBALNCD"
    assert client.call("GET", "/services/rest/async/v1/job/99").status_code == 404


@pytest.mark.parametrize(
    ("query", "prefer"),
    [("DELETE FROM account", "transient"), ("SELECT x FROM nowhere", "transient"), ("SELECT id FROM account", "")],
)
def test_a_query_that_is_none_is_refused(client: Client, query: str, prefer: str) -> None:
    answer = client.call("POST", "/services/rest/query/v1/suiteql", {"q": query}, Prefer=prefer)
    assert answer.status_code == 400


def test_suiteql_comes_in_pages_of_texts_and_adds_up_exactly(client: Client) -> None:
    for _ in range(3):
        client.create("journalEntry", journal("0.10"))
    path = "/services/rest/query/v1/suiteql?limit=2&offset={}"
    query = {"q": "SELECT id FROM transaction ORDER BY id"}
    pages = [client.call("POST", path.format(offset), query, Prefer="transient").json() for offset in (0, 2)]
    assert [(page["count"], page["hasMore"], page["totalResults"]) for page in pages] == [(2, True, 3), (1, False, 3)]
    total = "SELECT SUM(tal.debit) AS debit FROM transactionaccountingline tal WHERE tal.posting = 'T'"
    assert client.suiteql(total) == [{"debit": "0.30"}]


def test_suiteql_may_lag_behind_what_the_record_says(client: Client) -> None:
    client.double.misbehaviour.request(Fault.READ_LAG, target="Journal", measure=2)
    client.create("journalEntry", journal(externalId="TL1"))
    assert client.call("GET", f"{RECORDS}/journalEntry/eid:TL1").status_code == 200
    shown = [len(client.suiteql("SELECT id FROM transaction ORDER BY id")) for _ in range(3)]
    assert shown == [0, 0, 1]


def test_people_change_delete_and_enter_documents_by_hand(client: Client) -> None:
    client.create("journalEntry", journal(externalId="TL1"))
    client.create("journalEntry", journal("3.00", externalId="TL2"))
    client.double.change_amount("TL1", 0, 4242)
    client.double.delete("TL2")
    client.double.book_by_hand(journal("1.00"))
    assert client.double.numbers() == ["TL1"]
    assert client.double.trial_balance() == {("NORTH", "1100", "ACME"): 4342, ("NORTH", "4000", ""): -4342}


def test_more_calls_at_once_than_the_account_grants_are_told_so(client: Client) -> None:
    client.double.misbehaviour.request(Fault.THROTTLE, measure=3)
    throttled = client.call("GET", f"{RECORDS}/customer/eid:ACME")
    assert (throttled.status_code, code_of(throttled)) == (429, "CONCURRENCY_LIMIT_EXCEEDED")
    assert throttled.headers["retry-after"] == "3"
