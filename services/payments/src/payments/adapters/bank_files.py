"""The bank's door: BAI2 and NACHA files become deposits of entities we know."""

from __future__ import annotations

from collections.abc import Sequence

from canonical.ids import derive
from canonical.master_data import KnownMasterData, UnknownMasterData
from canonical.money import USD
from chassis.domain import Refusal
from chassis.file_formats import HEAD_BYTES, Format, recognise

from payments.adapters.bai2 import BankTransaction, read_bai2
from payments.adapters.bank_texts import REFERENCE_MAX, BankFileRefused, named_in, payout_of
from payments.adapters.nacha import read_nacha
from payments.adapters.nacha_files import deposits_in, returns_in, without_strangers_accounts
from payments.application.doors import Answer, BankFile, Doors
from payments.application.recording_deposits import ReportedDeposit

ACH_TYPES = frozenset({142, 143, 145, 164, 165, 166, 168, 169, 451, 452, 455, 466, 469})
"""BAI2 types of credits and debits that come as electronic entries."""


class UnreadableBankFile(Refusal):
    """The file is neither BAI2 nor NACHA, or its control totals are wrong."""


class DepositOfOtherCurrency(Refusal):
    """A deposit in another currency than the books are kept in."""


class UnknownBankAccount(Refusal):
    """A deposit on an account that belongs to no entity."""


def bank_file(name: str, raw: bytes, master_data: KnownMasterData) -> BankFile:
    """The file with its deposits, or with the refusal it earned; debits are the bank's own business, but for those of payouts below zero."""
    is_nacha = recognise(raw[:HEAD_BYTES]) is Format.NACHA
    kind = (Format.NACHA if is_nacha else Format.BAI2).value
    if is_nacha:
        raw = without_strangers_accounts(raw, {entity.bank_account for entity in master_data.entities})
    try:
        if is_nacha:
            entries = read_nacha(raw)
            return BankFile(name, raw, deposits_in(entries, master_data), kind=kind, returns=returns_in(entries))
        lines = [line for line in read_bai2(raw) if line.amount and (line.is_credit or payout_of(line.text))]
        return BankFile(name, raw, _deposits(lines, master_data))
    except BankFileRefused as refused:
        return BankFile(name, raw, refusal=UnreadableBankFile(str(refused)), kind=kind)
    except DepositOfOtherCurrency as other:
        return BankFile(name, raw, refusal=other, kind=kind)
    except UnknownMasterData as unknown:
        return BankFile(name, raw, refusal=UnknownBankAccount(str(unknown)), kind=kind)


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
    if line.amount.currency != USD:
        raise DepositOfOtherCurrency(f"a deposit of {line.amount} on {line.on}, where the books are kept in {USD}")
    named = named_in(line.text)
    return ReportedDeposit(
        deposit_id=derive("deposit", *identity),
        entity=entity.code,
        kind=named.kind,
        amount=line.amount if line.is_credit else -line.amount,
        on=line.on,
        reference=(named.reference or line.bank_reference)[:REFERENCE_MAX],
        span_start=line.span_start,
        span_length=line.span_length,
        originator=named.originator,
        further_references=named.further,
        is_ach=line.type_code in ACH_TYPES,
    )


def _identity(line: BankTransaction) -> tuple[object, ...]:
    """The bank's own reference where it gives one, so that another amount under it is noticed; else all there is."""
    if line.bank_reference:
        return (line.account, line.bank_reference, line.customer_reference, line.type_code)
    return (line.account, line.on, line.type_code, line.amount, line.customer_reference, line.text, line.occurrence)
