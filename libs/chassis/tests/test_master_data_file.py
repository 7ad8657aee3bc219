"""Master data is read again when its file changes, and a file that does not fit changes nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from canonical.codes import PayerClass
from canonical.master_data import MasterData, Payer, UnknownMasterData, master_data_bytes
from chassis.domain import UnsafeSetting
from chassis.master_data_file import MasterDataFile
from chassis.whole_files import replace_whole
from prometheus_client import REGISTRY

DAY = date(2026, 7, 1)
EMPTY = MasterData(version="1", entities=(), payers=(), providers=())
PAYER = Payer(
    code="ACME",
    name="Acme",
    payer_class=PayerClass.COMMERCIAL,
    x12_identifier="9",
    receiver_id="R",
    expected_contractual_percent=30,
)
KNOWING = EMPTY.model_copy(update={"version": "2", "payers": (PAYER,)})


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "master_data.json"
    replace_whole(made, master_data_bytes(EMPTY))
    return made


def test_a_changed_file_is_seen_by_a_call_at_once_and_by_questions_after_a_second(path: Path) -> None:
    seconds = Seconds()
    master_data = MasterDataFile(path, look_seconds=1.0, monotonic=seconds)
    replace_whole(path, master_data_bytes(KNOWING))
    with pytest.raises(UnknownMasterData):
        master_data.payer("ACME", DAY)
    seconds.now = 1.0
    assert master_data.payer("ACME", DAY) == PAYER
    assert (master_data.version, master_data().version, master_data.payers) == ("2", "2", (PAYER,))


def test_a_call_sees_the_file_as_it_is(path: Path) -> None:
    master_data = MasterDataFile(path, monotonic=Seconds())
    replace_whole(path, master_data_bytes(KNOWING))
    assert master_data().payers == (PAYER,)


@pytest.mark.parametrize("content", [b"{", b'{"version": "3"}', b""])
def test_a_file_that_does_not_fit_leaves_the_last_content(path: Path, content: bytes) -> None:
    master_data = MasterDataFile(path, look_seconds=0)
    path.write_bytes(content)
    assert master_data.version == "1"
    path.unlink()
    assert master_data.version == "1"


def test_nothing_starts_without_a_usable_file(path: Path) -> None:
    path.write_bytes(b"{")
    for unusable in (path, path / "nowhere", None):
        with pytest.raises(UnsafeSetting, match="THROUGHLINE_MASTER_DATA_PATH"):
            MasterDataFile(unusable)


def test_the_version_in_use_is_a_metric(path: Path) -> None:
    master_data = MasterDataFile(path, look_seconds=0)
    replace_whole(path, master_data_bytes(KNOWING))
    assert master_data.version == "2"
    assert REGISTRY.get_sample_value("throughline_master_data", {"version": "2"}) == 1
    assert REGISTRY.get_sample_value("throughline_master_data", {"version": "1"}) is None
