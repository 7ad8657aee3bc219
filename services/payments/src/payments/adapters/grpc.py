"""The gRPC face of payments: questions answered from the read models, and the match that a person makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import grpc
from billing.common.v1 import common_pb2
from billing.payments.v1 import payments_pb2 as pb
from billing.payments.v1 import payments_pb2_grpc
from canonical.money import USD, Money
from chassis.eventstore import EventStore, Question, Row, Table, Where, transact
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.application.balances import entity_balances
from payments.application.queries import ACCOUNTS, ACTIVITY, DEPOSITS, PAYMENTS, PAYOUTS, RECEIPTS, REMITTANCES
from payments.application.use_cases import match_payment

NAME = "billing.payments.v1.PaymentsService"
LIST_DEFAULT = 100
LIST_MAX = 5000
READS = (
    "GetPatientBalance",
    "ListAccounts",
    "ListRemittances",
    "GetRemittance",
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
        dict.fromkeys(READS, "payments.read") | {"MatchPayment": "payments.write"},
    )


class Payments(payments_pb2_grpc.PaymentsServiceServicer):
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
        accounts = Question(ACCOUNTS, {column: wanted}, order=("entity", "account_id"))
        if request.account_id:
            rows, lines = self._store.rows_of_each([accounts, _activity_of([wanted])])
        else:
            (rows,) = self._store.rows_of_each([accounts])
            (lines,) = self._store.rows_of_each([_activity_of([row["account_id"] for row in rows])])
        if not rows:
            raise NotThere(f"no account has this {column}")
        balance = Money.total(_balance(row) for row in rows)
        return pb.GetPatientBalanceResponse(
            accounts=[_account(row) for row in rows],
            balance=_money(balance),
            activity=[_activity(row) for row in lines],
        )

    def ListAccounts(self, request: pb.ListAccountsRequest, context: grpc.ServicerContext) -> pb.ListAccountsResponse:
        rows = self._store.rows(ACCOUNTS, _where(entity=request.entity), order=("account_id",), limit=LIST_MAX)
        if request.only_owing:
            rows = [row for row in rows if _balance(row) > Money(0)]
        rows.sort(key=lambda row: -abs(_balance(row).minor))
        return pb.ListAccountsResponse(accounts=[_account(row) for row in rows[: _limit(request.limit)]])

    def ListRemittances(
        self, request: pb.ListRemittancesRequest, context: grpc.ServicerContext
    ) -> pb.ListRemittancesResponse:
        where = _where(entity=request.entity, trace_number=request.trace_number)
        if request.only_without_deposit:
            where |= {"deposit_id": None}
        rows = self._listed(REMITTANCES, where, "-accepted_at", "remittance_id", request.limit)
        return pb.ListRemittancesResponse(remittances=[_remittance(row) for row in rows])

    def GetRemittance(
        self, request: pb.GetRemittanceRequest, context: grpc.ServicerContext
    ) -> pb.GetRemittanceResponse:
        wanted = uuid_in(request.remittance_id, "remittance_id")
        rows = self._store.rows(REMITTANCES, {"remittance_id": wanted})
        receipts = self._store.rows(RECEIPTS, {"remittance_id": wanted}, order=("receipt_id",))
        if not receipts:
            raise NotThere("no copy of this remittance came")
        return pb.GetRemittanceResponse(
            remittance=_remittance(rows[0]) if rows else None,
            receipts=[
                pb.Receipt(
                    receipt_id=_text(row["receipt_id"]),
                    remittance_id=_text(row["remittance_id"]),
                    message_id=_text(row["message_id"]),
                    verdict=_text(row["verdict"]),
                    payment=_minor(row["payment_minor"]),
                )
                for row in receipts
            ],
        )

    def ListDeposits(self, request: pb.ListDepositsRequest, context: grpc.ServicerContext) -> pb.ListDepositsResponse:
        where = _where(entity=request.entity)
        if request.only_unmatched:
            where |= {"matched_to": None}
        rows = self._listed(DEPOSITS, where, "-recorded_at", "deposit_id", request.limit)
        return pb.ListDepositsResponse(deposits=[_deposit(row) for row in rows])

    def ListPayments(self, request: pb.ListPaymentsRequest, context: grpc.ServicerContext) -> pb.ListPaymentsResponse:
        where = _where(entity=request.entity)
        if request.only_unmatched:
            where |= {"account_id": None, "state": "succeeded"}
        if request.only_not_paid_out:
            where |= {"payout_id": None, "state": "succeeded"}
        rows = self._listed(PAYMENTS, where, "-effective_date", "payment_id", request.limit)
        return pb.ListPaymentsResponse(payments=[_payment(row) for row in rows])

    def ListPayouts(self, request: pb.ListPayoutsRequest, context: grpc.ServicerContext) -> pb.ListPayoutsResponse:
        rows = self._listed(PAYOUTS, {}, "-announced_at", "payout_id", request.limit)
        return pb.ListPayoutsResponse(
            payouts=[
                pb.Payout(
                    payout_id=_text(row["payout_id"]),
                    gateway_id=_text(row["gateway_id"]),
                    state=_text(row["state"]),
                    net=_minor(row["net_minor"]),
                    deposit_id=_text(row["deposit_id"]),
                )
                for row in rows
            ]
        )

    def MatchPayment(self, request: pb.MatchPaymentRequest, context: grpc.ServicerContext) -> pb.MatchPaymentResponse:
        payment_id = uuid_in(request.payment_id, "payment_id")
        account_id = uuid_in(request.account_id, "account_id")
        applied = transact(
            self._store,
            call_context(self._core.clock()),
            lambda work: match_payment(work, payment_id, account_id, self._today()),
        )
        return pb.MatchPaymentResponse(applied=_money(applied))

    def GetSubledgerBalances(
        self, request: pb.GetSubledgerBalancesRequest, context: grpc.ServicerContext
    ) -> pb.GetSubledgerBalancesResponse:
        position, found = entity_balances(self._store, request.entity)
        return pb.GetSubledgerBalancesResponse(
            entities=[
                pb.EntityBalances(entity=entity, **{name: _money(amount) for name, amount in sums.items()})
                for entity, sums in sorted(found.items())
            ],
            log_position=position,
        )

    def _listed(self, table: Table, where: Where, newest: str, key: str, limit: int) -> Sequence[Row]:
        return self._store.rows(table, where, order=(newest, key), limit=_limit(limit))


def _activity_of(account_ids: Sequence[object]) -> Question:
    return Question(ACTIVITY, {"account_id": account_ids}, order=("account_id", "ordinal"), limit=LIST_MAX)


def _where(**columns: str) -> dict[str, object]:
    return {name: value for name, value in columns.items() if value}


def _limit(asked: int) -> int:
    if not 0 <= asked <= LIST_MAX:
        raise BadArgument(f"limit: 0 to {LIST_MAX}")
    return asked or LIST_DEFAULT


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _money(amount: Money) -> common_pb2.Money:
    return common_pb2.Money(minor=amount.minor, currency=amount.currency)


def _minor(value: object) -> common_pb2.Money:
    return common_pb2.Money(minor=value if isinstance(value, int) else 0, currency=USD)


def _balance(row: Row) -> Money:
    owed, paid = row["responsibility_minor"], row["applied_minor"]
    return Money((owed if isinstance(owed, int) else 0) - (paid if isinstance(paid, int) else 0))


def _account(row: Row) -> pb.Account:
    return pb.Account(
        account_id=_text(row["account_id"]),
        entity=_text(row["entity"]),
        patient_id=_text(row["patient_id"]),
        responsibility=_minor(row["responsibility_minor"]),
        applied=_minor(row["applied_minor"]),
        unapplied=_minor(row["unapplied_minor"]),
        balance=_money(_balance(row)),
    )


def _activity(row: Row) -> pb.Activity:
    return pb.Activity(
        account_id=_text(row["account_id"]),
        kind=_text(row["kind"]),
        amount=_minor(row["amount_minor"]),
        effective_date=_text(row["effective_date"]),
        source_id=_text(row["source_id"]),
        claim_id=_text(row["claim_id"]),
        encounter_id=_text(row["encounter_id"]),
    )


def _remittance(row: Row) -> pb.Remittance:
    count = row["claim_count"]
    return pb.Remittance(
        remittance_id=_text(row["remittance_id"]),
        entity=_text(row["entity"]),
        payer=_text(row["payer"]),
        trace_number=_text(row["trace_number"]),
        payment=_minor(row["payment_minor"]),
        claim_count=count if isinstance(count, int) else 0,
        effective_date=_text(row["effective_date"]),
        deposit_id=_text(row["deposit_id"]),
        message_id=_text(row["message_id"]),
        receipt_id=_text(row["receipt_id"]),
    )


def _deposit(row: Row) -> pb.Deposit:
    return pb.Deposit(
        deposit_id=_text(row["deposit_id"]),
        entity=_text(row["entity"]),
        kind=_text(row["kind"]),
        reference=_text(row["reference"]),
        amount=_minor(row["amount_minor"]),
        effective_date=_text(row["effective_date"]),
        matched_to=_text(row["matched_to"]),
        message_id=_text(row["message_id"]),
    )


def _payment(row: Row) -> pb.Payment:
    return pb.Payment(
        payment_id=_text(row["payment_id"]),
        gateway_id=_text(row["gateway_id"]),
        entity=_text(row["entity"]),
        state=_text(row["state"]),
        amount=_minor(row["amount_minor"]),
        effective_date=_text(row["effective_date"]),
        account_id=_text(row["account_id"]),
        message_id=_text(row["message_id"]),
    )
