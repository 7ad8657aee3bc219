"""The process that validates for a `ValidationPool`: `python -m x12.validation_worker FD`, one frame in, one frame out."""

from __future__ import annotations

import json
import signal
import socket
import sys
from dataclasses import astuple

from x12.validation import validate

_LENGTH_BYTES = 8


def send_frame(connection: socket.socket, content: bytes) -> None:
    """Length and content; bounded by the time-out of the connection."""
    connection.sendall(len(content).to_bytes(_LENGTH_BYTES) + content)


def receive_frame(connection: socket.socket, longest: int) -> bytes | None:
    """The next frame; None where the other side has ended between frames.

    Raises:
        EOFError: the other side ended inside a frame, or announced more than `longest` bytes.
    """
    header = _receive(connection, _LENGTH_BYTES)
    if not header:
        return None
    length = int.from_bytes(header)
    if len(header) < _LENGTH_BYTES or length > longest:
        raise EOFError("a frame is cut off or too long")
    content = _receive(connection, length)
    if len(content) < length:
        raise EOFError("a frame is cut off")
    return content


def _receive(connection: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        part = connection.recv(min(length - len(content), 1 << 20))
        if not part:
            break
        content += part
    return bytes(content)


def main(descriptor: int, longest: int) -> None:
    """Answers until the pool closes its end, which a pool that dies does too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connection:
        while (raw := receive_frame(connection, longest)) is not None:
            send_frame(connection, json.dumps([astuple(error) for error in validate(raw)]).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
