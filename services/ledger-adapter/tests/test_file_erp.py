"""The file adapter: control totals, crashes between record and outbox, acknowledgements that lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from canonical.money import Money
from chassis.domain import Unavailable
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.port import History
from chassis.testing import context
from ledger_adapter.adapters.books import Books, load_books
from ledger_adapter.adapters.fake_erp import OneErpForAll
from ledger_adapter.adapters.file_batches import FileRefused, read_acknowledgement, read_batch
from ledger_adapter.adapters.file_erp import FileErp
from ledger_adapter.application.ports import ErpDocument, Pending, RefusalKind, Refused
from ledger_adapter.application.posting import JournalPosting
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.use_cases import resume_journal
from ledger_adapter.main import SHAPE

from .erp_contract import document
from .examples import patient_paid
from .legacy_erp import LegacyErp
from .world import World

SAMPLE = Path(__file__).parents[1] / "books.sample.json"


def books() -> Mapping[str, Books]:
    chart = load_books(SAMPLE).charts["standard"]
    return {"NORTH": Books(entity="NORTH", company="NORTH", journal="TL", chart=chart)}


@pytest.fixture
def legacy(tmp_path: Path) -> LegacyErp:
    return LegacyErp(tmp_path)


@pytest.fixture
def erp(tmp_path: Path) -> FileErp:
    return FileErp("legacy", tmp_path, books())


def outbox(erp_root: Path) -> list[Path]:
    return sorted((erp_root / "outbox").iterdir())


def test_a_batch_file_has_lines_and_control_totals(erp: FileErp, tmp_path: Path) -> None:
    erp.post("NORTH", [document("a", "1.00"), document("b", "2.50")])
    (path,) = outbox(tmp_path)
    rows = [row.split(",") for row in path.read_text().splitlines()]
    assert rows[0] == ["H", path.stem, "NORTH", "TL"]
    assert rows[1][2:] == ["2026-03-05", "1100", "ACME", "1.00", "0.00"]
    assert rows[-1][:-1] == ["T", path.stem, "2", "4", "3.50", "3.50"]


@pytest.mark.parametrize("change", [(b"1.00,0.00", b"1.01,0.00"), (b"1100", b"1110"), (b"T,", b"X,"), (b"H,", b"")])
def test_a_batch_file_that_was_changed_is_not_believed(
    erp: FileErp, tmp_path: Path, change: tuple[bytes, bytes]
) -> None:
    erp.post("NORTH", [document("a", "1.00")])
    (path,) = outbox(tmp_path)
    with pytest.raises(FileRefused):
        read_batch(path.read_bytes().replace(*change))


def test_a_document_is_pending_until_it_is_acknowledged(erp: FileErp, legacy: LegacyErp) -> None:
    journal = document("a")
    assert erp.post("NORTH", [journal]) == {journal.number: Pending()}
    assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
    legacy.run()
    assert isinstance(erp.find("NORTH", [journal.number])[journal.number], ErpDocument)


def test_a_number_that_is_out_is_not_sent_again(erp: FileErp, tmp_path: Path) -> None:
    journal = document("a")
    erp.post("NORTH", [journal])
    assert erp.post("NORTH", [journal]) == {journal.number: Pending()}
    assert len(outbox(tmp_path)) == 1


def test_a_crash_between_record_and_outbox_is_mended_after_the_restart(erp: FileErp, tmp_path: Path) -> None:
    journal = document("a")
    erp.post("NORTH", [journal])
    (path,) = outbox(tmp_path)
    content = path.read_bytes()
    path.unlink()
    (tmp_path / "delivered" / path.stem).unlink()
    restarted = FileErp("legacy", tmp_path, books())
    assert restarted.find("NORTH", [journal.number]) == {journal.number: Pending()}
    assert outbox(tmp_path) == [path]
    assert path.read_bytes() == content


def test_a_batch_that_the_erp_took_is_not_put_out_again(erp: FileErp, legacy: LegacyErp, tmp_path: Path) -> None:
    journal = document("a")
    erp.post("NORTH", [journal])
    legacy.run()
    FileErp("legacy", tmp_path, books()).find("NORTH", [journal.number])
    assert outbox(tmp_path) == []


def test_a_half_written_file_is_not_seen(erp: FileErp, tmp_path: Path) -> None:
    (tmp_path / "sent" / ".TLHALF.csv.tmp").write_bytes(b"H,TLHALF")
    assert erp.find("NORTH", [document("a").number]) == {}


def test_an_acknowledgement_that_does_not_add_up_is_reported_and_nothing_is_sent_again(
    erp: FileErp, legacy: LegacyErp, tmp_path: Path
) -> None:
    journal = document("a")
    erp.post("NORTH", [journal])
    legacy.run()
    (path,) = (tmp_path / "acknowledgements").iterdir()
    path.write_bytes(path.read_bytes().replace(b"T,", b"T,X"))
    for _ in range(2):
        assert erp.find("NORTH", [journal.number]) == {}
        answer = erp.post("NORTH", [journal])[journal.number]
        assert isinstance(answer, Refused)
        assert answer.kind is RefusalKind.UNCLASSIFIED
    assert outbox(tmp_path) == []


def test_an_acknowledgement_is_read_whole_or_not_at_all() -> None:
    with pytest.raises(FileRefused):
        read_acknowledgement(b"H,B1\r\nA,TL1,ACCEPTED,D1,2,1.00\r\n")
    with pytest.raises(FileRefused):
        read_acknowledgement(b"H,B1\r\nA,TL1,ACCEPTED,D1,2,1.00\r\nT,B1,1,0,1.01\r\n")


def test_an_acknowledged_total_that_is_not_ours_leaves_no_line_to_confirm(erp: FileErp, legacy: LegacyErp) -> None:
    legacy.alters_totals = True
    journal = document("a")
    erp.post("NORTH", [journal])
    legacy.run()
    held = erp.find("NORTH", [journal.number])[journal.number]
    assert isinstance(held, ErpDocument)
    assert held.lines == ()


def test_without_an_extract_there_are_no_balances(erp: FileErp) -> None:
    with pytest.raises(Unavailable, match="no balances of NORTH"):
        erp.balances("NORTH")


def test_balances_come_from_the_erps_own_extract(erp: FileErp, tmp_path: Path) -> None:
    (tmp_path / "balances" / "NORTH.csv").write_text("1100,ACME,12.30\n9999,,5.00\n4000,,-12.30\n")
    held = [(row.account.value, row.party, row.amount) for row in erp.balances("NORTH")]
    assert held == [("ar-payer", "ACME", Money(1230)), ("gross-revenue", "", Money(-1230))]


class FileWorld(World):
    """The service with a legacy ERP behind it."""

    def posting(self, erp: FileErp) -> JournalPosting:
        return JournalPosting(self.store, self.clock, OneErpForAll(erp, ("NORTH",)), erp.name)

    def states(self) -> list[str]:
        return sorted(str(row["state"]) for row in self.rows(JOURNALS))


def test_entries_wait_for_the_acknowledgement_without_a_further_event(erp: FileErp, legacy: LegacyErp) -> None:
    world = FileWorld()
    posting = world.posting(erp)
    world.deliver(patient_paid("10.00"))
    posting.run()
    events = world.store.last_position()
    for _ in range(5):
        assert posting.run() == 0
    assert world.store.last_position() == events
    assert world.states() == ["uncertain"]
    legacy.run()
    posting.run()
    assert world.states() == ["confirmed"]


def test_entries_that_a_process_handed_over_before_it_died_hide_no_later_ones(erp: FileErp) -> None:
    world = FileWorld()

    def dies(step: str) -> None:
        if step == "after-erp":
            raise RuntimeError(step)

    erps = OneErpForAll(erp, ("NORTH",))
    dying = JournalPosting(world.store, world.clock, erps, erp.name, crash_point=dies, batch_max=3)
    world.deliver(*(patient_paid("10.00", number=number) for number in range(3)))
    with pytest.raises(RuntimeError):
        dying.run()
    assert world.states() == ["probed"] * 3
    world.deliver(patient_paid("10.00", number=3))
    posting = JournalPosting(world.store, world.clock, erps, erp.name, batch_max=3)
    for _ in range(3):
        world.clock.advance(seconds=2)
        posting.run()
    assert world.states() == ["uncertain"] * 4


class CountingStore(MemoryEventStore):
    """Counts the aggregates that are loaded from it."""

    loaded = 0

    def load(self, ids: Iterable[UUID]) -> dict[UUID, History]:
        wanted = list(ids)
        self.loaded += len(wanted)
        return super().load(wanted)


def test_entries_that_the_erp_has_in_hand_are_not_even_loaded(erp: FileErp) -> None:
    store = CountingStore(SHAPE.registry(), SHAPE.all_projections)
    world = FileWorld(store=store)
    posting = world.posting(erp)
    world.deliver(*(patient_paid("10.00", number=number) for number in range(3)))
    posting.run()
    before = store.loaded
    posting.run()
    assert store.loaded == before
    assert world.states() == ["uncertain"] * 3


class NotingErp(FileErp):
    """Notes how many numbers it is asked for."""

    asked = 0

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        self.asked += len(numbers)
        return super().find(entity, numbers)


def test_beside_new_entries_those_in_hand_are_asked_for_once_a_second(tmp_path: Path) -> None:
    erp = NotingErp("legacy", tmp_path, books())
    world = FileWorld()
    posting = world.posting(erp)
    asked = []
    for number, seconds in enumerate((0, 0, 0, 1)):
        world.clock.advance(seconds=seconds)
        world.deliver(patient_paid("10.00", number=number))
        before = erp.asked
        posting.run()
        asked.append(erp.asked - before)
    assert asked == [1 + 1, 1, 1, 1 + 4]


def test_a_refused_entry_is_sent_again_only_after_a_person_resumed_it(erp: FileErp, legacy: LegacyErp) -> None:
    world = FileWorld()
    posting = world.posting(erp)
    legacy.closed_months = {(2026, 3)}
    world.deliver(patient_paid("10.00"))
    for _ in range(4):
        posting.run()
        legacy.run()
    assert world.states() == ["held-for-period"]
    assert len(legacy.batches_read) == 1
    legacy.closed_months = set()
    journal_id = world.rows(JOURNALS)[0]["journal_id"]
    resume_journal(world.store, context(), journal_id, "March was opened again")  # type: ignore[arg-type]
    for _ in range(3):
        posting.run()
        legacy.run()
    assert world.states() == ["confirmed"]
    assert len(legacy.batches_read) == 2
