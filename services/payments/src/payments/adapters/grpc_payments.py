"""The gRPC face of patients' payments: posting in real time, and refunds by two people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

import grpc
from billing.payments.v1 import patient_payments_pb2 as pb
from billing.payments.v1 import patient_payments_pb2_grpc
from canonical.money import Money
from chassis.domain import Refusal, Unavailable
from chassis.eventstore import Question, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.inbound.receiving_queue import ReceivingQueue
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.arguments import ROWS_MAX, amount_in, day_in, ids_in, key_in, named_in, one_of, size_in, text_in
from payments.adapters.grpc_messages import minor_sent, money_sent, payment_sent
from payments.adapters.refund_messages import candidate_sent, dispute_sent, refund_sent
from payments.application.dispute_rows import DISPUTES
from payments.application.patient_rows import PAYMENTS, REFUNDS
from payments.application.payment_matching import candidates_of
from payments.application.posting import PaymentPosting, PaymentToPost, Posted, TakenAt
from payments.application.refunding import (
    RefundReason,
    ask_for_refund,
    cancel_refund,
    decide_refund,
    note_refund_paid,
)

NAME = "billing.payments.v1.PatientPaymentsService"
READ, WRITE, APPROVE = "payments.read", "payments.write", "payments.approve"
SCOPES: Mapping[str, str] = {
    "PostPayment": WRITE,
    "GetPayment": READ,
    "RequestRefund": WRITE,
    "ApproveRefund": APPROVE,
    "DenyRefund": APPROVE,
    "CancelRefund": APPROVE,
    "RecordRefundPaid": WRITE,
    "ListRefunds": READ,
    "ListDisputes": READ,
}
POSTING_SECONDS = 10.0
REFERENCE_LENGTH_MAX = 60
AMOUNT_MAX = Money(100_000_000)

_Answer = TypeVar("_Answer")


def patient_payments_service(
    core: ServiceCore,
    posting: PaymentPosting,
    today: Callable[[], date],
    entities: Callable[[], Collection[str]],
    refund_limit: Money,
    *,
    crash_point: CrashPoint = no_crash,
) -> GrpcService:
    """The service with the scope of each method. Refunds above the limit need a second person."""
    servicer = PatientPayments(core, posting, today, entities, refund_limit, crash_point=crash_point)
    return GrpcService(
        NAME,
        lambda server: patient_payments_pb2_grpc.add_PatientPaymentsServiceServicer_to_server(servicer, server),
        SCOPES,
    )


class PatientPayments(patient_payments_pb2_grpc.PatientPaymentsServiceServicer):
    """Posts in batches, as many as come at once; hands commands on, and answers from the store."""

    def __init__(
        self,
        core: ServiceCore,
        posting: PaymentPosting,
        today: Callable[[], date],
        entities: Callable[[], Collection[str]],
        refund_limit: Money,
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._crash_point = crash_point
        self._core = core
        self._store = core.store
        self._queue: ReceivingQueue[PaymentToPost, Posted | Refusal] = ReceivingQueue(posting.post)
        self._today = today
        self._entities = entities
        self._refund_limit = refund_limit

    def PostPayment(self, request: pb.PostPaymentRequest, context: grpc.ServicerContext) -> pb.PostPaymentResponse:
        future = self._queue.submit(self._payment_in(request))
        try:
            posted = future.result(POSTING_SECONDS)
        except FutureTimeoutError:
            future.cancel()
            raise Unavailable("not posted in time; ask again with the same idempotency_key") from None
        if isinstance(posted, Refusal):
            raise posted
        return pb.PostPaymentResponse(
            payment_id=str(posted.payment_id),
            account_id=str(posted.account_id),
            applied=money_sent(posted.applied),
            unapplied=money_sent(posted.unapplied),
            balance=money_sent(posted.balance),
            repeated_request=posted.repeated,
        )

    def GetPayment(self, request: pb.GetPaymentRequest, context: grpc.ServicerContext) -> pb.GetPaymentResponse:
        same = {"payment_id": uuid_in(request.payment_id, "payment_id")}
        payments, refunds = self._store.rows_of_each([Question(PAYMENTS, same), Question(REFUNDS, same)])
        if not payments:
            raise NotThere("no payment has this id")
        (payment,) = payments
        is_nobodys = payment["account_id"] is None and payment["state"] == "succeeded"
        return pb.GetPaymentResponse(
            payment=payment_sent(payment),
            refunds=map(refund_sent, refunds),
            taken_back=minor_sent(payment["taken_back_minor"]),
            candidates=map(candidate_sent, candidates_of(self._store, payment) if is_nobodys else ()),
        )

    def RequestRefund(
        self, request: pb.RequestRefundRequest, context: grpc.ServicerContext
    ) -> pb.RequestRefundResponse:
        payment_id = uuid_in(request.payment_id, "payment_id")
        key, amount = key_in(request.idempotency_key, "idempotency_key"), amount_in(request.amount)
        reason = RefundReason(one_of(request.reason, "reason", [each.value for each in RefundReason]))
        refund_id = self._change(lambda work, by: ask_for_refund(work, payment_id, key, amount, reason, by))
        return pb.RequestRefundResponse(refund=self._refund(refund_id))

    def ApproveRefund(
        self, request: pb.ApproveRefundRequest, context: grpc.ServicerContext
    ) -> pb.ApproveRefundResponse:
        refund_id = uuid_in(request.refund_id, "refund_id")
        self._decide(refund_id, amount_in(request.amount), approves=True)
        return pb.ApproveRefundResponse(refund=self._refund(refund_id))

    def DenyRefund(self, request: pb.DenyRefundRequest, context: grpc.ServicerContext) -> pb.DenyRefundResponse:
        refund_id = uuid_in(request.refund_id, "refund_id")
        self._decide(refund_id, Money(0), approves=False)
        return pb.DenyRefundResponse(refund=self._refund(refund_id))

    def CancelRefund(self, request: pb.CancelRefundRequest, context: grpc.ServicerContext) -> pb.CancelRefundResponse:
        refund_id = uuid_in(request.refund_id, "refund_id")
        self._change(lambda work, by: cancel_refund(work, refund_id, self._today()))
        return pb.CancelRefundResponse(refund=self._refund(refund_id))

    def RecordRefundPaid(
        self, request: pb.RecordRefundPaidRequest, context: grpc.ServicerContext
    ) -> pb.RecordRefundPaidResponse:
        refund_id = uuid_in(request.refund_id, "refund_id")
        reference = text_in(request.reference.strip(), "reference", REFERENCE_LENGTH_MAX)
        if not reference:
            raise BadArgument("reference: under which it was paid, such as a check number")
        on = self._day(request.paid_on, "paid_on")
        self._change(lambda work, by: note_refund_paid(work, refund_id, reference, on))
        return pb.RecordRefundPaidResponse(refund=self._refund(refund_id))

    def ListRefunds(self, request: pb.ListRefundsRequest, context: grpc.ServicerContext) -> pb.ListRefundsResponse:
        where = ids_in(payment_id=request.payment_id, refund_id=request.refund_id)
        where |= named_in(state=request.state, entity=request.entity)
        limit = size_in(request.limit, "limit", ROWS_MAX)
        rows = self._store.rows(REFUNDS, where, order=("payment_id",), limit=limit)
        return pb.ListRefundsResponse(refunds=map(refund_sent, rows))

    def ListDisputes(self, request: pb.ListDisputesRequest, context: grpc.ServicerContext) -> pb.ListDisputesResponse:
        where = ids_in(payment_id=request.payment_id, dispute_id=request.dispute_id)
        if request.only_open:
            where["outcome"] = None
        rows = self._store.rows(DISPUTES, where, order=("respond_by",), limit=size_in(request.limit, "limit", ROWS_MAX))
        return pb.ListDisputesResponse(disputes=map(dispute_sent, rows))

    def _payment_in(self, request: pb.PostPaymentRequest) -> PaymentToPost:
        if bool(request.account_id) == bool(request.patient_id or request.entity):
            raise BadArgument("account_id, or patient_id and entity: give one of these")
        amount = amount_in(request.amount)
        if amount > AMOUNT_MAX:
            raise BadArgument(f"amount: at most {AMOUNT_MAX}")
        if not request.account_id and request.entity not in self._entities():
            raise BadArgument("entity: not one of this deployment")
        return PaymentToPost(
            key=key_in(request.idempotency_key, "idempotency_key"),
            account_id=uuid_in(request.account_id, "account_id") if request.account_id else None,
            patient_id=None if request.account_id else uuid_in(request.patient_id, "patient_id"),
            entity=request.entity,
            amount=amount,
            taken_at=TakenAt(one_of(request.channel, "channel", [each.value for each in TakenAt])),
            on=self._day(request.received_on, "received_on"),
            reference=text_in(request.reference.strip(), "reference", REFERENCE_LENGTH_MAX),
            context=call_context(self._core.clock()),
        )

    def _day(self, text: str, field: str) -> date:
        today = self._today()
        day = day_in(text, field) if text else today
        if day > today + timedelta(days=1):
            raise BadArgument(f"{field}: after tomorrow")
        return day

    def _decide(self, refund_id: UUID, amount: Money, *, approves: bool) -> None:
        on, limit = self._today(), self._refund_limit
        self._change(
            lambda work, by: decide_refund(work, refund_id, amount, by=by, limit=limit, on=on, approves=approves)
        )

    def _change(self, command: Callable[[Work, str], _Answer]) -> _Answer:
        cause = call_context(self._core.clock())
        return transact(self._store, cause, lambda work: command(work, cause.meta.actor), crash_point=self._crash_point)

    def _refund(self, refund_id: UUID) -> pb.Refund:
        (row,) = self._store.rows(REFUNDS, {"refund_id": refund_id})
        return refund_sent(row)
