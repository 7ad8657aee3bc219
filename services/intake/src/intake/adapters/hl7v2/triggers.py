"""The messages that are taken, and what each of them is about."""

from __future__ import annotations

from enum import StrEnum


class Trigger(StrEnum):
    """What a message says happened."""

    VISIT = "a visit begins or changes"
    PERSON = "a person is known or changes"
    VISIT_ENDED = "a visit ends"
    VISIT_CANCELLED = "a visit never was"
    END_CANCELLED = "a visit goes on"
    PERSONS_MERGED = "two numbers are one person"
    PERSONS_UNMERGED = "two numbers are two persons after all"
    TRANSACTIONS = "charges, credits, payments and adjustments"
    ACCOUNT = "an account is opened or changes"
    ACCOUNTS_PURGED = "accounts never were"
    ACCOUNTS_ENDED = "accounts take no more charges"


TRIGGERS = {
    ("ADT", "A01"): Trigger.VISIT,
    ("ADT", "A03"): Trigger.VISIT_ENDED,
    ("ADT", "A04"): Trigger.VISIT,
    ("ADT", "A05"): Trigger.VISIT,
    ("ADT", "A08"): Trigger.VISIT,
    ("ADT", "A11"): Trigger.VISIT_CANCELLED,
    ("ADT", "A13"): Trigger.END_CANCELLED,
    ("ADT", "A28"): Trigger.PERSON,
    ("ADT", "A31"): Trigger.PERSON,
    ("ADT", "A34"): Trigger.PERSONS_MERGED,
    ("ADT", "A37"): Trigger.PERSONS_UNMERGED,
    ("ADT", "A40"): Trigger.PERSONS_MERGED,
    ("DFT", "P03"): Trigger.TRANSACTIONS,
    ("DFT", "P11"): Trigger.TRANSACTIONS,
    ("BAR", "P01"): Trigger.ACCOUNT,
    ("BAR", "P02"): Trigger.ACCOUNTS_PURGED,
    ("BAR", "P05"): Trigger.ACCOUNT,
    ("BAR", "P06"): Trigger.ACCOUNTS_ENDED,
}
