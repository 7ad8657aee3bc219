"""What payments needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from payments.domain.payout import BalanceTransaction


class GatewayReader(Protocol):
    """Questions to the payment gateway. Calls block."""

    def balance_transactions(self, payout_gateway_id: str) -> Sequence[BalanceTransaction]:
        """What one payout is made of, the payout's own transaction left out.

        Raises:
            PayoutUnreadable: the gateway refuses the question.
            Unavailable: the gateway does not answer.
        """
        ...
