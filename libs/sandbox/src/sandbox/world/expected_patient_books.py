"""What the books must show of patients' money, from what payers left to patients and what the gateway and the bank did.

As `expected_books` it shares nothing with the services but the words, and reckons by account, not by event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from canonical.codes import AccountRole, AdjustmentGroup
from canonical.money import Money

from sandbox.world.desk import FORWARDED_STATUS, PREDETERMINED_STATUS, UNKNOWN_PATIENT_CONTROL_NUMBER
from sandbox.world.expected_books import Books, patient_party
from sandbox.world.gateway_book import GatewayBook
from sandbox.world.gateway_later import LaterMoney
from sandbox.world.gateway_later_objects import DISPUTE_FEE_MINOR, Dispute, DisputeStatus, Refund, RefundStatus
from sandbox.world.gateway_objects import BalanceTransaction, PaymentIntent
from sandbox.world.remittances import PaidClaim, Remittance
from sandbox.world.scenario import Scenario

PATIENT_SIDE = frozenset(
    {
        AccountRole.CASH,
        AccountRole.GATEWAY_CLEARING,
        AccountRole.AR_PATIENT,
        AccountRole.UNAPPLIED_PATIENT,
        AccountRole.UNIDENTIFIED_RECEIPTS,
        AccountRole.PROCESSING_FEES,
        AccountRole.REFUNDS_PAYABLE,
        AccountRole.DISPUTES_RECEIVABLE,
        AccountRole.DISPUTE_FEES,
        AccountRole.CHARITY_CARE,
        AccountRole.SMALL_BALANCE,
        AccountRole.BAD_DEBT,
    }
)
"""The accounts that patients' money moves, and the bank's."""
_CHARGES = ("charge", "payment")
_OPEN_DISPUTES = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)
Patient = tuple[str, str]
"""Entity and medical record number."""


@dataclass(slots=True)
class PatientMoney:
    """What one patient owes at last, and the cash that is left of each payment, in cents."""

    owed: int = 0
    cash: list[int] = field(default_factory=list)

    @property
    def applied(self) -> int:
        """All that is there pays all that is owed; a payment of which more than all went back pays nothing."""
        return min(max(self.owed, 0), sum(max(left, 0) for left in self.cash))

    @property
    def unapplied(self) -> int:
        return sum(self.cash) - self.applied


def shares_of_patients(scenario: Scenario, posted: Iterable[Remittance]) -> Counter[Patient]:
    """What charges and these remittances leave to each patient: a share for which another payer comes next is none."""
    shares: Counter[Patient] = Counter()
    members: dict[tuple[str, str], Patient] = {}
    for encounter in scenario.encounters:
        patient = (encounter.entity, encounter.patient.mrn)
        members |= {(each.payer, each.member_id): patient for each in encounter.coverages if each.member_id}
        if encounter.coverage is None:
            shares[patient] += encounter.total.minor
    after = scenario.coverages_after
    for remittance in posted:
        for paid in remittance.claims:
            member = (remittance.payer.code, paid.decision.claim.member_id)
            if member not in after and _is_decided(paid):
                shares[members[member]] += _patients_part(paid).minor
    return shares


def _is_decided(paid: PaidClaim) -> bool:
    decision = paid.decision
    is_known = decision.claim.patient_control_number != UNKNOWN_PATIENT_CONTROL_NUMBER
    return is_known and decision.status not in (FORWARDED_STATUS, PREDETERMINED_STATUS)


def _patients_part(paid: PaidClaim) -> Money:
    parts = (each.amount for each in paid.decision.adjustments if each.group is AdjustmentGroup.PATIENT)
    return Money.total(parts)


@dataclass(frozen=True)
class GatewayEnd:
    """The gateway's own book at the end. `cancelled` are refunds that failed and that a person has cancelled since."""

    book: GatewayBook
    later: LaterMoney
    cancelled: Collection[str] = ()

    def cash_of(self, intent: PaymentIntent) -> int:
        """What is left of a payment, in cents: below zero where more went back than came."""
        charge = self.book.charges.get(intent.latest_charge)
        if charge is None or not charge.balance_transaction:
            return 0
        returned = charge.amount if charge.failure_balance_transaction else 0
        refunded = sum(each.amount for each in self.later.refunds.values() if self._is_of(each, intent))
        lost = sum(
            each.amount
            for each in self.later.disputes.values()
            if each.intent_id == intent.id and each.status is DisputeStatus.LOST
        )
        return charge.amount - returned - refunded - lost

    def _is_of(self, refund: Refund, intent: PaymentIntent) -> bool:
        is_void = refund.status is RefundStatus.CANCELED or refund.id in self.cancelled
        return refund.intent_id == intent.id and not is_void

    def books(self, entities: Mapping[str, str]) -> Books:
        """What is in the gateway's balance, owed to patients and borne as fees, by the entity of each account there."""
        books: Books = Counter()
        for moved in self.book.transactions.values():
            entity = entities[moved.account]
            if not moved.payout_id:
                books[entity, AccountRole.GATEWAY_CLEARING, ""] += self._still_there(moved)
            elif moved.kind in (*_CHARGES, "stripe_fee"):
                books[entity, AccountRole.PROCESSING_FEES, ""] += _fee(moved)
        for refund in self.later.refunds.values():
            if self._is_owed(refund):
                books[entities[refund.account], AccountRole.REFUNDS_PAYABLE, ""] -= refund.amount
        for dispute in self.later.disputes.values():
            _dispute(books, entities[dispute.account], dispute)
        return books

    def _is_owed(self, refund: Refund) -> bool:
        has_failed = refund.status is RefundStatus.FAILED and refund.id not in self.cancelled
        return has_failed or refund.status is RefundStatus.PENDING

    def _still_there(self, moved: BalanceTransaction) -> int:
        """Fees of payments are booked with their payout, those of disputes at once; a pending refund is not yet paid."""
        if moved.kind in _CHARGES:
            return moved.amount
        refund = self.later.refunds.get(moved.source)
        is_pending = refund is not None and refund.status is RefundStatus.PENDING
        return 0 if is_pending or moved.kind == "stripe_fee" else moved.net


def _fee(moved: BalanceTransaction) -> int:
    return moved.fee if moved.kind in _CHARGES else -moved.net


def _dispute(books: Books, entity: str, dispute: Dispute) -> None:
    if not dispute.moves:
        return
    books[entity, AccountRole.DISPUTE_FEES, ""] += DISPUTE_FEE_MINOR
    if dispute.status in _OPEN_DISPUTES:
        books[entity, AccountRole.DISPUTES_RECEIVABLE, ""] += dispute.amount


def book_patient(books: Books, entity: str, money: PatientMoney) -> None:
    """One patient's receivable and the cash that pays nothing."""
    books[entity, AccountRole.AR_PATIENT, patient_party(entity)] += money.owed - money.applied
    books[entity, AccountRole.UNAPPLIED_PATIENT, ""] -= money.unapplied


def patient_side(books: Mapping[tuple[str, AccountRole, str], int]) -> dict[tuple[str, str, str], int]:
    """The accounts of `PATIENT_SIDE` that are not empty, by the account's plain name."""
    return {
        (entity, role.value, party): minor
        for (entity, role, party), minor in books.items()
        if minor and role in PATIENT_SIDE
    }
