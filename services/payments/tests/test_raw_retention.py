"""Webhooks and bank files hold what people paid: their bytes are kept as long as the policy says, and no longer."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from chassis.inbound import INBOUND_MESSAGES, ExpiredRaw, read_raw
from chassis.inbound.retention import KEEP_DAYS
from chassis.keys import MemoryKeyStore, Sealer
from chassis.runtime.service import EXIT_SETTINGS
from payments.application.doors import BankFile, Doors
from payments.main import main

from .world import World


def expire(world: World) -> int:
    (sweep,) = [each for each in world.core.sweeps if each.name == "expire-raw"]
    return sweep.run()


def test_the_bytes_of_a_bank_file_go_when_they_are_old_and_its_hash_stays() -> None:
    world = World()
    sealer = Sealer(MemoryKeyStore())
    doors = Doors(world.store, sealer, world.clock, "NORTH")
    doors.receive_bank_file(BankFile("a.bai2", b"01,bank,clinic"))
    (row,) = world.rows(INBOUND_MESSAGES)
    message_id = row["message_id"]
    assert isinstance(message_id, UUID)
    assert (expire(world), read_raw(world.store, sealer, message_id)) == (0, b"01,bank,clinic")
    world.clock.advance(days=KEEP_DAYS, seconds=1)
    assert expire(world) == 1
    with pytest.raises(ExpiredRaw, match=str(row["content_address"])):
        read_raw(world.store, sealer, message_id)


def test_payments_does_not_start_by_a_policy_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "retention.json"
    policy.write_text('{"keep_days": 30}', "utf-8")
    given = {"DATABASE_URL": "none", "NATS_URL": "none", "NATS_USER": "none", "NATS_PASSWORD": "none"}
    for name, value in {**given, "RAW_RETENTION_PATH": str(policy)}.items():
        monkeypatch.setenv(f"THROUGHLINE_{name}", value)
    assert main() == EXIT_SETTINGS
    assert "retention.json" in capsys.readouterr().err
