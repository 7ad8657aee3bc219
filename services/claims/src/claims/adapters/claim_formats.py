"""Which format claims leave in: X12 to payers and clearinghouses, transactions to an external platform."""

from __future__ import annotations

from collections.abc import Sequence

from claims.adapters.platforms.transactions import PlatformTransactions, is_transactions
from claims.application.ports import BillableClaim, FilePart, FilingFormat
from claims.domain.interchange_order import InterchangeOrder


class FormatByReceiver:
    """A `FilingFormat` that follows the order's receiver."""

    def __init__(self, x12: FilingFormat, transactions: FilingFormat | None = None) -> None:
        self._x12 = x12
        self._transactions = transactions or PlatformTransactions()

    def write(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        return self._of(order).write(order, claims)

    def write_validated(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        return self._of(order).write_validated(order, claims)

    def parts_about(self, content: bytes, patient_control_number: str) -> Sequence[FilePart]:
        written_by = self._transactions if is_transactions(content) else self._x12
        return written_by.parts_about(content, patient_control_number)

    def _of(self, order: InterchangeOrder) -> FilingFormat:
        return self._transactions if order.platform else self._x12
