"""A platform reached by SFTP: the same batches and reports as by a folder, at a real server on loopback."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from claims.adapters.clearinghouses.sftp import SftpClearinghouse
from claims.adapters.platforms.named import WrongPlatforms, load_platforms
from claims.application.ports import RcmPlatform, ReceivedAnswer
from sandbox.world.payer import Payers
from sandbox.world.rcm_platform import FolderDoor, PlatformDesk
from sandbox.world.sftp_server import USER, SftpPartner

from .test_platforms import NAME, WithPlatform
from .world import charged

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLATFORM = "westgate"
SAMPLE = Path(__file__).parents[1] / "platforms.sample.json"


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[SftpPartner]:
    for folder in ("batches", "batches-taken", "reports", "reports-done"):
        (tmp_path / "partner" / folder).mkdir(parents=True)
    server = SftpPartner(tmp_path / "partner", tmp_path / "keys")
    server.start()
    yield server
    server.stop()


def settings_of(folder: Path, **changes: object) -> Path:
    sample = json.loads(SAMPLE.read_text())["platforms"][PLATFORM]
    path = folder / "platforms.json"
    path.write_text(json.dumps({"platforms": {PLATFORM: sample | changes}}))
    return path


def platform_at(partner: SftpPartner, folder: Path) -> RcmPlatform:
    place = {"host": "127.0.0.1", "port": partner.port, "user": USER, "host_key": partner.host_key}
    return load_platforms(settings_of(folder, **place, private_key_file=str(partner.private_key_file))).all[PLATFORM]


def test_batches_go_out_and_reports_come_in_by_sftp(partner: SftpPartner, tmp_path: Path) -> None:
    platform, kept = platform_at(partner, tmp_path), list[ReceivedAnswer]()
    service = WithPlatform()
    service.receive(charged())
    service.sweep()
    content = service.transport.files[NAME]
    door = FolderDoor(partner.root, PlatformDesk(PLATFORM, Payers(1)), lambda: NOW)
    platform.send(NAME, content)
    assert door.step() == 1
    assert platform.probe(NAME) == hashlib.sha256(content).hexdigest()
    assert [platform.fetch(kept.append) for _ in range(2)] == [1, 0]
    said = [json.loads(line)["record"] for line in kept[0].content.splitlines()]
    assert said == ["head", "acknowledgement", "status", "trail"]
    assert [path.name for path in (partner.root / "reports-done").iterdir()] == [kept[0].name]


def test_the_sample_opens_where_its_key_is_and_is_refused_where_it_is_not(tmp_path: Path) -> None:
    with pytest.raises(WrongPlatforms, match="private_key_file"):
        load_platforms(settings_of(tmp_path))
    (tmp_path / "westgate.key").write_text("a key")
    assert isinstance(load_platforms(settings_of(tmp_path)).all[PLATFORM], SftpClearinghouse)


def test_a_platform_that_reports_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "westgate.key").write_text("a key")
    with pytest.raises(WrongPlatforms, match="inbound"):
        load_platforms(settings_of(tmp_path, inbound=""))
