"""What a part must be by the fact it was booked for: the amounts on each account, and where the fact's bytes are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from canonical.money import Money

from throughline.tracing.records import NOTHING, ChargePosting, Decision, Place
from throughline.wire import amount_text

PERCENT_MAX = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """The fact behind a part. `amounts` are what it books by account; `equation` is the fact's own sum in words.

    `claim_amounts` are CLP03 and CLP04 as the fact has them, to compare with the bytes once those are opened.
    """

    event: str
    service: str
    story: tuple[str, ...]
    amounts: Mapping[str, Money]
    equation: str
    equation_holds: bool
    places: tuple[Place, ...]
    claim_amounts: tuple[Money | None, Money] | None = None
    bytes_agree: bool | None = None

    def explains(self, account: str, amount: Money) -> bool:
        """Whether this fact books exactly that amount on that account, and its bytes, if opened, say so too."""
        booked = self.amounts.get(account, NOTHING) == amount
        return booked and self.equation_holds and self.bytes_agree is not False


def amounts_of_decision(decision: Decision, estimate: Money) -> dict[str, Money]:
    """J04, J05, J07 and J09 of one decision; the first one also releases the `estimate` booked with the charges.

    A payment for a claim that is not ours stays unapplied (J26).
    """
    if not decision.claim_id:
        return {"eft-clearing": decision.paid, "unapplied-payer": -decision.paid}
    released = estimate if decision.first else NOTHING
    return {
        "eft-clearing": decision.paid,
        "ar-payer": -decision.taken_off_receivable,
        "ar-payer-denied": decision.denied,
        "ar-patient": decision.patient,
        "contractual-allowance": decision.contractual - released,
        "ar-allowance": released,
    }


def equation_of_decision(decision: Decision) -> str:
    """What the payer did with the charge, in one sum."""
    if not decision.claim_id:
        return f"paid {amount_text(decision.paid)} for a claim that is not ours"
    shares = {
        "paid": decision.paid,
        "contractual": decision.contractual,
        "denied": decision.denied,
        "patient": decision.patient,
        "other": decision.other,
    }
    words = [f"{name} {amount_text(amount)}" for name, amount in shares.items() if amount or name == "paid"]
    return f"charge {amount_text(decision.charge)} = {' + '.join(words)}"


def amounts_of_charges(posting: ChargePosting, estimate: Money) -> dict[str, Money]:
    """J01, and for a payer J03: what its contract is expected to take off."""
    receivable = "ar-payer" if posting.payer else "ar-patient"
    return {
        receivable: posting.total,
        "gross-revenue": -posting.total,
        "contractual-allowance": estimate,
        "ar-allowance": -estimate,
    }


def percent_of(estimate: Money, total: Money) -> int | None:
    """The whole percentage of which the estimate is the share, rounded half to even; None where there is none."""
    for percent in range(PERCENT_MAX + 1):
        if total.share_half_even(percent, PERCENT_MAX) == estimate:
            return percent
    return None


def mirrored(debit: str, credit: str, amount: Money) -> dict[str, Money]:
    """One amount on two accounts."""
    return {debit: amount, credit: -amount}
