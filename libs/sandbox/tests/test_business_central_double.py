"""The Business Central double keeps real books, checks who asks, and posts whole journals, as the documented interface does."""

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
from sandbox.erps.business_central import CLIENT_ID, ROOT, SCOPE, TOKEN_PATH, BusinessCentralDouble
from sandbox.erps.business_central_books import (
    CUSTOMER,
    GL_ACCOUNT,
    BusinessCentralPlan,
    BusinessCentralRefused,
    JournalLine,
)
from sandbox.erps.business_central_lists import identity
from sandbox.world.misbehaviour import Fault

Json = dict[str, Any]
SECRET = "sandbox-secret"
MARCH_2027 = date(2027, 3, 5)


@dataclass
class Client:
    double: BusinessCentralDouble
    token: str = ""

    def ask_token(self, **more: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET, "scope": SCOPE}
        return httpx.post(self.double.url + TOKEN_PATH, data=form | more, trust_env=False)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        told = {"Authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        content = None if body is None else write_exact(body)
        return httpx.request(method, f"{self.double.url}{ROOT}/{path}", content=content, headers=told, trust_env=False)

    @property
    def company(self) -> str:
        return f"companies({self.double.books.companies['NORTH'].id})"

    def rows(self, path: str, **headers: str) -> list[Json]:
        answer = self.call("GET", f"{self.company}/{path}", **headers)
        assert answer.status_code == 200, answer.text
        rows = read_exact(answer.content)["value"]
        assert isinstance(rows, list)
        return rows

    def journal(self, code: str = "DEFAULT", *lines: Json) -> Json:
        answer = self.call("POST", f"{self.company}/journals", {"code": code, "journalLines": list(lines)})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert isinstance(made, dict)
        return made

    def post(self, journal: Json) -> httpx.Response:
        return self.call("POST", f"{self.company}/journals({journal['id']})/Microsoft.NAV.post")


@pytest.fixture
def client() -> Iterator[Client]:
    plan = BusinessCentralPlan(
        ("1000", "1100", "4000"),
        customers={"ACME": "1100"},
        dimensions={"DEPARTMENT": ("RADIOLOGY",)},
        needs_dimension={"4000": "DEPARTMENT"},
    )
    with BusinessCentralDouble(plan, now=lambda: 0.0) as double:
        made = Client(double)
        made.token = made.ask_token().json()["access_token"]
        yield made


def line(account: str, amount: str, document: str = "D1", **more: object) -> Json:
    department = [{"code": "DEPARTMENT", "valueCode": "radiology"}]
    told = {"accountNumber": account, "postingDate": "2026-03-05", "documentNumber": document}
    return {**told, "amount": Decimal(amount), "dimensionSetLines": department, **more}


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_secret": "other"}, "invalid_client"),
        ({"client_id": "other"}, "unauthorized_client"),
        ({"scope": "other"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_is_given_for_what_was_registered_alone(client: Client, wrong: dict[str, str], error: str) -> None:
    assert client.ask_token(**wrong).json() == {"error": error}


def test_without_a_valid_token_nothing_is_answered(client: Client) -> None:
    client.double.tokens.revoke_all()
    answer = client.call("GET", "companies")
    assert (answer.status_code, code_of(answer)) == (401, "Authentication_InvalidCredentials")


def test_posting_a_journal_posts_whatever_lies_in_it_and_says_nothing(client: Client) -> None:
    journal = client.journal("DEFAULT", line("1000", "5.00", "ORPHAN"), line("4000", "-5.00", "ORPHAN"))
    for each in (line("1000", "7.00"), line("4000", "-7.00")):
        client.call("POST", f"{client.company}/journals({journal['id']})/journalLines", each)
    answer = client.post(journal)
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.double.numbers("NORTH") == ["ORPHAN", "D1"]
    (left,) = client.rows(f"journals({journal['id']})/journalLines")
    assert (left["accountNumber"], left["amount"]) == ("", 0)


@pytest.mark.parametrize(("leaves_empty_line", "status"), [(True, 204), (False, 400)])
def test_a_journal_is_posted_once_whatever_the_second_posting_says(
    client: Client, leaves_empty_line: bool, status: int
) -> None:
    client.double.books.leaves_empty_line = leaves_empty_line
    journal = client.journal("DEFAULT", *balanced("D1"))
    client.post(journal)
    assert client.post(journal).status_code == status
    assert len(client.double.entries("NORTH")) == 2


def test_a_journal_that_has_nothing_to_post_is_refused(client: Client) -> None:
    answer = client.post(client.journal("DEFAULT"))
    assert (answer.status_code, code_of(answer)) == (400, "Application_DialogException")


def test_posting_renames_a_journal_whose_code_holds_a_number(client: Client) -> None:
    for code in ("TL09", "LETTERS"):
        client.post(client.journal(code, line("1000", "7.00", code), line("4000", "-7.00", code)))
    assert [row["code"] for row in client.rows("journals")] == ["TL10", "LETTERS"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": Decimal("-6.99")}, "out of balance"),
        ({"dimensionSetLines": []}, "Select a Dimension Value Code"),
        ({"accountNumber": ""}, "Account No. must have a value"),
        ({"documentNumber": ""}, "Document No. must have a value"),
        ({"postingDate": "2027-12-01"}, "not within your range"),
    ],
)
def test_a_journal_is_posted_whole_or_not_at_all(client: Client, changes: Json, words: str) -> None:
    client.double.close_period("NORTH", MARCH_2027)
    journal = client.journal("DEFAULT", line("1000", "7.00"), {**line("4000", "-7.00"), **changes})
    answer = client.post(journal)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert client.double.entries("NORTH") == ()
    assert len(client.rows(f"journals({journal['id']})/journalLines")) == 2


def test_a_journal_with_a_wrong_line_is_not_made_at_all(client: Client) -> None:
    body = {"code": "HALF", "journalLines": [line("1000", "7.00"), line("9999", "-7.00")]}
    assert client.call("POST", f"{client.company}/journals", body).status_code == 400
    assert client.rows("journals") == []


def test_two_journals_cannot_have_one_code(client: Client) -> None:
    client.journal("ONCE")
    again = client.call("POST", f"{client.company}/journals", {"code": "ONCE"})
    assert (again.status_code, code_of(again)) == (400, "Internal_EntityWithSameKeyExists")


@pytest.mark.parametrize("code", ["", "ELEVENCHARS"])
def test_the_code_of_a_journal_has_one_to_ten_characters(client: Client, code: str) -> None:
    answer = client.call("POST", f"{client.company}/journals", {"code": code})
    assert code_of(answer) == "Application_StringExceededLength"


def test_a_line_is_changed_and_deleted_by_its_current_tag_alone(client: Client) -> None:
    journal = client.journal("DEFAULT", line("1000", "7.00"))
    (held,) = client.rows(f"journals({journal['id']})/journalLines")
    path = f"{client.company}/journals({journal['id']})/journalLines({held['id']})"
    assert code_of(client.call("PATCH", path, {"amount": 1})) == "BadRequest_InvalidToken"
    changed = client.call("PATCH", path, {"amount": Decimal("8.00")}, If_Match=held["@odata.etag"])
    assert read_exact(changed.content)["amount"] == Decimal("8.00")
    stale = client.call("DELETE", path, If_Match=held["@odata.etag"])
    assert (stale.status_code, code_of(stale)) == (409, "Request_EntityChanged")
    assert client.call("DELETE", path, If_Match=changed.json()["@odata.etag"]).status_code == 204
    assert client.call("GET", path).status_code == 404


def test_a_field_that_there_is_not_is_refused(client: Client) -> None:
    body = {"code": "FIELDS", "journalLines": [line("1000", "7.00", externalId="X")]}
    answer = client.call("POST", f"{client.company}/journals", body)
    assert "'externalId' does not exist" in answer.json()["error"]["message"]


def test_entries_are_filtered_expanded_and_paged(client: Client) -> None:
    for document in ("D1", "D2", "D3"):
        client.post(client.journal(document[0] + "X" * int(document[1]), *balanced(document)))
    found = client.rows("generalLedgerEntries?$filter=documentNumber eq 'D2' and accountNumber eq '4000'")
    assert [(row["documentNumber"], row["creditAmount"]) for row in found] == [("D2", Decimal("7.00"))]
    (expanded,) = client.rows("generalLedgerEntries?$filter=entryNumber eq 1&$expand=dimensionSetLines")
    assert [(each["code"], each["valueCode"]) for each in expanded["dimensionSetLines"]] == [
        ("DEPARTMENT", "RADIOLOGY")
    ]
    page = client.call("GET", f"{client.company}/generalLedgerEntries", Prefer="odata.maxpagesize=4").json()
    rest = httpx.get(page["@odata.nextLink"], headers={"Authorization": f"Bearer {client.token}"}, trust_env=False)
    assert (len(page["value"]), len(rest.json()["value"])) == (4, 2)
    assert client.call("GET", f"{client.company}/generalLedgerEntries?$filter=nonsense").status_code == 400


def test_a_customers_line_posts_to_the_account_of_its_group_and_moves_its_balance(client: Client) -> None:
    owed = line("ACME", "7.00", accountType="Customer")
    client.post(client.journal("DEFAULT", owed, line("4000", "-7.00")))
    assert [entry.account for entry in client.double.entries("NORTH")] == ["1100", "4000"]
    assert [row["balanceDue"] for row in client.rows("customers")] == [Decimal("7.00")]


def balanced(document: str) -> tuple[Json, Json]:
    return line("1000", "7.00", document), line("4000", "-7.00", document)


def batch_of(client: Client, *bodies: Json) -> Json:
    headers = {"Content-Type": "application/json"}
    url = f"{client.company}/journals"
    calls = [{"id": str(n), "method": "POST", "url": url, "headers": headers, "body": b} for n, b in enumerate(bodies)]
    return {"requests": calls}


GOOD_BAD_GOOD: tuple[Json, ...] = ({"code": "A"}, {"code": "A"}, {"code": "B"})


@pytest.mark.parametrize(
    ("headers", "statuses", "left"),
    [
        ({}, [201, 400], ["A"]),
        ({"Prefer": "odata.continue-on-error"}, [201, 400, 201], ["A", "B"]),
        ({"Isolation": "snapshot"}, [201, 400], []),
    ],
)
def test_a_batch_stops_goes_on_or_is_undone(
    client: Client, headers: dict[str, str], statuses: list[int], left: list[str]
) -> None:
    answer = client.call("POST", "$batch", batch_of(client, *GOOD_BAD_GOOD), **headers)
    assert [part["status"] for part in answer.json()["responses"]] == statuses
    assert [row["code"] for row in client.rows("journals")] == left


def test_a_batch_has_at_most_a_hundred_calls(client: Client) -> None:
    bodies = [{"code": f"J{number}"} for number in range(101)]
    assert client.call("POST", "$batch", batch_of(client, *bodies)).status_code == 400
    assert client.rows("journals") == []


def test_a_batch_that_is_cut_off_keeps_what_it_has_done_unless_it_is_one_transaction(client: Client) -> None:
    for headers, left in (({"Isolation": "snapshot"}, []), ({}, ["A"])):
        client.double.misbehaviour.request(Fault.CUT, target="journals", spared=1)
        answer = client.call("POST", "$batch", batch_of(client, {"code": "A"}, {"code": "B"}), **headers)
        assert answer.status_code == 504
        assert [row["code"] for row in client.rows("journals")] == left


def test_a_replica_shows_late_what_the_database_shows_at_once(client: Client) -> None:
    client.double.misbehaviour.request(Fault.READ_LAG, measure=3)
    client.post(client.journal("DEFAULT", *balanced("D1")))
    shown = [
        len(client.rows("generalLedgerEntries", Data_Access_Intent=intent))
        for intent in ("ReadOnly", "ReadWrite", "ReadOnly", "ReadOnly")
    ]
    assert shown == [0, 2, 0, 2]


def test_more_requests_in_five_minutes_than_are_granted_are_throttled(client: Client) -> None:
    client.double.api.requests_max = 2
    statuses = [client.call("GET", "companies").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_people_post_change_and_delete_at_the_screen(client: Client) -> None:
    client.double.books.plan = BusinessCentralPlan(("1000", "4000"))
    client.double.book_by_hand("NORTH", "HAND", MARCH_2027, {"1000": 500, "4000": -500})
    client.double.change_amount("NORTH", "HAND", 700)
    assert client.double.trial_balance() == {("NORTH", "1000", ""): 700, ("NORTH", "4000", ""): -700}
    client.double.delete("NORTH", "HAND")
    assert client.double.entries("NORTH") == ()


@pytest.fixture
def owing(client: Client) -> Client:
    """ACME owes an invoice of 100.00."""
    client.double.books.plan = BusinessCentralPlan(("1000", "1100", "4000"), customers={"ACME": "1100"})
    place = (MARCH_2027, "INV1", "")
    owed = JournalLine(uuid4(), 10_000, CUSTOMER, "ACME", *place, 100_00, "", {})
    earned = JournalLine(uuid4(), 20_000, GL_ACCOUNT, "4000", *place, -100_00, "", {})
    client.double.api.payments.book_invoice("NORTH", "ACME", "INV1", [owed, earned])
    return client


def payment(amount: str = "-60.00", **more: object) -> Json:
    told = {"postingDate": "2027-03-06", "documentNumber": "P1", "amount": Decimal(amount)}
    return {**told, "appliesToInvoiceNumber": "INV1", **more}


def payment_journal(client: Client, *payments: Json) -> httpx.Response:
    account = str(identity("account", "1000"))
    body = {"code": "PAY", "balancingAccountId": account, "customerPayments": list(payments)}
    return client.call("POST", f"{client.company}/customerPaymentJournals", body)


def test_payments_that_a_person_posts_settle_their_invoice(owing: Client) -> None:
    journal = payment_journal(owing, payment()).json()
    (waiting,) = owing.rows(f"customerPaymentJournals({journal['id']})/customerPayments")
    assert (waiting["customerNumber"], waiting["amount"]) == ("ACME", Decimal("-60.00"))
    owing.double.api.payments.post_payments("NORTH", "PAY")
    assert owing.double.api.payments.invoices["NORTH", "INV1"].open_cents == 40_00
    assert [row["balanceDue"] for row in owing.rows("customers")] == [Decimal("40.00")]
    assert owing.rows(f"customerPaymentJournals({journal['id']})/customerPayments") == []


def test_no_action_posts_a_journal_of_payments(owing: Client) -> None:
    journal = payment_journal(owing, payment()).json()
    answer = owing.call("POST", f"{owing.company}/customerPaymentJournals({journal['id']})/Microsoft.NAV.post")
    assert answer.status_code in (404, 405)
    assert owing.double.api.payments.invoices["NORTH", "INV1"].open_cents == 100_00


@pytest.mark.parametrize("wrong", [{"amount": Decimal("60.00")}, {"customerNumber": "NOBODY"}])
def test_a_payment_takes_from_a_customer_that_is_known(owing: Client, wrong: Json) -> None:
    assert payment_journal(owing, {**payment(), **wrong}).status_code == 400


def test_payments_for_an_invoice_that_is_not_open_are_posted_not_at_all(owing: Client) -> None:
    payment_journal(owing, payment(), payment(appliesToInvoiceNumber="INV2", customerNumber="ACME"))
    with pytest.raises(BusinessCentralRefused, match="INV2"):
        owing.double.api.payments.post_payments("NORTH", "PAY")
    assert len(owing.double.entries("NORTH")) == 2
