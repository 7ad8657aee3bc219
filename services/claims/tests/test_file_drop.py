"""Claims out by file drop: whole files, once, and none ever replaced."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from claims.adapters.file_drop import OUTBOUND, TAKEN, FileDrop
from claims.application.ports import ClaimTransport, TransportUnavailable
from claims.domain.interchange import OtherBytesSent

from .world import MemoryTransport

CONTENT = b"ISA*00*..."
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["folder", "memory"])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> ClaimTransport:
    return FileDrop(tmp_path) if request.param == "folder" else MemoryTransport()


def test_what_was_sent_is_found_by_its_digest(transport: ClaimTransport) -> None:
    assert transport.probe("000000001.x12") is None

    transport.send("000000001.x12", CONTENT)

    assert transport.probe("000000001.x12") == DIGEST
    assert transport.probe("000000002.x12") is None


def test_the_same_file_sent_again_is_the_same_file(transport: ClaimTransport) -> None:
    transport.send("000000001.x12", CONTENT)
    transport.send("000000001.x12", CONTENT)

    assert transport.probe("000000001.x12") == DIGEST


def test_a_file_that_the_receiver_took_is_still_found(tmp_path: Path) -> None:
    drop = FileDrop(tmp_path)
    drop.send("000000001.x12", CONTENT)
    (tmp_path / TAKEN).mkdir()
    (tmp_path / OUTBOUND / "000000001.x12").rename(tmp_path / TAKEN / "000000001.x12")

    assert drop.probe("000000001.x12") == DIGEST


def test_another_file_of_the_name_is_never_replaced(tmp_path: Path) -> None:
    drop = FileDrop(tmp_path)
    drop.send("000000001.x12", b"other")

    with pytest.raises(OtherBytesSent):
        drop.send("000000001.x12", CONTENT)

    assert (tmp_path / OUTBOUND / "000000001.x12").read_bytes() == b"other"


def test_nothing_but_the_whole_file_is_left_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / OUTBOUND).mkdir()
    (tmp_path / OUTBOUND / ".000000001.x12.crashed.part").write_bytes(b"half")

    FileDrop(tmp_path).send("000000001.x12", CONTENT)

    assert [path.name for path in (tmp_path / OUTBOUND).iterdir()] == ["000000001.x12"]


def test_a_folder_that_cannot_be_made_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "exchange").write_bytes(b"a file, not a folder")
    drop = FileDrop(tmp_path / "exchange")

    with pytest.raises(TransportUnavailable):
        drop.probe("000000001.x12")
    with pytest.raises(TransportUnavailable):
        drop.send("000000001.x12", CONTENT)
