"""Master data changes by proposals: another person approves what money follows from, and every service's file has the version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from canonical.ids import derive
from canonical.master_data import Crosswalk, Dated, Location, MasterData, Provider, master_data_bytes
from chassis.domain import Context, Meta
from chassis.eventstore.memory import MemoryEventStore
from intake.application.changing_master_data import MasterDataKeeping, UnknownVersion
from intake.application.master_data_rows import CHANGES, rows_of_code
from intake.domain.master_data_change import (
    ApproverIsProposer,
    ChangeDecided,
    NothingChanges,
    ReasonTooShort,
    RowsDoNotFit,
    StaleProposal,
)
from intake.main import SHAPE
from sandbox.world.known_world import sandbox_master_data

NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)
DAY = date(2026, 3, 1)
WHY = "Harbor Mutual is paid by Acme"


class Died(BaseException):
    """The process is gone."""


def by(who: str) -> Context:
    return Context(NOW, Meta(correlation_id=derive("t"), causation_id=derive("t", who), actor=f"user:{who}"))


def mapping(code: str = "HARBOR", ours: str = "ACME", kind: str = "payer", source: str = "ehr-east") -> Crosswalk:
    return Crosswalk(code=code, source=source, kind=kind, ours=ours)


def crosswalks(*rows: Dated) -> Mapping[str, Sequence[Dated]]:
    return {"crosswalks": rows}


@dataclass
class File:
    """The file of master data, and how it is read and replaced."""

    content: MasterData = field(default_factory=sandbox_master_data)
    written: int = 0
    dies: bool = False

    def read(self) -> MasterData:
        return self.content

    def replace(self, raw: bytes) -> None:
        if self.dies:
            raise Died
        self.content, self.written = MasterData.model_validate_json(raw), self.written + 1


@pytest.fixture
def file() -> File:
    return File()


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)


@pytest.fixture
def keeping(file: File, store: MemoryEventStore) -> MasterDataKeeping:
    return MasterDataKeeping(store, lambda: NOW, file.read, file.replace)


def test_a_change_that_another_person_approves_is_in_the_file(keeping: MasterDataKeeping, file: File) -> None:
    change_id = keeping.propose(by("ada"), crosswalks(mapping()), WHY)
    keeping.write()
    with pytest.raises(LookupError):
        file.content.payer(file.content.translate("ehr-east", "payer", "HARBOR", DAY), DAY)
    assert keeping.approve(by("ben"), change_id) == 2
    assert keeping.write() == 1
    assert (file.content.version, file.content.translate("ehr-east", "payer", "HARBOR", DAY)) == ("2", "ACME")
    assert keeping.write() == 0
    assert keeping.write() == 0


def test_nobody_approves_their_own_change_where_money_follows(keeping: MasterDataKeeping, file: File) -> None:
    change_id = keeping.propose(by("ada"), crosswalks(mapping()), WHY)
    with pytest.raises(ApproverIsProposer, match="user:ada proposed"):
        keeping.approve(by("ada"), change_id)
    assert keeping.content().crosswalks == sandbox_master_data().crosswalks


@pytest.mark.parametrize(
    "given",
    [
        {"locations": (Location(code="N-WEST", entity="NORTH"),)},
        {"providers": (Provider(code="PRV99", npi="1900102744", family_name="Gale", given_name="Ira"),)},
        crosswalks(mapping("WEST", "N-EAST", kind="location")),
    ],
)
def test_where_no_money_follows_one_person_is_enough(
    given: Mapping[str, Sequence[Dated]], keeping: MasterDataKeeping
) -> None:
    assert keeping.approve(by("ada"), keeping.propose(by("ada"), given, WHY)) == 2


def test_a_rejected_change_changes_nothing_and_stays_rejected(
    keeping: MasterDataKeeping, store: MemoryEventStore
) -> None:
    change_id = keeping.propose(by("ada"), crosswalks(mapping()), WHY)
    keeping.reject(by("ben"), change_id, "it is another payer")
    with pytest.raises(ChangeDecided):
        keeping.approve(by("ben"), change_id)
    with pytest.raises(ChangeDecided):
        keeping.propose(by("ada"), crosswalks(mapping()), WHY)
    (row,) = store.rows(CHANGES, {"state": "rejected"})
    assert (row["proposer"], row["decider"], row["decision_reason"]) == ("user:ada", "user:ben", "it is another payer")


def test_the_same_proposal_twice_is_one(keeping: MasterDataKeeping, store: MemoryEventStore) -> None:
    twice = [keeping.propose(by("ada"), crosswalks(mapping()), WHY) for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(store.rows(CHANGES, {"state": "proposed"})) == 1


def test_a_proposal_against_rows_that_were_changed_since_is_stale(keeping: MasterDataKeeping) -> None:
    first = keeping.propose(by("ada"), crosswalks(mapping()), WHY)
    second = keeping.propose(by("ada"), crosswalks(mapping(ours="BLUEOAK")), WHY)
    other = keeping.propose(by("ada"), crosswalks(mapping("BAY")), WHY)
    keeping.approve(by("ben"), first)
    with pytest.raises(StaleProposal, match="HARBOR"):
        keeping.approve(by("ben"), second)
    assert keeping.approve(by("ben"), other) == 3
    with pytest.raises(StaleProposal):
        keeping.propose(by("ada"), crosswalks(mapping(ours="BLUEOAK")), WHY, base_version=1)
    assert keeping.propose(by("ada"), crosswalks(mapping(ours="BLUEOAK")), WHY, base_version=3)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (crosswalks(mapping(ours="NOBODY")), RowsDoNotFit),
        (crosswalks(mapping(), mapping(ours="BLUEOAK")), RowsDoNotFit),
        (crosswalks(*sandbox_master_data().crosswalks), NothingChanges),
        ({}, NothingChanges),
    ],
)
def test_a_proposal_that_cannot_be_is_refused(
    given: Mapping[str, Sequence[Dated]], refused: type[Exception], keeping: MasterDataKeeping, store: MemoryEventStore
) -> None:
    with pytest.raises(refused):
        keeping.propose(by("ada"), given, WHY)
    assert store.last_position() == 0


def test_a_proposal_says_why(keeping: MasterDataKeeping) -> None:
    with pytest.raises(ReasonTooShort):
        keeping.propose(by("ada"), crosswalks(mapping()), " hm ")


def test_what_two_changes_break_together_is_refused_at_the_approval(keeping: MasterDataKeeping) -> None:
    (payer,) = [each for each in sandbox_master_data().payers if each.code == "MEDICAID"]
    others = [each for each in sandbox_master_data().payers if each is not payer]
    gone = keeping.propose(by("ada"), {"payers": others}, WHY, replaces=True)
    used = keeping.propose(by("ada"), crosswalks(mapping(ours="MEDICAID")), WHY)
    assert keeping.approve(by("ben"), used) == 2
    with pytest.raises(RowsDoNotFit, match="unknown-reference"):
        keeping.approve(by("ben"), gone)


def test_every_version_can_be_asked_what_it_knew(keeping: MasterDataKeeping, store: MemoryEventStore) -> None:
    for ours in ("ACME", "BLUEOAK"):
        keeping.approve(by("ben"), keeping.propose(by("ada"), crosswalks(mapping(ours=ours)), WHY))
    answers = [keeping.content(version).translate("ehr-east", "payer", "HARBOR", DAY) for version in (1, 2, 3)]
    assert answers == ["HARBOR", "ACME", "BLUEOAK"]
    assert keeping.content() == keeping.content(3)
    told = [rows_of_code(store, "crosswalks", "HARBOR", version) for version in (1, 2, 3)]
    assert [[(at, Crosswalk.model_validate_json(row).ours) for at, row in rows] for rows in told] == [
        [],
        [(2, "ACME")],
        [(3, "BLUEOAK")],
    ]
    with pytest.raises(UnknownVersion):
        keeping.content(4)


def test_until_a_change_is_proposed_the_file_is_whose_who_deploys_it(keeping: MasterDataKeeping, file: File) -> None:
    file.content = file.content.model_copy(update={"version": "by hand"})
    assert keeping.write() == 0
    assert keeping.content().version == "by hand"
    with pytest.raises(UnknownVersion):
        keeping.content(1)


def test_a_file_that_somebody_changed_afterwards_is_put_back(keeping: MasterDataKeeping, file: File) -> None:
    keeping.propose(by("ada"), crosswalks(mapping()), WHY)
    keeping.write()
    keeping.write()
    file.content = file.content.model_copy(update={"payers": ()})
    assert keeping.write() == 1
    assert file.content.payers == sandbox_master_data().payers


def test_a_kill_between_approval_and_file_is_mended_by_the_next_run(
    keeping: MasterDataKeeping, file: File, store: MemoryEventStore
) -> None:
    keeping.approve(by("ben"), keeping.propose(by("ada"), crosswalks(mapping()), WHY))
    file.dies = True
    with pytest.raises(Died):
        keeping.write()
    file.dies = False
    again = MasterDataKeeping(store, lambda: NOW, file.read, file.replace)
    assert (again.write(), file.content.version) == (1, "2")


def test_what_is_written_is_what_was_released(keeping: MasterDataKeeping, file: File) -> None:
    keeping.approve(by("ben"), keeping.propose(by("ada"), crosswalks(mapping()), WHY))
    keeping.write()
    assert file.content == keeping.content(2)
    assert master_data_bytes(file.content) == master_data_bytes(keeping.content(2))
