"""A payer that stays silent is asked, and its answer reaches the claim: claims' question, the payer's 277, intake's reading."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime

import pytest
from canonical.master_data import MasterData
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import CASES
from chassis.keys import MemoryKeyStore, Sealer
from chassis.messaging import Delivery
from chassis.messaging.relay import Relay
from chassis.messaging.simulated import SimulatedStream
from chassis.testing import FixedClock
from claims.adapters.patient_details import SealedDetails
from claims.adapters.x12_claims import X12ClaimFormat
from claims.adapters.x12_inquiries import X12InquiryFormat
from claims.application.ports import Inquiring, ReceivedAnswer
from claims.application.read_models import CLAIMS
from claims.main import SHAPE as CLAIMS_SHAPE
from claims.main import assemble as assemble_claims
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.x12_files import X12File
from intake.main import SHAPE as INTAKE
from intake.main import assemble as assemble_intake
from sandbox.world.ehr import DeliveryKind, deliveries
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.payer import PAYER_SEED, AnswerKind, Payers
from sandbox.world.real_time import AnswerDesk, answers_to
from sandbox.world.scenario import Scenario, Wire

DAYS = 14
NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)
IN_REAL_TIME, BY_FILE = "swift", "files"


def asking_payers(transport: str) -> MasterData:
    known = sandbox_master_data()
    changed = {"status_inquiry_days": DAYS, "transport": transport}
    return known.model_copy(update={"payers": tuple(each.model_copy(update=changed) for each in known.payers)})


class Files:
    """The way out: what leaves by file is answered by the clearinghouse, but for the payers' word on claims, which gets lost."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._sent: dict[str, bytes] = {}

    def probe(self, name: str) -> str | None:
        content = self._sent.get(name)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def send(self, name: str, content: bytes) -> None:
        self._sent[name] = content
        for answer in answers_to(content, self._road.payers, self._road.desk, self._road.clock.now):
            if answer.kind is AnswerKind.STATUS:
                self._road.waiting.append(ReceivedAnswer(answer.name, answer.content))


class Exchange:
    def __init__(self, road: Road) -> None:
        self._road = road

    def ask(self, question: bytes) -> bytes:
        return self._road.desk.answer(question)


class Road:
    """From charges at intake's door to claims, out to the payers and back through intake's door."""

    def __init__(self, transport: str) -> None:
        self.clock = FixedClock(NOW)
        known = asking_payers(transport)
        self.payers = Payers(PAYER_SEED, master_data=known)
        self.desk = AnswerDesk(self.payers, self.clock)
        self.waiting: list[ReceivedAnswer] = []
        sealer = Sealer(MemoryKeyStore(random.Random(1).randbytes))
        self.intake_store = MemoryEventStore(INTAKE.registry(), INTAKE.all_projections)
        self.claims_store = MemoryEventStore(CLAIMS_SHAPE.registry(), CLAIMS_SHAPE.all_projections)
        self.intake = assemble_intake(self.intake_store, self.clock, sealer, lambda: known)
        self.claims = assemble_claims(
            self.claims_store,
            self.clock,
            known,
            X12ClaimFormat(),
            SealedDetails(sealer),
            {transport: Files(self)},
            inquiring=Inquiring(
                X12InquiryFormat(),
                {IN_REAL_TIME: Exchange(self)} if transport == IN_REAL_TIME else {},
                lambda name, answer: self.waiting.append(answer),
            ),
        )
        self.stream = SimulatedStream()
        self.relay = Relay(INTAKE.name, self.intake_store, self.stream, INTAKE.publishing)

    def charge(self) -> None:
        story = [each for each in Scenario.small(NOW.date()).billable if each.wire is Wire.FHIR]
        told = [raw for each in deliveries(story) if each.kind is DeliveryKind.BUNDLE for raw in each.messages]
        sender = Sender("service:ehr")
        self.intake.messages.receive([read_submission(raw, FhirNames(), sender).deliveries[0] for raw in told])

    def step(self) -> None:
        """What waits goes through intake to claims, and claims does what is due."""
        waiting, self.waiting = self.waiting, []
        for answer in waiting:
            self.intake.files.receive(X12File(answer.name, answer.content, source="file-drop"))
        while self.relay.step():
            pass
        consumer = self.claims.consumers["intake"]
        consumer.handle([Delivery(each.subject, each.headers, each.data) for each in self.stream.messages])
        consumer.release()
        while sum(sweep.run() for sweep in self.claims.sweeps):
            pass

    def statuses(self) -> list[str]:
        return [str(row["reported_status"]) for row in self.claims_store.rows(CLAIMS, {"state": "submitted"})]


@pytest.mark.parametrize("transport", [IN_REAL_TIME, BY_FILE])
def test_every_silent_claim_is_asked_about_and_knows_where_its_payer_says_it_stands(transport: str) -> None:
    road = Road(transport)
    road.charge()
    road.step()
    assert road.statuses()
    assert set(road.statuses()) == {""}

    road.clock.advance(days=DAYS)
    road.step()
    assert road.waiting
    road.step()

    assert set(road.statuses()) == {"P1 20"}
    assert [row["code"] for store in (road.intake_store, road.claims_store) for row in store.rows(CASES, {})] == []
