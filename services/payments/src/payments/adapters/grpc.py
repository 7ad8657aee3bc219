"""The gRPC face of payments: questions answered from the read models, and the match that a person makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

import grpc
from billing.payments.v1 import payments_pb2 as pb
from billing.payments.v1 import payments_pb2_grpc
from canonical.money import Money
from chassis.eventstore import EventStore, Question, transact
from chassis.merged_patients import group_of
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.grpc_messages import (
    account_sent,
    activity_sent,
    balance_of,
    deposit_sent,
    money_sent,
    payment_sent,
    payout_sent,
)
from payments.adapters.grpc_remittances import LIST_MAX, RemittanceAnswers, chosen, limit_in, listed
from payments.application.balances import entity_balances
from payments.application.patient_rows import ACCOUNTS, ACTIVITY, PAYMENTS, PAYOUTS
from payments.application.queries import DEPOSITS
from payments.application.use_cases import match_payment

NAME = "billing.payments.v1.PaymentsService"
READS = (
    "GetPatientBalance",
    "ListAccounts",
    "ListRemittances",
    "GetRemittance",
    "ListProviderBalances",
    "GetProviderBalance",
    "ListDeposits",
    "ListPayments",
    "ListPayouts",
    "GetSubledgerBalances",
)


def payments_service(core: ServiceCore, today: Callable[[], date]) -> GrpcService:
    """The service with the scope of each method."""
    servicer = Payments(core, today)
    return GrpcService(
        NAME,
        lambda server: payments_pb2_grpc.add_PaymentsServiceServicer_to_server(servicer, server),
        dict.fromkeys(READS, "payments.read") | {"MatchPayment": "payments.write", "TieDeposits": "payments.write"},
    )


class Payments(RemittanceAnswers, payments_pb2_grpc.PaymentsServiceServicer):
    """Answers from the store alone."""

    def __init__(self, core: ServiceCore, today: Callable[[], date]) -> None:
        self._core = core
        self._store: EventStore = core.store
        self._today = today

    def GetPatientBalance(
        self, request: pb.GetPatientBalanceRequest, context: grpc.ServicerContext
    ) -> pb.GetPatientBalanceResponse:
        if bool(request.account_id) == bool(request.patient_id):
            raise BadArgument("account_id or patient_id: give exactly one of them")
        column = "account_id" if request.account_id else "patient_id"
        wanted = uuid_in(request.account_id or request.patient_id, column)
        group: tuple[UUID, ...] = ()
        if request.account_id:
            rows, lines = self._store.rows_of_each([_accounts("account_id", [wanted]), _activity_of([wanted])])
        else:
            group = group_of(self._store, wanted)
            (rows,) = self._store.rows_of_each([_accounts("patient_id", group)])
            (lines,) = self._store.rows_of_each([_activity_of([row["account_id"] for row in rows])])
        if not rows:
            raise NotThere(f"no account has this {column}")
        balance = Money.total(balance_of(row) for row in rows)
        return pb.GetPatientBalanceResponse(
            accounts=[account_sent(row) for row in rows],
            balance=money_sent(balance),
            activity=[activity_sent(row) for row in lines],
            person_id=str(group[0]) if group else "",
            merged_patient_ids=map(str, group[1:]),
        )

    def ListAccounts(self, request: pb.ListAccountsRequest, context: grpc.ServicerContext) -> pb.ListAccountsResponse:
        rows = self._store.rows(ACCOUNTS, chosen(entity=request.entity), order=("account_id",), limit=LIST_MAX)
        if request.only_owing:
            rows = [row for row in rows if balance_of(row) > Money(0)]
        if request.only_in_credit:
            rows = [row for row in rows if balance_of(row) < Money(0)]
        rows.sort(key=lambda row: -abs(balance_of(row).minor))
        return pb.ListAccountsResponse(accounts=[account_sent(row) for row in rows[: limit_in(request.limit)]])

    def ListDeposits(self, request: pb.ListDepositsRequest, context: grpc.ServicerContext) -> pb.ListDepositsResponse:
        where = chosen(entity=request.entity)
        if request.only_unmatched:
            where |= {"matched_to": None}
        rows = listed(self._store, DEPOSITS, where, "-recorded_at", "deposit_id", request.limit)
        return pb.ListDepositsResponse(deposits=[deposit_sent(row) for row in rows])

    def ListPayments(self, request: pb.ListPaymentsRequest, context: grpc.ServicerContext) -> pb.ListPaymentsResponse:
        where = chosen(entity=request.entity)
        if request.only_unmatched:
            where |= {"account_id": None, "state": "succeeded"}
        if request.only_not_paid_out:
            where |= {"payout_id": None, "state": "succeeded", "channel": "gateway"}
        rows = listed(self._store, PAYMENTS, where, "-effective_date", "payment_id", request.limit)
        return pb.ListPaymentsResponse(payments=[payment_sent(row) for row in rows])

    def ListPayouts(self, request: pb.ListPayoutsRequest, context: grpc.ServicerContext) -> pb.ListPayoutsResponse:
        rows = listed(self._store, PAYOUTS, {}, "-announced_at", "payout_id", request.limit)
        return pb.ListPayoutsResponse(payouts=[payout_sent(row) for row in rows])

    def MatchPayment(self, request: pb.MatchPaymentRequest, context: grpc.ServicerContext) -> pb.MatchPaymentResponse:
        payment_id = uuid_in(request.payment_id, "payment_id")
        account_id = uuid_in(request.account_id, "account_id")
        applied = transact(
            self._store,
            call_context(self._core.clock()),
            lambda work: match_payment(work, payment_id, account_id, self._today()),
        )
        return pb.MatchPaymentResponse(applied=money_sent(applied))

    def GetSubledgerBalances(
        self, request: pb.GetSubledgerBalancesRequest, context: grpc.ServicerContext
    ) -> pb.GetSubledgerBalancesResponse:
        position, found = entity_balances(self._store, request.entity)
        return pb.GetSubledgerBalancesResponse(
            entities=[
                pb.EntityBalances(entity=entity, **{name: money_sent(amount) for name, amount in sums.items()})
                for entity, sums in sorted(found.items())
            ],
            log_position=position,
        )


def _accounts(column: str, wanted: Sequence[UUID]) -> Question:
    return Question(ACCOUNTS, {column: wanted}, order=("entity", "account_id"), limit=LIST_MAX)


def _activity_of(account_ids: Sequence[object]) -> Question:
    return Question(ACTIVITY, {"account_id": account_ids}, order=("account_id", "ordinal"), limit=LIST_MAX)
