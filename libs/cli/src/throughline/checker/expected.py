"""What each announced fact must book, by account and party in cents: the accountant's rules, written down a second time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from throughline.checker.amounts import cents
from throughline.checker.records import State

Place = tuple[str, str]
"""An account's role and a party, which is empty where the account has none."""
Sums = dict[Place, int]

CASH: Final = ("cash", "")
UNIDENTIFIED: Final = ("unidentified-receipts", "")
EFT: Final = ("eft-clearing", "")
UNAPPLIED: Final = ("unapplied-payer", "")
PATIENT_CASH: Final = ("unapplied-patient", "")
REFUNDS: Final = ("refunds-payable", "")
DISPUTED: Final = ("disputes-receivable", "")
ESTIMATE: Final = ("ar-allowance", "")
CONTRACTUAL: Final = ("contractual-allowance", "")
SEQUESTRATION: Final = "CO-253"
CLEARING_BY_CHANNEL: Final = {"gateway": "gateway-clearing", "front-desk": "front-desk-clearing"}
PRIOR_PAYER: Final = "OA-23"
DUE_TO_PAYER_CODES: Final = frozenset({"72", "AP", "FB", "WO"})
ADJUSTMENT_ACCOUNTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(DUE_TO_PAYER_CODES, "due-to-payer"),
    "L6": "interest-income",
    "IR": "levies-withheld",
    "LE": "levies-withheld",
    "E3": "payer-withholds",
}
"""Accounts of PLB codes; every other one is `provider-adjustments`."""


def taken_by_reason(adjustments: Sequence[State]) -> dict[str, int]:
    """Adjustments of one decision summed by group and reason, such as `CO-45`."""
    sums: dict[str, int] = {}
    for adjustment in adjustments:
        reason = f"{adjustment['group']}-{adjustment['reason']}"
        sums[reason] = sums.get(reason, 0) + cents(adjustment["amount"])
    return sums


def by_decision(facts: State, denied: int) -> Sums:
    """J04 to J09, J11, and a match: all but the release of the estimate, which `released` tells.

    `denied` is what claims says of it; whether a CO is contractual is master data's, which is not read here.
    """
    entity, payer = facts["entity"], facts["payer"]
    taken, paid = facts["taken"], cents(facts["paid"])
    memo = taken.get(PRIOR_PAYER, 0)
    sequestration = taken.get(SEQUESTRATION, 0)
    patient = sum(amount for reason, amount in taken.items() if reason.startswith("PR-"))
    total = sum(taken.values()) - memo
    next_payer = facts.get("next_payer")
    owed_by = ("ar-payer", next_payer) if next_payer else ("ar-patient", f"PATIENTS-{entity}")
    return added(
        (UNAPPLIED if facts.get("match") else EFT, paid),
        (("ar-payer", payer), -paid - total),
        (("ar-payer-denied", payer), denied),
        (("sequestration", ""), sequestration),
        (owed_by, patient),
        (CONTRACTUAL, total - sequestration - patient - denied),
    )


def released(facts: State, estimate: int) -> Sums:
    """What a primary claim's first decision gives back of the J03 `estimate` of its charges."""
    if not facts.get("first") or facts.get("sequence", 1) != 1 or facts.get("kind") in ("reversal", "unmatched"):
        return {}
    return added((ESTIMATE, estimate), (CONTRACTUAL, -estimate))


def by_unknown_payment(facts: State) -> Sums:
    """J26."""
    paid = cents(facts["paid"])
    return added((EFT, paid), (UNAPPLIED, -paid))


def by_note(facts: State) -> Sums:
    """A note moves nothing."""
    return {}


def by_release(facts: State) -> Sums:
    """J09, the other way."""
    amount, payer = cents(facts["amount"]), facts["payer"]
    return added((("ar-payer", payer), amount), (("ar-payer-denied", payer), -amount))


def by_write_off(facts: State) -> Sums:
    """J10."""
    amount = cents(facts["amount"])
    return added((("denial-write-off", ""), amount), (("ar-payer-denied", facts["payer"]), -amount))


def by_provider_adjustment(reason: str, amount: int) -> Sums:
    """J12 and J13: a positive amount lowered the payment."""
    account = ADJUSTMENT_ACCOUNTS.get(reason, "provider-adjustments")
    return added(((account, ""), amount), (EFT, -amount))


def by_deposit(facts: State) -> Sums:
    """J14; J27 where it had been booked before as nobody's."""
    amount = cents(facts["amount"])
    return added((UNIDENTIFIED if facts.get("was_unidentified") else CASH, amount), (EFT, -amount))


def by_unidentified_deposit(facts: State) -> Sums:
    """J27."""
    amount = cents(facts["amount"])
    return added((CASH, amount), (UNIDENTIFIED, -amount))


def by_overpayment(facts: State) -> Sums:
    """J20."""
    amount = cents(facts["amount"])
    owed, receivable = ("refunds-payable-payer", ""), ("ar-payer", facts["payer"])
    debit, credit = {
        "identified": (receivable, owed),
        "withdrawn": (owed, receivable),
        "returned": (owed, CASH),
        "recouped": (owed, ("due-to-payer", "")),
    }[facts["step"]]
    return added((debit, amount), (credit, -amount))


def by_patient_payment(facts: State) -> Sums:
    """J15."""
    applied, unapplied = cents(facts["applied"]), cents(facts["unapplied"])
    return added(
        ((CLEARING_BY_CHANNEL[facts.get("channel", "gateway")], ""), applied + unapplied),
        (("ar-patient", f"PATIENTS-{facts['entity']}"), -applied),
        (("unapplied-patient", ""), -unapplied),
    )


def by_application(facts: State) -> Sums:
    """J16."""
    amount = cents(facts["amount"])
    return added((("unapplied-patient", ""), amount), (("ar-patient", f"PATIENTS-{facts['entity']}"), -amount))


def by_refund(facts: State) -> Sums:
    """J18: owed to the patient, paid, come back, no longer owed."""
    amount = cents(facts["amount"])
    sign = -1 if facts["step"] in ("failed", "cancelled") else 1
    paid = (CLEARING_BY_CHANNEL[facts.get("channel", "gateway")], "")
    debit, credit = REFUNDS, paid
    if facts["step"] in ("approved", "cancelled"):
        debit, credit = PATIENT_CASH, REFUNDS
    return added((debit, sign * amount), (credit, -sign * amount))


def by_dispute(facts: State) -> Sums:
    """J19: the fee is the gateway's in any case."""
    amount, fee = cents(facts["amount"]), cents(facts["fee"])
    gateway = ("gateway-clearing", "")
    if facts["step"] == "withdrawn":
        return added((DISPUTED, amount), (("dispute-fees", ""), fee), (gateway, -amount - fee))
    if facts["step"] == "won":
        return added((gateway, amount), (DISPUTED, -amount))
    sign = -1 if facts["step"] == "recovered" else 1
    return added((PATIENT_CASH, sign * amount), (DISPUTED, -sign * amount))


def by_return(facts: State) -> Sums:
    """J19, by the payer's bank."""
    amount = cents(facts["amount"])
    return added((PATIENT_CASH, amount), (("gateway-clearing", ""), -amount))


def by_patient_write_off(facts: State) -> Sums:
    """J21, J22, J23, J24."""
    amount = cents(facts["amount"])
    given_up = "charity-care" if facts["kind"] == "charity" else facts["kind"]
    return added(((given_up, ""), amount), (("ar-patient", f"PATIENTS-{facts['entity']}"), -amount))


def by_price_concession(facts: State) -> Sums:
    """J22."""
    amount = cents(facts["amount"])
    return added((("price-concession", ""), amount), (("concession-allowance", ""), -amount))


def by_transfer(facts: State) -> Sums:
    """From one patient to another, on one account."""
    return {}


def by_payout(facts: State) -> Sums:
    """J17."""
    gross, fees = cents(facts["gross"]), cents(facts["fees"])
    return added(
        (CASH, gross - fees),
        (("processing-fees", ""), fees),
        (("gateway-clearing", ""), -gross),
    )


def by_charges(facts: State, estimate: int) -> Sums:
    """J01 and J03; how much is expected to be taken off is master data's."""
    return _charged(facts, cents(facts["total"]), estimate)


def _charged(facts: State, total: int, estimate: int) -> Sums:
    payer = facts["payer"]
    owed_by = ("ar-payer", payer) if payer else ("ar-patient", f"PATIENTS-{facts['entity']}")
    return added(
        (owed_by, total),
        (("gross-revenue", ""), -total),
        (CONTRACTUAL, estimate),
        (ESTIMATE, -estimate),
    )


def by_revision(facts: State, estimate: int) -> Sums:
    """J02: the mirror of the posting before with J01 and J03 of what it says now; `estimate` is by how much that changed."""
    return _charged(facts, cents(facts["total"]) - cents(facts["previous_total"]), estimate)


def by_estimate_release(facts: State, estimate: int) -> Sums:
    """J05 of a revised claim that was decided on before: it keeps no estimate."""
    return added((ESTIMATE, estimate), (CONTRACTUAL, -estimate)) if facts["decided"] else {}


def added(*amounts: tuple[Place, int]) -> Sums:
    """Amounts summed by place; nothing that is zero."""
    sums: Sums = {}
    for place, amount in amounts:
        sums[place] = sums.get(place, 0) + amount
    return {place: amount for place, amount in sums.items() if amount}
