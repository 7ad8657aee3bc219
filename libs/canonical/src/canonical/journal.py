"""Journal entries: balanced lines by account role, summarised for the ERP, detailed in our subledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.codes import AccountRole
from canonical.money import Money


class Unbalanced(ValueError):
    """Debits and credits differ; the message names the entry and the residual."""


class LedgerLine(CanonicalModel):
    """One subledger line. A debit is positive, a credit negative.

    `party` is the payer's id or the entity's patient party where the account is a receivable, and empty elsewhere.
    """

    account: AccountRole
    amount: Money
    party: Public[str] = ""
    payer_class: Public[str] = ""
    department: Public[str] = ""
    cost_center: Public[str] = ""
    location: Public[str] = ""
    rule: Public[str]
    claim_id: UUID | None = None
    encounter_id: UUID | None = None
    patient_id: UUID | None = None


class JournalLine(CanonicalModel):
    """One summarised line of a journal entry: nothing here can hold free text.

    The dimensions (`canonical.codes.Dimension`) are given on accounts of the income statement alone, each where it is known.
    """

    account: AccountRole
    amount: Money
    party: Public[str] = ""
    payer_class: Public[str] = ""
    department: Public[str] = ""
    cost_center: Public[str] = ""
    location: Public[str] = ""


def residual(lines: Iterable[LedgerLine | JournalLine]) -> Money:
    """Debits minus credits; zero when the lines balance."""
    return Money.total(line.amount for line in lines)


def refuse_unbalanced(name: str, lines: Iterable[LedgerLine | JournalLine]) -> None:
    """Raises Unbalanced unless the lines add up to exactly zero."""
    left = residual(lines)
    if left:
        raise Unbalanced(f"{name}: debits and credits differ by {left}")


class JournalHead(CanonicalModel):
    """What a journal entry is about, without its lines.

    `posting_date` is the day on which it was booked, where that is another than its business date, whose period was closed.
    """

    journal_id: UUID
    entity: Public[str]
    kind: Public[str]
    effective_date: Public[date]
    external_number: Public[str]
    rules_version: Public[str]
    posting_date: Public[date] | None = None
