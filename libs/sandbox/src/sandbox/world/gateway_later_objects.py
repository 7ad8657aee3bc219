"""What becomes of a payment at the card gateway after it was made, and how it looks on the wire of the Stripe API."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.world.gateway_objects import BalanceTransaction, Json

DISPUTE_FEE_MINOR = 15_00
RESPONSE_SECONDS = 14 * 86_400


class RefundStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class DisputeStatus(StrEnum):
    INQUIRY = "warning_needs_response"
    INQUIRY_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


@dataclass(slots=True)
class Refund:
    """Money that goes back to the payer; `metadata` carry what whoever asked for it wrote there."""

    id: str
    intent_id: str
    charge_id: str
    account: str
    amount: int
    created: int
    metadata: dict[str, str]
    balance_transaction: str = ""
    failure_balance_transaction: str = ""
    status: RefundStatus = RefundStatus.SUCCEEDED

    def wire(self) -> Json:
        return {
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.balance_transaction or None,
            "charge": self.charge_id,
            "created": self.created,
            "currency": "usd",
            "failure_balance_transaction": self.failure_balance_transaction or None,
            "failure_reason": "lost_or_stolen_card" if self.status is RefundStatus.FAILED else None,
            "metadata": self.metadata,
            "payment_intent": self.intent_id,
            "reason": None,
            "status": self.status.value,
        }


@dataclass(slots=True)
class Dispute:
    """A payer's bank takes a payment back; `moves` are what it moved of the gateway's balance."""

    id: str
    intent_id: str
    charge_id: str
    account: str
    amount: int
    created: int
    status: DisputeStatus
    reason: str = "fraudulent"
    moves: list[BalanceTransaction] = field(default_factory=list)

    def wire(self) -> Json:
        return {
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transaction": None,
            "balance_transactions": [move.wire() for move in self.moves],
            "charge": self.charge_id,
            "created": self.created,
            "currency": "usd",
            "evidence": {},
            "evidence_details": {
                "due_by": self.created + RESPONSE_SECONDS,
                "has_evidence": self.status is DisputeStatus.UNDER_REVIEW,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": self.status is DisputeStatus.INQUIRY,
            "livemode": False,
            "metadata": {},
            "payment_intent": self.intent_id,
            "reason": self.reason,
            "status": self.status.value,
        }
