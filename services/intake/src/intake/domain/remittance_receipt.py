"""One copy of a remittance as it came in: its head, and then its claims in parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from canonical.classes import CanonicalModel
from canonical.money import Money
from canonical.remittance import ClaimPayment, RemittanceSummary
from chassis.domain import Aggregate, Event

CHUNKS_BETWEEN_SNAPSHOTS = 8


class ReceiptProgress(CanonicalModel):
    """How far a receipt has been read; its snapshot."""

    remittance_id: UUID
    chunk_count: int
    chunks_read: int


class RemittanceReceipt(Aggregate):
    """Read, then one ChunkRead for each part, in order. Id: message and ordinal of the transaction set."""

    snapshot_every: ClassVar[int] = CHUNKS_BETWEEN_SNAPSHOTS

    def start(self) -> None:
        self.remittance_id: UUID | None = None
        self.chunk_count = 0
        self.chunks_read = 0

    class Read(Event):
        TOPIC = "intake.remittance-receipt.read"
        summary: RemittanceSummary

        def apply(self, receipt: RemittanceReceipt) -> None:
            receipt.remittance_id = self.summary.remittance_id
            receipt.chunk_count = self.summary.chunk_count

    class ChunkRead(Event):
        TOPIC = "intake.remittance-receipt.chunk-read"
        remittance_id: UUID
        chunk: int
        claims: tuple[ClaimPayment, ...]
        total_paid: Money

        def apply(self, receipt: RemittanceReceipt) -> None:
            receipt.chunks_read = self.chunk + 1

    def read(self, summary: RemittanceSummary) -> None:
        """Takes the head; the same head again changes nothing."""
        if not self.exists:
            self.trigger_event(self.Read, summary=summary)

    def read_chunk(self, chunk: int, claims: Sequence[ClaimPayment]) -> None:
        """Takes part `chunk`, from 0; a part that was taken before changes nothing."""
        assert chunk <= self.chunks_read < self.chunk_count or chunk < self.chunks_read, "parts come in order"
        if chunk == self.chunks_read:
            self.trigger_event(
                self.ChunkRead,
                remittance_id=self.remittance_id,
                chunk=chunk,
                claims=tuple(claims),
                total_paid=Money(sum(claim.paid.minor for claim in claims)),
            )

    def snapshot(self) -> ReceiptProgress:
        assert self.remittance_id is not None
        return ReceiptProgress(
            remittance_id=self.remittance_id, chunk_count=self.chunk_count, chunks_read=self.chunks_read
        )

    def restore(self, state: bytes) -> None:
        progress = ReceiptProgress.model_validate_json(state)
        self.remittance_id = progress.remittance_id
        self.chunk_count = progress.chunk_count
        self.chunks_read = progress.chunks_read
