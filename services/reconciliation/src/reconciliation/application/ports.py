"""What reconciliation needs from outside: the books of claims, of payments and of the ledger, and through it of the ERP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from canonical.money import Money

from reconciliation.domain.books import (
    ClearingEntry,
    ErpBalance,
    ErpDocument,
    LedgerBalance,
    OpenCase,
    OpenGroup,
    PatientBalance,
    PayerBalance,
    PayerOverpayment,
    PendingJournal,
    PlatformBalance,
    Progress,
    ProviderBalance,
)


@dataclass(frozen=True, slots=True)
class ClaimBalance:
    """One claim: what is open at the payer, and what the payer denied."""

    claim_id: UUID
    encounter_id: UUID
    open: Money
    denied: Money
    service_from: date | None


@dataclass(frozen=True, slots=True)
class ReportedBalance:
    """One claim as its platform reported it, in the inbound message of this id, and as we held it when that was compared."""

    claim_id: UUID
    ours: Money
    theirs: Money
    as_of: date | None
    message_id: UUID | None


@dataclass(frozen=True, slots=True)
class Receivable:
    """What one encounter of one patient makes of a receivable account in the subledger."""

    encounter_id: UUID | None
    patient_id: UUID | None
    amount: Money
    on: date | None


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """One patient's account at payments: what was left to the patient, and what cash was applied to it."""

    account_id: UUID
    patient_id: UUID
    responsibility: Money
    applied: Money


@dataclass(frozen=True, slots=True)
class Responsibility:
    """One amount that was left to a patient."""

    source_id: UUID
    encounter_id: UUID
    claim_id: UUID | None
    amount: Money
    on: date | None


@dataclass(frozen=True, slots=True)
class RemittancePart:
    """What one remittance makes of an account that payers move beside their claims."""

    remittance_id: UUID
    amount: Money
    on: date | None


@dataclass(frozen=True, slots=True)
class ClaimsReading:
    progress: Progress
    payers: tuple[PayerBalance, ...]
    platforms: tuple[PlatformBalance, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientReading:
    progress: Progress
    patients: tuple[PatientBalance, ...]
    not_paid_out: tuple[ClearingEntry, ...]
    providers: tuple[ProviderBalance, ...] = ()
    overpayments: tuple[PayerOverpayment, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """The subledger, what of it is on its way, and what the ERPs hold now."""

    progress: Progress
    subledger: tuple[LedgerBalance, ...]
    open_groups: tuple[OpenGroup, ...]
    pending: tuple[PendingJournal, ...]
    erp: Mapping[str, tuple[ErpBalance, ...]]


class ClaimsBooks(Protocol):
    """Calls block; they raise Unavailable or Transient where claims does not answer."""

    def read(self, entities: Sequence[str]) -> ClaimsReading: ...

    def claims(self, entity: str, payer: str) -> Sequence[ClaimBalance]:
        """Every claim of one entity of which one payer owes something, of its own or left to it by the one before."""
        ...

    def unapplied(self, entity: str) -> Sequence[RemittancePart]:
        """The cash of payers that no claim holds."""
        ...

    def differing(self, entity: str, platform: str) -> Sequence[ReportedBalance]:
        """The balances of an external platform that differ from ours, the longest reported first."""
        ...

    def cases(self) -> Sequence[OpenCase]: ...


class PatientBooks(Protocol):
    """Calls block; they raise Unavailable or Transient where payments does not answer."""

    def read(self, entities: Sequence[str]) -> PatientReading: ...

    def accounts(self, entity: str) -> Sequence[AccountBalance]: ...

    def responsibilities(self, account_id: UUID) -> Sequence[Responsibility]: ...

    def provider_adjustments(self, entity: str, *, of_items: bool) -> Sequence[RemittancePart]:
        """The provider-level adjustments of an entity that open or settle items, or those that do not."""
        ...

    def cases(self) -> Sequence[OpenCase]: ...


class LedgerBooks(Protocol):
    """Calls block; they raise Unavailable or Transient where the ledger adapter or an ERP does not answer."""

    def entities(self) -> Sequence[str]:
        """Every entity that anything was posted for."""
        ...

    def read(self, entities: Sequence[str]) -> LedgerReading: ...

    def receivables(self, entity: str, account: str, party: str) -> Sequence[Receivable]: ...

    def clearing_items(self, entity: str, account: str) -> Sequence[ClearingEntry]:
        """The items of a clearing account that do not cancel out, as the subledger has them."""
        ...

    def erp_documents(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument]:
        """What the entity's ERP holds under our numbers; a number that is absent is not there."""
        ...

    def cases(self) -> Sequence[OpenCase]: ...
