"""Why something cannot be done with a patient's payment."""

from __future__ import annotations

from chassis.domain import Conflict, Refusal


class PaymentChanged(Conflict):
    """This payment was reported before, with another amount."""


class PaymentAlreadyMatched(Refusal):
    """The payment belongs to another account."""


class PaymentNotSucceeded(Refusal):
    """The payment has brought no cash, so there is nothing to match."""


class PaymentOfOtherEntity(Refusal):
    """The payment's cash is booked at another legal entity than the account's."""


class OtherCurrency(Refusal):
    """The books are kept in another currency than the gateway reports."""
