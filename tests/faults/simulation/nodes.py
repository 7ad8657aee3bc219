"""One service as processes that may die: its store outlives them, everything else is made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from canonical.master_data import MasterData
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.work import CrashPoint
from chassis.keys import Sealer
from chassis.messaging.relay import Relay
from chassis.runtime import ServiceCore, ServiceShape, Sweep
from chassis.runtime.sweep_loops import ParkedRelease
from chassis.testing.clock import FixedClock
from claims.adapters.patient_details import SealedDetails
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.ports import ClaimTransport
from claims.main import SHAPE as CLAIMS
from claims.main import assemble as assemble_claims
from intake.application.receiving import Receiving
from intake.application.receiving_files import ReceivingFiles
from intake.main import SHAPE as INTAKE
from intake.main import assemble as assemble_intake
from ledger_adapter.adapters.fake_erp import OneErpForAll
from ledger_adapter.application.drafting import BatchingRules
from ledger_adapter.application.ports import Erp
from ledger_adapter.main import SHAPE as LEDGER
from ledger_adapter.main import assemble as assemble_ledger
from payments.application.doors import Doors
from payments.application.gateway_polling import GatewayPolling, PollingTimes
from payments.application.ports import PaymentGateway
from payments.domain.payment import STRIPE
from payments.main import SHAPE as PAYMENTS
from payments.main import assemble as assemble_payments
from reconciliation.main import SHAPE as RECONCILIATION
from reconciliation.main import assemble as assemble_reconciliation
from reconciliation.main import reconciling_over

from .bus import FaultyStream
from .calls import CoreOf, books
from .mischief import Mischief
from .store import FaultyStore

LOOSE_AFTER = timedelta(hours=36)
POLLING = PollingTimes(first_look_back=timedelta(hours=2))
POLL_SECONDS = 60.0
BATCHING = BatchingRules(quiet=timedelta(seconds=5), oldest=timedelta(seconds=60), postings_max=5)
GATHERING_SECONDS = 3.0
PROOF_EVERY_SECONDS = 30.0
REPLICAS = 2


@dataclass(frozen=True)
class Surroundings:
    """What the services get from outside."""

    clock: FixedClock
    master_data: MasterData
    sealer: Sealer
    transport: ClaimTransport
    erp: Erp
    gateway: PaymentGateway
    core_of: CoreOf
    mischief: Mischief
    pause: Callable[[], None]

    @property
    def entities(self) -> tuple[str, ...]:
        return tuple(entity.code for entity in self.master_data.entities)


@dataclass(frozen=True)
class Parts:
    """One assembled service; its doors where it has some."""

    core: ServiceCore
    messages: Receiving | None = None
    files: ReceivingFiles | None = None
    doors: Doors | None = None


@dataclass(frozen=True)
class Process:
    """What dies with a crash."""

    parts: Parts
    relay: Relay
    release: ParkedRelease

    @property
    def intake_messages(self) -> Receiving:
        assert self.parts.messages is not None, "only intake takes messages"
        return self.parts.messages

    @property
    def intake_files(self) -> ReceivingFiles:
        assert self.parts.files is not None, "only intake takes payers' files"
        return self.parts.files

    @property
    def payments_doors(self) -> Doors:
        assert self.parts.doors is not None, "only payments has the gateway's and the bank's doors"
        return self.parts.doors


Build = Callable[[FaultyStore, CrashPoint], Parts]
Hook = Callable[[str, int, str], None]
"""Called with service, replica and step at every crash point."""


class Node:
    """One service with two replicas on one store. `kept` is the store without its faults."""

    def __init__(self, shape: ServiceShape, build: Build, stream: FaultyStream, mischief: Mischief, hook: Hook) -> None:
        self.shape = shape
        self.name = shape.name
        self.kept = MemoryEventStore(shape.registry(), shape.all_projections)
        self.store = FaultyStore(self.kept, mischief)
        self._build = build
        self._stream = stream
        self._hook = hook
        self.replicas = [self._started(number) for number in range(REPLICAS)]

    def restart(self, number: int) -> None:
        """A fresh process on the same store; nothing of the old one is left."""
        self.replicas[number] = self._started(number)

    def _started(self, number: int) -> Process:
        def crash_point(step: str) -> None:
            self._hook(self.name, number, step)

        parts = self._build(self.store, crash_point)
        relay = Relay(self.name, self.store, self._stream, self.shape.publishing, crash_point=crash_point)
        return Process(parts, relay, ParkedRelease(parts.core.consumers.values()))


def builders(outside: Surroundings) -> Mapping[str, tuple[ServiceShape, Build]]:
    """How each service is assembled, by its token."""
    clock, master = outside.clock, outside.master_data
    erps = OneErpForAll(outside.erp, outside.entities)

    def intake(store: FaultyStore, crash_point: CrashPoint) -> Parts:
        made = assemble_intake(store, clock, outside.sealer, lambda: master, crash_point=crash_point)
        return Parts(made.core, messages=made.messages, files=made.files)

    def claims(store: FaultyStore, crash_point: CrashPoint) -> Parts:
        return Parts(
            assemble_claims(
                store,
                clock,
                master,
                X12ClaimFormat(),
                SealedDetails(outside.sealer),
                {"files": outside.transport},
                gathering_seconds=GATHERING_SECONDS,
                crash_point=crash_point,
            )
        )

    def payments(store: FaultyStore, crash_point: CrashPoint) -> Parts:
        gateways = {STRIPE: outside.gateway}
        core = assemble_payments(
            store, clock, outside.gateway, gateways=gateways, loose_after=LOOSE_AFTER, crash_point=crash_point
        )
        doors = Doors(store, outside.sealer, clock, outside.entities[0])
        polling = GatewayPolling(store, clock, gateways, doors, POLLING)
        core = replace(core, sweeps=(*core.sweeps, Sweep("poll-gateways", POLL_SECONDS, polling.poll)))
        return Parts(core, doors=doors)

    def ledger(store: FaultyStore, crash_point: CrashPoint) -> Parts:
        return Parts(assemble_ledger(store, clock, master, erps, batching=BATCHING, crash_point=crash_point))

    def reconciliation(store: FaultyStore, crash_point: CrashPoint) -> Parts:
        claims_books, patient_books, ledger_books = books(outside.core_of, master, erps, outside.mischief)
        reconciling = reconciling_over(
            store,
            clock,
            claims_books,
            patient_books,
            ledger_books,
            entities=lambda: outside.entities,
            pause=outside.pause,
        )
        core = assemble_reconciliation(
            store, clock, reconciling, every_seconds=PROOF_EVERY_SECONDS, crash_point=crash_point
        )
        return Parts(core)

    return {
        "intake": (INTAKE, intake),
        "claims": (CLAIMS, claims),
        "payments": (PAYMENTS, payments),
        "ledger": (LEDGER, ledger),
        "reconciliation": (RECONCILIATION, reconciliation),
    }
