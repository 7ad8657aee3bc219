"""The books of payments, asked by gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billing.operations.v1 import operations_pb2 as operations
from billing.operations.v1 import operations_pb2_grpc
from billing.payments.v1 import (
    gateway_orders_pb2,
    gateway_orders_pb2_grpc,
    payer_overpayments_pb2_grpc,
    payments_pb2_grpc,
)
from billing.payments.v1 import payer_overpayments_pb2 as overpayments
from billing.payments.v1 import payments_pb2 as pb

from reconciliation.adapters.wire import date_or_none, is_settled, money, open_cases, uuid_or_none
from reconciliation.application.ports import AccountBalance, PatientReading, RemittancePart, Responsibility
from reconciliation.domain.books import (
    GATEWAY_CLEARING,
    ClearingEntry,
    OpenCase,
    PatientBalance,
    PayerOverpayment,
    Progress,
    ProviderBalance,
)

LIST_MAX = 5000
PROVIDERS_MAX = 1000


class GrpcPatientBooks:
    """What patients owe, and what the gateway still holds of their payments, less what it took back."""

    def __init__(
        self,
        stub: payments_pb2_grpc.PaymentsServiceStub,
        moves: gateway_orders_pb2_grpc.GatewayOrdersServiceStub,
        overpaid: payer_overpayments_pb2_grpc.PayerOverpaymentsServiceStub,
        operations_stub: operations_pb2_grpc.OperationsServiceStub,
    ) -> None:
        self._stub = stub
        self._moves = moves
        self._overpaid = overpaid
        self._operations = operations_stub

    def read(self, entities: Sequence[str]) -> PatientReading:
        answer = self._stub.GetSubledgerBalances(pb.GetSubledgerBalancesRequest())
        chosen = [row for row in answer.entities if row.entity in entities]
        waiting = tuple(entry for entity in entities for entry in (*self._not_paid_out(entity), *self._moved(entity)))
        providers = [row for entity in entities for row in self._provider_balances(entity)]
        status = self._operations.GetStatus(operations.GetStatusRequest())
        settled = is_settled(status, answer.log_position)
        return PatientReading(
            Progress(answer.log_position, settled, lags=status.backlog > 0),
            tuple(PatientBalance(row.entity, money(row.patient_balance)) for row in chosen),
            waiting,
            overpayments=tuple(one for entity in entities for one in self._overpayments(entity)),
            providers=tuple(
                ProviderBalance(row.entity, row.payer, money(row.open), money(row.other)) for row in providers
            ),
        )

    def _overpayments(self, entity: str) -> list[PayerOverpayment]:
        request = overpayments.ListPayerOverpaymentsRequest(entity=entity, limit=LIST_MAX)
        return [
            PayerOverpayment(row.entity, row.payer, money(row.amount) - money(row.withdrawn), money(row.recouped))
            for row in self._overpaid.ListPayerOverpayments(request).overpayments
        ]

    def _provider_balances(self, entity: str) -> Sequence[pb.ProviderBalance]:
        request = pb.ListProviderBalancesRequest(entity=entity, limit=PROVIDERS_MAX)
        return self._stub.ListProviderBalances(request).balances

    def provider_adjustments(self, entity: str, *, of_items: bool) -> Sequence[RemittancePart]:
        found: list[RemittancePart] = []
        for balance in self._provider_balances(entity):
            answer = self._stub.GetProviderBalance(pb.GetProviderBalanceRequest(balance_id=balance.balance_id))
            found += [
                RemittancePart(UUID(row.remittance_id), money(row.amount), date_or_none(row.effective_date))
                for row in answer.adjustments
                if bool(row.item_ids) == of_items
            ]
        return found

    def _not_paid_out(self, entity: str) -> list[ClearingEntry]:
        request = pb.ListPaymentsRequest(entity=entity, only_not_paid_out=True, limit=LIST_MAX)
        return [
            ClearingEntry(
                entity=entity,
                account=GATEWAY_CLEARING,
                item_id=UUID(payment.payment_id),
                kind="payment",
                amount=money(payment.amount),
                on=date_or_none(payment.effective_date),
                reference=payment.gateway_id,
            )
            for payment in self._stub.ListPayments(request).payments
        ]

    def _moved(self, entity: str) -> list[ClearingEntry]:
        """What refunds, disputes, returns and payouts that came back changed in the gateway's balance since its payouts."""
        request = gateway_orders_pb2.ListGatewayMovesRequest(entity=entity, only_not_paid_out=True, limit=LIST_MAX)
        return [
            ClearingEntry(
                entity=entity,
                account=GATEWAY_CLEARING,
                item_id=UUID(move.move_id),
                kind=move.kind,
                amount=money(move.amount),
                on=date_or_none(move.effective_date),
            )
            for move in self._moves.ListGatewayMoves(request).moves
        ]

    def accounts(self, entity: str) -> Sequence[AccountBalance]:
        answer = self._stub.ListAccounts(pb.ListAccountsRequest(entity=entity, limit=LIST_MAX))
        return [
            AccountBalance(UUID(row.account_id), UUID(row.patient_id), money(row.responsibility), money(row.applied))
            for row in answer.accounts
        ]

    def responsibilities(self, account_id: UUID) -> Sequence[Responsibility]:
        answer = self._stub.GetPatientBalance(pb.GetPatientBalanceRequest(account_id=str(account_id)))
        return [
            Responsibility(
                source_id=UUID(row.source_id),
                encounter_id=UUID(row.encounter_id),
                claim_id=uuid_or_none(row.claim_id),
                amount=money(row.amount),
                on=date_or_none(row.effective_date),
            )
            for row in answer.activity
            if row.kind == "responsibility"
        ]

    def cases(self) -> Sequence[OpenCase]:
        return open_cases("payments", self._operations)
