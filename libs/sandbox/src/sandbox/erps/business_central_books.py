"""The books behind the Business Central double: companies with journals that wait and general ledger entries that were posted.

A journal is a batch: posting it posts whatever lines lie in it, all or none, and leaves the batch behind. Amounts are cents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from sandbox.world.misbehaviour import Fault, Misbehaviour

GL_ACCOUNT = "G/L Account"
CUSTOMER = "Customer"
CODE_LENGTH_MAX = 10
DOCUMENT_LENGTH_MAX = 20
_LAST_NUMBER = re.compile(r"[0-9]+(?=[^0-9]*$)")


class BusinessCentralRefused(Exception):
    """What the service says to a request that it does not do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class BusinessCentralPlan:
    """What an administrator has set up, in each of the companies alike.

    `accounts` are numbers; those of `needs_dimension` are only posted to with a value of that dimension. `customers` gives the
    receivables account of each customer's posting group. Each year has twelve periods, and the year after the last one its first.
    """

    accounts: Sequence[str]
    companies: Sequence[str] = ("NORTH", "SOUTH")
    customers: Mapping[str, str] = field(default_factory=dict)
    dimensions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    needs_dimension: Mapping[str, str] = field(default_factory=dict)
    years: Sequence[int] = (2026, 2027)


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a journal that waits."""

    id: UUID
    number: int
    account_type: str
    account: str
    posting_date: date
    document: str
    external_document: str
    cents: int
    description: str
    dimensions: Mapping[str, str]
    version: int = 1


@dataclass(slots=True)
class Journal:
    """One batch of a template; `kind` says which resource shows it."""

    id: UUID
    kind: str
    code: str
    display_name: str
    lines: list[JournalLine]
    version: int = 1

    def line(self, identity: UUID) -> JournalLine:
        for line in self.lines:
            if line.id == identity:
                return line
        raise BusinessCentralRefused(404, "BadRequest_ResourceNotFound", "The journal line is not there.")


@dataclass(frozen=True, slots=True)
class Entry:
    """One posted entry; `customer` where it came of a customer's line, `shown_from` says from which question a replica shows it."""

    id: UUID
    number: int
    posting_date: date
    document: str
    account: str
    cents: int
    description: str
    dimensions: Mapping[str, str]
    customer: str
    shown_from: int


@dataclass(slots=True)
class Company:
    """The state of one company. Days outside of `allowed` take no postings."""

    id: UUID
    name: str
    journals: dict[UUID, Journal]
    entries: list[Entry]
    customers: dict[str, str]
    blocked: set[str]
    closed: set[date]
    allowed_from: date | None = None
    allowed_to: date | None = None

    def is_allowed(self, day: date) -> bool:
        return (self.allowed_from is None or self.allowed_from <= day) and (
            self.allowed_to is None or day <= self.allowed_to
        )


class BusinessCentralBooks:
    """All companies of one environment. `changing` of a batch goes through `copy_of` and `put_back`."""

    def __init__(self, plan: BusinessCentralPlan, misbehaviour: Misbehaviour) -> None:
        self.plan = plan
        self.increments_names = True
        self.leaves_empty_line = True
        self._misbehaviour = misbehaviour
        self._numbers = count(1)
        self._asked = 0
        self.companies = {
            name: Company(uuid5(NAMESPACE_URL, name), name, {}, [], dict(plan.customers), set(), set())
            for name in plan.companies
        }

    def company(self, identity: UUID) -> Company:
        for company in self.companies.values():
            if company.id == identity:
                return company
        raise BusinessCentralRefused(404, "Internal_CompanyNotFound", "The company cannot be found.")

    def journal(self, company: Company, identity: UUID, kind: str) -> Journal:
        journal = company.journals.get(identity)
        if journal is None or journal.kind != kind:
            raise BusinessCentralRefused(404, "BadRequest_ResourceNotFound", "The journal is not there.")
        return journal

    def copy_of(self, company: Company) -> Company:
        """What `put_back` restores; entries are never changed in place."""
        journals = {key: replace(each, lines=list(each.lines)) for key, each in company.journals.items()}
        return replace(company, journals=journals, entries=list(company.entries), customers=dict(company.customers))

    def put_back(self, copy: Company) -> None:
        self.companies[copy.name] = copy

    def shown(self, company: Company, *, from_replica: bool) -> list[Entry]:
        """The entries that a question is answered from; a replica may be some questions behind."""
        self._asked += 1
        return [each for each in company.entries if not from_replica or each.shown_from < self._asked]

    def add_journal(
        self, company: Company, kind: str, code: str, display_name: str, lines: list[JournalLine]
    ) -> Journal:
        if not 0 < len(code) <= CODE_LENGTH_MAX:
            raise BusinessCentralRefused(
                400,
                "Application_StringExceededLength",
                f"The length of the string is {len(code)}, but it must be less than or equal to {CODE_LENGTH_MAX} characters.",
            )
        if any(each.code == code and each.kind == kind for each in company.journals.values()):
            raise BusinessCentralRefused(
                400,
                "Internal_EntityWithSameKeyExists",
                f"The record in table Gen. Journal Batch already exists. Identification fields and values: Name='{code}'",
            )
        journal = Journal(uuid4(), kind, code, display_name, lines)
        company.journals[journal.id] = journal
        return journal

    def checked(self, company: Company, line: JournalLine) -> JournalLine:
        """A line as it may lie in a journal; what it is still short of is only looked at when it is posted."""
        known = self.plan.accounts if line.account_type == GL_ACCOUNT else company.customers
        if line.account and line.account not in known:
            raise BusinessCentralRefused(*_unknown_account(line))
        if len(line.document) > DOCUMENT_LENGTH_MAX:
            raise BusinessCentralRefused(400, "Application_StringExceededLength", "The document number is too long.")
        for code, value in line.dimensions.items():
            if code not in self.plan.dimensions:
                raise BusinessCentralRefused(
                    400, "Application_DialogException", 'The "code" does not match to a Dimension.'
                )
            if value not in self.plan.dimensions[code]:
                raise BusinessCentralRefused(
                    400, "Application_DialogException", 'The "valueCode" does not match to a Dimension Value.'
                )
        return line

    def post(self, company: Company, journal: Journal) -> None:
        """Posts every line that lies in the batch, whoever put it there, or none. Of an empty line nothing is said."""
        if not journal.lines:
            raise BusinessCentralRefused(400, "Application_DialogException", "There is nothing to post.")
        lines = [line for line in journal.lines if line.account or line.cents]
        if not lines:
            return
        for line in lines:
            self._check_for_posting(company, journal, line)
        _check_balance(lines)
        lag = self._misbehaviour.strike(Fault.READ_LAG, company.name)
        shown_from = self._asked + lag.measure if lag else -1
        company.entries += [self._entry(company, line, shown_from) for line in lines if line.cents]
        journal.lines = [_empty_line(lines[-1])] if self.leaves_empty_line else []
        journal.version += 1
        if self.increments_names:
            journal.code = _LAST_NUMBER.sub(
                lambda found: str(int(found[0]) + 1).zfill(len(found[0])), journal.code, count=1
            )

    def _entry(self, company: Company, line: JournalLine, shown_from: int) -> Entry:
        customer = line.account if line.account_type == CUSTOMER else ""
        account = company.customers[line.account] if customer else line.account
        return Entry(
            uuid4(),
            next(self._numbers),
            line.posting_date,
            line.document,
            account,
            line.cents,
            line.description,
            line.dimensions,
            customer,
            shown_from,
        )

    def _check_for_posting(self, company: Company, journal: Journal, line: JournalLine) -> None:
        place = f"Gen. Journal Line Journal Batch Name='{journal.code}',Line No.='{line.number}'"
        if not line.account or not line.document:
            what = "Document No." if line.account else "Account No."
            raise BusinessCentralRefused(
                400,
                "Application_FieldValidationException",
                f"{what} must have a value in {place}. It cannot be zero or empty.",
            )
        if not company.is_allowed(line.posting_date):
            raise BusinessCentralRefused(
                400,
                "Application_DialogException",
                f"Posting Date is not within your range of allowed posting dates in {place}.",
            )
        if line.account in company.blocked:
            raise BusinessCentralRefused(
                400,
                "Application_FieldValidationException",
                f"Blocked must be equal to 'No'  in {line.account_type}: No.={line.account}. Current value is 'Yes'.",
            )
        account = line.account if line.account_type == GL_ACCOUNT else company.customers[line.account]
        needed = self.plan.needs_dimension.get(account)
        if needed and needed not in line.dimensions:
            raise BusinessCentralRefused(
                400,
                "Application_DialogException",
                f"Select a Dimension Value Code for the Dimension Code {needed} for G/L Account {account}.",
            )


def _empty_line(last: JournalLine) -> JournalLine:
    """The line that a journal is ready for its next user with."""
    day, document = last.posting_date, last.document
    return JournalLine(uuid4(), last.number, GL_ACCOUNT, "", day, document, "", 0, "", {})


def _unknown_account(line: JournalLine) -> tuple[int, str, str]:
    if line.account_type == GL_ACCOUNT:
        return 400, "Application_DialogException", 'The "accountNumber" does not match to an Account.'
    words = (
        f"The field Account No. of table Gen. Journal Line contains a value ({line.account})"
        f" that cannot be found in the related table ({line.account_type})."
    )
    return 400, "Internal_InvalidTableRelation", words


def _check_balance(lines: Sequence[JournalLine]) -> None:
    """Each document balances on each of its days, as a template with Force Doc. Balance has it."""
    sums: dict[tuple[str, date], int] = {}
    for line in lines:
        place = (line.document, line.posting_date)
        sums[place] = sums.get(place, 0) + line.cents
    for (document, _), cents in sums.items():
        if cents:
            raise BusinessCentralRefused(
                400,
                "Application_DialogException",
                f" {document} is out of balance by {_shown(cents)}. Please check that the amounts are correct for each line.",
            )


def _shown(cents: int) -> str:
    sign, whole = "-" if cents < 0 else "", abs(cents)
    return f"{sign}{whole // 100}.{whole % 100:02}"
