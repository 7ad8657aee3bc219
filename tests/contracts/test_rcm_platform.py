"""An external platform works the claims of every entity: its decisions make the same books as if we had worked them."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime

import pytest
from canonical.money import Money
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
from claims.application.comparing_balances import DIFFERS_CASE
from claims.application.ports import TransportUncertain
from claims.application.read_models import CLAIMS
from claims.domain.access import PlatformDisclosure
from claims.main import SHAPE as CLAIMS_SHAPE
from claims.main import assemble as assemble_claims
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.platform_reports import PlatformReport, is_platform_report
from intake.adapters.x12_files import X12File
from intake.main import SHAPE as INTAKE
from intake.main import assemble as assemble_intake
from ledger_adapter.adapters.fake_erp import FakeErp, OneErpForAll
from ledger_adapter.application.queries import BALANCES
from ledger_adapter.main import SHAPE as LEDGER
from ledger_adapter.main import assemble as assemble_ledger
from payments.application.queries import ACCOUNTS
from payments.domain.payment import BalanceTransaction
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


class _NoGateway:
    """Nobody pays by card here."""

    def balance_transactions(self, payout_gateway_id: str) -> tuple[BalanceTransaction, ...]:
        return ()


class _Way:
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
        self.way = _Way(self)
        self.waiting: list[Answer] = []
        sealer = Sealer(MemoryKeyStore(random.Random(1).randbytes))
        intake_store, claims_store = _store(INTAKE), _store(CLAIMS_SHAPE)
        self.intake = assemble_intake(intake_store, self.clock, sealer, lambda: known)
        ways = {platform: self.way} if platform else {"files": self.way}
        written = FormatByReceiver(X12ClaimFormat())
        claims = assemble_claims(
            claims_store, self.clock, known, written, SealedDetails(sealer), ways, platform_patience_seconds=0
        )
        erps = OneErpForAll(FakeErp(), tuple(each.code for each in known.entities))
        ledger = assemble_ledger(_store(LEDGER), self.clock, known, erps)
        payments = assemble_payments(_store(PAYMENTS), self.clock, _NoGateway())
        self.cores = {"intake": self.intake.core, "claims": claims, "ledger": ledger, "payments": payments}
        read = read_over_calls(self.cores.__getitem__, known, erps, Mischief(random.Random(1), {}))
        store, codes = _store(RECONCILIATION), tuple(each.code for each in known.entities)
        self.reconciling = reconciling_over(store, self.clock, *read, entities=lambda: codes, pause=self._let_time_pass)
        self.cores["reconciliation"] = assemble_reconciliation(store, self.clock, self.reconciling)
        self._streams = {name: SimulatedStream() for name in self.cores}
        self._relays = {
            name: Relay(core.shape.name, core.store, self._streams[name], core.shape.publishing)
            for name, core in self.cores.items()
        }
        self._told: dict[tuple[str, str], int] = {}

    def charge(self) -> Road:
        story = [each for each in Scenario.small(NOW.date()).billable if each.wire is Wire.FHIR]
        told = [raw for each in deliveries(story) if each.kind is DeliveryKind.BUNDLE for raw in each.messages]
        sender = Sender("service:ehr")
        self.intake.messages.receive([read_submission(raw, FhirNames(), sender).deliveries[0] for raw in told])
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
                self._receive(answer)
            if not waiting and not sum(self._step(name) for name in self.cores):
                return self
        raise AssertionError("it never settles")

    def _receive(self, answer: Answer) -> None:
        is_report = is_platform_report(answer.content)
        report, x12 = PlatformReport(answer.name, answer.content), X12File(answer.name, answer.content, source="files")
        self.intake.files.receive(report if is_report else x12)

    def _step(self, name: str) -> int:
        core, moved = self.cores[name], 0
        for upstream, consumer in core.consumers.items():
            messages = self._streams[upstream].messages if upstream in self._streams else []
            start = self._told.get((name, upstream), 0)
            consumer.handle([Delivery(each.subject, each.headers, each.data) for each in messages[start:]])
            consumer.release()
            self._told[name, upstream] = len(messages)
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


def _store(shape: ServiceShape) -> MemoryEventStore:
    return MemoryEventStore(shape.registry(), shape.all_projections)


def _open_cases(core: ServiceCore) -> Iterable[dict[str, object]]:
    return core.store.rows(CASES, {"state": "open"}, order=("code",))


def _told(core: ServiceCore, table: object, drops: tuple[str, ...]) -> list[str]:
    rows = core.store.rows(table, {})  # type: ignore[arg-type]
    return sorted(str({key: value for key, value in row.items() if key not in drops}) for row in rows)


@pytest.fixture(scope="module")
def ours() -> Road:
    return Road("").charge().pay()


@pytest.fixture
def theirs() -> Road:
    return Road(PLATFORM).charge()


def test_the_same_decisions_make_the_same_books_whoever_works_the_claims(ours: Road, theirs: Road) -> None:
    assert {row["worked_by"] for row in theirs.claims() if row["interchange_id"]} == {PLATFORM}
    assert theirs.pay().books() == ours.books()
    assert {row["state"] for row in theirs.claims()} >= {"adjudicated"}
    assert theirs.cases() == ours.cases()


def test_a_report_that_comes_again_or_in_another_order_changes_nothing(ours: Road) -> None:
    road = Road(PLATFORM).charge()
    _, paid = road.desk.settle(PAID_ON)
    assert paid is not None
    again = Answer(paid.kind, "other-name.jsonl", paid.content)
    road.tell(paid, paid, again)
    assert road.books() == ours.books()


def test_what_was_sent_without_an_answer_is_found_and_not_sent_again(ours: Road) -> None:
    road = Road(PLATFORM)
    road.way.swallows_reply = True
    road.charge().pay()
    assert road.books() == ours.books()


def test_every_batch_that_leaves_has_a_disclosure_of_its_claims(theirs: Road) -> None:
    store = theirs.cores["claims"].store
    given = [each.event for each in store.log(0, 100_000) if isinstance(each.event, PlatformDisclosure.Given)]
    assert len(given) == len(theirs.way.sent)
    assert {claim for event in given for claim in event.claim_ids} == {
        row["claim_id"] for row in theirs.claims() if row["interchange_id"]
    }
    assert {event.digest for event in given} == {hashlib.sha256(each).hexdigest() for each in theirs.way.sent.values()}


def test_a_balance_that_differs_is_a_case_and_a_break_that_name_the_claim_until_it_agrees(theirs: Road) -> None:
    theirs.pay()
    row = next(row for row in theirs.claims() if row["state"] == "adjudicated" and not row["denied_minor"])
    number = str(row["patient_control_number"])
    before = theirs.cases()
    assert theirs.proved() == []
    theirs.tell(theirs.desk.balance(number, Money.of("12.00"), date(2026, 3, 21)))
    assert [each for each in theirs.cases() if each not in before] == [(DIFFERS_CASE, -1200)]
    assert theirs.proved() == [(PLATFORM, -1200, row["claim_id"])]
    theirs.tell(theirs.desk.balance(number, Money(0), date(2026, 3, 22)))
    assert theirs.cases() == before
    assert theirs.proved() == []


def test_what_patients_paid_the_platform_is_booked_once_and_its_adjustments_wait_for_a_person(theirs: Road) -> None:
    before = theirs.pay().accounts()
    number = next(str(row["patient_control_number"]) for row in theirs.claims() if row["patient_minor"])
    paid = theirs.desk.patient_paid("P-1", number, Money.of("5.00"), PAID_ON)
    theirs.tell(paid, Answer(paid.kind, "again.jsonl", paid.content))
    moved = {account: minor - before[account] for account, minor in theirs.accounts().items()}
    assert sorted(minor for minor in moved.values() if minor) == [-500, 500]
    theirs.tell(theirs.desk.adjusted("A-1", number, Money.of("3.00"), "SMALL", PAID_ON))
    assert ("ReportedAdjustment", 300) in theirs.cases()
    assert {account: minor - before[account] for account, minor in theirs.accounts().items()} == moved


def test_a_platform_says_nothing_of_an_entity_that_it_does_not_work(ours: Road) -> None:
    road = Road("")
    road.charge()
    before = road.books()
    _, report = road.desk.settle(PAID_ON)
    assert report is not None
    road.tell(report)
    assert road.books() == before
    assert {code for code, _ in road.cases()} >= {"NotThePlatformsEntity"}


@pytest.mark.parametrize("wrong", [lambda raw: raw[:-40], lambda raw: raw.replace(b'"records": ', b'"records": 1')])
def test_a_report_that_is_cut_short_or_miscounted_goes_no_further(theirs: Road, wrong: object) -> None:
    assert callable(wrong)
    _, report = theirs.desk.settle(PAID_ON)
    assert report is not None
    before = theirs.books()
    theirs.tell(Answer(report.kind, report.name, wrong(report.content)))
    assert theirs.books() == before
    assert "UnreadableFile" in {code for code, _ in theirs.cases()}
