"""Claims, configured, wired and started."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from canonical.master_data import MasterData
from chassis.eventstore import EventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.messaging import BatchConsumer
from chassis.runtime import ServiceCore, ServiceShape, Sweep

from claims.application.ports import ClaimFormat, ClaimTransport, PatientDetailsVault
from claims.application.publishing import publish
from claims.application.reactions import intake_reactions, payments_reactions
from claims.application.read_models import TABLES, project
from claims.application.sending import InterchangeSending
from claims.application.submission import ClaimSubmission
from claims.domain.claim import Claim
from claims.domain.control_numbers import ControlNumbers
from claims.domain.interchange import Interchange
from claims.domain.unknown_payment import UnknownClaimPayment

SWEEP_SECONDS = 2.0

SHAPE = ServiceShape(
    name="claims",
    aggregates=(Claim, Interchange, ControlNumbers, UnknownClaimPayment),
    tables=TABLES,
    projections=(project,),
    publishing=publish,
)


def assemble(
    store: EventStore,
    clock: Callable[[], datetime],
    master_data: MasterData,
    claim_format: ClaimFormat,
    vault: PatientDetailsVault,
    transport: ClaimTransport,
    *,
    production: bool = False,
    crash_point: CrashPoint = no_crash,
) -> ServiceCore:
    """The service without its transports."""
    submission = ClaimSubmission(
        store, clock, master_data, claim_format, vault, production=production, crash_point=crash_point
    )
    sending = InterchangeSending(store, clock, claim_format, vault, transport, crash_point=crash_point)
    upstream = {"intake": intake_reactions(master_data), "payments": payments_reactions(master_data)}
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
        ),
    )
