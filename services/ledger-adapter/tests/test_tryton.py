"""What the Tryton adapter makes of an ERP's bad days; the good ones are in the contract, against a real Tryton."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from canonical.codes import AccountRole, Dimension
from canonical.money import Money
from chassis.domain import Unavailable
from ledger_adapter.adapters.books import Books, load_books
from ledger_adapter.adapters.tryton import TrytonConnection, TrytonErp
from ledger_adapter.application.ports import ErpJournal, ErpUncertain, Posted, RefusalKind, Refused

from .erp_contract import document

CHART = load_books(Path(__file__).parents[1] / "books.sample.json").charts["standard"]
KEY = "the-secret-key"
Booking = Callable[[httpx.Request], httpx.Response]


def tryton(booking: Booking) -> TrytonErp:
    """An adapter in front of a server that knows every code and books as told."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/account.move/book"):
            return booking(request)
        if request.url.path.endswith("/account.account"):
            rows: list[dict[str, Any]] = [{"id": int(code), "code": code} for code in CHART.accounts.values()]
        else:
            rows = [{"id": 7}]
        return httpx.Response(200, json=rows)

    books = {"NORTH": Books(entity="NORTH", company="NORTH", journal="TL", chart=CHART)}
    connection = TrytonConnection("http://erp.invalid", "tryton", KEY)
    return TrytonErp("tryton", connection, books, transport=httpx.MockTransport(answer))


def raising(error: type[httpx.TransportError]) -> Booking:
    def booking(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return booking


def answering(status: int, **content: Any) -> Booking:
    return lambda request: httpx.Response(status, **content)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_without_a_connection_nothing_happened(error: type[httpx.TransportError]) -> None:
    with pytest.raises(Unavailable):
        tryton(raising(error)).post("NORTH", [document("a")])


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError]
)
def test_a_connection_that_breaks_later_leaves_the_outcome_unknown(error: type[httpx.TransportError]) -> None:
    with pytest.raises(ErpUncertain):
        tryton(raising(error)).post("NORTH", [document("a")])


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_of_the_server_leaves_the_outcome_unknown(status: int) -> None:
    with pytest.raises(ErpUncertain):
        tryton(answering(status, html="<html>Bad gateway</html>")).post("NORTH", [document("a")])


def test_a_success_that_is_no_json_leaves_the_outcome_unknown() -> None:
    with pytest.raises(ErpUncertain):
        tryton(answering(200, html="<html>log in</html>")).post("NORTH", [document("a")])


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_closed_door_pauses_and_books_nothing(status: int) -> None:
    with pytest.raises(Unavailable, match=str(status)):
        tryton(answering(status)).post("NORTH", [document("a")])


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("The external number of a journal entry must be unique in its company.", RefusalKind.NUMBER_TAKEN),
        ('You cannot post move "1" in closed period "2026-03".', RefusalKind.PERIOD_CLOSED),
        ('To continue, you must reopen the period "2026-03" of company "NORTH".', RefusalKind.PERIOD_CLOSED),
        ('To post the move "1", you must balance all its lines\' debit and credit.', RefusalKind.INVALID),
        ("The moon is in the wrong house.", RefusalKind.UNCLASSIFIED),
    ],
)
def test_the_words_of_tryton_are_classified(message: str, kind: RefusalKind) -> None:
    journal = document("a")
    answers = tryton(answering(400, json={"type": "UserError", "message": message})).post("NORTH", [journal])
    assert answers[journal.number] == Refused(kind, message)


@pytest.mark.parametrize("content", [{"text": "no"}, {"json": ["no"]}, {"json": {"other": 1}}])
def test_a_refusal_without_words_is_unclassified(content: dict[str, Any]) -> None:
    journal = document("a")
    answers = tryton(answering(400, **content)).post("NORTH", [journal])
    assert answers[journal.number] == Refused(RefusalKind.UNCLASSIFIED, "HTTP 400")


def test_a_refused_batch_is_halved_until_the_culprit_stands_alone() -> None:
    journals = [document(f"halved-{number}") for number in range(9)]
    sizes: list[int] = []

    def booking(request: httpx.Request) -> httpx.Response:
        numbers = [entry["external_number"] for entry in json.loads(request.content)["entries"]]
        sizes.append(len(numbers))
        if journals[6].number in numbers:
            return httpx.Response(400, json={"message": "you must balance all its lines"})
        return httpx.Response(200, json=[{"id": 1, "external_number": number} for number in numbers])

    answers = tryton(booking).post("NORTH", journals)
    assert [number for number, answer in answers.items() if isinstance(answer, Refused)] == [journals[6].number]
    assert sum(isinstance(answer, Posted) for answer in answers.values()) == 8
    assert len(sizes) <= 9


def test_a_connection_lost_within_a_batch_leaves_all_of_it_unknown() -> None:
    calls: list[int] = []

    def booking(request: httpx.Request) -> httpx.Response:
        entries = json.loads(request.content)["entries"]
        calls.append(len(entries))
        if len(calls) == 1:
            return httpx.Response(400, json={"message": "you must balance all its lines"})
        if len(calls) == 2:
            return httpx.Response(200, json=[{"id": 1, "external_number": entries[0]["external_number"]}])
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ErpUncertain):
        tryton(booking).post("NORTH", [document("a"), document("b")])


def test_what_is_sent_is_numbers_dates_and_codes() -> None:
    sent: list[Any] = []

    def booking(request: httpx.Request) -> httpx.Response:
        sent.extend(json.loads(request.content)["entries"])
        return httpx.Response(200, json=[{"id": 1, "external_number": sent[0]["external_number"]}])

    tryton(booking).post("NORTH", [document("a", "12.30")])
    (entry,) = sent
    assert sorted(entry) == ["company", "date", "external_number", "journal", "lines", "period"]
    ((_, lines),) = entry["lines"]
    assert [sorted(line) for line in lines] == [["account", "credit", "debit", "party"], ["account", "credit", "debit"]]
    assert lines[0]["debit"] == {"__class__": "Decimal", "decimal": "12.30"}


def test_reading_that_fails_is_an_outage_and_names_no_key() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, text=f"bad key {KEY}")

    books = {"NORTH": Books(entity="NORTH", company="NORTH", journal="TL", chart=CHART)}
    connection = TrytonConnection("http://erp.invalid", "tryton", KEY)
    erp = TrytonErp("tryton", connection, books, transport=httpx.MockTransport(answer))
    with pytest.raises(Unavailable) as outage:
        erp.find("NORTH", ["TL1"])
    assert KEY not in str(outage.value)


ROOTS = {Dimension.DEPARTMENT: "DEPARTMENT", Dimension.PAYER_CLASS: "PAYER-CLASS"}


def with_dimensions(sent: list[Any]) -> TrytonErp:
    """An adapter of books that keep departments and payer classes, before a server that knows one of each and what was posted."""
    known = {"RADIOLOGY": 41, "commercial": 42}
    posted = [
        ("DEPARTMENT", "RADIOLOGY", "60.00"),
        ("DEPARTMENT", "SURGERY", "30.00"),
        ("PAYER-CLASS", "self-pay", "100.00"),
    ]

    def rows(request: httpx.Request) -> list[Any]:
        model = request.url.path.rpartition("/")[2]
        domain = base64.urlsafe_b64decode(request.url.params.get("d", "")).decode()
        if model == "account.account":
            balance = {"__class__": "Decimal", "decimal": "-100.00"}
            return [{"id": int(code), "code": code, "balance": balance} for code in CHART.accounts.values()]
        if model == "analytic_account.account":
            return [{"id": identity} for code, identity in known.items() if f'"{code}"' in domain]
        if model == "analytic_account.line":
            return [
                {
                    "id": place,
                    "move_line": {"account": 4000},
                    "account": {"code": code, "root": {"code": root}},
                    "debit": {"decimal": "0"},
                    "credit": {"decimal": amount},
                }
                for place, (root, code, amount) in enumerate(posted)
            ]
        return [] if model == "account.account.party" else [{"id": 7}]

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/account.move/book"):
            return httpx.Response(200, json=rows(request))
        sent.extend(json.loads(request.content)["entries"])
        return httpx.Response(200, json=[{"id": 1, "external_number": sent[0]["external_number"]}])

    chart = CHART.model_copy(update={"dimensions": ROOTS})
    books = {"NORTH": Books(entity="NORTH", company="NORTH", journal="TL", chart=chart)}
    connection = TrytonConnection("http://erp.invalid", "tryton", KEY)
    return TrytonErp("tryton", connection, books, transport=httpx.MockTransport(answer))


def revenue_of(department: str) -> ErpJournal:
    plain = document("dimensions", "12.30")
    told = plain.lines[1].model_copy(update={"department": department, "payer_class": "commercial"})
    return plain.model_copy(update={"lines": (plain.lines[0], told)})


def test_a_line_has_an_analytic_line_over_its_amount_for_each_dimension_it_has_a_value_of() -> None:
    sent: list[Any] = []
    with_dimensions(sent).post("NORTH", [revenue_of("RADIOLOGY")])
    ((_, (receivable, revenue)),) = sent[0]["lines"]
    assert "analytic_lines" not in receivable
    ((verb, analytic),) = revenue["analytic_lines"]
    assert verb == "create"
    assert [each["account"] for each in analytic] == [41, 42]
    assert all(each["credit"] == {"__class__": "Decimal", "decimal": "12.30"} for each in analytic)
    assert all(each["date"] == sent[0]["date"] for each in analytic)


def test_a_value_that_has_no_analytic_account_is_refused_by_name_and_nothing_is_sent() -> None:
    sent: list[Any] = []
    journal = revenue_of("DENTISTRY")
    answers = with_dimensions(sent).post("NORTH", [journal])
    assert answers == {journal.number: Refused(RefusalKind.INVALID, "the ERP has no DEPARTMENT DENTISTRY")}
    assert sent == []


def test_what_stands_under_no_value_of_a_dimension_is_told_as_the_rest_of_the_account() -> None:
    told = with_dimensions([]).dimension_balances("NORTH")
    revenue = {(row.dimension, row.value): row.amount for row in told if row.account is AccountRole.GROSS_REVENUE}
    assert revenue == {
        (Dimension.DEPARTMENT, "RADIOLOGY"): Money.of("-60.00"),
        (Dimension.DEPARTMENT, "SURGERY"): Money.of("-30.00"),
        (Dimension.DEPARTMENT, ""): Money.of("-10.00"),
        (Dimension.PAYER_CLASS, "self-pay"): Money.of("-100.00"),
    }
