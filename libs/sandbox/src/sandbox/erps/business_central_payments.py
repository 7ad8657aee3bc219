"""Customer payments of the Business Central double: journals of payments, each for an invoice, and what posting them settles.

The interface makes them and cannot post them: `post_payments` is what a person does at the screen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

from sandbox.erps.business_central_books import (
    CUSTOMER,
    GL_ACCOUNT,
    BusinessCentralBooks,
    BusinessCentralRefused,
    Company,
    JournalLine,
)
from sandbox.erps.business_central_lists import decimal_of, identity
from sandbox.erps.business_central_odata import Answer, Call, Json, check_tag, code_in

KIND = "customerPaymentJournals"
_PATH = re.compile(rf"{KIND}(?:\(([0-9a-f-]{{36}})\)(?:/(customerPayments))?)?")


@dataclass(slots=True)
class Invoice:
    """A posted invoice and what is open of it."""

    customer: str
    open_cents: int


@dataclass(frozen=True, slots=True)
class Payment:
    """What a customer has paid, in cents, and the invoice that it is for; empty where it is for none."""

    id: UUID
    customer: str
    posting_date: date
    document: str
    cents: int
    invoice: str


@dataclass(frozen=True, slots=True)
class PaymentJournal:
    """Payments that wait, and the account that the money is on."""

    id: UUID
    code: str
    balancing_account: str
    payments: tuple[Payment, ...]


class Payments:
    """The payments of all companies, by company and code of their journal, and the invoices that they settle."""

    def __init__(self, books: BusinessCentralBooks) -> None:
        self.invoices: dict[tuple[str, str], Invoice] = {}
        self.journals: dict[tuple[str, str], PaymentJournal] = {}
        self._books = books

    def answer(self, company: Company, rest: str, call: Call) -> Answer | None:
        """None where the call is about something else."""
        found = _PATH.fullmatch(rest)
        if found is None:
            return None
        named, part = found.groups()
        if named is None:
            return self._of_all(company, call)
        journal = self._journal(company, UUID(named))
        return self._of_payments(company, journal, call) if part else self._of_one(company, journal, call)

    def book_invoice(self, company: str, customer: str, number: str, lines: Sequence[JournalLine]) -> None:
        """Somebody posts an invoice; the customer's line is what becomes open."""
        at = self._books.companies[company]
        journal = self._books.add_journal(at, "salesInvoices", "INVOICES", number, list(lines))
        self._books.post(at, journal)
        del at.journals[journal.id]
        owed = sum(line.cents for line in lines if line.account_type == CUSTOMER)
        self.invoices[company, number] = Invoice(customer, owed)

    def post_payments(self, company: str, code: str) -> None:
        """Somebody posts a journal of payments: all of them, or none.

        Raises:
            BusinessCentralRefused: a payment is for an invoice that is not open to it.
        """
        at, held = self._books.companies[company], self.journals[company, code]
        for payment in held.payments:
            invoice = self.invoices.get((company, payment.invoice))
            if payment.invoice and (invoice is None or invoice.customer != payment.customer or not invoice.open_cents):
                words = f"There is no Cust. Ledger Entry within the filter. Document No.: {payment.invoice}"
                raise BusinessCentralRefused(400, "Internal_DataNotFoundFilter", words)
        lines = [line for payment in held.payments for line in _lines_of(payment, held.balancing_account)]
        journal = self._books.add_journal(at, KIND, code, "", lines)
        self._books.post(at, journal)
        del at.journals[journal.id]
        for payment in held.payments:
            if payment.invoice:
                invoice = self.invoices[company, payment.invoice]
                invoice.open_cents -= min(-payment.cents, invoice.open_cents)
        self.journals[company, code] = replace(held, payments=())

    def _journal(self, company: Company, named: UUID) -> PaymentJournal:
        for (name, _), journal in self.journals.items():
            if name == company.name and journal.id == named:
                return journal
        raise BusinessCentralRefused(404, "BadRequest_ResourceNotFound", "The customer payment journal is not there.")

    def _of_all(self, company: Company, call: Call) -> Answer:
        if call.method == "GET":
            return Answer(
                200, {"value": [_shown(each) for (name, _), each in self.journals.items() if name == company.name]}
            )
        code = code_in(call.body.get("code", ""))
        if (company.name, code) in self.journals:
            raise BusinessCentralRefused(400, "Internal_EntityWithSameKeyExists", f"The journal {code} already exists.")
        accounts = {str(identity("account", number)): number for number in self._books.plan.accounts}
        account = accounts.get(str(call.body.get("balancingAccountId", "")), "")
        payments = tuple(self._payment(company, each) for each in call.body.get("customerPayments", ()))
        journal = PaymentJournal(uuid4(), code, account, payments)
        self.journals[company.name, code] = journal
        return Answer(201, _shown(journal), _tag(journal))

    def _of_one(self, company: Company, journal: PaymentJournal, call: Call) -> Answer:
        if call.method == "DELETE":
            check_tag(call, _tag(journal), 409)
            del self.journals[company.name, journal.code]
            return Answer(204)
        return Answer(200, _shown(journal), _tag(journal))

    def _of_payments(self, company: Company, journal: PaymentJournal, call: Call) -> Answer:
        if call.method == "GET":
            return Answer(200, {"value": [_payment_shown(journal, each) for each in journal.payments]})
        payment = self._payment(company, call.body)
        self.journals[company.name, journal.code] = replace(journal, payments=(*journal.payments, payment))
        return Answer(201, _payment_shown(journal, payment))

    def _payment(self, company: Company, told: Json) -> Payment:
        """The customer follows from the invoice where none is told."""
        invoice = code_in(told.get("appliesToInvoiceNumber", ""))
        known = self.invoices.get((company.name, invoice))
        customer = code_in(told.get("customerNumber", "")) or (known.customer if known else "")
        if customer not in company.customers:
            words = 'The "customerNumber" does not match to a Customer.'
            raise BusinessCentralRefused(400, "Application_DialogException", words)
        cents = int(Decimal(str(told.get("amount", 0))).scaleb(2).to_integral_exact())
        if cents >= 0:
            words = 'The "amount" should be a negative number.'
            raise BusinessCentralRefused(400, "Application_DialogException", words)
        day = date.fromisoformat(str(told["postingDate"]))
        return Payment(uuid4(), customer, day, code_in(told.get("documentNumber", "")), cents, invoice)


def _lines_of(payment: Payment, account: str) -> tuple[JournalLine, JournalLine]:
    place = (payment.posting_date, payment.document, "")
    owed = JournalLine(payment.id, 10_000, CUSTOMER, payment.customer, *place, payment.cents, "", {})
    return owed, JournalLine(uuid4(), 20_000, GL_ACCOUNT, account, *place, -payment.cents, "", {})


def _tag(journal: PaymentJournal) -> str:
    return f'W/"payments;{journal.id};{len(journal.payments)}"'


def _shown(journal: PaymentJournal) -> Json:
    shown = {"@odata.etag": _tag(journal), "id": str(journal.id), "code": journal.code}
    return {**shown, "balancingAccountNumber": journal.balancing_account}


def _payment_shown(journal: PaymentJournal, payment: Payment) -> Json:
    return {
        "id": str(payment.id),
        "journalId": str(journal.id),
        "customerNumber": payment.customer,
        "postingDate": payment.posting_date.isoformat(),
        "documentNumber": payment.document,
        "amount": decimal_of(payment.cents),
        "appliesToInvoiceNumber": payment.invoice,
    }
