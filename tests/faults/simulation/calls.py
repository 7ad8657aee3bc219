"""Calls between services without a network: the caller's stub is the other one's servicer, and may get no answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from canonical.master_data import MasterData
from chassis.domain import Unavailable
from chassis.rpc.operations import Operations
from chassis.runtime import ServiceCore
from claims.adapters.grpc import Claims
from claims.adapters.rule_files import load_rules
from claims.application.following import DecisionFollowing
from claims.domain.rules.edits import ClaimEdits
from ledger_adapter.adapters.grpc import Ledger
from ledger_adapter.application.ports import ErpDirectory
from payments.adapters.grpc import Payments
from payments.adapters.grpc_orders import GatewayOrders
from payments.adapters.grpc_overpayments import PayerOverpaymentCalls
from reconciliation.adapters.claims_books import GrpcClaimsBooks
from reconciliation.adapters.ledger_books import GrpcLedgerBooks
from reconciliation.adapters.patient_books import GrpcPatientBooks
from reconciliation.application.ports import ClaimsBooks, LedgerBooks, PatientBooks

from .mischief import Kind, Mischief

CoreOf = Callable[[str], ServiceCore]


class InProcess:
    """Stands for a gRPC stub. The servicer is made anew for each call, for its process may have died since the last."""

    def __init__(self, servicer: Callable[[], object], mischief: Mischief) -> None:
        self._servicer = servicer
        self._mischief = mischief

    def __getattr__(self, method: str) -> Callable[[object], Any]:
        def call(request: object) -> Any:
            if self._mischief.strikes(Kind.CALL_UNANSWERED):
                raise Unavailable("simulated: the other service does not answer")
            return getattr(self._servicer(), method)(request, None)

        return call


def books(
    core_of: CoreOf, master_data: MasterData, erps: ErpDirectory, mischief: Mischief
) -> tuple[ClaimsBooks, PatientBooks, LedgerBooks]:
    """The books that reconciliation reads, through the adapters and servicers that the network has between them."""
    edits, following = ClaimEdits(load_rules(), master_data), DecisionFollowing(master_data)
    servicers: Mapping[str, Callable[[], object]] = {
        "claims": lambda: Claims(core_of("claims"), edits, following),
        "payments": lambda: Payments(core_of("payments"), _today_of(core_of)),
        "ledger": lambda: Ledger(core_of("ledger"), erps),
    }

    overpaid: Any = InProcess(lambda: PayerOverpaymentCalls(core_of("payments"), _today_of(core_of), tuple), mischief)

    moves: Any = InProcess(lambda: GatewayOrders(core_of("payments")), mischief)

    def stubs(name: str) -> tuple[Any, Any]:
        return (
            InProcess(servicers[name], mischief),
            InProcess(lambda: Operations(core_of(name)), mischief),
        )

    payments, operations = stubs("payments")
    return (
        GrpcClaimsBooks(*stubs("claims")),
        GrpcPatientBooks(payments, moves, overpaid, operations),
        GrpcLedgerBooks(*stubs("ledger")),
    )


def _today_of(core_of: CoreOf) -> Callable[[], date]:
    return lambda: core_of("payments").clock().date()
