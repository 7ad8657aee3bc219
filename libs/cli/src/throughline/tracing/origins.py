"""What a part must be by the fact it was booked for: the amounts on each account, and where the fact's bytes are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from canonical.money import Money

from throughline.tracing.records import NOTHING, ChargePosting, Decision, Line, Place
from throughline.wire import amount_text

PERCENT_MAX = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """The fact behind a part. `amounts` are what it books by account, or by account and party where one account has two;
    `equation` is the fact's own sum in words.

    `claim_amounts` are CLP03 and CLP04 as the fact has them, `adjustment` code and amount of a PLB pair, to compare with the
    bytes once those are opened.
    """

    event: str
    service: str
    story: tuple[str, ...]
    amounts: Mapping[str, Money]
    equation: str
    equation_holds: bool
    places: tuple[Place, ...]
    claim_amounts: tuple[Money | None, Money] | None = None
    adjustment: tuple[str, Money] | None = None
    bytes_agree: bool | None = None

    def explains(self, line: Line) -> bool:
        """Whether this fact books exactly that amount on that account, and its bytes, if opened, say so too."""
        booked = self.amounts.get(f"{line.account} {line.party}", self.amounts.get(line.account, NOTHING))
        return booked == line.amount and self.equation_holds and self.bytes_agree is not False


def amounts_of_decision(decision: Decision, estimate: Money) -> dict[str, Money]:
    """J04 to J09 and J11 of one decision; a claim's first one also releases the `estimate` booked with the charges.

    A payment for a claim that is not ours stays unapplied (J26), and is taken from there once it is matched.
    """
    if not decision.claim_id:
        return {"eft-clearing": decision.paid, "unapplied-payer": -decision.paid}
    released = estimate if decision.releases_estimate else NOTHING
    owed_by = f"ar-payer {decision.next_payer}" if decision.next_payer else "ar-patient"
    return {
        "unapplied-payer" if decision.match else "eft-clearing": decision.paid,
        "ar-payer": -decision.taken_off_receivable,
        "ar-payer-denied": decision.denied,
        owed_by: decision.patient,
        "sequestration": decision.sequestration,
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


def booked_amounts(sums: Mapping[tuple[str, str], int]) -> dict[str, Money]:
    """What a fact books, as the accountant's rules say it in cents by account and party."""
    return {" ".join(filter(None, place)): Money(cents) for place, cents in sums.items()}


def mirrored(debit: str, credit: str, amount: Money) -> dict[str, Money]:
    """One amount on two accounts."""
    return {debit: amount, credit: -amount}
