"""One remittance in several layouts and through several doors is posted once: intake's reading and payments' verdict together."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from canonical.master_data import MasterData
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import CASES
from chassis.keys import MemoryKeyStore, Sealer
from chassis.messaging import Delivery
from chassis.messaging.relay import Relay
from chassis.messaging.simulated import SimulatedStream
from chassis.testing import FixedClock
from intake.adapters.x12_files import X12File
from intake.main import SHAPE as INTAKE
from intake.main import assemble as assemble_intake
from payments.application.queries import RECEIPTS, REMITTANCES
from payments.domain.payout import BalanceTransaction
from payments.main import SHAPE as PAYMENTS
from payments.main import assemble as assemble_payments
from sandbox.world.known_world import sandbox_master_data

LAYOUTS = ("tasty__profee.edi", "tasty__profee-one-line.edi", "tasty__multi-line-not-delimited.edi")
PAYEE_NPI, PAYER_IDENTIFIER = "9999999995", "1000000000"


@pytest.fixture(scope="module")
def layouts() -> list[bytes]:
    """The same remittance with line breaks, on one line, and with line breaks alone between its segments."""
    configured = os.environ.get("THROUGHLINE_CORPUS")
    folder = Path(configured) if configured else Path(__file__).resolve().parents[3] / "shared" / "data"
    files = [folder / "x12" / "835" / name for name in LAYOUTS]
    if not all(file.is_file() for file in files):
        pytest.skip("the folder of real files is not here; set THROUGHLINE_CORPUS")
    return [file.read_bytes() for file in files]


class NoGateway:
    def balance_transactions(self, payout_gateway_id: str) -> list[BalanceTransaction]:
        return []


def master_data() -> MasterData:
    """The sandbox's, where the payee and the payer of the files are known."""
    known = sandbox_master_data()
    entity = known.entities[0].model_copy(update={"npi": PAYEE_NPI})
    payer = known.payers[0].model_copy(update={"x12_identifier": PAYER_IDENTIFIER})
    return known.model_copy(update={"entities": (entity, *known.entities[1:]), "payers": (payer, *known.payers[1:])})


class Road:
    """From a file at intake's door to payments' verdict."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        known = master_data()
        self.intake_store = MemoryEventStore(INTAKE.registry(), INTAKE.all_projections)
        self.payments_store = MemoryEventStore(PAYMENTS.registry(), PAYMENTS.all_projections)
        sealer = Sealer(MemoryKeyStore(random.Random(1).randbytes))
        self.intake = assemble_intake(self.intake_store, self.clock, sealer, lambda: known)
        self.payments = assemble_payments(self.payments_store, self.clock, NoGateway(), loose_after=timedelta(hours=1))
        self.stream = SimulatedStream()
        self.relay = Relay(INTAKE.name, self.intake_store, self.stream, INTAKE.publishing)

    def receive(self, content: bytes, name: str, source: str = "file-drop") -> None:
        self.intake.files.receive(X12File(name, content, source=source))

    def deliver(self) -> None:
        while self.relay.step():
            pass
        consumer = self.payments.consumers["intake"]
        consumer.handle([Delivery(each.subject, each.headers, each.data) for each in self.stream.messages])
        consumer.release()

    def verdicts(self) -> list[str]:
        return sorted(str(row["verdict"]) for row in self.payments_store.rows(RECEIPTS, {}))

    def cases(self) -> list[str]:
        stores = (self.intake_store, self.payments_store)
        return sorted(str(row["code"]) for store in stores for row in store.rows(CASES, {"state": "open"}))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_layouts_of_one_remittance_are_posted_once_and_reported(
    layouts: list[bytes], order: tuple[int, ...]
) -> None:
    road = Road()
    for index in order:
        road.receive(layouts[index], f"{index}.835")
        road.deliver()
    assert road.verdicts() == ["accepted", "duplicate", "duplicate"]
    (posted,) = road.payments_store.rows(REMITTANCES, {})
    assert (posted["payment_minor"], posted["claim_count"], posted["chunks_accepted"]) == (4575, 3, 1)


def test_one_remittance_through_another_channel_and_name_is_posted_once(layouts: list[bytes]) -> None:
    road = Road()
    road.receive(layouts[0], "a.835")
    road.receive(layouts[0], "a.835")
    road.receive(layouts[0], "b.835", source="clearinghouse")
    road.deliver()
    assert road.verdicts().count("accepted") == 1
    assert len(road.payments_store.rows(REMITTANCES, {})) == 1


def test_one_remittance_under_another_trace_number_is_posted_and_suspected(layouts: list[bytes]) -> None:
    road = Road()
    other = layouts[1].replace(b"TRN*1*10100000000*", b"TRN*1*10100000001*").replace(b"006000600", b"006000601")
    for index, content in enumerate((layouts[0], other)):
        road.receive(content, f"{index}.835")
    road.deliver()
    assert road.verdicts() == ["accepted", "accepted"]
    assert "SuspectedDuplicateRemittance" in road.cases()
