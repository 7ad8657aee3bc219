"""Claims, configured, wired and started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from canonical.master_data import MasterData, load_master_data
from canonical.money import Money
from chassis.domain import UnsafeSetting
from chassis.eventstore import EventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.keys import Sealer
from chassis.messaging import BatchConsumer
from chassis.runtime import ServiceCore, ServiceShape, Sweep
from chassis.runtime.opening import open_event_store, open_key_store
from chassis.runtime.service import EXIT_SETTINGS, run
from chassis.runtime.settings import Settings, WrongSettings
from pydantic import Field

from claims.adapters.clearinghouses.answers import AnswerDrop
from claims.adapters.clearinghouses.named import EXCHANGE_FOLDER, WrongClearinghouses, load_clearinghouses
from claims.adapters.file_drop import FileDrop
from claims.adapters.grpc import claims_service
from claims.adapters.grpc_work import claim_work_service
from claims.adapters.patient_details import SealedDetails
from claims.adapters.rule_files import load_rules
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.editing import DryRun
from claims.application.fetching import AnswerFetching
from claims.application.following import TOLERANCE, DecisionFollowing
from claims.application.money_read_models import MONEY_TABLES, project_money
from claims.application.packet import FilingPackets
from claims.application.ports import ClaimFormat, ClaimTransport, PatientDetailsVault
from claims.application.publishing import publish
from claims.application.reactions import intake_reactions, payments_reactions
from claims.application.read_models import TABLES, project
from claims.application.sending import InterchangeSending
from claims.application.submission import ClaimSubmission
from claims.application.work_read_models import WORK_TABLES, project_work
from claims.application.working_denials import DenialClocks
from claims.domain.access import FilingDisclosure
from claims.domain.claim import Claim
from claims.domain.contract_review import ContractReview
from claims.domain.control_numbers import ControlNumbers
from claims.domain.denial import Denial
from claims.domain.interchange import Interchange
from claims.domain.rules.edit_history import EditHistory
from claims.domain.rules.edits import ClaimEdits
from claims.domain.rules.rule import RuleSet
from claims.domain.rules.values import RuleRefused
from claims.domain.unknown_payment import UnknownClaimPayment

SWEEP_SECONDS = 2.0
CLOCKS_SECONDS = 600.0
WORK_AGGREGATES = (EditHistory, Denial, ContractReview, FilingDisclosure)

SHAPE = ServiceShape(
    name="claims",
    aggregates=(Claim, Interchange, ControlNumbers, UnknownClaimPayment, *WORK_AGGREGATES),
    tables=(*TABLES, *MONEY_TABLES, *WORK_TABLES),
    projections=(project, project_money, project_work),
    publishing=publish,
)


class ClaimsSettings(Settings):
    """What claims is told beside what every service is.

    `production` makes ISA15 `P` instead of `T`. Ready claims of one payer gather for `gathering_seconds`, so that charges
    which arrive one by one do not leave in an interchange each. The rules of `edit_rules_path` change the shipped edits.
    `clearinghouses_path` names the ways out beside the exchange folder (`claims.adapters.clearinghouses.named`).
    A claim that a payer allowed up to `underpayment_tolerance_minor` cents too little for is let go.
    """

    production: bool = False
    gathering_seconds: float = 2.0
    edit_rules_path: Path | None = None
    clearinghouses_path: Path | None = None
    underpayment_tolerance_minor: int = Field(default=TOLERANCE.minor, ge=0)


def assemble(
    store: EventStore,
    clock: Callable[[], datetime],
    master_data: MasterData,
    claim_format: ClaimFormat,
    vault: PatientDetailsVault,
    transports: Mapping[str, ClaimTransport],
    *,
    fetching: AnswerFetching | None = None,
    rules: RuleSet | None = None,
    following: DecisionFollowing | None = None,
    production: bool = False,
    gathering_seconds: float = 0.0,
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
            Sweep("watch-denial-clocks", CLOCKS_SECONDS, DenialClocks(store, clock).run),
            *([Sweep("fetch-answers", SWEEP_SECONDS, fetching.run)] if fetching else []),
        ),
    )


def main() -> int:
    """Runs the service by its environment; the exit code."""
    try:
        settings = ClaimsSettings.from_environment(os.environ)
        return serve(settings)
    except (WrongSettings, UnsafeSetting, RuleRefused, WrongClearinghouses) as refused:
        sys.stderr.write(f"claims: {refused}\n")
        return EXIT_SETTINGS


def serve(settings: ClaimsSettings) -> int:
    """Runs the service until it is told to stop.

    Raises:
        UnsafeSetting: a setting that claims cannot do without is not given.
    """
    if settings.master_data_path is None:
        raise UnsafeSetting("THROUGHLINE_MASTER_DATA_PATH", "not given", "the master data file")
    if settings.exchange_dir is None:
        raise UnsafeSetting("THROUGHLINE_EXCHANGE_DIR", "not given", "the folder that claims leave through")
    master_data = load_master_data(settings.master_data_path)
    rules = load_rules(settings.edit_rules_path)
    clearinghouses = load_clearinghouses(settings.clearinghouses_path)
    edits = ClaimEdits(rules, master_data)
    following = DecisionFollowing(master_data, Money(settings.underpayment_tolerance_minor))
    claim_format, vault = X12ClaimFormat(), SealedDetails(Sealer(open_key_store(settings)))
    core = assemble(
        open_event_store(settings, SHAPE),
        partial(datetime.now, UTC),
        master_data,
        claim_format,
        vault,
        {EXCHANGE_FOLDER: FileDrop(settings.exchange_dir), **clearinghouses},
        fetching=AnswerFetching(clearinghouses, AnswerDrop(settings.exchange_dir).keep) if clearinghouses else None,
        rules=rules,
        following=following,
        production=settings.production,
        gathering_seconds=settings.gathering_seconds,
        crash_point=settings.crash_points(SHAPE.name),
    )
    packets = FilingPackets(core.store, claim_format, vault)
    services = [
        claims_service(core, edits, following),
        claim_work_service(core, DryRun(core.store, edits, vault), packets),
    ]
    return run(core, settings, grpc=services)


if __name__ == "__main__":
    raise SystemExit(main())
