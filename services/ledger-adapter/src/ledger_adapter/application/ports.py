"""What the ledger adapter needs from outside: an ERP that can be asked, written to and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Protocol, runtime_checkable

from canonical.classes import Public
from canonical.codes import AccountRole, Dimension
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.domain import Refusal
from pydantic import Field

from ledger_adapter.domain.erp_payload import ErpPayload
from ledger_adapter.domain.party_account import PartyKind
from ledger_adapter.domain.period_calendar import FiscalPeriod as FiscalPeriod
from ledger_adapter.domain.period_calendar import LatePolicy
from ledger_adapter.domain.period_calendar import PeriodState as PeriodState

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
CodeOrNone = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,39})?$")]
NO_DIMENSIONS: frozenset[Dimension] = frozenset()


class ErpLine(ErpPayload):
    """One line at the ERP: a role of the chart, a party's code where the account is a receivable, an amount.

    The dimensions are given where the entity's books keep them (`Erp.dimensions`), and empty elsewhere.
    """

    account: AccountRole
    party: Public[CodeOrNone] = ""
    amount: Money
    payer_class: Public[CodeOrNone] = ""
    department: Public[CodeOrNone] = ""
    cost_center: Public[CodeOrNone] = ""
    location: Public[CodeOrNone] = ""


class ErpJournal(ErpPayload):
    """One document for the ERP. It has no field that could hold free text, so it cannot carry PHI."""

    number: Public[Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}$")]]
    entity: Public[Code]
    effective_date: Public[date]
    lines: tuple[ErpLine, ...] = Field(min_length=2)


class ErpParty(ErpPayload):
    """A party that is to be a customer: our code and what it stands for, and no name."""

    entity: Public[Code]
    code: Public[Code]
    kind: PartyKind


@dataclass(frozen=True, slots=True)
class KeptParty:
    """A customer as the ERP holds it: the code that it is known by there, and the ERP's own id."""

    code: str
    erp_id: str


@dataclass(frozen=True, slots=True)
class ErpDocument:
    """A posted document as the ERP holds it."""

    number: str
    document_id: str
    effective_date: date
    lines: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class Posted:
    """The ERP booked the document, under its own name for it."""

    document_id: str


@dataclass(frozen=True, slots=True)
class Pending:
    """The document is at the ERP's door and has not been booked or refused yet; nothing is sent meanwhile."""


class RefusalKind(StrEnum):
    """Why the ERP said no. UNCLASSIFIED is what nobody has understood yet; it is never tried again by itself."""

    PERIOD_CLOSED = "PeriodClosed"
    NUMBER_TAKEN = "NumberTaken"
    INVALID = "ErpRejected"
    UNCLASSIFIED = "UnclassifiedErpError"


@dataclass(frozen=True, slots=True)
class Refused:
    """The ERP did not book the document; the reason is its own words, cut to 200 characters."""

    kind: RefusalKind
    reason: str


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What the ERP has posted to one account and party, debits positive."""

    account: AccountRole
    party: str
    amount: Money


@dataclass(frozen=True, slots=True)
class DimensionBalance:
    """What the ERP has posted to one account under one value of a dimension, debits positive."""

    account: AccountRole
    dimension: Dimension
    value: str
    amount: Money


class ErpUncertain(Exception):
    """Documents were sent, and no answer tells which of them were booked. Ask by number before anything else."""


class UnknownEntity(Refusal):
    """No ERP is configured for an entity; its journal entries wait."""


class Erp(Protocol):
    """One ERP for one or more entities. Calls block and have their own deadlines.

    Every method raises `chassis.domain.Unavailable` when nothing can have happened: no connection, credentials refused.
    """

    @property
    def name(self) -> str:
        """The name of this ERP in our records."""
        ...

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        """The documents of those numbers that the ERP has posted, or has received and not decided on."""
        ...

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        """Books documents; one answer per number. A number that is taken is never booked a second time.

        Raises:
            ErpUncertain: some may have been booked.
        """
        ...

    def balances(self, entity: str) -> Sequence[AccountBalance]:
        """What is posted per account role and party; roles without a posting may be absent."""
        ...

    def dimensions(self, entity: str) -> frozenset[Dimension]:
        """What the entity's books at this ERP tell lines of the income statement apart by; asks nobody."""
        ...

    def dimension_balances(self, entity: str) -> Sequence[DimensionBalance]:
        """What is posted per account of the income statement and value of each dimension that the books keep."""
        ...

    def periods(self, entity: str) -> Sequence[FiscalPeriod]:
        """The periods that the entity's books have, the earliest first; none where this ERP does not tell."""
        ...


@runtime_checkable
class PartyKeeper(Protocol):
    """An ERP that makes customers for us; beside `Erp`, for not every ERP lets us.

    Both raise `chassis.domain.Unavailable` when nothing can have happened.
    """

    @property
    def name(self) -> str: ...

    def find_party(self, entity: str, code: str) -> KeptParty | None:
        """The customer that the entity's chart means by our code."""
        ...

    def create_party(self, party: ErpParty) -> KeptParty | Refused:
        """Makes a customer; a code that is taken is refused as such.

        Raises:
            ErpUncertain: it may have been made.
        """
        ...


class ErpDirectory(Protocol):
    """Which ERP keeps the books of which entity."""

    def of(self, entity: str) -> Erp:
        """
        Raises:
            UnknownEntity: no ERP is configured for it.
        """
        ...

    def name_of(self, entity: str) -> str:
        """The name of the ERP that keeps an entity's books; empty where none is configured."""
        ...

    def late_policy(self, entity: str) -> LatePolicy:
        """What becomes of an entity's entries whose period is closed."""
        ...

    def presents_credit_balances(self, entity: str) -> bool:
        """Whether the entity's statements show credit balances of receivables as owed, at the end of a period."""
        ...

    def account_code(self, entity: str, account: AccountRole) -> str:
        """The account's code in the entity's chart; empty where none is configured."""
        ...

    def names(self) -> Sequence[str]:
        """The ERPs that keep somebody's books."""
        ...

    def entities(self) -> Sequence[str]: ...
