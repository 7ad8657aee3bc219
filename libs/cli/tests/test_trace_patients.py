"""Refunds, disputes, returned payments and write-offs of patients are traced to what was told and decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from canonical.money import Money
from throughline.tracing import identities
from throughline.tracing.finding_origins import Origins
from throughline.tracing.following import Selection, TracedJournal, follow
from throughline.tracing.subjects import subject_of

from .patient_books import CASH, DISPUTE, PATIENTS, REFUND, TRANSFER, WRITE_OFF, PatientBooks
from .small_books import ACCOUNT, ENTITY, PAYMENT, WEBHOOK, entry, parts_of

KINDS = ("refund", "dispute", "return", "patient-write-off", "price-concession", "application")
WITHOUT_BYTES = ("patient-write-off", "price-concession")


def traced(books: PatientBooks, kind: str) -> list[TracedJournal]:
    found = [journal for journal in books.journals if journal.kind == kind]
    return [follow(books, journal, Selection(parts_max=9), Origins(books)) for journal in found]


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_adds_up_down_to_what_was_told(kind: str) -> None:
    entries = traced(PatientBooks(), kind)
    assert entries
    for found in entries:
        assert found.adds_up
        messages = {
            place.message.message_id
            for line in found.lines
            for p in line.parts
            if p.origin
            for place in p.origin.places
        }
        assert messages == (set() if kind in WITHOUT_BYTES else {WEBHOOK})


@pytest.mark.parametrize("kind", KINDS)
def test_one_cent_in_the_books_is_found(kind: str) -> None:
    books = PatientBooks()
    journal = books.of_kind(kind)
    first, *others = journal.parts
    wrong = replace(first, line=replace(first.line, amount=first.line.amount + Money(1)))
    books.replace_journal(replace(journal, parts=(wrong, *others)))
    assert not traced(books, kind)[0].adds_up


def test_a_refund_of_more_than_was_paid_does_not_add_up() -> None:
    books = PatientBooks()
    paid = dict(books.history["payments", PAYMENT][0][1]) | {"amount": "3.00 USD"}
    books.history["payments", PAYMENT] = [("payments.payment.succeeded", paid), *books.history["payments", PAYMENT][1:]]
    assert not traced(books, "refund")[0].adds_up


def test_a_payment_is_told_with_all_that_happened_to_it() -> None:
    subject = subject_of(PatientBooks(), PAYMENT)
    kinds = [journal.kind for journal, _ in subject.entries]
    assert kinds == ["patient-payment", "application", "refund", "refund", "dispute", "dispute", "return"]


@pytest.mark.parametrize(
    ("wanted", "title"), [(REFUND, "Payment"), (DISPUTE, "Payment"), (WRITE_OFF, "Patient account")]
)
def test_a_refund_dispute_or_write_off_leads_to_whose_it_is(wanted: str, title: str) -> None:
    subject = subject_of(PatientBooks(), wanted)
    assert subject.title.startswith(title)
    assert subject.entries


def test_an_account_is_told_with_what_was_given_up() -> None:
    subject = subject_of(PatientBooks(), ACCOUNT)
    (journal, allowance) = [journal for journal, _ in subject.entries]
    assert [line.account for line in allowance.lines] == ["price-concession", "concession-allowance"]
    assert [(line.account, line.party, line.amount.minor) for line in journal.lines] == [
        ("charity-care", "", 200),
        ("ar-patient", PATIENTS, -200),
    ]


def test_cash_that_a_transfer_brought_is_traced_to_the_payment_that_brought_it_first() -> None:
    books = PatientBooks()
    (found,) = [
        found for found in traced(books, "application") if any(part.item_id == CASH for part in found.journal.parts)
    ]
    assert found.adds_up
    subject = subject_of(books, TRANSFER)
    assert subject.title == f"Account transfer {TRANSFER}"
    assert next(journal.kind for journal, _ in subject.entries) == "patient-payment"
    assert any("2.00" in line for line in subject.told)


def test_a_transfer_that_patients_lines_tell_apart_comes_to_nothing_on_its_account() -> None:
    books = PatientBooks()
    group = identities.single_posting("patient-transfer", TRANSFER)
    lines = [("unapplied-patient", "", "0.00")]
    books.journals.append(entry("patient-transfer", group, parts_of(group, TRANSFER, "J16", lines)))
    (found,) = traced(books, "patient-transfer")
    assert found.adds_up
    assert found.journal.entity == ENTITY
