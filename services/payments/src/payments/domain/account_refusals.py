"""What an account of a patient refuses, and why."""

from __future__ import annotations

from chassis.domain import Conflict, Refusal


class ResponsibilityChanged(Conflict):
    """The same adjudication came with another amount."""


class WriteOffChanged(Conflict):
    """The same write-off came with another amount."""


class CashChanged(Conflict):
    """The same refund, return or transfer came with another amount."""


class AllocationChanged(Conflict):
    """The same allocation came with another payment, place or amount."""


class MoreThanTheCash(Refusal):
    """The payment has not that much cash on this account."""


class MoreThanOwed(Refusal):
    """That much is not owed there."""


class MoreThanWrittenOff(Refusal):
    """Not so much of the write-off stands."""


class NoSuchLine(Refusal):
    """Cash is set aside for a line that is owed there."""
