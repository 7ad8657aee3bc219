"""The card gateway's objects, and how they look on the wire of the Stripe API."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

Json = dict[str, object]
API_VERSION = "2025-03-31.basil"
FEE_PER_MILLE = 29
FEE_FIXED_MINOR = 30


class IntentStatus(StrEnum):
    """The life of a PaymentIntent as far as the sandbox goes."""

    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class PayoutStatus(StrEnum):
    """The life of a payout as far as the sandbox goes."""

    PAID = "paid"
    FAILED = "failed"


def processing_fee(amount_minor: int) -> int:
    """2.9% + 30 cents, the half cent up, as the gateway charges."""
    return (amount_minor * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED_MINOR


_CARD: Json = {"card": {"brand": "visa", "last4": "4242", "country": "US"}, "type": "card"}
_BANK: Json = {"type": "us_bank_account", "us_bank_account": {"bank_name": "STRIPE TEST BANK", "last4": "6789"}}


@dataclass(slots=True)
class Charge:
    """One attempt to charge a card or to debit a bank account; `balance_transaction` is empty until it brought money."""

    id: str
    intent_id: str
    amount: int
    currency: str
    created: int
    metadata: dict[str, str]
    balance_transaction: str = ""
    succeeded: bool = True
    pending: bool = False
    failure_code: str = "card_declined"
    failure_balance_transaction: str = ""
    amount_refunded: int = 0
    disputed: bool = False
    by_bank: bool = False

    def wire(self) -> Json:
        failed = not (self.succeeded or self.pending)
        paid = self.succeeded
        return {
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount if paid else 0,
            "amount_refunded": self.amount_refunded,
            "balance_transaction": self.balance_transaction or None,
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
            "captured": not failed,
            "created": self.created,
            "currency": self.currency,
            "customer": None,
            "description": None,
            "disputed": self.disputed,
            "failure_balance_transaction": self.failure_balance_transaction or None,
            "failure_code": self.failure_code if failed else None,
            "failure_message": "It was declined." if failed else None,
            "livemode": False,
            "metadata": self.metadata,
            "outcome": {"network_status": "declined_by_network" if failed else "approved_by_network"},
            "paid": paid,
            "payment_intent": self.intent_id,
            "payment_method": "pm_usBankAccount" if self.by_bank else "pm_card_visa",
            "payment_method_details": _BANK if self.by_bank else _CARD,
            "refunded": self.amount_refunded == self.amount,
            "status": "failed" if failed else "pending" if self.pending else "succeeded",
        }


@dataclass(slots=True)
class PaymentIntent:
    """What a patient means to pay; `account` is the connected account of the legal entity."""

    id: str
    amount: int
    currency: str
    account: str
    created: int
    metadata: dict[str, str]
    payment_method: str
    status: IntentStatus = IntentStatus.REQUIRES_CONFIRMATION
    latest_charge: str = ""
    failure_code: str = "card_declined"

    @property
    def by_bank(self) -> bool:
        """Whether it debits a bank account, which takes days."""
        return self.payment_method.startswith("pm_usBankAccount")

    def wire(self) -> Json:
        succeeded = self.status is IntentStatus.SUCCEEDED
        declined = self.status is IntentStatus.REQUIRES_PAYMENT_METHOD
        return {
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_received": self.amount if succeeded else 0,
            "canceled_at": None,
            "capture_method": "automatic",
            "client_secret": f"{self.id}_secret_sandbox",
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": None,
            "description": None,
            "last_payment_error": (
                decline(self.latest_charge, self.failure_code) if declined and self.latest_charge else None
            ),
            "latest_charge": self.latest_charge or None,
            "livemode": False,
            "metadata": self.metadata,
            "next_action": None,
            "payment_method": None if declined else self.payment_method or None,
            "payment_method_types": ["us_bank_account" if self.by_bank else "card"],
            "processing": None,
            "status": self.status.value,
        }


@dataclass(slots=True)
class BalanceTransaction:
    """One movement of the gateway balance: `net == amount - fee`; `payout_id` once it was paid out."""

    id: str
    account: str
    amount: int
    fee: int
    source: str
    kind: str
    created: int
    payout_id: str = ""
    category: str = ""

    @property
    def net(self) -> int:
        return self.amount - self.fee

    def wire(self) -> Json:
        fee_details = [{"amount": self.fee, "currency": "usd", "description": "processing fees", "type": "stripe_fee"}]
        return {
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "available_on": self.created,
            "created": self.created,
            "currency": "usd",
            "description": None,
            "exchange_rate": None,
            "fee": self.fee,
            "fee_details": fee_details if self.fee else [],
            "net": self.net,
            "reporting_category": self.category or self.kind,
            "source": self.source or None,
            "status": "available",
            "type": self.kind,
        }


@dataclass(slots=True)
class Payout:
    """A transfer of the balance to the entity's bank account."""

    id: str
    account: str
    amount: int
    created: int
    balance_transaction: str
    metadata: dict[str, str] = field(default_factory=dict)
    status: PayoutStatus = PayoutStatus.PAID
    failure_code: str = ""
    failure_balance_transaction: str = ""

    def wire(self) -> Json:
        return {
            "id": self.id,
            "object": "payout",
            "amount": self.amount,
            "arrival_date": self.created - self.created % 86_400,
            "automatic": True,
            "balance_transaction": self.balance_transaction,
            "created": self.created,
            "currency": "usd",
            "description": "STRIPE PAYOUT",
            "destination": "ba_sandbox",
            "failure_balance_transaction": self.failure_balance_transaction or None,
            "failure_code": self.failure_code or None,
            "failure_message": None,
            "livemode": False,
            "metadata": self.metadata,
            "method": "standard",
            "original_payout": None,
            "reconciliation_status": "completed",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": None,
            "status": self.status.value,
            "type": "bank_account",
        }


def decline(charge_id: str, code: str = "card_declined") -> Json:
    """The error of a card or bank account that was declined."""
    return {
        "type": "card_error",
        "code": code,
        "decline_code": "generic_decline",
        "message": "Your card was declined.",
        "charge": charge_id,
    }


def event(identity: str, kind: str, account: str, created: int, subject: Json) -> Json:
    """A webhook event; `account` names the connected account, as in Stripe Connect."""
    return {
        "id": identity,
        "object": "event",
        "account": account,
        "api_version": API_VERSION,
        "created": created,
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
