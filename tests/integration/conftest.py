"""The whole suite as a person starts it, with Tryton and the gateway, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sandbox.servers.localstripe import LocalStripe
from sandbox.world.erp_proxy import ErpProxy
from sandbox.world.gateway import WEBHOOK_SECRET
from sandbox.world.scenario import Scenario
from throughline.connection import Access, read_connection
from throughline.stack.composition import Overrides

from tests.integration.story import Story, settled
from tests.integration.suite import QUICK, OpenStack, write_canaries


@pytest.fixture(scope="package")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> LocalStripe:
    """localstripe, not started yet; payments knows its secret beside the card gateway's."""
    return LocalStripe(tmp_path_factory.mktemp("localstripe"))


@pytest.fixture(scope="package")
def suite(tmp_path_factory: pytest.TempPathFactory, stripe: LocalStripe) -> Iterator[OpenStack]:
    """Everything, running; the ledger adapter reaches Tryton by a road that can break."""
    stack = OpenStack(tmp_path_factory.mktemp("suite"))
    with ErpProxy(stack.suite.tryton.port) as road:
        secrets = {"payments": {"GATEWAY_SECRETS": f"{WEBHOOK_SECRET},{stripe.webhook_secret}"}}
        stack.overrides = Overrides(erp_url=road.url, settings={**QUICK, **secrets})
        stack.road = road
        with stack:
            yield stack


@pytest.fixture(scope="package")
def told(suite: OpenStack) -> Iterator[Story]:
    """The story of ten encounters, told to its end through the gateway."""
    today = datetime.now(UTC).date()
    with Story(suite, Scenario.small(today), today) as story:
        write_canaries(suite.folder, story.scenario)
        story.tell()
        settled(suite)
        yield story


@pytest.fixture(scope="package")
def access(suite: OpenStack) -> Iterator[Access]:
    """An operator at the gateway."""
    opened = Access(read_connection(suite.folder))
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def access_without_gateway(suite: OpenStack) -> Iterator[Access]:
    """The same operator at the services' own addresses."""
    connection = read_connection(suite.folder)
    opened = Access(connection.model_copy(update={"gateway": None}))
    yield opened
    opened.close()
