"""Loopback ports: free ones, and those a state folder keeps from start to start."""

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom
from threading import Lock

from sandbox.folders import write_private

PORTS_BELOW_THE_EPHEMERAL_RANGE = range(15_000, 32_000)
PORT_TRIES = 200

_given: set[int] = set()
_giving = Lock()


class NoFreePort(RuntimeError):
    """Every port tried is in use."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A server that has just ended leaves closed connections behind, which do not hinder the next one.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A loopback TCP port that nobody uses now.

    It lies below the range from which the kernel gives ports to outgoing connections, so that none of those can take it
    between this call and the server's bind, and it is given once only in this process.
    """
    random = SystemRandom()
    for _ in range(PORT_TRIES):
        port = random.choice(PORTS_BELOW_THE_EPHEMERAL_RANGE)
        with _giving:
            if port not in _given and is_free(port):
                _given.add(port)
                return port
    raise NoFreePort(f"no free loopback port in {PORT_TRIES} tries")


def kept_ports(path: Path, names: Sequence[str]) -> dict[str, int]:
    """One port per name, chosen once and kept in a file of the state folder."""
    known: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [name for name in names if name not in known]
    for name in missing:
        known[name] = free_port()
    if missing:
        write_private(path, json.dumps(known))
    return known
