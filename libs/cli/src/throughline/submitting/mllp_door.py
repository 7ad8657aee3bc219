"""The HL7 v2 door: one MLLP frame for each message, and its acknowledgement."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

from chassis.file_formats import Format

from throughline.outcome import Unreachable
from throughline.submitting.hl7_messages import hl7_messages
from throughline.submitting.sent import Fate, Sent

START_BLOCK = b"\x0b"
END_BLOCK = b"\x1c\r"
TIMEOUT_SECONDS = 60.0
ANSWER_BYTES_MAX = 1_000_000
SOMETIMES_SECONDS = 5.0
_ACCEPT_FIELD = 14
_PROFILE_FIELD = 20
_FATES = {"AA": Fate.ACCEPTED, "CA": Fate.ACCEPTED}


class MllpDoor:
    """Sends messages one after the other, each after the acknowledgement of the one before."""

    def __init__(self, address: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._address = address
        self._timeout_seconds = timeout_seconds

    def send(self, name: str, content: bytes) -> Iterator[Sent]:
        """Sends every message of one file.

        Raises:
            Unreachable: no connection, or it ended before the acknowledgement; that message must be sent again.
        """
        host, _, port = self._address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), self._timeout_seconds) as connection:
                frames = _Frames(connection)
                for message in hl7_messages(content):
                    connection.sendall(START_BLOCK + message + END_BLOCK)
                    yield _told(name, _answers(frames, message))
        except (OSError, ValueError) as error:
            raise Unreachable(f"the HL7 door does not acknowledge ({type(error).__name__})") from None


class _Frames:
    """The frames that come on a connection, however they are cut."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._read = b""

    def next_frame(self) -> bytes:
        """Raises OSError where none comes, or one that does not end."""
        while END_BLOCK not in self._read:
            chunk = self._connection.recv(65_536)
            if not chunk or len(self._read) > ANSWER_BYTES_MAX:
                raise ConnectionError
            self._read += chunk
        frame, _, self._read = self._read.partition(END_BLOCK)
        return frame.removeprefix(START_BLOCK)

    def next_within(self, seconds: float) -> bytes | None:
        """The next frame, or None where none begins in that time."""
        waits = self._connection.gettimeout()
        self._connection.settimeout(seconds)
        try:
            return self.next_frame()
        except TimeoutError:
            return None
        finally:
            self._connection.settimeout(waits)


def _answers(frames: _Frames, message: bytes) -> list[bytes]:
    """What the door says to one message: in enhanced mode (MSH-15, MSH-16) as many answers as the message asks for."""
    header = re.split(rb"[\r\n]", message, maxsplit=1)[0].split(message[3:4])
    asked = [field.strip() for field in header[_ACCEPT_FIELD : _ACCEPT_FIELD + 2]]
    if not any(asked):
        return [frames.next_frame()]
    told = [frames.next_frame() for each in asked if each == b"AL"]
    sometimes = [each for each in asked if each in (b"ER", b"SU")]
    return [*told, *(frame for _ in sometimes if (frame := frames.next_within(SOMETIMES_SECONDS)))]


def _told(name: str, acknowledgements: list[bytes]) -> Sent:
    """The last acknowledgement in words: its code, our control id, and every error it names (ERR-2, ERR-3, ERR-8; ERR-1)."""
    if not acknowledgements:
        return Sent(name, Format.HL7.value, "mllp", Fate.HANDED_OVER, "", ("the message asks for no acknowledgement",))
    text = acknowledgements[-1].decode("utf-8", "replace")
    separator = text[3:4] or "|"
    code, control_id, errors = "", "", []
    read_by: list[str] = []
    for segment in text.split("\r"):
        fields = segment.split(separator)
        if fields[0] == "MSA":
            code, control_id = (*fields[1:3], "", "")[:2]
        elif fields[0] == "MSH" and len(fields) > _PROFILE_FIELD:
            read_by = [f"read by site profile {fields[_PROFILE_FIELD]}"]
        elif fields[0] == "ERR":
            errors += _errors([*fields, *[""] * 9])
    fate = _FATES.get(code, Fate.REFUSED)
    return Sent(name, Format.HL7.value, "mllp", fate, control_id, (code or "no MSA", *errors, *read_by))


def _errors(fields: list[str]) -> list[str]:
    """One from 2.5 on; before, each repetition of ERR-1, where the text stands in the code."""
    if fields[1]:
        return [error.split("^")[-1].split("&")[1] for error in fields[1].split("~") if error.count("&") > 1]
    place = "-".join(part for part in fields[2].split("^") if part)
    return [": ".join(filter(None, (place, fields[8] or fields[3].replace("^", " "))))]
