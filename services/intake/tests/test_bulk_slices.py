"""Bulk comes in short slices: each durable by itself, with rests while somebody waits, and nothing twice whatever ends it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from canonical.events.intake import EncounterCharged
from canonical.money import Money
from chassis.domain import Transient
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.inbound import INBOUND_MESSAGES
from chassis.inbound.giving_way import SLICE_MAX, GivingWay
from intake.adapters.charge_batches import ChargeBatchDoor
from intake.adapters.platform_reports import PlatformReport
from intake.adapters.x12_files import X12File
from intake.application.deliveries import InboundDelivery, Outcome
from sandbox.world.bulk import generate_remittance

from .test_charge_batches import batch, row
from .test_intake_folder import Office
from .world import TODAY, IntakeUnderTest, Wire, encounters, messages_of

VISITS = 4 * SLICE_MAX + 5
CHARGES = batch(*(row(visit_number=f"V-{number}", transaction_id=f"T-{number}") for number in range(VISITS)))
MESSAGES = [message for each in encounters(Wire.HL7) for message in messages_of(each).messages]
HL7 = b"".join(MESSAGES)
REPORT = b'{"record": "head", "format": "platform-report.v1", "platform": "northstar", "report": "R-1"}\n'


class Waiting:
    """A way with a clock of its own on which somebody always waits, and every look takes a while."""

    def __init__(self) -> None:
        ticks = count(step=0.03)
        self.rests: list[float] = []
        self.way = GivingWay(monotonic=lambda: next(ticks), rest=self._rest)
        self.way.note_delivery()

    def _rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.way.note_delivery()


def charged(office: Office) -> list[tuple[UUID, Money]]:
    """What was billed, by visit."""
    found = (event for event in office.service.events() if isinstance(event, EncounterCharged))
    return sorted((each.encounter_id, each.total) for each in found)


def dying_after(commits: int) -> CrashPoint:
    """The process dies after so many commits."""
    left = iter(range(commits))

    def crash(step: str) -> None:
        if step == "after-commit" and next(left, None) is None:
            raise Transient("the process died")

    return crash


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def untouched(tmp_path: Path) -> Office:
    return Office(tmp_path / "untouched")


@pytest.mark.parametrize("commits", range(5))
@pytest.mark.parametrize(("name", "content"), [("a.csv", CHARGES), ("a.hl7", HL7)], ids=["csv", "hl7"])
def test_a_file_that_was_cut_off_between_slices_is_taken_once_when_it_comes_again(
    office: Office, untouched: Office, name: str, content: bytes, commits: int
) -> None:
    assert untouched.door.take(name, content)
    office.service.crash = dying_after(commits)
    with pytest.raises(Transient):
        office.door.take(name, content)
    office.service.crash = no_crash
    assert office.door.take(name, content)
    assert charged(office) == charged(untouched) != []
    assert len(office.service.store.rows(INBOUND_MESSAGES, {})) == len(
        untouched.service.store.rows(INBOUND_MESSAGES, {})
    )


def test_a_charge_batch_is_made_durable_ten_visits_at_a_time() -> None:
    service, sizes = IntakeUnderTest(), list[int]()

    def receive(deliveries: Sequence[InboundDelivery]) -> list[Outcome]:
        sizes.append(len(deliveries))
        return service.intake.messages.receive(deliveries)

    assert ChargeBatchDoor(receive, GivingWay()).take("a.csv", CHARGES)
    assert sizes == [SLICE_MAX] * 4 + [5]


def test_a_charge_batch_rests_after_each_slice_while_somebody_waits() -> None:
    service, waiting = IntakeUnderTest(), Waiting()
    assert ChargeBatchDoor(service.intake.messages.receive, waiting.way).take("a.csv", CHARGES)
    assert len(waiting.rests) > VISITS / SLICE_MAX


def test_a_remittance_rests_while_it_is_read_and_between_its_parts_while_somebody_waits() -> None:
    service, waiting = IntakeUnderTest(), Waiting()
    file = X12File("a.835", generate_remittance(50, TODAY).content, source="file-drop", way=waiting.way)
    file.survey()
    surveyed = len(waiting.rests)
    assert surveyed > 50
    assert service.intake.files.receive(file).claims == 50
    assert len(waiting.rests) > 2 * surveyed


def test_a_platforms_report_rests_while_it_is_read_while_somebody_waits() -> None:
    waiting = Waiting()
    PlatformReport("a.jsonl", REPORT, way=waiting.way).survey()
    assert waiting.rests
