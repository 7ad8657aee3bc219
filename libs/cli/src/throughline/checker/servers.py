"""A stopped suite's servers, started for the time of the check and stopped again; no service is started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sandbox.servers.nats import NatsServer
from sandbox.servers.postgres import PostgresServer
from sandbox.servers.tryton import TrytonServer
from sandbox.suite import Suite


@contextmanager
def servers_running(folder: Path, *, with_erp: bool) -> Iterator[list[str]]:
    """Gives the names of the servers that had to be started. What runs already is left alone.

    Raises:
        DidNotStart, CommandFailed: a server of the folder did not come up.
    """
    suite = Suite(folder)
    servers: list[tuple[str, PostgresServer | NatsServer | TrytonServer]] = [
        ("postgres", suite.postgres),
        ("nats", suite.nats),
    ]
    if with_erp:
        servers.append(("tryton", suite.tryton))
    with ExitStack() as stack:
        started = []
        for name, server in servers:
            if not server.process.is_running():
                stack.enter_context(server)
                started.append(name)
        yield started
