"""One set of servers for all fault tests, and the end of the story as it is without any fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.state import Facts
from tests.integration.story import settled, small_story
from tests.integration.suite import Bench


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """PostgreSQL, NATS and the token server."""
    bench = Bench(tmp_path_factory.mktemp("suite"))
    bench.start_servers()
    try:
        bench.prepare()
        yield bench
    finally:
        bench.stop()


@pytest.fixture(scope="package")
def undisturbed(servers: Bench) -> Facts:
    """What the story comes to when nothing goes wrong."""
    servers.renew()
    servers.start_services()
    with small_story(servers) as story:
        story.tell()
        facts = settled(servers)
        assert not story.erp.booked_twice
    servers.kill_services()
    return facts


@pytest.fixture
def bench(servers: Bench) -> Iterator[Bench]:
    """Empty databases, streams and folders; no service runs yet, and none is left running."""
    servers.renew()
    yield servers
    servers.kill_services()
