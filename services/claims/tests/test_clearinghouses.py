"""The clearinghouses of a deployment: read from one file, asked in turn, their answers kept for intake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from chassis.eventstore.memory import MemoryEventStore
from chassis.testing import FixedClock
from claims.adapters.clearinghouses.answers import AnswerDrop
from claims.adapters.clearinghouses.named import Clearinghouses, WrongClearinghouses, load_clearinghouses
from claims.adapters.clearinghouses.rest import RestClearinghouse
from claims.adapters.clearinghouses.sftp import SftpClearinghouse
from claims.application.fetching import AnswerFetching, AnswerHints
from claims.application.ports import ReceivedAnswer, TransportUnavailable
from claims.main import SHAPE

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
    assert {name: type(each) for name, each in found.all.items()} == {
        "metro": SftpClearinghouse,
        "swift": RestClearinghouse,
    }
    assert (found.in_real_time, found.webhook_secrets) == ({}, {})


def test_real_time_and_webhooks_are_for_those_that_say_so(tmp_path: Path) -> None:
    (tmp_path / "swift.webhook").write_text("new-secret\nold-secret\n")
    more = REST | {"real_time": True, "webhook_secret_file": "swift.webhook"}
    found = load_clearinghouses(written(tmp_path, {"clearinghouses": {"swift": more, "slow": REST}}))
    assert list(found.in_real_time) == ["swift"]
    assert found.in_real_time["swift"] is found.all["swift"]
    told = {name: [each.get_secret_value() for each in own] for name, own in found.webhook_secrets.items()}
    assert told == {"swift": ["new-secret", "old-secret"]}


def test_the_example_of_the_service_is_one_that_can_be_read(tmp_path: Path) -> None:
    example = json.loads((Path(__file__).parents[1] / "clearinghouses.sample.json").read_text())
    for each in example["clearinghouses"].values():
        for field, name in each.items():
            if field.endswith("_file"):
                (tmp_path / name).write_text("secret")
    found = load_clearinghouses(written(tmp_path, example))
    assert {type(each) for each in found.all.values()} == {SftpClearinghouse, RestClearinghouse}
    assert found.in_real_time
    assert found.webhook_secrets


def test_without_a_file_there_is_none() -> None:
    assert load_clearinghouses(None) == Clearinghouses()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"clearinghouses": {"metro": SFTP | {"kind": "fax"}}}, "clearinghouses.metro"),
        ({"clearinghouses": {"metro": SFTP | {"port": 0}}}, "clearinghouses.metro.sftp.port"),
        ({"clearinghouses": {"metro": SFTP | {"password": "x"}}}, "clearinghouses.metro.sftp.password"),
        ({"clearinghouses": {"metro": SFTP | {"private_key_file": "none.key"}}}, "private_key_file"),
        ({"clearinghouses": {"swift": REST | {"token_file": "none.token"}}}, "token_file"),
        ({"clearinghouses": {"swift": REST | {"webhook_secret_file": "none"}}}, "webhook_secret_file"),
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
        self.asked = 0

    def fetch(self, keep: Callable[[ReceivedAnswer], None]) -> int:
        self.asked += 1
        if self.is_away:
            raise TransportUnavailable("away")
        count = len(self.answers)
        while self.answers:
            keep(self.answers[0])
            self.answers.pop(0)
        return count


def fetching(drop: AnswerDrop, clock: FixedClock, **sources: Source) -> tuple[AnswerFetching, AnswerHints]:
    store = MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
    return AnswerFetching(sources, drop.keep, store, clock, every_seconds=60), AnswerHints(store, clock)


def test_one_that_is_away_keeps_no_other_waiting(tmp_path: Path) -> None:
    answers = Source(ReceivedAnswer("a b/c.999", b"ISA"))
    sweep, _ = fetching(AnswerDrop(tmp_path), FixedClock(), metro=Source(is_away=True), swift=answers)
    with pytest.raises(TransportUnavailable, match="metro"):
        sweep.run()
    assert answers.answers == []
    (kept,) = (tmp_path / "intake-inbound").iterdir()
    assert kept.name.startswith("swift-")
    assert kept.name.endswith("-a-b-c.999")
    assert kept.read_bytes() == b"ISA"


def test_each_is_asked_at_its_pace_and_at_once_after_a_hint(tmp_path: Path) -> None:
    clock, metro, swift = FixedClock(), Source(), Source()
    sweep, hints = fetching(AnswerDrop(tmp_path), clock, metro=metro, swift=swift)
    sweep.run()
    clock.advance(seconds=30)
    sweep.run()
    assert (metro.asked, swift.asked) == (1, 1)

    assert hints.hear("swift", "hint-1")
    clock.advance(seconds=1)
    sweep.run()
    assert (metro.asked, swift.asked) == (1, 2)

    assert not hints.hear("swift", "hint-1")
    sweep.run()
    assert (metro.asked, swift.asked) == (1, 2)

    clock.advance(seconds=29)
    sweep.run()
    assert (metro.asked, swift.asked) == (2, 2)


def test_one_that_gave_something_is_asked_again_until_it_has_no_more(tmp_path: Path) -> None:
    swift = Source(ReceivedAnswer("1.999", b"ISA"))
    sweep, _ = fetching(AnswerDrop(tmp_path), FixedClock(), swift=swift)
    assert [sweep.run() for _ in range(3)] == [1, 0, 0]
    assert swift.asked == 2


def test_the_same_answer_twice_is_one_file_and_another_of_its_name_is_another(tmp_path: Path) -> None:
    drop = AnswerDrop(tmp_path)
    for content in (b"ISA", b"ISA", b"ISB"):
        drop.keep("metro", ReceivedAnswer("x.999", content))
    assert len(list((tmp_path / "intake-inbound").iterdir())) == 2
