"""Amounts, ids, dates and lines as they come over the wire, and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from billing.common.v1 import common_pb2
from billing.ledger.v1 import ledger_pb2
from billing.operations.v1 import operations_pb2 as operations
from billing.operations.v1 import operations_pb2_grpc
from canonical.codes import AccountRole
from canonical.journal import JournalLine
from canonical.money import Money

from reconciliation.domain.books import OpenCase

CASES_MAX = 1000
OPEN_STATES = ("open", "assigned")


def money(amount: common_pb2.Money) -> Money:
    """An amount; one that was left out is zero dollars."""
    return Money(amount.minor, amount.currency) if amount.currency else Money(amount.minor)


def on_wire(amount: Money) -> common_pb2.Money:
    return common_pb2.Money(minor=amount.minor, currency=amount.currency)


def uuid_or_none(text: str) -> UUID | None:
    return UUID(text) if text else None


def date_or_none(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def text(value: object) -> str:
    """A column as text: empty where there is none, ISO 8601 for instants."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def lines(given: Iterable[ledger_pb2.Line]) -> tuple[JournalLine, ...]:
    return tuple(
        JournalLine(account=AccountRole(line.account), amount=money(line.amount), party=line.party) for line in given
    )


def is_settled(status: operations.GetStatusResponse, position: int) -> bool:
    """Whether the log still stands where the books were read, and all of it has been published."""
    return status.last_position == position and status.relay_position >= position


def open_cases(service: str, stub: operations_pb2_grpc.OperationsServiceStub) -> tuple[OpenCase, ...]:
    """The exceptions of a service that wait for a person, the newest thousand of each state."""
    return tuple(
        OpenCase(service, case.code, uuid_or_none(case.subject_id))
        for state in OPEN_STATES
        for case in stub.ListCases(operations.ListCasesRequest(state=state, limit=CASES_MAX)).cases
    )
