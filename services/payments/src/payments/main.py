"""Payments, configured, wired and started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from canonical.master_data import KnownMasterData
from canonical.money import Money
from chassis.eventstore import EventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.inbound import INBOUND_MESSAGES, InboundMessage, project_inbound_messages
from chassis.inbound.file_shelf import Report
from chassis.inbound.refused_files import report_refused_files
from chassis.inbound.retention import RawRetention, RetentionPolicy, WrongRetention, read_retention
from chassis.inbound.watched_folder import WatchedFolder
from chassis.keys import Sealer
from chassis.master_data_file import MasterDataFile
from chassis.merged_patients import PATIENT_MERGES, PatientMerge, project_merges
from chassis.messaging import BatchConsumer
from chassis.rpc import GrpcService
from chassis.runtime import ServiceCore, ServiceShape, Sweep
from chassis.runtime.opening import open_event_store, open_key_store
from chassis.runtime.service import EXIT_SETTINGS, run
from chassis.runtime.settings import Settings, WrongSettings
from pydantic import Field, SecretStr

from payments.adapters.bank_files import take_bank_file
from payments.adapters.grpc import payments_service
from payments.adapters.grpc_account_work import account_work_service
from payments.adapters.grpc_accounts import patient_accounts_service
from payments.adapters.grpc_orders import gateway_orders_service
from payments.adapters.grpc_overpayments import payer_overpayments_service
from payments.adapters.grpc_payments import patient_payments_service
from payments.adapters.grpc_statements import Document, Documents
from payments.adapters.processor_gateway import NAME as PROCESSOR
from payments.adapters.processor_gateway import ProcessorGateway, processor_webhooks
from payments.adapters.statement_html import html_of
from payments.adapters.statement_pdf import pdf_of
from payments.adapters.stripe_api import StripeGateway
from payments.adapters.stripe_gateway import stripe_webhooks
from payments.adapters.webhook_scheme import WebhookScheme
from payments.adapters.webhooks import webhook_app
from payments.application.asking_rows import STATEMENTS_SENT, project_asking
from payments.application.case_guides import GUIDES
from payments.application.deposits import DepositMatcher, WithoutCounterpart
from payments.application.dispute_rows import DISPUTES, project_disputes
from payments.application.doors import Doors
from payments.application.dunning import policies_in
from payments.application.gateway_orders import GatewayOrdering
from payments.application.gateway_polling import GatewayPolling, PollingTimes
from payments.application.gateway_questions import GatewayAsking
from payments.application.gateway_waiting import GatewayWaiting
from payments.application.guarantors import VISIT_GUARANTORS, project_guarantors
from payments.application.payer_credits import PAYER_CREDITS, project_payer_credits
from payments.application.payment_matching import PaymentMatcher
from payments.application.payment_plans import PlanWatch
from payments.application.plan_rows import PAYMENT_PLANS, project_plans
from payments.application.ports import GatewayReader, Gateways, PaymentGateway
from payments.application.posting import PaymentPosting
from payments.application.price_concessions import (
    ConcessionAgeing,
    MasterDataPortfolios,
    NoPortfolios,
    Portfolios,
)
from payments.application.publishing import publish
from payments.application.queries import TABLES, project
from payments.application.reactions import reactions
from payments.application.sweeps import PayoutComposer
from payments.application.transfer_rows import ACCOUNT_TRANSFERS, project_transfers
from payments.application.unapplied_cash import UNAPPLIED_CASH, project_unapplied_cash
from payments.domain.account_transfer import AccountTransfer
from payments.domain.asking import AccountAsking
from payments.domain.deposit import Deposit
from payments.domain.gateway_order import GatewayOrder
from payments.domain.gateway_question import GatewayQuestion
from payments.domain.patient_account import PatientAccount
from payments.domain.payer_credit import PayerCredit
from payments.domain.payer_overpayment import PayerOverpayment
from payments.domain.payment import STRIPE, Payment
from payments.domain.payment_plan import PaymentPlan
from payments.domain.payout import Payout
from payments.domain.provider_balance import ProviderBalance
from payments.domain.remittance import Remittance, RemittanceChunk
from payments.domain.remittance_content import RemittanceContent
from payments.domain.visit_guarantor import VisitGuarantor
from payments.domain.write_off import PatientWriteOff

NAME = "payments"
STATEMENT_FORMS: Mapping[str, Document] = {
    "html": Document("text/html; charset=utf-8", lambda said, name: html_of(said, name).encode()),
    "pdf": Document("application/pdf", pdf_of),
}
EXPIRE_SECONDS, EXPIRE_REST_SECONDS = 3600.0, 60.0
POSTING_THREADS = 32
"""Each payment that is posted waits in a thread for the commit of its batch."""
POLL_SECONDS = 60.0
WAITING_SECONDS = 60.0
NO_PORTFOLIOS = NoPortfolios()
SHAPE = ServiceShape(
    name=NAME,
    aggregates=(
        InboundMessage,
        Remittance,
        RemittanceChunk,
        RemittanceContent,
        ProviderBalance,
        PayerOverpayment,
        PayerCredit,
        Deposit,
        Payment,
        Payout,
        GatewayQuestion,
        GatewayOrder,
        PatientAccount,
        PatientWriteOff,
        AccountTransfer,
        AccountAsking,
        PaymentPlan,
        VisitGuarantor,
        PatientMerge,
    ),
    tables=(
        INBOUND_MESSAGES,
        PATIENT_MERGES,
        *TABLES,
        UNAPPLIED_CASH,
        DISPUTES,
        PAYMENT_PLANS,
        ACCOUNT_TRANSFERS,
        STATEMENTS_SENT,
        PAYER_CREDITS,
        VISIT_GUARANTORS,
    ),
    projections=(
        project_inbound_messages,
        project_merges,
        project,
        project_unapplied_cash,
        project_disputes,
        project_plans,
        project_transfers,
        project_asking,
        project_payer_credits,
        project_guarantors,
    ),
    publishing=publish,
    guides=GUIDES,
)


class PaymentsSettings(Settings):
    """What payments is told beside what every service is.

    `gateway_secrets` are the webhook secrets, comma-separated, two while one is rotated; an event that no webhook told
    within `gateway_grace_seconds` is fetched, and what became of a payment that is under way for `gateway_waiting_days`
    is asked. `processor_...` are those of a second processor. A deposit or payout that
    nothing explains becomes a case after `loose_after_seconds`, and a deposit is booked as unidentified then; a
    remittance whose money has not come becomes one after `undeposited_after_seconds`. `raw_retention_path` says how long
    the bytes of webhooks and bank files are kept. A refund above `refund_limit_minor` cents, or a write-off above
    `write_off_limit_minor`, or a transfer between accounts above `transfer_limit_minor`, needs a second person.
    """

    gateway_secrets: SecretStr = SecretStr("")
    gateway_api_key: SecretStr = SecretStr("")
    gateway_api_base: str = ""
    gateway_entity: str = ""
    gateway_grace_seconds: int = 120
    gateway_waiting_days: int = Field(default=7, ge=1)
    processor_secrets: SecretStr = SecretStr("")
    processor_api_key: SecretStr = SecretStr("")
    processor_api_base: str = ""
    loose_after_seconds: int = 172_800
    undeposited_after_seconds: int = 432_000
    raw_retention_path: Path | None = None
    refund_limit_minor: int = Field(default=0, ge=0)
    write_off_limit_minor: int = Field(default=0, ge=0)
    transfer_limit_minor: int = Field(default=0, ge=0)
    grpc_threads: int = POSTING_THREADS


def assemble(
    store: EventStore,
    clock: Callable[[], datetime],
    gateway: GatewayReader,
    *,
    gateways: Gateways | None = None,
    portfolios: Portfolios = NO_PORTFOLIOS,
    loose_after: timedelta = timedelta(days=2),
    undeposited_after: timedelta = timedelta(days=5),
    waiting_after: timedelta = timedelta(days=7),
    retention: Callable[[], RetentionPolicy] = RetentionPolicy,
    done: Path | None = None,
    crash_point: CrashPoint = no_crash,
) -> ServiceCore:
    """The service without its transports."""
    matcher = DepositMatcher(store, clock, crash_point=crash_point)
    expiring = RawRetention(store, clock, retention, NAME, done)
    alone = WithoutCounterpart(store, clock, loose_after, undeposited_after)
    composer = PayoutComposer(store, clock, {STRIPE: gateway, **(gateways or {})}, loose_after, crash_point=crash_point)
    asking = GatewayAsking(store, clock, gateways or {})
    ordering = GatewayOrdering(store, clock, gateways or {}, crash_point=crash_point)
    waiting = GatewayWaiting(store, clock, gateways or {}, waiting_after)
    return ServiceCore(
        shape=SHAPE,
        store=store,
        clock=clock,
        consumers={
            upstream: BatchConsumer(f"{NAME}-{upstream}", store, answered, clock, crash_point=crash_point)
            for upstream, answered in reactions(portfolios).items()
        },
        sweeps=(
            Sweep("match-deposits", 1.0, matcher.match),
            Sweep("match-payments", 1.0, PaymentMatcher(store, clock).match),
            Sweep("watch-plans", 60.0, PlanWatch(store, clock).run),
            Sweep("age-price-concessions", 60.0, ConcessionAgeing(store, clock, portfolios).run),
            Sweep("compose-payouts", 2.0, composer.compose),
            Sweep("ask-gateways", 1.0, asking.ask),
            Sweep("send-gateway-orders", 1.0, ordering.send),
            Sweep("ask-about-waiting", WAITING_SECONDS, waiting.ask),
            Sweep("report-loose-deposits", 5.0, alone.report_deposits),
            Sweep("report-undeposited-remittances", 30.0, alone.report_remittances),
            Sweep("book-unidentified-deposits", 5.0, alone.book_unidentified),
            Sweep("expire-raw", EXPIRE_SECONDS, expiring.run, EXPIRE_REST_SECONDS),
        ),
    )


def main() -> int:
    """Runs the service by its environment; the exit code."""
    try:
        return serve(PaymentsSettings.from_environment(os.environ))
    except (WrongSettings, WrongRetention) as refused:
        sys.stderr.write(f"{NAME}: {refused}\n")
        return EXIT_SETTINGS


def serve(settings: PaymentsSettings) -> int:
    """Runs the service until it is told to stop.

    Raises:
        WrongRetention: the policy of raw bytes cannot be.
    """
    read_retention(settings.raw_retention_path)
    master_data = MasterDataFile(settings.master_data_path)
    clock = partial(datetime.now, UTC)
    store = open_event_store(settings, SHAPE)
    gateway = StripeGateway(settings.gateway_api_key.get_secret_value(), settings.gateway_api_base)
    gateways = _gateways(settings, gateway)
    crash_point = settings.crash_points(NAME)
    core = assemble(
        store,
        clock,
        gateway,
        gateways=gateways,
        portfolios=MasterDataPortfolios(
            lambda: master_data.price_concessions, lambda payer, on: master_data.payer(payer, on).payer_class
        ),
        loose_after=timedelta(seconds=settings.loose_after_seconds),
        undeposited_after=timedelta(seconds=settings.undeposited_after_seconds),
        waiting_after=timedelta(days=settings.gateway_waiting_days),
        retention=partial(read_retention, settings.raw_retention_path),
        done=settings.exchange_dir / "bank-done" if settings.exchange_dir else None,
        crash_point=crash_point,
    )
    entity = settings.gateway_entity or master_data.entities[0].code
    sealer = Sealer(open_key_store(settings))
    doors = Doors(store, sealer, clock, entity, crash_point)
    times = PollingTimes(grace=timedelta(seconds=settings.gateway_grace_seconds))
    polling = GatewayPolling(store, clock, gateways, doors, times)
    core = replace(core, sweeps=(*core.sweeps, Sweep("poll-gateways", POLL_SECONDS, polling.poll)))
    report = report_refused_files(store, clock, "bank")
    schemes = _webhooks(settings)
    return run(
        replace(core, master_data_version=lambda: master_data.version),
        settings,
        grpc=_calls(core, sealer, master_data, settings, crash_point),
        http_app=webhook_app(doors, schemes, clock) if schemes else None,
        doors=[_bank_folder(settings.exchange_dir, doors, master_data, report).serve] if settings.exchange_dir else [],
    )


def _gateways(settings: PaymentsSettings, stripe: StripeGateway) -> Gateways:
    """The gateways that we may ask and order from, by name."""
    found: dict[str, PaymentGateway] = {STRIPE: stripe} if settings.gateway_api_key.get_secret_value() else {}
    if settings.processor_api_base:
        key = settings.processor_api_key.get_secret_value()
        found[PROCESSOR] = ProcessorGateway(key, settings.processor_api_base)
    return found


def _webhooks(settings: PaymentsSettings) -> list[WebhookScheme]:
    """The gateways whose webhooks we take: those that have a secret."""
    kinds = ((stripe_webhooks, settings.gateway_secrets), (processor_webhooks, settings.processor_secrets))
    secrets = [(kind, [part for part in told.get_secret_value().split(",") if part]) for kind, told in kinds]
    return [kind(parts) for kind, parts in secrets if parts]


def _calls(
    core: ServiceCore, sealer: Sealer, master_data: KnownMasterData, settings: PaymentsSettings, crash_point: CrashPoint
) -> list[GrpcService]:
    def today() -> date:
        return core.clock().date()

    def entities() -> set[str]:
        return {entity.code for entity in master_data.entities}

    def entity_names() -> dict[str, str]:
        return {entity.code: entity.name for entity in master_data.entities}

    posting = PaymentPosting(core.store, sealer, crash_point)
    policies = policies_in(lambda: master_data.dunning_steps)
    documents = Documents(STATEMENT_FORMS, entity_names, policies)
    return [
        payments_service(core, today),
        patient_accounts_service(core, today, Money(settings.write_off_limit_minor), documents),
        account_work_service(core, today, Money(settings.transfer_limit_minor), policies),
        gateway_orders_service(core),
        payer_overpayments_service(core, today, entities),
        patient_payments_service(
            core, posting, today, entities, Money(settings.refund_limit_minor), crash_point=crash_point
        ),
    ]


def _bank_folder(exchange: Path, doors: Doors, master_data: KnownMasterData, report: Report) -> WatchedFolder:
    return WatchedFolder(exchange, "bank", partial(take_bank_file, doors, master_data), report)


if __name__ == "__main__":
    raise SystemExit(main())
