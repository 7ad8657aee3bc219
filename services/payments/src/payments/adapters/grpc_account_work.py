"""The gRPC face of what people do about patients' accounts: transfers, plans, asking, and cash that should go back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from billing.payments.v1 import account_work_pb2_grpc
from canonical.money import Money
from chassis.rpc import GrpcService
from chassis.runtime import ServiceCore

from payments.adapters.grpc_asking import AskingAnswers
from payments.adapters.grpc_plans import PlanAnswers
from payments.adapters.grpc_transfers import TransferAnswers
from payments.application.dunning import Policies, default_policy

NAME = "billing.payments.v1.AccountWorkService"
READ, WRITE, APPROVE = "payments.read", "payments.write", "payments.approve"
SCOPES: Mapping[str, str] = {
    "RequestTransfer": WRITE,
    "ApproveTransfer": APPROVE,
    "ListTransfers": READ,
    "AgreePlan": WRITE,
    "CancelPlan": WRITE,
    "ListPlans": READ,
    "ListAsking": READ,
    "RecordStatementSent": WRITE,
    "ListRefundProposals": READ,
}


def account_work_service(
    core: ServiceCore, today: Callable[[], date], transfer_limit: Money, policies: Policies = default_policy
) -> GrpcService:
    """The service with the scope of each method. Transfers above the limit need a second person."""
    servicer = AccountWork(core, today, transfer_limit, policies)
    return GrpcService(
        NAME,
        lambda server: account_work_pb2_grpc.add_AccountWorkServiceServicer_to_server(servicer, server),
        SCOPES,
    )


class AccountWork(TransferAnswers, PlanAnswers, AskingAnswers, account_work_pb2_grpc.AccountWorkServiceServicer):
    """Hands commands on, and answers from the store; nothing here decides."""

    def __init__(
        self, core: ServiceCore, today: Callable[[], date], transfer_limit: Money, policies: Policies = default_policy
    ) -> None:
        self._core = core
        self._store = core.store
        self._today = today
        self._transfer_limit = transfer_limit
        self._policies = policies
