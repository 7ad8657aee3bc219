"""The books that are compared, as each service and the ERP keep them; all values, no behaviour but sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

from canonical.codes import AccountRole
from canonical.journal import JournalLine
from canonical.money import Money

ZERO = Money(0)
AR_PAYER = AccountRole.AR_PAYER.value
AR_PAYER_DENIED = AccountRole.AR_PAYER_DENIED.value
AR_PATIENT = AccountRole.AR_PATIENT.value
EFT_CLEARING = AccountRole.EFT_CLEARING.value
GATEWAY_CLEARING = AccountRole.GATEWAY_CLEARING.value
UNIDENTIFIED_RECEIPTS = AccountRole.UNIDENTIFIED_RECEIPTS.value
DUE_TO_PAYER = AccountRole.DUE_TO_PAYER.value
UNAPPLIED_PAYER = AccountRole.UNAPPLIED_PAYER.value
PROVIDER_LEVEL = "provider-level"
"""Interest, levies, withholds and the other adjustments of providers that no later remittance settles, as one sum."""
PROVIDER_LEVEL_ACCOUNTS = (
    AccountRole.INTEREST_INCOME.value,
    AccountRole.LEVIES_WITHHELD.value,
    AccountRole.PAYER_WITHHOLDS.value,
    AccountRole.PROVIDER_ADJUSTMENTS.value,
)

Key = tuple[str, str, str]
"""Entity, account, party."""


def patient_party(entity: str) -> str:
    """The one party under which all patients of an entity owe."""
    return f"PATIENTS-{entity}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a service's log had got when its books were read.

    `settled`: the log did not move under the reading, and everything in it has been published. `lags`: messages of other
    services wait to be answered, so that its books are behind theirs for however long that takes.
    """

    position: int
    settled: bool
    lags: bool = False


@dataclass(frozen=True, slots=True)
class PayerBalance:
    """What claims says is open at a payer, what that payer denied, and what it paid that no claim holds."""

    entity: str
    payer: str
    open: Money
    denied: Money
    unapplied: Money = ZERO


@dataclass(frozen=True, slots=True)
class PatientBalance:
    """What payments says all patients of an entity owe."""

    entity: str
    balance: Money


@dataclass(frozen=True, slots=True)
class ProviderBalance:
    """What payments says of a payer's provider-level adjustments: what is open, below zero where it is owed to the payer,
    and what was taken (above zero) or given for good."""

    entity: str
    payer: str
    open: Money
    other: Money


@dataclass(frozen=True, slots=True)
class PayerOverpayment:
    """What payments says was paid too much by a payer: what of it left the receivable, and what the payer took by itself."""

    entity: str
    payer: str
    owed_back: Money
    recouped: Money


@dataclass(frozen=True, slots=True)
class PlatformBalance:
    """What an external platform says is open of the claims that it works, and what claims said when each was compared last."""

    entity: str
    platform: str
    ours: Money
    theirs: Money


@dataclass(frozen=True, slots=True)
class LedgerBalance:
    """One account and party of the subledger: everything posted, and what of it is in journal entries."""

    entity: str
    account: str
    party: str
    amount: Money
    intended: Money


@dataclass(frozen=True, slots=True)
class ErpBalance:
    """One account and party as the ERP has it."""

    account: str
    party: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PendingJournal:
    """A journal entry that the ledger adapter has not confirmed; `state` is the adapter's word for how far it is."""

    journal_id: UUID
    external_number: str
    entity: str
    state: str
    reason: str
    lines: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Posted to the subledger, and in no journal entry yet: an open batch, or a remittance that is not complete."""

    entity: str
    group_id: UUID
    kind: str
    reason: str
    lines: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class ErpDocument:
    """A document as the ERP holds it."""

    number: str
    lines: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An exception that waits for a person at a service."""

    service: str
    code: str
    subject_id: UUID | None


@dataclass(frozen=True, slots=True)
class ClearingEntry:
    """A remittance, payment or payout on a clearing account: what of it is not cleared."""

    entity: str
    account: str
    item_id: UUID
    kind: str
    amount: Money
    on: date | None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What the public streams told us ourselves: confirmed balances, clearing items, remittances with their payments."""

    position: int
    confirmed: Mapping[Key, Money]
    clearing: tuple[ClearingEntry, ...]
    payments_by_remittance: Mapping[UUID, Money]


@dataclass(frozen=True)
class Books:
    """Everything that one proof needs, read once. `erp` is by entity, `held` by external number."""

    entities: tuple[str, ...]
    progress: Mapping[str, Progress]
    payers: tuple[PayerBalance, ...]
    patients: tuple[PatientBalance, ...]
    subledger: tuple[LedgerBalance, ...]
    open_groups: tuple[OpenGroup, ...]
    pending: tuple[PendingJournal, ...]
    erp: Mapping[str, tuple[ErpBalance, ...]]
    held: Mapping[str, ErpDocument]
    not_paid_out: tuple[ClearingEntry, ...]
    cases: tuple[OpenCase, ...]
    witnessed: Witnessed
    providers: tuple[ProviderBalance, ...] = ()
    platforms: tuple[PlatformBalance, ...] = ()
    overpayments: tuple[PayerOverpayment, ...] = ()

    @property
    def positions(self) -> dict[str, int]:
        return {service: progress.position for service, progress in sorted(self.progress.items())}

    @property
    def settled(self) -> bool:
        return all(progress.settled for progress in self.progress.values()) and not self.lagging

    @property
    def lagging(self) -> tuple[str, ...]:
        """The services that have not answered what others announced before these books were read."""
        return tuple(sorted(service for service, progress in self.progress.items() if progress.lags))

    @cached_property
    def billing_side(self) -> dict[Key, Money]:
        """What billing says of each account that it knows too; patients stand as one party per entity.

        What is due to payers and the cash that no claim holds are asked of no party, so they are sums per entity.
        """
        sides: dict[Key, Money] = {}
        for payer in self.payers:
            sides[payer.entity, AR_PAYER, payer.payer] = payer.open + self._owed_back(payer.entity, payer.payer)
            sides[payer.entity, AR_PAYER_DENIED, payer.payer] = payer.denied
        for patients in self.patients:
            sides[patients.entity, AR_PATIENT, patient_party(patients.entity)] = patients.balance
        for entity in self.entities:
            own = [provider for provider in self.providers if provider.entity == entity]
            recouped = Money.total(one.recouped for one in self.overpayments if one.entity == entity)
            sides[entity, DUE_TO_PAYER, ""] = Money.total(provider.open for provider in own) - recouped
            sides[entity, PROVIDER_LEVEL, ""] = Money.total(provider.other for provider in own)
            unapplied = Money.total(payer.unapplied for payer in self.payers if payer.entity == entity)
            sides[entity, UNAPPLIED_PAYER, ""] = -unapplied
        return sides

    def _owed_back(self, entity: str, payer: str) -> Money:
        """What an overpayment left open at a claim below zero is no receivable: it is owed back."""
        return Money.total(one.owed_back for one in self.overpayments if (one.entity, one.payer) == (entity, payer))

    @cached_property
    def subledger_side(self) -> dict[Key, Money]:
        """What the subledger says of every account and party, and of the provider-level ones together."""
        sides = {(row.entity, row.account, row.party): row.amount for row in self.subledger}
        for row in self.subledger:
            if row.account in PROVIDER_LEVEL_ACCOUNTS:
                key = (row.entity, PROVIDER_LEVEL, "")
                sides[key] = sides.get(key, ZERO) + row.amount
        return sides

    @cached_property
    def platform_sides(self) -> dict[tuple[str, str], tuple[Money, Money]]:
        """Ours and theirs of every entity and platform."""
        return {(row.entity, row.platform): (row.ours, row.theirs) for row in self.platforms}

    @cached_property
    def intended_side(self) -> dict[Key, Money]:
        """What the journal entries say of every account and party, confirmed or not."""
        return {(row.entity, row.account, row.party): row.intended for row in self.subledger}

    @cached_property
    def erp_side(self) -> dict[Key, Money]:
        """What the ERP says of every account and party."""
        return {
            (entity, row.account, row.party): row.amount for entity in self.entities for row in self.erp.get(entity, ())
        }


def line_total(lines: Iterable[JournalLine], account: str, party: str) -> Money:
    """What some lines move on one account and party."""
    return Money.total(line.amount for line in lines if line.account.value == account and line.party == party)
