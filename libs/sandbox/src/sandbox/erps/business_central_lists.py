"""What the Business Central double shows and nobody changes by it: accounts, customers, dimensions, periods, setup and entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sandbox.erps.business_central_books import BusinessCentralBooks, BusinessCentralRefused, Company, Entry
from sandbox.erps.business_central_odata import Call, Json, matcher


@dataclass(frozen=True)
class Rows:
    """What a filter leaves of a list, and how each is shown."""

    rows: Sequence[object]
    shown: Callable[[Any], Json]


def identity(kind: str, code: str) -> UUID:
    """The system id of what is known by a code."""
    return uuid5(NAMESPACE_OID, f"{kind} {code}")


def company_json(company: Company) -> Json:
    return {"id": str(company.id), "name": company.name, "displayName": company.name, "businessProfileId": ""}


def dimension_lines(dimensions: Mapping[str, str], parent: UUID, parent_type: str) -> list[Json]:
    """The dimension set lines of a journal line or an entry."""
    return [
        {
            "id": str(identity("dimension", code)),
            "code": code,
            "parentId": str(parent),
            "parentType": parent_type,
            "displayName": code,
            "valueId": str(identity(code, value)),
            "valueCode": value,
            "valueDisplayName": value,
        }
        for code, value in dimensions.items()
    ]


def decimal_of(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def list_of(books: BusinessCentralBooks, company: Company, name: str, call: Call) -> Rows:
    """A list by its name.

    Raises:
        BusinessCentralRefused: there is none of that name, or the filter cannot be read.
    """
    wanted = matcher(call.query.get("$filter", ""))
    expand = call.query.get("$expand", "")
    if name == "generalLedgerEntries":
        return _entries(books, company, call)
    lists: Mapping[str, Callable[[], list[Json]]] = {
        "accounts": lambda: [_account(company, number) for number in books.plan.accounts],
        "customers": lambda: [_customer(company, number) for number in company.customers],
        "dimensions": lambda: [_dimension(code, values, expand) for code, values in books.plan.dimensions.items()],
        "accountingPeriods": lambda: _periods(company, books.plan.years),
        "generalLedgerSetup": lambda: [_setup(company)],
    }
    if name not in lists:
        raise BusinessCentralRefused(404, "BadRequest_NotFound", f"No resource {name}.")
    return Rows([each for each in lists[name]() if wanted(each.get)], lambda row: row)


def _entries(books: BusinessCentralBooks, company: Company, call: Call) -> Rows:
    wanted = matcher(call.query.get("$filter", ""))
    from_replica = call.headers.get("data-access-intent", "").lower() == "readonly"
    fields: Mapping[str, Callable[[Entry], object]] = {
        "documentNumber": lambda each: each.document,
        "accountNumber": lambda each: each.account,
        "postingDate": lambda each: each.posting_date.isoformat(),
        "entryNumber": lambda each: each.number,
    }

    def meant(entry: Entry) -> bool:
        return wanted(lambda name: fields[name](entry) if name in fields else "")

    expand = call.query.get("$expand", "")
    found = [each for each in books.shown(company, from_replica=from_replica) if meant(each)]
    return Rows(found, lambda each: _entry(each, expand))


def _entry(entry: Entry, expand: str) -> Json:
    shown: Json = {
        "id": str(entry.id),
        "entryNumber": entry.number,
        "postingDate": entry.posting_date.isoformat(),
        "documentNumber": entry.document,
        "documentType": "_x0020_",
        "accountId": str(identity("account", entry.account)),
        "accountNumber": entry.account,
        "description": entry.description,
        "debitAmount": decimal_of(max(entry.cents, 0)),
        "creditAmount": decimal_of(max(-entry.cents, 0)),
    }
    if "dimensionSetLines" in expand:
        shown["dimensionSetLines"] = dimension_lines(entry.dimensions, entry.id, "General_x0020_Ledger_x0020_Entry")
    return shown


def _account(company: Company, number: str) -> Json:
    return {
        "id": str(identity("account", number)),
        "number": number,
        "displayName": number,
        "blocked": number in company.blocked,
        "accountType": "Posting",
        "directPosting": True,
    }


def _customer(company: Company, number: str) -> Json:
    owed = sum(each.cents for each in company.entries if each.customer == number)
    return {
        "id": str(identity("customer", number)),
        "number": number,
        "displayName": number,
        "balanceDue": decimal_of(owed),
        "blocked": "All" if number in company.blocked else "_x0020_",
    }


def _dimension(code: str, values: Sequence[str], expand: str) -> Json:
    shown: Json = {"id": str(identity("dimension", code)), "code": code, "displayName": code}
    if "dimensionValues" in expand:
        shown["dimensionValues"] = [{"id": str(identity(code, each)), "code": each} for each in values]
    return shown


def _periods(company: Company, years: Sequence[int]) -> list[Json]:
    """The months; the last one that was made is the first of a year that nobody has planned yet."""
    starts = [date(year, month, 1) for year in years for month in range(1, 13)] + [date(years[-1] + 1, 1, 1)]
    return [
        {
            "id": str(identity("period", start.isoformat())),
            "startingDate": start.isoformat(),
            "name": start.strftime("%B"),
            "newFiscalYear": start.month == 1,
            "closed": start in company.closed,
            "dateLocked": start in company.closed,
        }
        for start in starts
    ]


def _setup(company: Company) -> Json:
    """A date that is not set is told as the first of all days."""
    days = {"allowPostingFrom": company.allowed_from, "allowPostingTo": company.allowed_to}
    told = {name: day.isoformat() if day else "0001-01-01" for name, day in days.items()}
    return {"id": str(identity("setup", company.name)), **told, "localCurrencyCode": "USD"}
