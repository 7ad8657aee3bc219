"""Partners' folders against a real SFTP server on loopback, which drops connections on request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from chassis.domain import Transient
from chassis.inbound.file_partners import WrongPartners, remote_folders
from chassis.inbound.file_shelf import FileShelf, FileVerdict
from chassis.inbound.pgp import PgpOpening
from chassis.inbound.remote_folder import CHUNK_BYTES, RemoteFolder
from chassis.sftp import SftpLost
from pysequoia import Tsk, encrypt
from sandbox.world.misbehaviour import Fault
from sandbox.world.sftp_server import READ_TARGET, TARGET, USER, SftpPartner

LONG = b"0123456789abcdef" * (CHUNK_BYTES // 4)


class Office:
    """Our side: what was taken, in order, and what was reported."""

    def __init__(self, folder: Path, partner: SftpPartner) -> None:
        self.folder = folder
        self.partner = partner
        self.taken: list[tuple[str, bytes]] = []
        self.reported: list[tuple[str, str]] = []
        self.failure: Exception | None = None
        self.verdict = FileVerdict(True)

    def take(self, name: str, content: bytes) -> FileVerdict:
        if self.failure:
            raise self.failure
        self.taken.append((name, content))
        return self.verdict

    def opened(self, **changes: object) -> RemoteFolder:
        """The one partner of a settings file, as after a restart."""
        plain: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.partner.port,
            "user": USER,
            "private_key_file": str(self.partner.private_key_file),
            "host_key": self.partner.host_key,
            "folder": "out",
            "settle_seconds": 0,
        }
        told = {name: value for name, value in (plain | changes).items() if value is not None}
        settings = self.folder / "partners.json"
        settings.write_text(json.dumps({"partners": {"metro": told}}), "utf-8")
        shelf = FileShelf(self.folder, "intake", self.take, self.report)
        (remote,) = remote_folders(settings, self.folder, shelf, self.report)
        return remote

    def report(self, name: str, rule: str) -> None:
        self.reported.append((name, rule))

    def names(self, state: str) -> list[str]:
        return sorted(path.name for path in (self.folder / f"intake-{state}").iterdir())


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[SftpPartner]:
    for folder in ("out", "archive"):
        (tmp_path / "partner" / folder).mkdir(parents=True)
    server = SftpPartner(tmp_path / "partner", tmp_path / "keys", password="open sesame")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def office(tmp_path: Path, partner: SftpPartner) -> Office:
    return Office(tmp_path, partner)


def put(partner: SftpPartner, name: str, content: bytes = b"ISA*00*") -> Path:
    path = partner.root / "out" / name
    path.write_bytes(content)
    return path


def test_a_file_is_taken_whole_and_once_and_stays_where_the_partner_has_it(
    office: Office, partner: SftpPartner
) -> None:
    put(partner, "a.835")
    folder = office.opened()
    assert (folder.poll(), folder.poll()) == (1, 0)
    assert office.opened().poll() == 0
    assert office.taken == [("a.835", b"ISA*00*")]
    assert office.names("done") == ["a.835"]
    assert (partner.root / "out" / "a.835").exists()


@pytest.mark.parametrize("afterwards", ["move", "delete"])
def test_a_file_is_moved_or_deleted_there_once_it_is_durable_here(
    office: Office, partner: SftpPartner, afterwards: str
) -> None:
    put(partner, "a.835")
    folder = office.opened(afterwards=afterwards, moved_to="archive" if afterwards == "move" else "")
    office.failure = Transient("the store is away")
    with pytest.raises(Transient):
        folder.poll()
    assert (partner.root / "out" / "a.835").exists()
    office.failure = None
    assert folder.poll() == 1
    assert list((partner.root / "out").iterdir()) == []
    assert [path.name for path in (partner.root / "archive").iterdir()] == (["a.835"] if afterwards == "move" else [])


def test_a_dropped_connection_goes_on_where_it_stopped(office: Office, partner: SftpPartner) -> None:
    put(partner, "long.835", LONG)
    partner.misbehaviour.request(Fault.CUT, target=READ_TARGET)
    with pytest.raises(SftpLost):
        office.opened().poll()
    (part,) = (office.folder / "sftp-spool" / "metro").glob("*.part")
    fetched = part.stat().st_size
    assert 0 < fetched < len(LONG)
    part.write_bytes(b"#" * fetched)
    assert office.opened().poll() == 1
    assert office.taken == [("long.835", b"#" * fetched + LONG[fetched:])]


def test_a_file_that_changed_under_way_is_fetched_from_its_beginning(office: Office, partner: SftpPartner) -> None:
    path = put(partner, "long.835", LONG)
    partner.misbehaviour.request(Fault.CUT, target=READ_TARGET)
    with pytest.raises(SftpLost):
        office.opened().poll()
    path.write_bytes(LONG[::-1])
    os.utime(path, (1, 1))
    assert office.opened().poll() == 1
    assert office.taken == [("long.835", LONG[::-1])]


def test_a_file_that_still_grows_is_waited_for_and_unfinished_names_are_left_alone(
    office: Office, partner: SftpPartner
) -> None:
    folder = office.opened(settle_seconds=0.2)
    path = put(partner, "a.835", b"ISA")
    for name in ("b.tmp", "c.part", ".hidden"):
        put(partner, name)
    assert folder.poll() == 0
    path.write_bytes(b"ISA*00*")
    assert folder.poll() == 0
    for _ in range(50):
        if folder.poll():
            break
    assert office.taken == [("a.835", b"ISA*00*")]


def test_with_a_marker_a_file_is_whole_when_its_marker_stands_beside_it(office: Office, partner: SftpPartner) -> None:
    folder = office.opened(marker=".done", settle_seconds=3600, afterwards="delete")
    put(partner, "a.835")
    assert folder.poll() == 0
    put(partner, "a.835.done", b"")
    assert folder.poll() == 1
    assert office.taken == [("a.835", b"ISA*00*")]
    assert list((partner.root / "out").iterdir()) == []


def test_what_is_not_accepted_lies_in_quarantine_with_its_reasons(office: Office, partner: SftpPartner) -> None:
    office.verdict = FileVerdict(False, ("line 3, column amount: amount: an amount has two decimals",))
    put(partner, "a.csv")
    assert office.opened().poll() == 1
    assert office.names("quarantine") == ["a.csv", "a.csv.reason.txt"]
    assert "line 3, column amount" in (office.folder / "intake-quarantine" / "a.csv.reason.txt").read_text()
    assert office.opened().poll() == 0


@pytest.mark.parametrize("wrong", ["host key", "user", "down"])
def test_a_server_that_is_not_the_one_we_know_gives_nothing(office: Office, partner: SftpPartner, wrong: str) -> None:
    put(partner, "a.835")
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    if wrong == "down":
        partner.misbehaviour.request(Fault.DOWN, target=TARGET)
    changes = {"host key": {"host_key": other}, "user": {"user": "stranger"}}.get(wrong, {})
    with pytest.raises(SftpLost):
        office.opened(**changes).poll()
    assert office.taken == []


def test_a_password_from_a_file_lets_in_and_a_wrong_one_does_not(office: Office, partner: SftpPartner) -> None:
    put(partner, "a.835")
    secret = office.folder / "metro.password"
    secret.write_text("wrong\n", "utf-8")
    with pytest.raises(SftpLost):
        office.opened(private_key_file=None, password_file=str(secret)).poll()
    secret.write_text("open sesame\n", "utf-8")
    assert office.opened(private_key_file=None, password_file=str(secret)).poll() == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"private_key_file": None}, "private_key_file"),
        ({"private_key_file": "nowhere.key"}, "no such file"),
        ({"host_key": "trust me"}, "host_key"),
        ({"afterwards": "move"}, "moved_to"),
        ({"pgp_signer_file": "metro.pgp"}, "pgp_key_file"),
        ({"pgp_key_file": "nowhere.pgp"}, "nowhere.pgp"),
        ({"folders": "out"}, "folders"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(office: Office, changes: dict[str, object], told: str) -> None:
    with pytest.raises(WrongPartners, match=told):
        office.opened(**changes)


def sealed(office: Office, content: bytes, *, signed: bool, to_us: bool = True) -> tuple[bytes, dict[str, object]]:
    """A message with the keys of both sides in files."""
    ours, theirs, stranger = (Tsk.generate(f"{who}@example.org") for who in ("us", "them", "stranger"))
    (office.folder / "our.pgp").write_bytes(str(ours).encode())
    (office.folder / "their.pgp").write_bytes(str(theirs.extract_certificate()).encode())
    recipient = (ours if to_us else stranger).extract_certificate()
    signer = (theirs if signed else stranger).signer()
    return encrypt(content, [recipient], signer), {"pgp_key_file": "our.pgp", "pgp_signer_file": "their.pgp"}


def test_a_sealed_and_signed_file_is_opened_on_arrival(office: Office, partner: SftpPartner) -> None:
    message, settings = sealed(office, b"ISA*00*secret", signed=True)
    put(partner, "a.835.pgp", message)
    assert office.opened(**settings).poll() == 1
    assert office.taken == [("a.835.pgp", b"ISA*00*secret")]


@pytest.mark.parametrize(
    ("signed", "to_us", "rule"),
    [(False, True, "pgp-signature"), (True, False, "pgp-cannot-be-opened")],
)
def test_a_file_that_is_not_for_us_or_not_from_the_partner_is_refused(
    office: Office, partner: SftpPartner, signed: bool, to_us: bool, rule: str
) -> None:
    message, settings = sealed(office, b"ISA*00*secret", signed=signed, to_us=to_us)
    put(partner, "a.835.pgp", message)
    office.opened(**settings).poll()
    assert office.taken == []
    assert [told for _, told in office.reported] == [rule]
    assert len(office.names("quarantine")) == 2


def test_a_changed_message_and_an_open_one_are_refused_where_the_partner_signs(
    office: Office, partner: SftpPartner
) -> None:
    message, settings = sealed(office, b"ISA*00*secret", signed=True)
    spoiled = bytearray(message)
    spoiled[len(spoiled) // 2] ^= 1
    put(partner, "a.835.pgp", bytes(spoiled))
    put(partner, "b.835", b"ISA*00*open")
    office.opened(**settings).poll()
    assert office.taken == []
    assert [told for _, told in office.reported] == ["pgp-cannot-be-opened", "pgp-not-sealed"]


def test_without_a_signer_an_open_file_is_taken_as_it_is(office: Office) -> None:
    sealed(office, b"", signed=True)
    assert PgpOpening(office.folder / "our.pgp")(b"ISA*00*open") == b"ISA*00*open"
