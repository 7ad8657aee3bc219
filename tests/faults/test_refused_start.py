"""No service of ours starts on settings that may lose money: it ends with 78 and says which setting it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest
from canonical.envelope import STREAMS
from chassis.messaging.declaration import declare
from chassis.messaging.topology import CONSUMES
from nats.aio.client import Client
from nats.js.api import AckPolicy, DiscardPolicy
from psycopg import sql
from throughline.stack.roster import MEMBERS

from tests.integration.forking import DidNotStart
from tests.integration.suite import Bench

pytestmark = [pytest.mark.servers, pytest.mark.slow]

EXIT_SETTINGS = 78
EVERY_SERVICE = pytest.mark.parametrize("service", [member.name for member in MEMBERS])
Spoil = Callable[[Client], Awaitable[None]]


@pytest.fixture
def spoilt(bench: Bench) -> Iterator[Bench]:
    """A bench that is set right again afterwards."""
    yield bench
    bench.kill_services()
    bench.renew()


@EVERY_SERVICE
def test_fewer_replicas_than_configured_are_refused(bench: Bench, service: str) -> None:
    assert_refused(bench, service, "num_replicas", THROUGHLINE_NATS_REPLICAS="3")


@EVERY_SERVICE
def test_a_database_that_confirms_before_it_writes_is_refused(bench: Bench, service: str) -> None:
    role = sql.Identifier(bench.database(service).app_role)
    with bench.admin(service) as admin:
        admin.execute(sql.SQL("ALTER ROLE {} SET synchronous_commit = off").format(role))
    try:
        assert_refused(bench, service, "synchronous_commit")
    finally:
        with bench.admin(service) as admin:
            admin.execute(sql.SQL("ALTER ROLE {} RESET synchronous_commit").format(role))


@EVERY_SERVICE
def test_a_stream_that_forgets_when_it_is_full_is_refused(spoilt: Bench, service: str) -> None:
    async def forget(client: Client) -> None:
        js = client.jetstream(timeout=10)
        wanted = spoilt.topology.stream(service)
        wanted.discard = DiscardPolicy.OLD
        await js.update_stream(wanted)

    spoilt.at_nats("operator", forget)
    assert_refused(spoilt, service, "discard")


@pytest.mark.parametrize("service", [member.name for member in MEMBERS if CONSUMES[member.name]])
def test_a_durable_that_needs_no_acknowledgement_is_refused(spoilt: Bench, service: str) -> None:
    async def need_none(client: Client) -> None:
        js = client.jetstream(timeout=10)
        durable = spoilt.topology.durables(service)[0]
        await js.delete_consumer(durable.stream, durable.name)
        wanted = spoilt.topology.consumer(durable)
        wanted.ack_policy, wanted.ack_wait, wanted.max_ack_pending = AckPolicy.NONE, None, None
        await js.add_consumer(durable.stream, wanted)

    spoilt.at_nats("operator", need_none)
    assert_refused(spoilt, service, "ack_policy")


def test_a_stream_that_is_not_there_is_refused(spoilt: Bench) -> None:
    async def delete(client: Client) -> None:
        await client.jetstream(timeout=10).delete_stream(STREAMS["intake"])

    spoilt.at_nats("operator", delete)
    try:
        assert_refused(spoilt, "claims", STREAMS["intake"])
    finally:
        spoilt.at_nats("operator", lambda client: declare(client, spoilt.topology))


def assert_refused(bench: Bench, service: str, setting: str, **environment: str) -> None:
    """The service ends by itself, with the code for wrong settings, and its log names the setting."""
    with pytest.raises(DidNotStart, match=setting):
        bench.start_service(service, environment)
    assert bench.running[service].wait_for_exit(10) == EXIT_SETTINGS
