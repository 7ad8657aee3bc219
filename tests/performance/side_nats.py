"""A NATS of its own for bare measurements, set up as the suite's is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
from chassis.messaging.declaration import declare
from chassis.messaging.nats_connection import NatsLogin
from chassis.messaging.topology import USERS, Topology
from nats.aio.client import Client
from sandbox.servers.nats import NatsServer


@asynccontextmanager
async def side_nats(folder: Path) -> AsyncIterator[NatsServer]:
    """Running, with every stream and durable declared and empty."""
    with NatsServer(folder, consumers=Topology().durables_by_user()) as server:
        operator = await connected(server, "operator")
        try:
            await declare(operator, Topology())
        finally:
            await operator.close()
        yield server


async def connected(server: NatsServer, user: str) -> Client:
    """A bare client of nats-py."""
    login = server.login(user)
    return await nats.connect(
        login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
    )


def login_of(server: NatsServer, service: str) -> NatsLogin:
    """What the chassis connects with."""
    login = server.login(USERS[service])
    return NatsLogin(service, login.url, login.user, login.password)
