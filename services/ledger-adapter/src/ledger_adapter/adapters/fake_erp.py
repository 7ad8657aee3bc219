"""An ERP in memory with a ledger of its own, for tests and simulation; it misbehaves on request."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from canonical.codes import AccountRole, Dimension
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.domain import Unavailable

from ledger_adapter.application.ports import (
    NO_DIMENSIONS,
    AccountBalance,
    DimensionBalance,
    Erp,
    ErpDocument,
    ErpJournal,
    ErpParty,
    ErpUncertain,
    FiscalPeriod,
    KeptParty,
    Pending,
    PeriodState,
    Posted,
    RefusalKind,
    Refused,
    UnknownEntity,
)
from ledger_adapter.domain.period_calendar import LatePolicy
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS


class ErpFault(StrEnum):
    """What may go wrong with the next posting."""

    TIMEOUT_BEFORE_WORK = "timeout before the work was done"
    TIMEOUT_AFTER_WORK = "timeout after the work was done"
    HALF_THE_BATCH = "half of the batch was booked, then the connection broke"
    SEEN_LATE = "timeout, and what was booked is not found by the next two questions"
    LOSES_ONE_CENT = "one line is booked with another amount"


@dataclass
class FakeErp:
    """Books whole documents, refuses what a real ERP refuses, and never books a number twice."""

    name: str = "fake"
    closed_months: set[tuple[int, int]] = field(default_factory=set)
    refused_numbers: dict[str, RefusalKind] = field(default_factory=dict)
    faults: list[ErpFault] = field(default_factory=list)
    is_down: bool = False
    calls: int = 0
    unseen: dict[str, int] = field(default_factory=dict)
    misplaces: str = ""
    kept_dimensions: frozenset[Dimension] = NO_DIMENSIONS
    told_months: set[tuple[int, int]] = field(default_factory=set)
    locked_months: set[tuple[int, int]] = field(default_factory=set)
    customers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._documents: dict[tuple[str, str], ErpDocument] = {}

    @property
    def documents(self) -> Sequence[ErpDocument]:
        """Everything booked, in order."""
        return list(self._documents.values())

    def edit(self, entity: str, number: str, account: AccountRole, minor: int) -> None:
        """What somebody does at the ERP by hand: the first line of the account gets so much more."""
        document = self._documents[entity, number]
        place = next(index for index, line in enumerate(document.lines) if line.account is account)
        edited = document.lines[place].model_copy(update={"amount": document.lines[place].amount + Money(minor)})
        lines = (*document.lines[:place], edited, *document.lines[place + 1 :])
        self._documents[entity, number] = replace(document, lines=lines)

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        self._answer_the_call()
        held = ((number, self._documents.get((entity, number))) for number in numbers if self._shows(number))
        return {number: document for number, document in held if document}

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        self._answer_the_call()
        fault = self.faults.pop(0) if self.faults else None
        if fault is ErpFault.TIMEOUT_BEFORE_WORK:
            raise ErpUncertain("no answer in time")
        part = documents[: len(documents) // 2] if fault is ErpFault.HALF_THE_BATCH else documents
        answers = {document.number: self._book(entity, document, fault) for document in part}
        if fault is ErpFault.SEEN_LATE:
            self.unseen = dict.fromkeys(answers, 2)
        if fault in (ErpFault.TIMEOUT_AFTER_WORK, ErpFault.HALF_THE_BATCH, ErpFault.SEEN_LATE):
            raise ErpUncertain("no answer in time")
        return answers

    def balances(self, entity: str) -> Sequence[AccountBalance]:
        self._answer_the_call()
        sums: dict[tuple[AccountRole, str], Money] = {}
        for (owner, _), document in self._documents.items():
            for line in document.lines if owner == entity else ():
                place = (line.account, line.party)
                sums[place] = sums.get(place, Money(0)) + line.amount
        return [AccountBalance(account, party, amount) for (account, party), amount in sums.items()]

    def dimensions(self, entity: str) -> frozenset[Dimension]:
        return self.kept_dimensions

    def dimension_balances(self, entity: str) -> Sequence[DimensionBalance]:
        self._answer_the_call()
        sums: dict[tuple[AccountRole, Dimension, str], Money] = {}
        for (owner, _), document in self._documents.items():
            for line in document.lines if owner == entity else ():
                for dimension in self.kept_dimensions if line.account.is_of_income else ():
                    place = (line.account, dimension, getattr(line, dimension.value))
                    sums[place] = sums.get(place, Money(0)) + line.amount
        return [DimensionBalance(*place, amount) for place, amount in sums.items()]

    def periods(self, entity: str) -> Sequence[FiscalPeriod]:
        """The months of `told_months`; it is no call that `calls` counts."""
        if self.is_down:
            raise Unavailable("the ERP refuses connections")
        return [self._month(*month) for month in sorted(self.told_months)]

    def find_party(self, entity: str, code: str) -> KeptParty | None:
        self._answer_the_call()
        held = self.customers.get(code)
        return KeptParty(code, held) if held and self._shows(code) else None

    def create_party(self, party: ErpParty) -> KeptParty | Refused:
        """Customers are shared by the entities."""
        self._answer_the_call()
        fault = self.faults.pop(0) if self.faults else None
        if fault is ErpFault.TIMEOUT_BEFORE_WORK:
            raise ErpUncertain("no answer in time")
        if party.code in self.refused_numbers:
            return Refused(self.refused_numbers[party.code], "refused on request")
        if party.code in self.customers:
            return Refused(RefusalKind.NUMBER_TAKEN, f"{party.code} is taken")
        self.customers[party.code] = f"CUSTOMER-{len(self.customers) + 1}"
        if fault is ErpFault.SEEN_LATE:
            self.unseen = {party.code: 2}
        if fault in (ErpFault.TIMEOUT_AFTER_WORK, ErpFault.SEEN_LATE):
            raise ErpUncertain("no answer in time")
        return KeptParty(party.code, self.customers[party.code])

    def _month(self, year: int, month: int) -> FiscalPeriod:
        state = PeriodState.OPEN
        if (year, month) in self.closed_months:
            state = PeriodState.LOCKED if (year, month) in self.locked_months else PeriodState.SOFT_CLOSED
        end = date(year, month, monthrange(year, month)[1])
        return FiscalPeriod(name=f"{year}-{month:02}", start=date(year, month, 1), end=end, state=state)

    def _shows(self, number: str) -> bool:
        """Whether a question about this number is answered with what was booked; each question counts down."""
        left = self.unseen.pop(number, 0)
        if left > 1:
            self.unseen[number] = left - 1
        return left == 0

    def _answer_the_call(self) -> None:
        self.calls += 1
        if self.is_down:
            raise Unavailable("the ERP refuses connections")

    def _book(self, entity: str, document: ErpJournal, fault: ErpFault | None) -> Posted | Refused:
        refusal = self._refusal_of(entity, document)
        if refusal:
            return refusal
        lines = tuple(JournalLine(**dict(line)) for line in document.lines)
        if self.misplaces:
            lines = tuple(line.model_copy(update={"department": self.misplaces}) for line in lines)
        if fault is ErpFault.LOSES_ONE_CENT:
            lines = (lines[0].model_copy(update={"amount": lines[0].amount - Money(1)}), *lines[1:])
        document_id = f"FAKE-{len(self._documents) + 1}"
        self._documents[entity, document.number] = ErpDocument(
            document.number, document_id, document.effective_date, lines
        )
        return Posted(document_id)

    def _refusal_of(self, entity: str, document: ErpJournal) -> Refused | None:
        if (entity, document.number) in self._documents:
            return Refused(RefusalKind.NUMBER_TAKEN, f"{document.number} is taken")
        if document.number in self.refused_numbers:
            return Refused(self.refused_numbers[document.number], "refused on request")
        if (document.effective_date.year, document.effective_date.month) in self.closed_months:
            return Refused(RefusalKind.PERIOD_CLOSED, f"the period of {document.effective_date} is closed")
        if Money.total(line.amount for line in document.lines):
            return Refused(RefusalKind.INVALID, "debits and credits differ")
        if any(bool(line.party) != (line.account in PAYER_ACCOUNTS | PATIENT_ACCOUNTS) for line in document.lines):
            return Refused(RefusalKind.INVALID, "a receivable needs a party, and nothing else has one")
        return None


class OneErpForAll:
    """A directory in which one ERP keeps the books of every entity it is given."""

    def __init__(self, erp: Erp, entities: Sequence[str], late_policy: LatePolicy = LatePolicy.NEXT_OPEN) -> None:
        self._late_policy = late_policy
        self._erp = erp
        self._entities = tuple(entities)

    def of(self, entity: str) -> Erp:
        if entity not in self._entities:
            raise UnknownEntity(f"no ERP is configured for entity {entity!r}")
        return self._erp

    def name_of(self, entity: str) -> str:
        return self._erp.name if entity in self._entities else ""

    def late_policy(self, entity: str) -> LatePolicy:
        return self._late_policy

    def presents_credit_balances(self, entity: str) -> bool:
        return entity in self._entities

    def account_code(self, entity: str, account: AccountRole) -> str:
        return f"{list(AccountRole).index(account) + 1000}"

    def names(self) -> Sequence[str]:
        return (self._erp.name,)

    def entities(self) -> Sequence[str]:
        return self._entities
