"""The bank's door: BAI2 files become deposits of entities we know."""

from __future__ import annotations

from collections.abc import Sequence

from canonical.ids import derive
from canonical.master_data import KnownMasterData, UnknownMasterData
from chassis.domain import Refusal

from payments.adapters.bai2 import BankTransaction, read_bai2
from payments.adapters.bank_texts import BankFileRefused, payout_of, trace_of
from payments.application.doors import Answer, BankFile, Doors
from payments.application.recording_deposits import ReportedDeposit
from payments.domain.deposit import DepositKind


class UnreadableBankFile(Refusal):
    """The file is not BAI2, or its control totals are wrong."""


class UnknownBankAccount(Refusal):
    """A deposit on an account that belongs to no entity."""


def bank_file(name: str, raw: bytes, master_data: KnownMasterData) -> BankFile:
    """The file with its deposits, or with the refusal it earned; debits are the bank's own business."""
    try:
        credits_found = [line for line in read_bai2(raw) if line.is_credit and line.amount]
        return BankFile(name, raw, _deposits(credits_found, master_data))
    except BankFileRefused as refused:
        return BankFile(name, raw, refusal=UnreadableBankFile(str(refused)))
    except UnknownMasterData as unknown:
        return BankFile(name, raw, refusal=UnknownBankAccount(str(unknown)))


def take_bank_file(doors: Doors, master_data: KnownMasterData, name: str, raw: bytes) -> bool:
    """Receives one file; true where it was accepted."""
    return doors.receive_bank_file(bank_file(name, raw, master_data)) is not Answer.REFUSED


def _deposits(lines: Sequence[BankTransaction], master_data: KnownMasterData) -> list[ReportedDeposit]:
    """Each record of a file is a deposit of its own, also where the bank gives several the same reference."""
    seen: dict[tuple[object, ...], int] = {}
    found = []
    for line in lines:
        identity = _identity(line)
        before = seen.get(identity, 0)
        seen[identity] = before + 1
        found.append(_deposit(line, (*identity, before) if before else identity, master_data))
    return found


def _deposit(line: BankTransaction, identity: tuple[object, ...], master_data: KnownMasterData) -> ReportedDeposit:
    entity = master_data.entity_by_bank_account(line.account, line.on)
    trace, payout = trace_of(line.text), payout_of(line.text)
    kind = DepositKind.REMITTANCE if trace else DepositKind.PAYOUT if payout else DepositKind.OTHER
    return ReportedDeposit(
        deposit_id=derive("deposit", *identity),
        entity=entity.code,
        kind=kind,
        amount=line.amount,
        on=line.on,
        reference=(trace[0] if trace else payout or line.bank_reference)[:100],
        span_start=line.span_start,
        span_length=line.span_length,
    )


def _identity(line: BankTransaction) -> tuple[object, ...]:
    """The bank's own reference where it gives one, so that another amount under it is noticed; else all there is."""
    if line.bank_reference:
        return (line.account, line.bank_reference, line.customer_reference, line.type_code)
    return (line.account, line.on, line.type_code, line.amount, line.customer_reference, line.text, line.occurrence)
