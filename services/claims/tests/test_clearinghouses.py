"""The clearinghouses of a deployment: read from one file, asked in turn, their answers kept for intake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from claims.adapters.clearinghouses.answers import AnswerDrop
from claims.adapters.clearinghouses.named import WrongClearinghouses, load_clearinghouses
from claims.adapters.clearinghouses.rest import RestClearinghouse
from claims.adapters.clearinghouses.sftp import SftpClearinghouse
from claims.application.fetching import AnswerFetching
from claims.application.ports import ReceivedAnswer, TransportUnavailable

SFTP = {
    "kind": "sftp",
    "host": "127.0.0.1",
    "user": "clinic",
    "private_key_file": "metro.key",
    "host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF",
}
REST = {"kind": "rest", "base_url": "http://127.0.0.1:1", "token_file": "swift.token"}


def written(folder: Path, content: object) -> Path:
    (folder / "metro.key").write_text("key")
    (folder / "swift.token").write_text("token\n")
    path = folder / "clearinghouses.json"
    path.write_text(json.dumps(content))
    return path


def test_each_clearinghouse_is_opened_by_its_kind(tmp_path: Path) -> None:
    found = load_clearinghouses(written(tmp_path, {"clearinghouses": {"metro": SFTP, "swift": REST}}))
    assert {name: type(each) for name, each in found.items()} == {
        "metro": SftpClearinghouse,
        "swift": RestClearinghouse,
    }


def test_without_a_file_there_is_none() -> None:
    assert load_clearinghouses(None) == {}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"clearinghouses": {"metro": SFTP | {"kind": "fax"}}}, "clearinghouses.metro"),
        ({"clearinghouses": {"metro": SFTP | {"port": 0}}}, "clearinghouses.metro.sftp.port"),
        ({"clearinghouses": {"metro": SFTP | {"password": "x"}}}, "clearinghouses.metro.sftp.password"),
        ({"clearinghouses": {"metro": SFTP | {"private_key_file": "none.key"}}}, "private_key_file"),
        ({"clearinghouses": {"swift": REST | {"token_file": "none.token"}}}, "token_file"),
        ({"clearinghouses": {"files": REST}}, "files"),
        ({"clearinghouses": {"Metro!": REST}}, "clearinghouses.Metro!"),
        ([], "clearinghouses.json"),
    ],
)
def test_what_cannot_be_is_refused_by_place(tmp_path: Path, content: object, place: str) -> None:
    with pytest.raises(WrongClearinghouses) as refused:
        load_clearinghouses(written(tmp_path, content))
    assert place in str(refused.value)


class Source:
    """A clearinghouse with some answers, or none that can be reached."""

    def __init__(self, *answers: ReceivedAnswer, is_away: bool = False) -> None:
        self.answers = list(answers)
        self.is_away = is_away

    def fetch(self, keep: Callable[[ReceivedAnswer], None]) -> int:
        if self.is_away:
            raise TransportUnavailable("away")
        count = len(self.answers)
        while self.answers:
            keep(self.answers[0])
            self.answers.pop(0)
        return count


def test_one_that_is_away_keeps_no_other_waiting(tmp_path: Path) -> None:
    answers = Source(ReceivedAnswer("a b/c.999", b"ISA"))
    fetching = AnswerFetching({"metro": Source(is_away=True), "swift": answers}, AnswerDrop(tmp_path).keep)
    with pytest.raises(TransportUnavailable, match="metro"):
        fetching.run()
    assert answers.answers == []
    (kept,) = (tmp_path / "intake-inbound").iterdir()
    assert kept.name.startswith("swift-")
    assert kept.name.endswith("-a-b-c.999")
    assert kept.read_bytes() == b"ISA"


def test_the_same_answer_twice_is_one_file_and_another_of_its_name_is_another(tmp_path: Path) -> None:
    drop = AnswerDrop(tmp_path)
    for content in (b"ISA", b"ISA", b"ISB"):
        drop.keep("metro", ReceivedAnswer("x.999", content))
    assert len(list((tmp_path / "intake-inbound").iterdir())) == 2
