"""The gRPC face of payment gateways: payments to take, what a person decides of uncertain ones, and what was taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

import grpc
from billing.payments.v1 import gateway_orders_pb2 as pb
from billing.payments.v1 import gateway_orders_pb2_grpc
from canonical.ids import derive
from chassis.eventstore import Row, Work, transact
from chassis.rpc import BadArgument, GrpcService
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.arguments import amount_in, ids_in, key_in, one_of, size_in, text_in
from payments.adapters.grpc_messages import minor_sent, text_of
from payments.application.gateway_orders import decide_order, request_payment
from payments.application.gateway_rows import GATEWAY_ORDERS
from payments.application.patient_rows import GATEWAY_MOVES

NAME = "billing.payments.v1.GatewayOrdersService"
SCOPES: Mapping[str, str] = {
    "RequestPayment": "payments.write",
    "DecideOrder": "payments.approve",
    "ListOrders": "payments.read",
    "ListGatewayMoves": "payments.read",
}
METHOD_KINDS = ("card", "ach")
TOKEN_LENGTH_MAX = 100
LIST_MAX = 5000


def gateway_orders_service(core: ServiceCore) -> GrpcService:
    """The service with the scope of each method."""
    servicer = GatewayOrders(core)
    return GrpcService(
        NAME,
        lambda server: gateway_orders_pb2_grpc.add_GatewayOrdersServiceServicer_to_server(servicer, server),
        SCOPES,
    )


class GatewayOrders(gateway_orders_pb2_grpc.GatewayOrdersServiceServicer):
    """Hands commands on, and answers from the read model; sending is the working half's."""

    def __init__(self, core: ServiceCore) -> None:
        self._core = core
        self._store = core.store

    def RequestPayment(
        self, request: pb.RequestPaymentRequest, context: grpc.ServicerContext
    ) -> pb.RequestPaymentResponse:
        account_id, amount = uuid_in(request.account_id, "account_id"), amount_in(request.amount)
        request_id = derive("payment-request", account_id, key_in(request.idempotency_key, "idempotency_key"))
        kind = one_of(request.method_kind, "method_kind", METHOD_KINDS)
        method = text_in(request.method, "method", TOKEN_LENGTH_MAX)
        if not method:
            raise BadArgument("method: the gateway's token")
        order_id = self._change(
            lambda work, by: request_payment(
                work, request_id, account_id=account_id, amount=amount, method_kind=kind, method=method, by=by
            )
        )
        return pb.RequestPaymentResponse(order=self._order(order_id))

    def DecideOrder(self, request: pb.DecideOrderRequest, context: grpc.ServicerContext) -> pb.DecideOrderResponse:
        order_id = uuid_in(request.order_id, "order_id")

        def decide(work: Work, by: str) -> UUID:
            decide_order(work, order_id, again=request.again, by=by)
            return order_id

        return pb.DecideOrderResponse(order=self._order(self._change(decide)))

    def ListOrders(self, request: pb.ListOrdersRequest, context: grpc.ServicerContext) -> pb.ListOrdersResponse:
        where = ids_in(account_id=request.account_id) | ({"state": request.state} if request.state else {})
        limit = size_in(request.limit, "limit", LIST_MAX)
        rows = self._store.rows(GATEWAY_ORDERS, where, order=("-placed_at",), limit=limit)
        return pb.ListOrdersResponse(orders=map(_order_sent, rows))

    def ListGatewayMoves(
        self, request: pb.ListGatewayMovesRequest, context: grpc.ServicerContext
    ) -> pb.ListGatewayMovesResponse:
        where: dict[str, object] = {"entity": request.entity} if request.entity else {}
        if request.only_not_paid_out:
            where["payout_id"] = None
        limit = size_in(request.limit, "limit", LIST_MAX)
        rows = self._store.rows(GATEWAY_MOVES, where, order=("effective_date", "move_id"), limit=limit)
        return pb.ListGatewayMovesResponse(moves=map(_move_sent, rows))

    def _change(self, command: Callable[[Work, str], UUID]) -> UUID:
        cause = call_context(self._core.clock())
        return transact(self._store, cause, lambda work: command(work, cause.meta.actor))

    def _order(self, order_id: UUID) -> pb.GatewayOrder:
        (row,) = self._store.rows(GATEWAY_ORDERS, {"order_id": order_id})
        return _order_sent(row)


def _order_sent(row: Row) -> pb.GatewayOrder:
    return pb.GatewayOrder(
        order_id=text_of(row["order_id"]),
        gateway=text_of(row["gateway"]),
        kind=text_of(row["kind"]),
        state=text_of(row["state"]),
        entity=text_of(row["entity"]),
        amount=minor_sent(row["amount_minor"]),
        account_id=text_of(row["account_id"]),
        refund_id=text_of(row["refund_id"]),
        gateway_id=text_of(row["gateway_id"]),
        placed_by=text_of(row["placed_by"]),
    )


def _move_sent(row: Row) -> pb.GatewayMove:
    return pb.GatewayMove(
        move_id=text_of(row["move_id"]),
        kind=text_of(row["kind"]),
        payment_id=text_of(row["payment_id"]),
        entity=text_of(row["entity"]),
        amount=minor_sent(row["amount_minor"]),
        effective_date=text_of(row["effective_date"]),
        payout_id=text_of(row["payout_id"]),
    )
