"""Acknowledgements: by mode, by version, and for files of many messages."""

from __future__ import annotations

from uuid import UUID

import pytest
from canonical.ids import derive
from chassis.file_formats import Format, recognise
from chassis.inbound import INBOUND_MESSAGES, read_raw
from chassis.inbound.giving_way import GivingWay
from intake.adapters.hl7v2 import BatchDoor, acknowledgements, read_message, read_profiles
from intake.adapters.hl7v2.batch_files import split_batch
from intake.application.deliveries import Outcome

from .test_hl7 import NOW
from .world import IntakeUnderTest, Wire, charge_message, encounters, messages_of, replace_field

ACCEPTED = Outcome(derive("test", "a"), accepted=True)
HELD = Outcome(derive("test", "a"), accepted=True, notes=("encounter.payer: unknown-payer: the payer NOBODY",))
FINDINGS = ("FT1[2]-4: required: the day of service, as YYYYMMDD", "PID-3: required: a medical record number")
REFUSED = Outcome(derive("test", "b"), accepted=False, findings=FINDINGS)


def with_fields(fields: dict[int, str]) -> bytes:
    message = charge_message()
    for number, value in fields.items():
        message = replace_field(message, "MSH", number, value).decode()
    return message.encode()


def answers(raw: bytes, outcome: Outcome) -> list[list[str]]:
    reading = read_message(raw, actor="door")
    told = acknowledgements(reading.header, outcome, NOW, rejected=reading.rejected)
    return [each.decode().rstrip("\r").split("\r") for each in told]


@pytest.mark.parametrize(
    ("accept", "application", "when_accepted", "when_refused"),
    [
        ("", "", ["AA"], ["AE"]),
        ("AL", "NE", ["CA"], ["CE"]),
        ("AL", "", ["CA"], ["CE"]),
        ("AL", "AL", ["CA", "AA"], ["CA", "AE"]),
        ("NE", "AL", ["AA"], ["AE"]),
        ("", "ER", [], ["AE"]),
        ("ER", "NE", [], ["CE"]),
        ("SU", "SU", ["CA", "AA"], []),
        ("NE", "NE", [], []),
    ],
)
def test_the_sender_gets_the_acknowledgements_that_it_asks_for(
    accept: str, application: str, when_accepted: list[str], when_refused: list[str]
) -> None:
    raw = with_fields({15: accept, 16: application})
    codes = [[rows[1].split("|")[1] for rows in answers(raw, outcome)] for outcome in (ACCEPTED, REFUSED)]
    assert codes == [when_accepted, when_refused]


def test_a_rejected_header_is_rejected_in_either_mode() -> None:
    codes = [answers(with_fields({9: "ORU^R01", 15: mode, 16: mode}), REFUSED) for mode in ("", "AL")]
    assert [[rows[1].split("|")[1] for rows in told] for told in codes] == [["AR"], ["CR", "AR"]]


@pytest.mark.parametrize("version", ["2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8"])
def test_newer_versions_get_an_err_for_each_finding(version: str) -> None:
    ((header, _, *errors),) = answers(with_fields({12: version}), REFUSED)
    assert header.split("|")[11] == version
    assert [error.split("|")[2:5] for error in errors] == [
        ["FT1^2^4", "101^Required field missing^HL70357", "E"],
        ["PID^1^3", "101^Required field missing^HL70357", "E"],
    ]
    assert errors[0].split("|")[8] == FINDINGS[0]


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4"])
def test_older_versions_get_one_err_with_repetitions(version: str) -> None:
    ((header, _, error),) = answers(with_fields({12: version}), REFUSED)
    assert header.split("|")[11] == version
    first, second = error.removeprefix("ERR|").split("~")
    assert first.startswith("FT1^2^4^101&Required field missing: FT1[2]-4")
    assert second.startswith("PID^1^3^101&")


def test_what_holds_an_encounter_is_told_as_a_warning() -> None:
    ((_, said, warning),) = answers(with_fields({}), HELD)
    assert said.startswith("MSA|AA|")
    assert warning.split("|")[4] == "W"
    ((_, *older),) = answers(with_fields({12: "2.3"}), HELD)
    assert len(older) == 1


def test_the_answer_names_its_event_and_speaks_the_character_set_of_the_question() -> None:
    ((header, _),) = answers(with_fields({18: "8859/1"}), ACCEPTED)
    fields = header.split("|")
    assert (fields[8], fields[17], fields[20]) == ("ACK^P03", "8859/1", "default")


def test_marks_of_the_sender_are_escaped_in_the_answer() -> None:
    ((_, said),) = answers(with_fields({10: "A\\F\\B"}), ACCEPTED)
    assert said == "MSA|AA|A\\F\\B"


class Folder:
    """A folder for answers, and a desk for files that nobody could take."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.reported: list[tuple[str, str]] = []

    def door(self, service: IntakeUnderTest) -> BatchDoor:
        return BatchDoor(
            service.intake.messages.receive,
            GivingWay(),
            read_profiles(None),
            service.clock,
            lambda name, rule: self.reported.append((name, rule)),
            self.answers.__setitem__,
        )


MESSAGES = messages_of(encounters(Wire.HL7)[0]).messages
BATCH = b"FHS|^~\\&|ehr\rBHS|^~\\&|ehr\r" + b"".join(MESSAGES) + b"BTS|%d\rFTS|1\r" % len(MESSAGES)


def test_a_batch_file_is_taken_message_by_message_and_answered_in_one_file() -> None:
    service, folder = IntakeUnderTest(), Folder()
    assert folder.door(service).take("day.hl7", BATCH)
    rows = folder.answers["day.hl7.ack.hl7"].decode().rstrip("\r").split("\r")
    assert (rows[0][:3], rows[1][:3], rows[-2], rows[-1]) == ("FHS", "BHS", f"BTS|{len(MESSAGES)}", "FTS|1")
    assert [row[:7] for row in rows if row.startswith("MSA")] == ["MSA|AA|"] * len(MESSAGES)
    rows_kept = service.store.rows(INBOUND_MESSAGES, {}, order=["received_at"])
    kept = {read_raw(service.store, service.sealer, UUID(str(row["message_id"]))) for row in rows_kept}
    assert kept == set(MESSAGES)


def test_a_batch_file_that_comes_again_is_answered_as_the_first_time() -> None:
    service, folder = IntakeUnderTest(), Folder()
    folder.door(service).take("day.hl7", BATCH)
    position, answered = service.store.last_position(), folder.answers["day.hl7.ack.hl7"]
    assert folder.door(service).take("again.hl7", BATCH)
    assert service.store.last_position() == position
    assert folder.answers["again.hl7.ack.hl7"].count(b"MSA|AA") == answered.count(b"MSA|AA")


def test_one_refused_message_of_a_batch_leaves_the_others_accepted() -> None:
    service, folder = IntakeUnderTest(), Folder()
    bad = replace_field(MESSAGES[-1].decode(), "FT1", 4, "")
    mixed = b"BHS|^~\\&|ehr\r" + MESSAGES[0] + bad + b"BTS|2\r"
    assert not folder.door(service).take("mixed.hl7", mixed)
    codes = [row[4:6] for row in folder.answers["mixed.hl7.ack.hl7"].split(b"\r") if row.startswith(b"MSA")]
    assert codes == [b"AA", b"AE"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (BATCH[:-10], "no-trailer"),
        (BATCH.replace(b"BTS|", b"BTS|9"), "trailer-count"),
        (BATCH.replace(b"FTS|1", b"FTS|2"), "trailer-count"),
        (MESSAGES[0] + b"BTS|1\r", "trailer-without-header"),
        (b"FHS|^~\\&|ehr\rBHS|^~\\&|ehr\rPID|1\rBTS|0\rFTS|1\r", "bytes-outside-a-message"),
    ],
)
def test_a_file_that_was_cut_off_is_taken_whole_or_not_at_all(content: bytes, rule: str) -> None:
    service, folder = IntakeUnderTest(), Folder()
    assert not folder.door(service).take("cut.hl7", content)
    assert folder.reported == [("cut.hl7", f"hl7-batch-{rule}")]
    assert service.store.last_position() == 0


def test_messages_without_a_batch_around_them_are_a_batch_too() -> None:
    assert split_batch(b"".join(MESSAGES)).messages == list(MESSAGES)
    windows = b"\xef\xbb\xbf" + b"".join(MESSAGES).replace(b"\r", b"\r\n")
    assert len(split_batch(windows).messages) == len(MESSAGES)


@pytest.mark.parametrize(
    ("content", "found"), [(BATCH, True), (b"\n MSH|^~\\&|", True), (b"ISA*00*", False), (b"MSHx", False), (b"", False)]
)
def test_hl7_files_are_told_from_others_by_their_beginning(content: bytes, found: bool) -> None:
    assert (recognise(content) is Format.HL7) is found
