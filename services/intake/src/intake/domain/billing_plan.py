"""What is to be announced of an encounter's charges: postings to revise, and bills for what fits into none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from intake.domain.bills import Bill
from intake.domain.encounter_content import CapturedCharge, HoldReason
from intake.domain.kept_charges import KeptCharges
from intake.domain.postings import PostingSaid, lines_max

Read = Callable[[Sequence[CapturedCharge]], tuple[tuple[Bill, ...], tuple[HoldReason, ...]]]
"""Gives the bills of charges, or why they cannot be billed."""


@dataclass(slots=True)
class BillingPlan:
    """`revisions` are in the order in which they are to be announced: what gives a charge away before what takes it."""

    voids: list[PostingSaid] = field(default_factory=list)
    revisions: list[tuple[PostingSaid, Bill]] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    reasons: dict[HoldReason, None] = field(default_factory=dict)


def plan_billing(encounter: KeptCharges, read: Read) -> BillingPlan:
    """The plan for charges that wait and for postings whose charges changed; with `reasons` nothing but voids holds.

    A corrected charge stays in its posting unless it is billed on another kind of claim now. A late one joins the newest
    posting of the same payer, kind and provider while that has room.
    """
    return _Planning(encounter, read).plan()


class _Planning:
    def __init__(self, encounter: KeptCharges, read: Read) -> None:
        self._encounter = encounter
        self._read = read
        self._plan = BillingPlan()
        self._revised: dict[int, Bill] = {}

    def plan(self) -> BillingPlan:
        loose = list(self._encounter.waiting)
        for said in self._encounter.stale_postings:
            loose += self._revise(said)
        if loose:
            for bill in self._bills(loose):
                self._place(bill)
        posted = self._encounter.posted
        changed = [(posted[number], bill) for number, bill in self._revised.items()]
        self._plan.revisions = sorted(changed, key=lambda each: _gains(*each))
        return self._plan

    def _bills(self, charges: Sequence[CapturedCharge]) -> tuple[Bill, ...]:
        bills, reasons = self._read(charges)
        self._plan.reasons |= dict.fromkeys(reasons)
        return bills

    def _revise(self, said: PostingSaid) -> list[CapturedCharge]:
        """What has to leave the posting, since it is billed on another kind of claim now."""
        standing = self._encounter.standing_in(said)
        bills = self._bills(standing) if standing else ()
        staying = next((bill for bill in bills if bill.terms.claim_type is said.claim_type), None)
        if staying is not None:
            self._revised[said.posting] = staying
        elif bills or not standing:
            self._plan.voids.append(said)
        return [charge for bill in bills if bill is not staying for charge in bill.charges]

    def _place(self, bill: Bill) -> None:
        voided = [said.posting for said in self._plan.voids]
        open_postings = (said for said in self._encounter.open_postings if said.posting not in voided)
        newest = next((said for said in open_postings if said.takes(bill.terms)), None)
        left = bill.charges
        if newest is not None:
            revised = self._revised.get(newest.posting)
            present = revised.charges if revised else self._encounter.standing_in(newest)
            room = max(0, lines_max(newest.claim_type) - len(present))
            joining, left = left[:room], left[room:]
            if joining:
                self._join(newest, self._bills((*present, *joining)))
        if left:
            self._plan.bills.append(replace(bill, charges=left))

    def _join(self, said: PostingSaid, bills: Sequence[Bill]) -> None:
        """What the posting held, and is billed on another kind of claim by now, goes to another one."""
        for bill in bills:
            if bill.terms.claim_type is said.claim_type:
                self._revised[said.posting] = bill
        for bill in bills:
            if bill.terms.claim_type is not said.claim_type:
                self._place(bill)


def _gains(said: PostingSaid, bill: Bill) -> bool:
    return any(charge.line.charge_id not in said.charge_ids for charge in bill.charges)
