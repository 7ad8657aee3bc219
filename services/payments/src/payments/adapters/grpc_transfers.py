"""The calls about transfers between patients' accounts: asked for, decided by another person, listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import grpc
from billing.payments.v1 import account_work_pb2 as pb
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.arguments import ROWS_MAX, amount_in, ids_in, key_in, named_in, one_of, reason_in, size_in
from payments.adapters.grpc_messages import minor_sent, text_of
from payments.application.transfer_rows import ACCOUNT_TRANSFERS
from payments.application.transfers import approve_transfer, request_transfer, turn_transfer_down
from payments.domain.account_transfer import Moved, TransferOf


class TransferAnswers:
    """Hands commands on, and answers from the read model."""

    _core: ServiceCore
    _store: EventStore
    _today: Callable[[], date]
    _transfer_limit: Money

    def RequestTransfer(
        self, request: pb.RequestTransferRequest, context: grpc.ServicerContext
    ) -> pb.RequestTransferResponse:
        wanted = TransferOf(
            Moved(one_of(request.moved, "moved", list(Moved))),
            uuid_in(request.source, "source"),
            uuid_in(request.from_account_id, "from_account_id"),
            uuid_in(request.to_account_id, "to_account_id"),
            amount_in(request.amount),
        )
        key, reason = key_in(request.idempotency_key, "idempotency_key"), reason_in(request.reason)
        transfer_id = derive("transfer-request", key)
        sent = self._transfer(transfer_id, lambda work: request_transfer(work, transfer_id, wanted, reason))
        return pb.RequestTransferResponse(transfer=sent)

    def ApproveTransfer(
        self, request: pb.ApproveTransferRequest, context: grpc.ServicerContext
    ) -> pb.ApproveTransferResponse:
        transfer_id = uuid_in(request.transfer_id, "transfer_id")
        if request.turn_down:
            reason = reason_in(request.reason)
            sent = self._transfer(transfer_id, lambda work: turn_transfer_down(work, transfer_id, reason))
            return pb.ApproveTransferResponse(transfer=sent)
        amount, limit, on = amount_in(request.amount), self._transfer_limit, self._today()
        sent = self._transfer(
            transfer_id, lambda work: approve_transfer(work, transfer_id, amount=amount, limit=limit, on=on)
        )
        return pb.ApproveTransferResponse(transfer=sent)

    def ListTransfers(
        self, request: pb.ListTransfersRequest, context: grpc.ServicerContext
    ) -> pb.ListTransfersResponse:
        where = ids_in(from_account_id=request.from_account_id, to_account_id=request.to_account_id)
        where |= named_in(state=request.state, entity=request.entity)
        limit = size_in(request.limit, "limit", ROWS_MAX)
        rows = self._store.rows(ACCOUNT_TRANSFERS, where, order=("-requested_at", "transfer_id"), limit=limit)
        return pb.ListTransfersResponse(transfers=map(transfer_sent, rows))

    def _transfer(self, transfer_id: UUID, command: Callable[[Work], None]) -> pb.Transfer:
        transact(self._store, call_context(self._core.clock()), command)
        (row,) = self._store.rows(ACCOUNT_TRANSFERS, {"transfer_id": transfer_id})
        return transfer_sent(row)


def transfer_sent(row: Row) -> pb.Transfer:
    """A transfer as it stands."""
    is_cash = row["moved"] == Moved.CASH.value
    return pb.Transfer(
        transfer_id=text_of(row["transfer_id"]),
        moved=text_of(row["moved"]),
        source=text_of(row["source"]),
        cash_id=text_of(row["cash_id"]) if is_cash else "",
        entity=text_of(row["entity"]),
        from_account_id=text_of(row["from_account_id"]),
        to_account_id=text_of(row["to_account_id"]),
        amount=minor_sent(row["amount_minor"]),
        state=text_of(row["state"]),
        reason=text_of(row["reason"]),
        requested_by=text_of(row["requested_by"]),
        decided_by=text_of(row["decided_by"]),
        effective_date=text_of(row["effective_date"]),
    )
