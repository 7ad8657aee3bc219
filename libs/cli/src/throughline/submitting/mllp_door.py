"""The HL7 v2 door: one MLLP frame for each message, and its acknowledgement."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from throughline.outcome import Unreachable
from throughline.submitting.recognition import Format, hl7_messages
from throughline.submitting.sent import Fate, Sent

START_BLOCK = b"\x0b"
END_BLOCK = b"\x1c\r"
TIMEOUT_SECONDS = 60.0
ANSWER_BYTES_MAX = 1_000_000
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
                for message in hl7_messages(content):
                    connection.sendall(START_BLOCK + message + END_BLOCK)
                    yield _told(name, _frame(connection))
        except (OSError, ValueError) as error:
            raise Unreachable(f"the HL7 door does not acknowledge ({type(error).__name__})") from None


def _frame(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(END_BLOCK):
        chunk = connection.recv(65_536)
        if not chunk or len(received) > ANSWER_BYTES_MAX:
            raise ConnectionError
        received += chunk
    return received.removeprefix(START_BLOCK).removesuffix(END_BLOCK)


def _told(name: str, acknowledgement: bytes) -> Sent:
    """The acknowledgement in words: its code, our control id, and every error it names (ERR-2, ERR-3, ERR-8)."""
    text = acknowledgement.decode("utf-8", "replace")
    separator = text[3:4] or "|"
    code, control_id, errors = "", "", []
    for segment in text.split("\r"):
        fields = segment.split(separator)
        if fields[0] == "MSA":
            code, control_id = (*fields[1:3], "", "")[:2]
        elif fields[0] == "ERR":
            errors.append(_error([*fields, *[""] * 9]))
    fate = _FATES.get(code, Fate.REFUSED)
    return Sent(name, Format.HL7.value, "mllp", fate, control_id, (code or "no MSA", *errors))


def _error(fields: list[str]) -> str:
    place = "-".join(part for part in fields[2].split("^") if part)
    return ": ".join(filter(None, (place, fields[8] or fields[3].replace("^", " "))))
