"""From charges at intake's door to the books, with claims worked by our own service or by an external platform."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime

from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import CASES
from chassis.keys import MemoryKeyStore, Sealer
from chassis.messaging import Delivery
from chassis.messaging.relay import Relay
from chassis.messaging.simulated import SimulatedStream
from chassis.runtime import ServiceCore, ServiceShape
from chassis.testing import FixedClock
from claims.adapters.claim_formats import FormatByReceiver
from claims.adapters.patient_details import SealedDetails
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.ports import TransportUncertain
from claims.application.read_models import CLAIMS
from claims.main import SHAPE as CLAIMS_SHAPE
from claims.main import assemble as assemble_claims
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.platform_reports import PlatformReport, is_platform_report
from intake.adapters.x12_files import X12File
from intake.application.deliveries import InboundDelivery
from intake.main import SHAPE as INTAKE
from intake.main import assemble as assemble_intake
from ledger_adapter.adapters.fake_erp import FakeErp, OneErpForAll
from ledger_adapter.application.queries import BALANCES
from ledger_adapter.main import SHAPE as LEDGER
from ledger_adapter.main import assemble as assemble_ledger
from payments.application.patient_rows import ACCOUNTS
from payments.domain.payout import BalanceTransaction
from payments.main import SHAPE as PAYMENTS
from payments.main import assemble as assemble_payments
from reconciliation.application.queries import BREAKS
from reconciliation.main import SHAPE as RECONCILIATION
from reconciliation.main import assemble as assemble_reconciliation
from reconciliation.main import reconciling_over
from sandbox.world.ehr import DeliveryKind, deliveries
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.payer import PAYER_SEED, Answer, Payers, remittance_answer
from sandbox.world.rcm_platform import PlatformDesk
from sandbox.world.scenario import Scenario, Wire

from tests.faults.simulation.calls import books as read_over_calls
from tests.faults.simulation.mischief import Mischief

NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)
PAID_ON = date(2026, 3, 20)
PLATFORM = "northstar"
ROUNDS_MAX = 50
SHAPES = (INTAKE, CLAIMS_SHAPE, LEDGER, PAYMENTS, RECONCILIATION)


class _NoGateway:
    """Nobody pays by card here."""

    def balance_transactions(self, payout_gateway_id: str) -> tuple[BalanceTransaction, ...]:
        return ()


class Way:
    """Where claims leave: to the payers by X12, or to the platform; a copy that is lost on the way back is uncertain."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self.sent: dict[str, bytes] = {}
        self.swallows_reply = False

    def probe(self, name: str) -> str | None:
        content = self.sent.get(name)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def send(self, name: str, content: bytes) -> None:
        assert name not in self.sent, "one name is sent once"
        self.sent[name] = content
        self._road.answered(content)
        if self.swallows_reply:
            raise TransportUncertain("no reply")


class Road:
    """From charges at intake's door to the books, by our claims service alone or through the platform."""

    def __init__(self, platform: str) -> None:
        self.clock = FixedClock(NOW)
        known = sandbox_master_data()
        entities = tuple(each.model_copy(update={"claims_worked_by": platform}) for each in known.entities)
        known = known.model_copy(update={"entities": entities})
        self.platform = platform
        self.desk = PlatformDesk(PLATFORM, Payers(PAYER_SEED, master_data=known))
        self.way = Way(self)
        self.waiting: list[Answer] = []
        self._known = known
        self._sealer = Sealer(MemoryKeyStore(random.Random(1).randbytes))
        self._erp = FakeErp()
        self._stores = {shape.name: _store(shape) for shape in SHAPES}
        self.assemble()
        self.streams = {name: SimulatedStream() for name in self.cores}
        self._relays = {
            name: Relay(core.shape.name, core.store, self.streams[name], core.shape.publishing)
            for name, core in self.cores.items()
        }
        self.told: dict[tuple[str, str], int] = {}

    def assemble(self) -> None:
        """Every service anew on its store, as after its process ended."""
        known, clock, stores = self._known, self.clock, self._stores
        ways = {self.platform: self.way} if self.platform else {"files": self.way}
        self.intake = assemble_intake(stores["intake"], clock, self._sealer, lambda: known, crash_point=self.crash)
        claims = assemble_claims(
            stores["claims"],
            clock,
            known,
            FormatByReceiver(X12ClaimFormat()),
            SealedDetails(self._sealer),
            ways,
            platform_patience_seconds=0,
            crash_point=self.crash,
        )
        codes = tuple(each.code for each in known.entities)
        erps = OneErpForAll(self._erp, codes)
        self.cores = {
            "intake": self.intake.core,
            "claims": claims,
            "ledger": assemble_ledger(stores["ledger"], clock, known, erps, crash_point=self.crash),
            "payments": assemble_payments(stores["payments"], clock, _NoGateway(), crash_point=self.crash),
        }
        read = read_over_calls(self.cores.__getitem__, known, erps, Mischief(random.Random(1), {}))
        own = stores["reconciliation"]
        self.reconciling = reconciling_over(own, clock, *read, entities=lambda: codes, pause=self._let_time_pass)
        self.cores["reconciliation"] = assemble_reconciliation(own, clock, self.reconciling)

    def crash(self, step: str) -> None:
        """Where a process may die; here none does."""

    def charge(self) -> Road:
        self.intake.messages.receive(charges())
        return self.settle_down()

    def answered(self, content: bytes) -> None:
        receive = self.desk.take if self.platform else self.desk.payers.receive
        self.waiting += receive(content, self.clock.now)

    def pay(self) -> Road:
        if self.platform:
            _, report = self.desk.settle(PAID_ON)
            self.waiting += [report] if report else []
        else:
            self.waiting += map(remittance_answer, self.desk.payers.settle(PAID_ON))
        return self.settle_down()

    def tell(self, *reports: Answer) -> Road:
        self.waiting += reports
        return self.settle_down()

    def settle_down(self) -> Road:
        """Until nothing waits and nothing is due."""
        for _ in range(ROUNDS_MAX):
            waiting, self.waiting = self.waiting, []
            for answer in waiting:
                self.receive(answer)
            if not waiting and not sum(self.step(name) for name in self.cores):
                return self
        raise AssertionError("it never settles")

    def receive(self, answer: Answer) -> None:
        is_report = is_platform_report(answer.content)
        report, x12 = PlatformReport(answer.name, answer.content), X12File(answer.name, answer.content, source="files")
        self.intake.files.receive(report if is_report else x12)

    def step(self, name: str) -> int:
        core, moved = self.cores[name], 0
        for upstream, consumer in core.consumers.items():
            messages = self.streams[upstream].messages if upstream in self.streams else []
            start = self.told.get((name, upstream), 0)
            consumer.handle([Delivery(each.subject, each.headers, each.data) for each in messages[start:]])
            consumer.release()
            self.told[name, upstream] = len(messages)
            moved += len(messages) - start
        moved += sum(sweep.run() for sweep in core.sweeps)
        while self._relays[name].step():
            moved += 1
        return moved

    def _let_time_pass(self) -> None:
        self.clock.advance(minutes=2)

    def proved(self) -> list[tuple[object, object, object]]:
        """Proves all books; the open breaks with platforms, their residuals and the claims that differ first."""
        self.reconciling.run()
        rows = self.cores["reconciliation"].store.rows(BREAKS, {"control": "rcm-platform", "state": "opened"})
        return [(row["party"], row["residual_minor"], row["divergence_id"]) for row in rows]

    def claims(self) -> list[dict[str, object]]:
        return self.cores["claims"].store.rows(CLAIMS, {}, order=("patient_control_number",))

    def cases(self) -> list[tuple[object, object]]:
        return [(row["code"], row["amount_minor"]) for core in self.cores.values() for row in _open_cases(core)]

    def accounts(self) -> Counter[object]:
        """The ledger's balances by account."""
        balances: Counter[object] = Counter()
        for row in self.cores["ledger"].store.rows(BALANCES, {}):
            balances[row["account"]] += int(str(row["subledger_minor"]))
        return balances

    def books(self) -> dict[str, object]:
        """Where every cent stands: at the claims, in the ledger and on patients' accounts."""
        told = ("patient_control_number", "state", "paid_minor", "contractual_minor", "denied_minor", "patient_minor")
        return {
            "claims": [tuple(row[name] for name in told) for row in self.claims()],
            "ledger": _told(self.cores["ledger"], BALANCES, drops=("position", "changed_at")),
            "accounts": _told(self.cores["payments"], ACCOUNTS, drops=("position", "changed_at")),
        }


def charges() -> list[InboundDelivery]:
    """What the EHR tells of the visits of the story."""
    story = [each for each in Scenario.small(NOW.date()).billable if each.wire is Wire.FHIR]
    told = [raw for each in deliveries(story) if each.kind is DeliveryKind.BUNDLE for raw in each.messages]
    return [read_submission(raw, FhirNames(), Sender("service:ehr")).deliveries[0] for raw in told]


def _store(shape: ServiceShape) -> MemoryEventStore:
    return MemoryEventStore(shape.registry(), shape.all_projections)


def _open_cases(core: ServiceCore) -> Iterable[dict[str, object]]:
    return core.store.rows(CASES, {"state": "open"}, order=("code",))


def _told(core: ServiceCore, table: object, drops: tuple[str, ...]) -> list[str]:
    rows = core.store.rows(table, {})  # type: ignore[arg-type]
    return sorted(str({key: value for key, value in row.items() if key not in drops}) for row in rows)
