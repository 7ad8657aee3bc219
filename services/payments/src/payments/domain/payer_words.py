"""What a payer said of one claim, as far as a patient is told of it: charged, paid, left to the patient, or passed on."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from canonical.classes import Financial, Public
from canonical.money import Money
from pydantic import BaseModel, ConfigDict


class ShareOrigin(StrEnum):
    """Where what a patient owes comes from: the charges (what a payer left of them, or all of them), or another account."""

    CHARGES = "charges"
    TRANSFER = "transfer"


class PayerWord(BaseModel):
    """One decision of one payer. A reversal has every amount below zero; `sequence` is 1 for the first payer.

    What `left` says is owed by `next_payer` where there is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    payer: Public[str]
    sequence: int
    charge: Money
    paid: Money
    left: Money
    next_payer: Public[str] = ""
    service_from: Financial[date]


class LineOwed(BaseModel):
    """What of a share is of one line: a claim's line counted from 1, or a charge of a visit without a claim, by its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: Public[str]
    amount: Money
