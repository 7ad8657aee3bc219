"""Replies lost and servers gone in the middle of the story: no false conflict, nothing twice, no hang, no spinning."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from sandbox.world.fault_proxy import FaultProxy
from sandbox.world.misbehaviour import Fault
from throughline.stack.roster import MEMBERS

from tests.integration.state import Facts
from tests.integration.story import Story, differences, settled_as, small_story, until
from tests.integration.suite import Bench, broken_promises

pytestmark = [pytest.mark.servers, pytest.mark.slow]

LOST = 10
EVERY_SECONDS = 0.4
BUSY_SHARE_MAX = 0.6
TICKS = os.sysconf("SC_CLK_TCK")


def test_a_commit_whose_reply_is_lost_is_neither_a_conflict_nor_done_twice(bench: Bench, undisturbed: Facts) -> None:
    with FaultProxy(bench.suite.postgres.port) as proxy:
        bench.start_services(by_way_of(bench, "THROUGHLINE_DATABASE_URL", proxy.port))
        with small_story(bench) as story:
            with losing(proxy, "COMMIT"):
                story.tell()
            assert_undisturbed(bench, story, undisturbed)
    assert len(proxy.misbehaviour.struck) == proxy.swallowed_count >= LOST // 2


@pytest.mark.parametrize("what", ["Nats-Batch-Commit", "$JS.ACK."])
def test_a_publish_or_an_acknowledgement_whose_reply_is_lost_changes_nothing(
    bench: Bench, undisturbed: Facts, what: str
) -> None:
    with FaultProxy(bench.suite.nats.port) as proxy:
        bench.start_services(by_way_of(bench, "THROUGHLINE_NATS_URL", proxy.port))
        with small_story(bench) as story:
            with losing(proxy, what):
                story.tell()
            assert_undisturbed(bench, story, undisturbed)
    assert len(proxy.misbehaviour.struck) == proxy.swallowed_count >= LOST // 2


@pytest.mark.parametrize(
    ("server", "outage_seconds"),
    [("nats", 5), ("nats", 60), ("postgres", 5)],
    ids=["nats gone for 5 s", "nats gone for a minute", "postgres gone for 5 s"],
)
def test_a_server_that_is_gone_for_a_while_changes_nothing(
    bench: Bench, undisturbed: Facts, server: str, outage_seconds: float
) -> None:
    bench.start_services()
    gone = getattr(bench.suite, server)
    with small_story(bench) as story, ThreadPoolExecutor(1) as thread:
        telling = thread.submit(story.tell)
        until(lambda: len(story.payers.verdicts) > 0, "the story is in full swing", every=0.02)
        gone.kill9()
        try:
            assert busiest_share(bench, min(outage_seconds, 3)) < BUSY_SHARE_MAX, "somebody spins while it is gone"
            time.sleep(max(0, outage_seconds - 3))
        finally:
            gone.start()
        back = time.monotonic()
        telling.result()
        assert_undisturbed(bench, story, undisturbed)
        assert time.monotonic() - back < 60


def test_servers_that_restart_under_load_change_nothing(bench: Bench, undisturbed: Facts) -> None:
    bench.start_services()
    with small_story(bench) as story, ThreadPoolExecutor(1) as thread:
        telling = thread.submit(story.tell)
        restarts = 0
        while not telling.done() and restarts < 4:
            (bench.suite.postgres if restarts % 2 else bench.suite.nats).restart()
            restarts += 1
            wait([telling], timeout=1.5)
        telling.result()
        assert_undisturbed(bench, story, undisturbed)
    assert restarts >= 2


def assert_undisturbed(bench: Bench, story: Story, undisturbed: Facts) -> None:
    """The end is the same, no service has ended meanwhile, and the checker finds nothing wrong."""
    assert differences(undisturbed, settled_as(bench, undisturbed)) == {}
    assert story.erp.booked_twice == []
    assert [name for name, process in bench.running.items() if not process.is_running()] == []
    assert broken_promises(bench.folder) == {}


@contextmanager
def losing(proxy: FaultProxy, what: str) -> Iterator[None]:
    """Loses the reply to what holds this text, again and again, until it has happened so many times."""
    over = threading.Event()

    def lose() -> None:
        for _ in range(LOST):
            proxy.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target=what)
            while proxy.misbehaviour.open_requests:
                if over.wait(0.02):
                    return
            if over.wait(EVERY_SECONDS):
                return

    losses = threading.Thread(target=lose)
    losses.start()
    try:
        yield
    finally:
        over.set()
        losses.join()
        proxy.misbehaviour.lift(Fault.TIMEOUT_AFTER_WORK)


def by_way_of(bench: Bench, setting: str, port: int) -> Mapping[str, Mapping[str, str]]:
    """The setting of every service with the address of the proxy in it."""
    told = {}
    for member in MEMBERS:
        address = urlsplit(bench.service(member).env[setting])
        login = f"{address.username}:{address.password}@" if address.username else ""
        told[member.name] = {setting: urlunsplit(address._replace(netloc=f"{login}127.0.0.1:{port}"))}
    return told


def busiest_share(bench: Bench, seconds: float) -> float:
    """The share of one processor that the busiest service takes, over so many seconds."""
    before = {name: processor_seconds(process.pid) for name, process in bench.running.items()}
    time.sleep(seconds)
    return max((processor_seconds(bench.running[name].pid) - used) / seconds for name, used in before.items())


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
