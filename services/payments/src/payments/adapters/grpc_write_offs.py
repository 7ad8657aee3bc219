"""The calls about patients' write-offs: asked for, decided by another person, reversed, listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import grpc
from billing.payments.v1 import patient_accounts_pb2 as pb
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.arguments import ROWS_MAX, amount_in, ids_in, key_in, named_in, one_of, reason_in, size_in
from payments.adapters.grpc_messages import minor_sent, text_of
from payments.application.write_off_rows import PATIENT_WRITE_OFFS
from payments.application.write_offs import (
    approve_write_off,
    request_write_off,
    reverse_write_off,
    turn_write_off_down,
)
from payments.domain.write_off_rules import WriteOffKind


class WriteOffAnswers:
    """Hands commands on, and answers from the read model."""

    _core: ServiceCore
    _store: EventStore
    _today: Callable[[], date]
    _write_off_limit: Money

    def RequestWriteOff(
        self, request: pb.RequestWriteOffRequest, context: grpc.ServicerContext
    ) -> pb.RequestWriteOffResponse:
        account_id, place = uuid_in(request.account_id, "account_id"), uuid_in(request.place, "place")
        kind = WriteOffKind(one_of(request.kind, "kind", [each.value for each in WriteOffKind]))
        amount, reason = amount_in(request.amount), reason_in(request.reason)
        write_off_id = derive("write-off-request", account_id, key_in(request.idempotency_key, "idempotency_key"))
        changed = self._change(
            write_off_id,
            lambda work: request_write_off(
                work, write_off_id, account_id=account_id, place=place, kind=kind, amount=amount, reason=reason
            ),
        )
        return pb.RequestWriteOffResponse(write_off=changed)

    def ApproveWriteOff(
        self, request: pb.ApproveWriteOffRequest, context: grpc.ServicerContext
    ) -> pb.ApproveWriteOffResponse:
        write_off_id = uuid_in(request.write_off_id, "write_off_id")
        if request.turn_down:
            reason = reason_in(request.reason)
            changed = self._change(write_off_id, lambda work: turn_write_off_down(work, write_off_id, reason))
            return pb.ApproveWriteOffResponse(write_off=changed)
        amount, limit, on = amount_in(request.amount), self._write_off_limit, self._today()
        changed = self._change(
            write_off_id, lambda work: approve_write_off(work, write_off_id, amount=amount, limit=limit, on=on)
        )
        return pb.ApproveWriteOffResponse(write_off=changed)

    def ReverseWriteOff(
        self, request: pb.ReverseWriteOffRequest, context: grpc.ServicerContext
    ) -> pb.ReverseWriteOffResponse:
        write_off_id = uuid_in(request.write_off_id, "write_off_id")
        reversal_id = derive("write-off-reversal", write_off_id, key_in(request.idempotency_key, "idempotency_key"))
        amount, reason, on = amount_in(request.amount), reason_in(request.reason), self._today()
        changed = self._change(
            write_off_id,
            lambda work: reverse_write_off(work, write_off_id, reversal_id, amount=amount, reason=reason, on=on),
        )
        return pb.ReverseWriteOffResponse(write_off=changed)

    def ListWriteOffs(
        self, request: pb.ListWriteOffsRequest, context: grpc.ServicerContext
    ) -> pb.ListWriteOffsResponse:
        where = ids_in(account_id=request.account_id)
        where |= named_in(state=request.state, entity=request.entity)
        limit = size_in(request.limit, "limit", ROWS_MAX)
        rows = self._store.rows(PATIENT_WRITE_OFFS, where, order=("-requested_at",), limit=limit)
        return pb.ListWriteOffsResponse(write_offs=map(write_off_sent, rows))

    def _change(self, write_off_id: UUID, command: Callable[[Work], None]) -> pb.WriteOff:
        transact(self._store, call_context(self._core.clock()), command)
        (row,) = self._store.rows(PATIENT_WRITE_OFFS, {"write_off_id": write_off_id})
        return write_off_sent(row)


def write_off_sent(row: Row) -> pb.WriteOff:
    """A write-off as it stands."""
    return pb.WriteOff(
        write_off_id=text_of(row["write_off_id"]),
        account_id=text_of(row["account_id"]),
        entity=text_of(row["entity"]),
        place=text_of(row["place"]),
        kind=text_of(row["kind"]),
        state=text_of(row["state"]),
        amount=minor_sent(row["amount_minor"]),
        stands=minor_sent(row["stands_minor"]),
        reason=text_of(row["reason"]),
        requested_by=text_of(row["requested_by"]),
        decided_by=text_of(row["decided_by"]),
        effective_date=text_of(row["effective_date"]),
    )
