"""The bank: receives the payers' and the gateway's transfers and reports them as BAI2 deposits.

Each deposit is a 16 record of type 165 (ACH credit) in cents, on the entity's `bank_account`. A remittance's text is
`HCCLAIMPMT <PAYER NAME>` and, on an 88 record, the CCD+ addenda `TRN*1*<trace number>*1<payer id>\\`; a payout's text is
`STRIPE PAYOUT <payout id>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from canonical.master_data import MasterData
from canonical.money import Money

from sandbox.world.bai2 import AccountPart, Credit, statement
from sandbox.world.file_drop import BANK_INBOUND, Exchange, drop
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.misbehaviour import Fault, Misbehaviour, Outbox
from sandbox.world.nacha import AchEntry, ach_file
from sandbox.world.remittances import Remittance

_SENDER = "099900027"
_RECEIVER = "THROUGHLINE"


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money that arrived on an account; `kind` is remittance, payout or unrelated."""

    kind: str
    account: str
    credit: Credit


@dataclass(frozen=True, slots=True)
class StatementFile:
    """One BAI2 or NACHA file as the bank hands it over."""

    name: str
    content: bytes


class Bank:
    """Accounts of the entities, and statements of what arrived since the last one; `credited` is all that ever arrived.

    Faults by target `remittance`, `payout` or `unrelated`: DELAY (that many statements later), CORRUPT_ONE_CENT (one cent
    more than was sent), DUPLICATE (credited twice). By target `statement`: DUPLICATE (the same file again). By target
    `outbox`: DOWN (no statement), REORDER.
    """

    def __init__(self, *, master_data: MasterData | None = None, misbehaviour: Misbehaviour | None = None) -> None:
        self.master_data = master_data or sandbox_master_data()
        self.misbehaviour = misbehaviour or Misbehaviour()
        self._outbox: Outbox[Deposit] = Outbox(self.misbehaviour)
        self.credited: dict[str, Money] = {}
        self._balances: dict[str, Money] = {}
        self._deposit_count = 0
        self._file_count = 0

    def deposit_remittances(self, remittances: Iterable[Remittance]) -> None:
        """Credit what each remittance pays; one that pays nothing makes no deposit."""
        for remittance in remittances:
            if remittance.amount:
                texts = (f"HCCLAIMPMT {remittance.payer.name}", _addenda(remittance))
                self._deposit("remittance", remittance.entity.bank_account, remittance.amount, texts)

    def deposit_payout(self, entity_code: str, payout_id: str, net: Money, day: date) -> None:
        """Credit a payout of the card gateway."""
        account = self.master_data.entity(entity_code, day).bank_account
        self._deposit("payout", account, net, (f"STRIPE PAYOUT {payout_id}",))

    def deposit_unrelated(self, entity_code: str, amount: Money, day: date, text: str = "VENDING MACHINE RENT") -> None:
        """Credit money that has nothing to do with billing."""
        account = self.master_data.entity(entity_code, day).bank_account
        self._deposit("unrelated", account, amount, (text,))

    def statement(self, day: date, moment: datetime) -> list[StatementFile]:
        """The file with what arrived since the last one; empty where nothing did, two equal ones on DUPLICATE."""
        deposits = self._outbox.due()
        if not deposits:
            return []
        self._file_count += 1
        content = statement(_SENDER, _RECEIVER, self._file_count, day, moment, self._parts(deposits))
        file = StatementFile(f"bank-{day:%Y%m%d}-{self._file_count:04d}.bai2", content)
        return [file, file] if self.misbehaviour.strike(Fault.DUPLICATE, "statement") else [file]

    def electronic_entries(self, remittances: Iterable[Remittance], day: date, moment: datetime) -> StatementFile:
        """The NACHA file with the transfers of these remittances, each with its CCD+ addenda."""
        entries = [
            AchEntry(remittance.entity.bank_account, remittance.amount, _addenda(remittance))
            for remittance in remittances
            if remittance.amount
        ]
        self._file_count += 1
        name = f"bank-{day:%Y%m%d}-{self._file_count:04d}.ach"
        return StatementFile(name, ach_file(day, moment, entries))

    def drop_statement(self, exchange: Exchange, day: date, moment: datetime) -> int:
        """Write the statement into `bank-inbound`; returns how many files that made."""
        files = self.statement(day, moment)
        for file in files:
            drop(exchange.folder(BANK_INBOUND), file.name, file.content)
        return len(files)

    def _deposit(self, kind: str, account: str, amount: Money, texts: tuple[str, ...]) -> None:
        self._deposit_count += 1
        if self.misbehaviour.strike(Fault.CORRUPT_ONE_CENT, kind):
            amount += Money(1)
        self.credited[account] = self.credited.get(account, Money(0)) + amount
        credit = Credit(amount, f"BK{self._deposit_count:08d}", texts)
        self._outbox.put(Deposit(kind, account, credit), kind)

    def _parts(self, deposits: list[Deposit]) -> list[AccountPart]:
        by_account: dict[str, list[Credit]] = {}
        for deposit in deposits:
            by_account.setdefault(deposit.account, []).append(deposit.credit)
        parts = []
        for account, credits_ in by_account.items():
            opening = self._balances.get(account, Money(0))
            parts.append(AccountPart(account, opening, tuple(credits_)))
            self._balances[account] = opening + Money.total(credit.amount for credit in credits_)
        return parts


def _addenda(remittance: Remittance) -> str:
    return f"TRN*1*{remittance.trace_number}*{remittance.trace_company}\\"
