"""Answers to partners: a TA1 or 999 where the payer asks for one, from the verdict, once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from chassis.domain import Context, Meta
from chassis.inbound import INBOUND_MESSAGES
from chassis.whole_files import write_whole
from intake.adapters.hl7v2 import read_profiles
from intake.application.answering import AnswerWriting
from sandbox.world.bulk import generate_remittance
from sandbox.world.remittances import corrupted
from x12.inspection import inspect
from x12.policy import PolicyOf, policy_of, strict
from x12.validation import validate

from .world import IntakeUnderTest

SENT = generate_remittance(3, date(2026, 2, 27))


class Folder:
    """A folder in memory that can be full."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.writes = 0
        self.is_full = False

    def write(self, name: str, content: bytes) -> None:
        if self.is_full:
            raise OSError("full")
        self.writes += 1
        assert self.files.setdefault(name, content) == content, "one name, one content"


def asking(kinds: str) -> IntakeUnderTest:
    service = IntakeUnderTest()
    payers = tuple(
        payer.model_copy(update={"acknowledge_remittances": kinds if payer.code == SENT.payer.code else ""})
        for payer in service.master_data.payers
    )
    service.master_data = service.master_data.model_copy(update={"payers": payers})
    return service


def written(service: IntakeUnderTest, folder: Folder) -> list[bytes]:
    AnswerWriting(service.store, service.clock, folder.write).run()
    return [folder.files[name] for name in sorted(folder.files)]


def test_a_payer_that_asks_for_none_gets_none() -> None:
    service, folder = asking(""), Folder()
    service.receive_file(SENT.content)
    assert written(service, folder) == []


def test_a_sound_remittance_is_accepted_at_both_levels() -> None:
    service, folder = asking("TA1+999"), Folder()
    service.receive_file(SENT.content)
    envelope, groups = written(service, folder)
    assert b"*A*000~" in envelope
    assert b"IK5*A~" in groups
    assert b"AK9*A*1*1*1~" in groups
    assert validate(groups) == []
    (interchange,) = inspect(groups).interchanges
    assert (interchange.sender, interchange.receiver) == (SENT.content[54:69].decode().strip(), SENT.payer.receiver_id)


def test_a_quarantined_remittance_is_rejected_at_its_segment_and_nothing_of_it_is_repeated() -> None:
    service, folder = asking("999"), Folder()
    assert service.receive_file(corrupted(SENT).content).quarantined
    (answer,) = written(service, folder)
    assert b"IK5*R" in answer
    assert b"IK3*" in answer
    for claim in SENT.claims:
        assert claim.decision.claim.patient_control_number.encode() not in answer


def test_the_same_file_again_is_answered_once_and_a_copy_under_another_name_by_itself() -> None:
    service, folder = asking("TA1"), Folder()
    for name in ("a.835", "a.835", "b.835"):
        service.receive_file(SENT.content, name)
    assert len(written(service, folder)) == 2
    assert sorted(folder.files) == [f"{SENT.payer.receiver_id}-00000000{number}.ta1" for number in (1, 2)]


def test_an_answer_waits_until_it_can_be_written_and_is_written_once() -> None:
    service, folder = asking("TA1"), Folder()
    service.receive_file(SENT.content)
    folder.is_full = True
    with pytest.raises(OSError, match="full"):
        written(service, folder)
    folder.is_full = False
    for _ in range(2):
        written(service, folder)
    assert (len(folder.files), folder.writes) == (1, 1)


def test_a_whole_file_appears_under_its_name_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "out", "a.ta1", b"ISA")
    write_whole(tmp_path / "out", "a.ta1", b"ISA")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {"a.ta1": b"ISA"}


def read_again(service: IntakeUnderTest, policies: PolicyOf = strict) -> None:
    (row,) = service.store.rows(INBOUND_MESSAGES, {})
    message_id = row["message_id"]
    assert isinstance(message_id, UUID)
    caller = Context(service.clock(), Meta(correlation_id=message_id, causation_id=message_id, actor="person:lead"))
    told = service.reprocessing(read_profiles(None), policies).reprocess(caller, message_id, dry_run=False)
    assert told.after == "accepted"


def test_who_was_not_known_when_a_file_came_is_answered_when_it_is_read_again_and_once() -> None:
    service, folder = asking("TA1+999"), Folder()
    known = service.master_data
    service.master_data = known.model_copy(update={"payers": ()})
    assert service.receive_file(SENT.content).quarantined
    assert written(service, folder) == []
    service.master_data = known
    for _ in range(2):
        read_again(service)
        assert len(written(service, folder)) == 2
    assert any(b"AK9*A*1*1*1~" in each for each in folder.files.values())


def test_who_was_told_of_a_rejection_is_not_told_otherwise_when_the_file_is_read_again() -> None:
    service, folder = asking("999"), Folder()
    eased = policy_of({"ge01_count": "finding"})
    assert service.receive_file(SENT.content.replace(b"GE*1*", b"GE*2*")).quarantined
    (told,) = written(service, folder)
    assert b"AK9*R*" in told
    read_again(service, lambda sender: eased)
    assert written(service, folder) == [told]
