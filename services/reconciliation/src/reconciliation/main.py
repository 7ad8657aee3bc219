"""Reconciliation, configured, wired and started."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from billing.claims.v1 import claims_pb2_grpc
from billing.ledger.v1 import ledger_pb2_grpc
from billing.operations.v1 import operations_pb2_grpc
from billing.payments.v1 import gateway_orders_pb2_grpc, payer_overpayments_pb2_grpc, payments_pb2_grpc
from chassis.domain import UnsafeSetting
from chassis.eventstore import EventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.master_data_file import MasterDataFile
from chassis.messaging import BatchConsumer
from chassis.rpc import channel_to
from chassis.runtime import ServiceCore, ServiceShape, Sweep
from chassis.runtime.opening import open_event_store
from chassis.runtime.service import run
from chassis.runtime.settings import Settings
from chassis.security.client_credentials import ClientCredentials

from reconciliation.adapters.claims_books import GrpcClaimsBooks
from reconciliation.adapters.grpc import reconciliation_service
from reconciliation.adapters.ledger_books import GrpcLedgerBooks
from reconciliation.adapters.patient_books import GrpcPatientBooks
from reconciliation.application.ports import ClaimsBooks, LedgerBooks, PatientBooks
from reconciliation.application.publishing import publish
from reconciliation.application.queries import PROJECTIONS, TABLES
from reconciliation.application.reactions import FROM_LEDGER, FROM_PAYMENTS
from reconciliation.application.reading import Sources
from reconciliation.application.use_cases import Reconciling, Sweeping
from reconciliation.domain.breaks import Break
from reconciliation.domain.runs import ReconciliationRun
from reconciliation.domain.witnessed import ClearingItem, WitnessedJournal

NAME = "reconciliation"
PAUSE_SECONDS = 0.5
CALL_DEADLINE_SECONDS = 30.0
CHECK_DUE_SECONDS = 5.0
PATIENCE = timedelta(minutes=5)
SHAPE = ServiceShape(
    name=NAME,
    aggregates=(WitnessedJournal, ClearingItem, ReconciliationRun, Break),
    tables=TABLES,
    projections=PROJECTIONS,
    publishing=publish,
)


class ReconciliationSettings(Settings):
    """What reconciliation is told beside what every service is: how often it proves by itself (0 for never), and for how
    long books must stand still before a difference between them is a break.
    """

    reconcile_every_seconds: int = 300
    reconcile_patience_seconds: int = 2


def reconciling_over(
    store: EventStore,
    clock: Callable[[], datetime],
    claims: ClaimsBooks,
    patients: PatientBooks,
    ledger: LedgerBooks,
    *,
    entities: Callable[[], tuple[str, ...]] = tuple,
    pause: Callable[[], None] = lambda: None,
    patience: timedelta = PATIENCE,
    backlog: Callable[[], int] = int,
) -> Reconciling:
    """The proof over these books; see `Reconciling` for `pause` and `patience`, and `Sources` for `backlog`."""
    return Reconciling(Sources(store, claims, patients, ledger, entities, backlog), clock, pause, patience)


def assemble(
    store: EventStore,
    clock: Callable[[], datetime],
    reconciling: Reconciling,
    *,
    every_seconds: float = 0,
    crash_point: CrashPoint = no_crash,
) -> ServiceCore:
    """The service without its transports; it proves by itself only where `every_seconds` is given."""
    reactions = {"ledger": FROM_LEDGER, "payments": FROM_PAYMENTS}
    return ServiceCore(
        shape=SHAPE,
        store=store,
        clock=clock,
        consumers={
            upstream: BatchConsumer(f"{NAME}-{upstream}", store, answered, clock, crash_point=crash_point)
            for upstream, answered in reactions.items()
        },
        sweeps=(Sweep("prove", CHECK_DUE_SECONDS, Sweeping(reconciling, every_seconds).run),),
    )


def main() -> int:
    """Runs the service by its environment; the exit code."""
    settings = ReconciliationSettings.from_environment(os.environ)
    clock = partial(datetime.now, UTC)
    store = open_event_store(settings, SHAPE)
    claims, patients, ledger = _books(settings)
    master_data = MasterDataFile(settings.master_data_path) if settings.master_data_path else None
    reconciling = reconciling_over(
        store,
        clock,
        claims,
        patients,
        ledger,
        entities=lambda: tuple(entity.code for entity in master_data.entities) if master_data else (),
        pause=partial(time.sleep, PAUSE_SECONDS),
        patience=timedelta(seconds=settings.reconcile_patience_seconds),
        backlog=lambda: core.backlog,
    )
    core = assemble(
        store,
        clock,
        reconciling,
        every_seconds=settings.reconcile_every_seconds,
        crash_point=settings.crash_points(NAME),
    )
    known = replace(core, master_data_version=lambda: master_data.version if master_data else "")
    return run(known, settings, grpc=[reconciliation_service(core, reconciling)])


def _books(settings: Settings) -> tuple[ClaimsBooks, PatientBooks, LedgerBooks]:
    tokens = ClientCredentials(settings.token_url, settings.client_id, settings.client_secret.get_secret_value())
    channels = []
    for name in ("claims_grpc", "payments_grpc", "ledger_grpc"):
        target = getattr(settings, name)
        if not target:
            raise UnsafeSetting(f"THROUGHLINE_{name.upper()}", "not given", "the address of that service")
        channels.append(channel_to(target, tokens, deadline_seconds=CALL_DEADLINE_SECONDS))
    claims, payments, ledger = channels
    operations = operations_pb2_grpc.OperationsServiceStub
    return (
        GrpcClaimsBooks(claims_pb2_grpc.ClaimsServiceStub(claims), operations(claims)),
        GrpcPatientBooks(
            payments_pb2_grpc.PaymentsServiceStub(payments),
            gateway_orders_pb2_grpc.GatewayOrdersServiceStub(payments),
            payer_overpayments_pb2_grpc.PayerOverpaymentsServiceStub(payments),
            operations(payments),
        ),
        GrpcLedgerBooks(ledger_pb2_grpc.LedgerServiceStub(ledger), operations(ledger)),
    )


if __name__ == "__main__":
    raise SystemExit(main())
