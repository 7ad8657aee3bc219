"""Payers' overpayments over gRPC."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

import grpc
from billing.payments.v1 import payer_overpayments_pb2 as pb
from billing.payments.v1 import payer_overpayments_pb2_grpc
from chassis.eventstore import Row, transact
from chassis.rpc import BadArgument, GrpcService
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.arguments import amount_in, day_in, named_in, one_of, reason_in, text_in
from payments.adapters.grpc_messages import minor_sent, money_sent, text_of
from payments.adapters.grpc_remittances import limit_in
from payments.application.overpayments import PAYER_OVERPAYMENTS, identify_overpayment, move_overpayment
from payments.application.payer_credits import credits_to_show
from payments.application.row_values import int_of
from payments.domain.payer_overpayment import OverpaymentReason, OverpaymentStep

NAME = "billing.payments.v1.PayerOverpaymentsService"
SCOPES = {
    "IdentifyOverpayment": "payments.write",
    "MoveOverpayment": "payments.approve",
    "ListPayerOverpayments": "payments.read",
    "ListPayerCredits": "payments.read",
}
NAME_LENGTH_MAX = 60
ENDINGS = [step.value for step in OverpaymentStep if step is not OverpaymentStep.IDENTIFIED]


def payer_overpayments_service(
    core: ServiceCore, today: Callable[[], date], entities: Callable[[], Collection[str]]
) -> GrpcService:
    """The service with the scope of each method."""
    servicer = PayerOverpaymentCalls(core, today, entities)
    return GrpcService(
        NAME,
        lambda server: payer_overpayments_pb2_grpc.add_PayerOverpaymentsServiceServicer_to_server(servicer, server),
        SCOPES,
    )


class PayerOverpaymentCalls(payer_overpayments_pb2_grpc.PayerOverpaymentsServiceServicer):
    """Takes what people know and the evidence of what became of it."""

    def __init__(self, core: ServiceCore, today: Callable[[], date], entities: Callable[[], Collection[str]]) -> None:
        self._core = core
        self._today = today
        self._entities = entities

    def IdentifyOverpayment(
        self, request: pb.IdentifyOverpaymentRequest, context: grpc.ServicerContext
    ) -> pb.IdentifyOverpaymentResponse:
        if request.entity not in self._entities():
            raise BadArgument("entity: none that we know")
        reason = OverpaymentReason(one_of(request.reason, "reason", list(OverpaymentReason)))
        payer, cause = (text_in(text, name, NAME_LENGTH_MAX) for text, name in _names(request))
        if not payer or not cause:
            raise BadArgument("payer, cause: each must be given")
        amount, evidence = amount_in(request.amount), reason_in(request.evidence, "evidence")
        on = self._day(request.identified_on, "identified_on")
        overpayment_id = transact(
            self._core.store,
            call_context(self._core.clock()),
            lambda work: identify_overpayment(
                work,
                entity=request.entity,
                payer=payer,
                cause=cause,
                reason=reason,
                evidence=evidence,
                amount=amount,
                on=on,
            ),
        )
        return pb.IdentifyOverpaymentResponse(overpayment_id=str(overpayment_id))

    def MoveOverpayment(
        self, request: pb.MoveOverpaymentRequest, context: grpc.ServicerContext
    ) -> pb.MoveOverpaymentResponse:
        overpayment_id = uuid_in(request.overpayment_id, "overpayment_id")
        step = OverpaymentStep(one_of(request.step, "step", ENDINGS))
        amount, evidence = amount_in(request.amount), reason_in(request.evidence, "evidence")
        on = self._day(request.effective_date, "effective_date")
        left = transact(
            self._core.store,
            call_context(self._core.clock()),
            lambda work: move_overpayment(work, overpayment_id, step, amount, evidence, on),
        )
        return pb.MoveOverpaymentResponse(open=money_sent(left))

    def ListPayerOverpayments(
        self, request: pb.ListPayerOverpaymentsRequest, context: grpc.ServicerContext
    ) -> pb.ListPayerOverpaymentsResponse:
        where = {"entity": request.entity} if request.entity else {}
        order, limit = ("due_on", "overpayment_id"), limit_in(request.limit)
        rows = self._core.store.rows(PAYER_OVERPAYMENTS, where, order=order, limit=limit)
        chosen = [row for row in rows if row["open_minor"] or not request.only_open]
        return pb.ListPayerOverpaymentsResponse(overpayments=map(_sent, chosen))

    def ListPayerCredits(
        self, request: pb.ListPayerCreditsRequest, context: grpc.ServicerContext
    ) -> pb.ListPayerCreditsResponse:
        where, limit = named_in(entity=request.entity), limit_in(request.limit)
        rows = credits_to_show(self._core.store, where, limit, identified_too=request.identified_too)
        return pb.ListPayerCreditsResponse(credits=map(_credit_sent, rows))

    def _day(self, text: str, field: str) -> date:
        return day_in(text, field) if text else self._today()


def _names(request: pb.IdentifyOverpaymentRequest) -> tuple[tuple[str, str], ...]:
    return ((request.payer, "payer"), (request.cause, "cause"))


def _sent(row: Row) -> pb.PayerOverpayment:
    return pb.PayerOverpayment(
        overpayment_id=text_of(row["overpayment_id"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        cause=text_of(row["cause"]),
        reason=text_of(row["reason"]),
        evidence=text_of(row["evidence"]),
        amount=minor_sent(row["amount_minor"]),
        open=minor_sent(row["open_minor"]),
        recouped=minor_sent(row["recouped_minor"]),
        withdrawn=minor_sent(row["withdrawn_minor"]),
        identified_on=text_of(row["effective_date"]),
        due_on=text_of(row["due_on"]),
        identified_by=text_of(row["identified_by"]),
    )


def _credit_sent(row: Row) -> pb.PayerCredit:
    return pb.PayerCredit(
        claim_id=text_of(row["claim_id"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        overpaid=minor_sent(row["overpaid_minor"]),
        remittance_id=text_of(row["remittance_id"]),
        position=int_of(row["position"]),
        effective_date=text_of(row["effective_date"]),
        overpayment_id=text_of(row["overpayment_id"]),
        identified=minor_sent(row["identified_minor"]),
    )
