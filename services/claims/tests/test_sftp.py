"""The SFTP transport against a real server on loopback, which misbehaves on request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from claims.adapters.clearinghouses.sftp import SftpAccess, SftpClearinghouse
from claims.application.ports import ReceivedAnswer, TransportUnavailable, TransportUncertain
from claims.domain.interchange import OtherBytesSent
from sandbox.world.misbehaviour import Fault
from sandbox.world.sftp_server import TARGET, USER, SftpPartner

CONTENT = b"ISA*00*..."
NAME = "000000001.x12"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[SftpPartner]:
    for folder in ("outbound", "taken", "inbound", "done"):
        (tmp_path / "partner" / folder).mkdir(parents=True)
    server = SftpPartner(tmp_path / "partner", tmp_path / "keys")
    server.start()
    yield server
    server.stop()


def access(partner: SftpPartner, **changes: str) -> SftpAccess:
    plain = {"taken": "taken", "inbound": "inbound", "done": "done"}
    key = changes.pop("host_key", partner.host_key)
    return SftpAccess("127.0.0.1", partner.port, USER, partner.private_key_file, key, None, **(plain | changes))


def test_a_file_appears_whole_under_its_name_and_is_found_by_its_digest(partner: SftpPartner) -> None:
    clearinghouse = SftpClearinghouse(access(partner))
    assert clearinghouse.probe(NAME) is None
    clearinghouse.send(NAME, CONTENT)
    assert clearinghouse.probe(NAME) == DIGEST
    assert [path.name for path in (partner.root / "outbound").iterdir()] == [NAME]


def test_a_file_that_the_partner_took_is_still_found(partner: SftpPartner) -> None:
    clearinghouse = SftpClearinghouse(access(partner))
    clearinghouse.send(NAME, CONTENT)
    (partner.root / "outbound" / NAME).rename(partner.root / "taken" / NAME)
    assert clearinghouse.probe(NAME) == DIGEST


def test_the_same_file_again_is_the_same_file_and_another_is_never_put_in_its_place(partner: SftpPartner) -> None:
    clearinghouse = SftpClearinghouse(access(partner))
    clearinghouse.send(NAME, CONTENT)
    clearinghouse.send(NAME, CONTENT)
    with pytest.raises(OtherBytesSent):
        clearinghouse.send(NAME, b"other")
    assert (partner.root / "outbound" / NAME).read_bytes() == CONTENT


def test_a_connection_lost_before_anything_was_written_sent_nothing(partner: SftpPartner) -> None:
    partner.misbehaviour.request(Fault.CUT, target=TARGET)
    with pytest.raises(TransportUnavailable):
        SftpClearinghouse(access(partner)).send(NAME, CONTENT)
    assert partner.misbehaviour.open_requests == ()
    assert SftpClearinghouse(access(partner)).probe(NAME) is None


def test_a_connection_lost_while_the_file_got_its_name_is_uncertain_and_a_probe_settles_it(
    partner: SftpPartner,
) -> None:
    clearinghouse = SftpClearinghouse(access(partner))
    partner.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target=TARGET)
    with pytest.raises(TransportUncertain):
        clearinghouse.send(NAME, CONTENT)
    assert clearinghouse.probe(NAME) == DIGEST


@pytest.mark.parametrize("wrong", ["host key", "user", "closed"])
def test_a_server_that_is_not_the_one_we_know_gets_nothing(partner: SftpPartner, wrong: str) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    known = access(partner, host_key=other if wrong == "host key" else partner.host_key)
    if wrong == "closed":
        partner.misbehaviour.request(Fault.DOWN, target=TARGET)
    if wrong == "user":
        known = SftpAccess("127.0.0.1", partner.port, "stranger", partner.private_key_file, partner.host_key)
    with pytest.raises(TransportUnavailable):
        SftpClearinghouse(known).send(NAME, CONTENT)
    assert list((partner.root / "outbound").iterdir()) == []


def test_answers_are_fetched_once_and_left_where_they_are_if_they_cannot_be_kept(partner: SftpPartner) -> None:
    clearinghouse = SftpClearinghouse(access(partner))
    for name in ("b.999", "a.ta1", ".unfinished"):
        (partner.root / "inbound" / name).write_bytes(name.encode())
    kept: list[ReceivedAnswer] = []

    def fails(answer: ReceivedAnswer) -> None:
        raise OSError("the disk is full")

    with pytest.raises(TransportUnavailable):
        clearinghouse.fetch(fails)
    assert clearinghouse.fetch(kept.append) == 2
    assert clearinghouse.fetch(kept.append) == 0
    assert [(each.name, each.content) for each in kept] == [("a.ta1", b"a.ta1"), ("b.999", b"b.999")]
    assert sorted(path.name for path in (partner.root / "done").iterdir()) == ["a.ta1", "b.999"]
