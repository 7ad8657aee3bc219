"""Claims, configured, wired and started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from canonical.master_data import KnownMasterData
from canonical.money import Money
from chassis.domain import UnsafeSetting
from chassis.eventstore import EventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.keys import Sealer
from chassis.master_data_file import MasterDataFile
from chassis.merged_patients import PATIENT_MERGES, PatientMerge, project_merges
from chassis.messaging import BatchConsumer
from chassis.runtime import ServiceCore, ServiceShape, Sweep
from chassis.runtime.opening import open_event_store, open_key_store
from chassis.runtime.service import EXIT_SETTINGS, run
from chassis.runtime.settings import Settings, WrongSettings
from pydantic import Field
from x12.validation_pool import WORKERS_MAX

from claims.adapters.claim_formats import FormatByReceiver
from claims.adapters.clearinghouses.answers import AnswerDrop
from claims.adapters.clearinghouses.named import EXCHANGE_FOLDER, WrongClearinghouses, load_clearinghouses
from claims.adapters.clearinghouses.webhook import webhook_app
from claims.adapters.file_drop import FileDrop
from claims.adapters.grpc import claims_service
from claims.adapters.grpc_sending import claim_sending_service
from claims.adapters.grpc_work import claim_work_service
from claims.adapters.patient_details import SealedDetails
from claims.adapters.platforms.named import WrongPlatforms, load_platforms
from claims.adapters.platforms.watched import WatchedPlatform, show_states
from claims.adapters.rule_files import load_rules
from claims.adapters.validating import Validate, validator
from claims.adapters.x12_claims import X12ClaimFormat
from claims.adapters.x12_inquiries import X12InquiryFormat
from claims.application.asking_status import StatusAsking
from claims.application.case_guides import GUIDES
from claims.application.comparing_balances import PATIENCE_SECONDS, BalanceComparing
from claims.application.editing import DryRun
from claims.application.fetching import FETCH_SECONDS, HINTS, AnswerFetching, AnswerHints, project_hints
from claims.application.following import TOLERANCE, DecisionFollowing
from claims.application.inquiries import Questions
from claims.application.money_read_models import MONEY_TABLES, project_money
from claims.application.packet import FilingPackets
from claims.application.platform_read_models import PLATFORM_BALANCES, project_platform_balances
from claims.application.ports import ClaimFormat, ClaimTransport, Inquiring, PatientDetailsVault
from claims.application.publishing import publish
from claims.application.reactions import intake_reactions, payments_reactions
from claims.application.read_models import TABLES, project
from claims.application.sending import InterchangeSending
from claims.application.submission import ClaimSubmission
from claims.application.verifying_coverage import COVERAGE_HOURS, CoverageChecks
from claims.application.watching_platforms import (
    PLATFORM_WATCHES,
    PlatformHearing,
    PlatformWatching,
    project_platform_watches,
)
from claims.application.work_read_models import WORK_TABLES, project_work
from claims.application.working_denials import DenialClocks
from claims.domain.access import FilingDisclosure, PlatformDisclosure
from claims.domain.answer_hint import AnswerHint
from claims.domain.claim import Claim
from claims.domain.contract_review import ContractReview
from claims.domain.control_numbers import ControlNumbers
from claims.domain.coverage import CoverageVerification
from claims.domain.denial import Denial
from claims.domain.interchange import Interchange
from claims.domain.platform_balance import PlatformBalance
from claims.domain.platform_watch import PlatformWatch
from claims.domain.rules.edit_history import EditHistory
from claims.domain.rules.edits import ClaimEdits
from claims.domain.rules.rule import RuleSet
from claims.domain.rules.values import RuleRefused
from claims.domain.status_inquiry import StatusInquiry
from claims.domain.unknown_payment import UnknownClaimPayment

SWEEP_SECONDS = 2.0
CLOCKS_SECONDS = 600.0
BALANCES_SECONDS = 30.0
SENDING_AGGREGATES = (Interchange, ControlNumbers, StatusInquiry, CoverageVerification, AnswerHint)
WORK_AGGREGATES = (EditHistory, Denial, ContractReview, FilingDisclosure, PlatformDisclosure)
PLATFORM_AGGREGATES = (PlatformBalance, PlatformWatch)

SHAPE = ServiceShape(
    name="claims",
    aggregates=(Claim, UnknownClaimPayment, PatientMerge, *SENDING_AGGREGATES, *WORK_AGGREGATES, *PLATFORM_AGGREGATES),
    tables=(*TABLES, *MONEY_TABLES, *WORK_TABLES, HINTS, PATIENT_MERGES, PLATFORM_BALANCES, PLATFORM_WATCHES),
    projections=(
        project,
        project_money,
        project_work,
        project_hints,
        project_merges,
        project_platform_balances,
        project_platform_watches,
    ),
    publishing=publish,
    guides=GUIDES,
)


class ClaimsSettings(Settings):
    """What claims is told beside what every service is.

    `production` makes ISA15 `P` instead of `T`. Ready claims of one payer gather for `gathering_seconds`, so that charges
    which arrive one by one do not leave in an interchange each. The rules of `edit_rules_path` change the shipped edits.
    `clearinghouses_path` names the ways out beside the exchange folder (`claims.adapters.clearinghouses.named`), each asked for
    answers every `fetch_seconds`. `platforms_path` names the external platforms that work the claims of entities
    (`claims.adapters.platforms.named`); what they hold to be open is compared `platform_patience_seconds` after they said it.
    What a payer said of a coverage is asked again after `coverage_hours`.
    What leaves is validated in `validation_workers` processes (about as fast as here, and the service does its other work
    meanwhile); 0 validates in the service itself.
    A claim that a payer allowed up to `underpayment_tolerance_minor` cents too little for is let go.
    """

    production: bool = False
    gathering_seconds: float = 2.0
    validation_workers: int = Field(default=1, ge=0, le=WORKERS_MAX)
    edit_rules_path: Path | None = None
    clearinghouses_path: Path | None = None
    platforms_path: Path | None = None
    platform_patience_seconds: float = Field(default=PATIENCE_SECONDS, ge=0)
    fetch_seconds: float = Field(default=FETCH_SECONDS, gt=0)
    coverage_hours: int = Field(default=COVERAGE_HOURS, ge=0)
    underpayment_tolerance_minor: int = Field(default=TOLERANCE.minor, ge=0)


def assemble(
    store: EventStore,
    clock: Callable[[], datetime],
    master_data: KnownMasterData,
    claim_format: ClaimFormat,
    vault: PatientDetailsVault,
    transports: Mapping[str, ClaimTransport],
    *,
    fetching: AnswerFetching | None = None,
    inquiring: Inquiring | None = None,
    watching: PlatformWatching | None = None,
    rules: RuleSet | None = None,
    following: DecisionFollowing | None = None,
    production: bool = False,
    gathering_seconds: float = 0.0,
    platform_patience_seconds: float = PATIENCE_SECONDS,
    crash_point: CrashPoint = no_crash,
) -> ServiceCore:
    """The service without its transports. `production` is what ISA15 says; ready claims gather for so many seconds."""
    edits = ClaimEdits(rules or load_rules(), master_data)
    submission = ClaimSubmission(
        store,
        clock,
        edits,
        claim_format,
        vault,
        production=production,
        gathering_seconds=gathering_seconds,
        crash_point=crash_point,
    )
    sending = InterchangeSending(store, clock, claim_format, vault, transports, crash_point=crash_point)
    comparing = BalanceComparing(store, clock, patience_seconds=platform_patience_seconds)
    more = [Sweep("fetch-answers", SWEEP_SECONDS, fetching.run)] if fetching else []
    if watching:
        more.append(Sweep("watch-platforms", CLOCKS_SECONDS, watching.run))
    if inquiring:
        questions = Questions(store, clock, master_data, vault, inquiring, production)
        asking = StatusAsking(questions, transports, crash_point=crash_point)
        more.append(Sweep("ask-status", CLOCKS_SECONDS, asking.run))
    upstream = {
        "intake": intake_reactions(edits),
        "payments": payments_reactions(edits, following or DecisionFollowing(master_data)),
    }
    return ServiceCore(
        shape=SHAPE,
        store=store,
        clock=clock,
        consumers={
            name: BatchConsumer(f"{SHAPE.name}-{name}", store, reactions, clock, crash_point=crash_point)
            for name, reactions in upstream.items()
        },
        sweeps=(
            Sweep("submit-ready-claims", SWEEP_SECONDS, submission.run),
            Sweep("send-interchanges", SWEEP_SECONDS, sending.run),
            Sweep("compare-platform-balances", BALANCES_SECONDS, comparing.run),
            Sweep("watch-denial-clocks", CLOCKS_SECONDS, DenialClocks(store, clock).run),
            *more,
        ),
    )


def main() -> int:
    """Runs the service by its environment; the exit code."""
    try:
        settings = ClaimsSettings.from_environment(os.environ)
        with validator(settings.validation_workers) as validate:
            return serve(settings, validate)
    except (WrongSettings, UnsafeSetting, RuleRefused, WrongClearinghouses, WrongPlatforms) as refused:
        sys.stderr.write(f"claims: {refused}\n")
        return EXIT_SETTINGS


def serve(settings: ClaimsSettings, validate: Validate) -> int:
    """Runs the service until it is told to stop.

    Raises:
        UnsafeSetting: a setting that claims cannot do without is not given.
    """
    if settings.exchange_dir is None:
        raise UnsafeSetting("THROUGHLINE_EXCHANGE_DIR", "not given", "the folder that claims leave through")
    master_data = MasterDataFile(settings.master_data_path)
    rules = load_rules(settings.edit_rules_path)
    clearinghouses = load_clearinghouses(settings.clearinghouses_path)
    platforms = load_platforms(settings.platforms_path, {EXCHANGE_FOLDER, *clearinghouses.all})
    edits = ClaimEdits(rules, master_data)
    following = DecisionFollowing(master_data, Money(settings.underpayment_tolerance_minor))
    claim_format, vault = FormatByReceiver(X12ClaimFormat(validate)), SealedDetails(Sealer(open_key_store(settings)))
    store, clock, drop = (
        open_event_store(settings, SHAPE),
        partial(datetime.now, UTC),
        AnswerDrop(settings.exchange_dir),
    )
    hearing = PlatformHearing(store, clock)
    watched = {name: WatchedPlatform(name, each, hearing.hear) for name, each in platforms.all.items()}
    receivers = {**clearinghouses.all, **watched}
    inquiring = Inquiring(X12InquiryFormat(validate), clearinghouses.in_real_time, drop.keep)
    fetching = AnswerFetching(receivers, drop.keep, store, clock, every_seconds=settings.fetch_seconds)
    core = assemble(
        store,
        clock,
        master_data,
        claim_format,
        vault,
        {EXCHANGE_FOLDER: FileDrop(settings.exchange_dir), **receivers},
        fetching=fetching if receivers else None,
        inquiring=inquiring,
        watching=PlatformWatching(store, clock, platforms.expected, show_states) if watched else None,
        rules=rules,
        following=following,
        production=settings.production,
        gathering_seconds=settings.gathering_seconds,
        platform_patience_seconds=settings.platform_patience_seconds,
        crash_point=settings.crash_points(SHAPE.name),
    )
    questions = Questions(store, clock, master_data, vault, inquiring, settings.production)
    checks = CoverageChecks(questions, max_age=timedelta(hours=settings.coverage_hours))
    services = [
        claims_service(core, edits, following),
        claim_work_service(core, DryRun(store, edits, vault), FilingPackets(store, claim_format, vault)),
        claim_sending_service(core, checks),
    ]
    secrets = {**clearinghouses.webhook_secrets, **platforms.webhook_secrets}
    hints = webhook_app(AnswerHints(store, clock), secrets, clock) if secrets else None
    return run(replace(core, master_data_version=lambda: master_data.version), settings, grpc=services, http_app=hints)


if __name__ == "__main__":
    raise SystemExit(main())
