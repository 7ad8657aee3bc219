"""The bank's files of electronic entries: transfers with the trace numbers of their remittances, others, and returns.

A balance report tells of the same credits; which are the same is found where they are recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from canonical.ids import derive
from canonical.master_data import KnownMasterData

from payments.adapters.bank_texts import Named, named_in
from payments.adapters.nacha import RECORD_BYTES, NachaEntry
from payments.application.doors import ReturnedEntry
from payments.application.recording_deposits import ReportedDeposit
from payments.domain.deposit import DepositSource

ACCOUNT_AT, ACCOUNT_BYTES = 12, 17
RETURNS = {
    "R01": "insufficient funds",
    "R02": "account closed",
    "R03": "no account, or another holder",
    "R04": "account number is none",
    "R05": "consumer did not authorise a corporate debit",
    "R06": "returned at our bank's request",
    "R07": "authorisation revoked",
    "R08": "payment stopped",
    "R09": "funds not collected yet",
    "R10": "not authorised, says the customer",
    "R11": "not as it was authorised, says the customer",
    "R13": "routing number is none",
    "R14": "representative payee deceased",
    "R15": "beneficiary or holder deceased",
    "R16": "account frozen",
    "R17": "entry with odd contents",
    "R20": "account takes no such entries",
    "R23": "credit refused by its receiver",
    "R24": "duplicate entry",
    "R29": "corporate customer did not authorise it",
    "R31": "corporate return that we allowed",
}


def deposits_in(entries: Iterable[NachaEntry], master_data: KnownMasterData) -> list[ReportedDeposit]:
    """The credits at accounts of ours, and the debits that take a payout below zero.

    Raises:
        UnknownMasterData: one is on an account of no entity.
    """
    own = ((entry, named_in(entry.text)) for entry in entries if entry.amount and not entry.original_trace)
    return [_deposit(entry, named, master_data) for entry, named in own if entry.is_credit or named.is_payout]


def _deposit(entry: NachaEntry, named: Named, master_data: KnownMasterData) -> ReportedDeposit:
    return ReportedDeposit(
        deposit_id=derive("deposit", "nacha", entry.account, entry.on, entry.trace_number),
        entity=master_data.entity_by_bank_account(entry.account, entry.on).code,
        kind=named.kind,
        amount=entry.amount if entry.is_credit else -entry.amount,
        on=entry.on,
        reference=named.reference or entry.trace_number,
        span_start=entry.span_start,
        span_length=entry.span_length,
        originator=named.originator,
        further_references=named.further,
        source=DepositSource.NACHA,
    )


def returns_in(entries: Iterable[NachaEntry]) -> list[ReturnedEntry]:
    """Entries of ours that another bank sent back, or wants written otherwise from now on."""
    return [
        ReturnedEntry(
            return_id=derive("ach-return", entry.on, entry.trace_number, entry.original_trace),
            code=entry.return_reason or entry.change_code,
            meaning=RETURNS.get(entry.return_reason, "see the bank's list of codes"),
            original_trace=entry.original_trace,
            amount=entry.amount,
            on=entry.on,
        )
        for entry in entries
        if entry.return_reason or entry.change_code
    ]


def without_strangers_accounts(raw: bytes, own: Collection[str]) -> bytes:
    """The file with stars in place of account numbers that are not ours: those of returned entries are other people's."""
    kept, at = bytearray(raw), 0
    while at < len(raw):
        if raw[at : at + 1] in (b"\r", b"\n"):
            at += 1
            continue
        place = slice(at + ACCOUNT_AT, min(at + ACCOUNT_AT + ACCOUNT_BYTES, len(raw)))
        if raw[at : at + 1] == b"6" and raw[place].decode("ascii", errors="replace").strip() not in own:
            kept[place] = b"*" * (place.stop - place.start)
        at += RECORD_BYTES
    return bytes(kept)
