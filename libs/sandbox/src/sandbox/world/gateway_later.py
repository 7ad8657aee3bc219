"""What the card gateway does after a payment: refunds, disputes, debits that settle or come back, payouts that fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from sandbox.world.gateway_book import GatewayBook, NotFound
from sandbox.world.gateway_later_objects import DISPUTE_FEE_MINOR, Dispute, DisputeStatus, Refund, RefundStatus
from sandbox.world.gateway_objects import Charge, IntentStatus, Json, PaymentIntent, Payout, PayoutStatus

_T = TypeVar("_T")


class NotPossible(ValueError):
    """The gateway refuses it: so much is not left, or it is not in the state for it."""


class LaterMoney:
    """Works on a gateway's book; each call gives the events that tell of it. Not safe for threads by itself."""

    def __init__(self, book: GatewayBook) -> None:
        self._book = book
        self.refunds: dict[str, Refund] = {}
        self.disputes: dict[str, Dispute] = {}

    def refund(
        self,
        payment: str,
        amount: int = 0,
        metadata: Mapping[str, str] | None = None,
        status: RefundStatus = RefundStatus.SUCCEEDED,
    ) -> tuple[Refund, list[Json]]:
        """Refund a payment intent or charge, whole where no amount is given.

        Raises:
            NotFound: no such payment.
            NotPossible: it has not succeeded, or so much of it is not left.
        """
        intent, charge = self._payment(payment)
        amount = amount or charge.amount - charge.amount_refunded
        if intent.status is not IntentStatus.SUCCEEDED or not 0 < amount <= charge.amount - charge.amount_refunded:
            raise NotPossible(f"{payment} cannot be refunded by {amount}")
        charge.amount_refunded += amount
        identity = self._book.new_id("re")
        made = Refund(
            identity,
            intent.id,
            charge.id,
            intent.account,
            amount,
            self._book.now(),
            dict(metadata or {}),
            status=status,
        )
        made.balance_transaction = self._book.book(intent.account, -amount, 0, identity, "refund").id
        self.refunds[identity] = made
        told = ("refund.created", made.wire()), ("charge.refunded", charge.wire())
        return made, self._book.tell(intent.account, told)

    def settle_refund(self, refund_id: str, status: RefundStatus) -> list[Json]:
        """A refund succeeds, or fails (also after it had succeeded): its money is in the balance again then."""
        made = _one(self.refunds, refund_id)
        if status in (RefundStatus.FAILED, RefundStatus.CANCELED):
            back = self._book.book(made.account, made.amount, 0, made.id, "refund_failure")
            made.failure_balance_transaction = back.id
            self._book.charges[made.charge_id].amount_refunded -= made.amount
        made.status = status
        kinds = ["refund.failed"] if status is RefundStatus.FAILED else []
        told = [(kind, made.wire()) for kind in [*kinds, "refund.updated", "charge.refund.updated"]]
        return self._book.tell(made.account, told)

    def dispute(self, payment: str, amount: int = 0, *, inquiry: bool = False) -> tuple[Dispute, list[Json]]:
        """A payer disputes a payment; an inquiry takes no money yet.

        Raises:
            NotFound: no such payment.
        """
        intent, charge = self._payment(payment)
        status = DisputeStatus.INQUIRY if inquiry else DisputeStatus.NEEDS_RESPONSE
        identity = self._book.new_id("dp")
        made = Dispute(
            identity, intent.id, charge.id, intent.account, amount or charge.amount, self._book.now(), status
        )
        self.disputes[identity] = made
        charge.disputed = True
        events = self._book.tell(made.account, [("charge.dispute.created", made.wire())]) if inquiry else []
        return made, events or self._withdraw(made, "charge.dispute.created")

    def escalate(self, dispute_id: str) -> list[Json]:
        """An inquiry becomes a dispute that takes the money."""
        made = _one(self.disputes, dispute_id)
        made.status = DisputeStatus.NEEDS_RESPONSE
        return self._withdraw(made, "charge.dispute.updated")

    def respond(self, dispute_id: str) -> list[Json]:
        """Evidence was given; the bank looks at it."""
        made = _one(self.disputes, dispute_id)
        made.status = DisputeStatus.UNDER_REVIEW
        return self._book.tell(made.account, [("charge.dispute.updated", made.wire())])

    def close(self, dispute_id: str, status: DisputeStatus) -> list[Json]:
        """The dispute is won (the amount comes back, the fee does not), lost, or an inquiry that went no further."""
        made = _one(self.disputes, dispute_id)
        made.status = status
        kinds = ["charge.dispute.closed"]
        if status is DisputeStatus.WON:
            made.moves.append(self._book.book(made.account, made.amount, 0, made.id, "adjustment", "dispute_reversal"))
            kinds.insert(0, "charge.dispute.funds_reinstated")
        return self._book.tell(made.account, [(kind, made.wire()) for kind in kinds])

    def _withdraw(self, made: Dispute, kind: str) -> list[Json]:
        made.moves.append(
            self._book.book(made.account, -made.amount, DISPUTE_FEE_MINOR, made.id, "adjustment", "dispute")
        )
        told = (kind, made.wire()), ("charge.dispute.funds_withdrawn", made.wire())
        return self._book.tell(made.account, told)

    def settle_debit(self, intent_id: str) -> list[Json]:
        """A bank debit that was processing brings its money."""
        intent = _one(self._book.intents, intent_id)
        if intent.status is not IntentStatus.PROCESSING:
            raise NotPossible(f"{intent_id} is {intent.status}")
        return self._book.succeed(intent, self._book.charges[intent.latest_charge])

    def fail_debit(self, intent_id: str, code: str = "insufficient_funds") -> list[Json]:
        """A bank debit fails: before it brought its money, or months later, when it takes it back."""
        intent = _one(self._book.intents, intent_id)
        charge = self._book.charges[intent.latest_charge]
        was_paid = intent.status is IntentStatus.SUCCEEDED
        charge.succeeded, charge.pending, charge.failure_code = False, False, code
        told: list[tuple[str, Json]] = []
        if was_paid:
            back = self._book.book(intent.account, -charge.amount, 0, charge.id, "payment_failure_refund")
            charge.failure_balance_transaction = back.id
        else:
            intent.status, intent.failure_code = IntentStatus.REQUIRES_PAYMENT_METHOD, code
            told.append(("payment_intent.payment_failed", intent.wire()))
        return self._book.tell(intent.account, [("charge.failed", charge.wire()), *told])

    def cancel(self, intent_id: str) -> list[Json]:
        """An order to pay is called off before any money moved."""
        intent = _one(self._book.intents, intent_id)
        if intent.status is IntentStatus.SUCCEEDED:
            raise NotPossible(f"{intent_id} has succeeded")
        intent.status = IntentStatus.CANCELED
        return self._book.tell(intent.account, [("payment_intent.canceled", intent.wire())])

    def fail_payout(self, payout_id: str, code: str = "account_closed") -> tuple[Payout, list[Json]]:
        """The bank does not take a payout: its money is in the balance again."""
        payout = _one(self._book.payouts, payout_id)
        if payout.status is PayoutStatus.FAILED:
            raise NotPossible(f"{payout_id} has failed")
        payout.status, payout.failure_code = PayoutStatus.FAILED, code
        back = self._book.book(payout.account, payout.amount, 0, payout.id, "payout_failure")
        payout.failure_balance_transaction = back.id
        return payout, self._book.tell(payout.account, [("payout.failed", payout.wire())])

    def charge_fee(self, account: str, amount: int) -> None:
        """The gateway takes a fee that is of no payment."""
        self._book.book(account, -amount, 0, "", "stripe_fee", "fee")

    def _payment(self, identity: str) -> tuple[PaymentIntent, Charge]:
        charge = self._book.charges.get(identity)
        intent = _one(self._book.intents, charge.intent_id if charge else identity)
        return intent, charge or self._book.charges[intent.latest_charge]


def _one(shelf: Mapping[str, _T], identity: str) -> _T:
    found = shelf.get(identity)
    if found is None:
        raise NotFound(identity)
    return found
