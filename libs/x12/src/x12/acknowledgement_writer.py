"""Writes TA1 and 999 (005010X231A1): our answer to an inbound interchange."""

from __future__ import annotations

from x12.acknowledgement import ElementError, InterchangeAcknowledgement, SegmentError, SetAcknowledgement
from x12.answer import GroupAnswer, InterchangeAnswer
from x12.errors import UnwritableValue
from x12.segment_writer import SegmentWriter
from x12.submission_envelope import SubmissionEnvelope

GUIDE = "005010X231A1"


def write_interchange_acknowledgement(envelope: SubmissionEnvelope, answer: InterchangeAnswer) -> bytes:
    """An interchange with a TA1 and nothing else. The envelope's sender is who was sent to, its receiver who sent.

    Raises:
        UnwritableValue: the answered header holds what TA1 cannot repeat.
    """
    writer = SegmentWriter(envelope)
    _write_ta1(writer, answer.interchange)
    return writer.close()


def write_group_acknowledgements(envelope: SubmissionEnvelope, answer: InterchangeAnswer) -> bytes:
    """An interchange with one 999 for each group of the answered one.

    Raises:
        UnwritableValue: no group can be named, or the answered envelope holds what a 999 cannot repeat.
    """
    if not answer.groups:
        raise UnwritableValue("answer.groups", "must hold a group")
    writer = SegmentWriter(envelope)
    writer.open_group("FA", GUIDE)
    for index, group in enumerate(answer.groups):
        _write_group(writer, f"answer.groups[{index}]", group)
    return writer.close()


def _write_ta1(writer: SegmentWriter, told: InterchangeAcknowledgement) -> None:
    number = writer.text("answer.interchange.control_number", told.control_number, 9, shortest=9)
    date = writer.text("answer.interchange.date", told.date, 6, shortest=6)
    time = writer.text("answer.interchange.time", told.time, 4, shortest=4)
    writer.add("TA1", number, date, time, told.code, told.note_code)


def _write_group(writer: SegmentWriter, field: str, group: GroupAnswer) -> None:
    writer.open_set("999", GUIDE)
    functional = writer.text(f"{field}.functional_id", group.functional_id, 2, shortest=2)
    number = writer.text(f"{field}.control_number", group.control_number, 9)
    writer.add("AK1", functional, number, writer.text(f"{field}.version", group.version, 12))
    for index, each in enumerate(group.sets):
        _write_set(writer, f"{field}.sets[{index}]", each)
    received = len(group.sets)
    accepted = 0 if group.error_codes else group.accepted
    writer.add("AK9", group.code, str(group.included), str(received), str(accepted), *group.error_codes)
    writer.close_set()


def _write_set(writer: SegmentWriter, field: str, told: SetAcknowledgement) -> None:
    kind = writer.text(f"{field}.type", told.type, 3, shortest=3)
    number = writer.text(f"{field}.control_number", told.control_number, 9)
    writer.add("AK2", kind, number, writer.optional(f"{field}.version", told.version, 35))
    for error in told.errors:
        _write_error(writer, f"{field}.errors", error)
    writer.add("IK5", told.code, *told.error_codes)


def _write_error(writer: SegmentWriter, field: str, error: SegmentError) -> None:
    """IK3 with its IK4. The faulty value is never sent back: it may name a patient."""
    segment = writer.text(f"{field}.segment", error.segment, 3)
    writer.add("IK3", segment, error.position, writer.optional(f"{field}.loop", error.loop, 6), error.code)
    for element in error.elements:
        _write_element(writer, element)


def _write_element(writer: SegmentWriter, element: ElementError) -> None:
    writer.add("IK4", element.position, element.reference_number, element.code)
