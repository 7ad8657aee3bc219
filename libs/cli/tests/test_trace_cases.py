"""An exception is traced to what it is about, and from there to the bytes."""

from __future__ import annotations

from canonical.money import Money
from throughline.connection import Service
from throughline.operations.cases import Case
from throughline.tracing.subjects import subject_of

from .patient_books import PatientBooks
from .small_books import DEPOSIT, FILE, PAYMENT, STATEMENT, identity

CASE, ORDER, LOOSE = identity("case"), identity("order"), identity("loose deposit")


def books_with_a_case(about: str, service: Service = "payments") -> PatientBooks:
    books = PatientBooks()
    case = Case(
        service=service,
        case_id=CASE,
        state="open",
        code="UnmatchedPayment",
        summary="nobody knows whose it is",
        subject="thing",
        subject_id=about,
        message_id="",
        entity="NORTH",
        amount=Money(100),
        owner="",
        reason="",
        actor="",
        raised_at="2026-06-01T11:00:00+00:00",
        ended_at="",
        means="It waits.",
    )
    books.cases.append(case)
    return books


def test_a_case_of_a_payment_leads_to_each_of_its_entries() -> None:
    books = books_with_a_case(PAYMENT)
    subject = subject_of(books, CASE)
    assert (subject.kind, subject.title) == ("case", "Exception UnmatchedPayment, open")
    assert subject.told[:2] == ["nobody knows whose it is", "It waits."]
    assert subject.entries == subject_of(books, PAYMENT).entries
    assert len(subject.entries) > 1


def test_a_case_of_a_message_leads_to_its_bytes() -> None:
    subject = subject_of(books_with_a_case(FILE, "intake"), CASE)
    assert [message.message_id for message in subject.messages] == [FILE]


def test_a_case_of_what_is_booked_nowhere_leads_to_what_its_history_names() -> None:
    books = books_with_a_case(ORDER)
    books.history["payments", ORDER] = [
        ("payments.gateway-order.placed", {"of_payment": "pi_1", "payment_id": PAYMENT})
    ]
    subject = subject_of(books, CASE)
    assert "placed" in subject.told
    assert subject.entries == subject_of(books, PAYMENT).entries


def test_money_that_is_in_no_entry_yet_leads_to_the_message_that_told_of_it() -> None:
    books = books_with_a_case(LOOSE)
    state = {"amount": "9.00 USD", "message_id": STATEMENT}
    books.history["payments", LOOSE] = [("payments.deposit.reported", state)]
    assert [message.message_id for message in subject_of(books, LOOSE).messages] == [STATEMENT]
    assert [message.message_id for message in subject_of(books, CASE).messages] == [STATEMENT]
    assert subject_of(books, DEPOSIT).messages == []


def test_a_case_of_nothing_known_is_told_alone() -> None:
    subject = subject_of(books_with_a_case(identity("nobody")), CASE)
    assert (subject.entries, subject.messages) == ([], [])
