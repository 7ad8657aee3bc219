"""`kill -9` at every named step of every service, in a story of ten encounters: the same end as without."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from billing.reconciliation.v1 import reconciliation_pb2, reconciliation_pb2_grpc
from canonical.codes import AccountRole
from canonical.envelope import STREAMS
from nats.aio.client import Client
from throughline.connection import Access, read_connection
from throughline.outcome import Failure
from throughline.stack.erp_configuration import ACCOUNTS

from tests.integration.state import Facts, rest_of
from tests.integration.story import differences, settled_as, small_story, until
from tests.integration.suite import Bench, broken_promises

pytestmark = [pytest.mark.servers, pytest.mark.slow]

CONSUMERS = ("claims", "payments", "ledger", "reconciliation")
PUBLISHERS = ("intake", "claims", "payments", "ledger")
EVERYWHERE = ("intake", *CONSUMERS)
STEPS: Mapping[str, tuple[str, ...]] = {
    "after-receive": EVERYWHERE,
    "before-commit": EVERYWHERE,
    "after-commit": EVERYWHERE,
    "before-ack": EVERYWHERE,
    "before-publish": PUBLISHERS,
    "after-publish": PUBLISHERS,
    "before-send": ("claims",),
    "after-send": ("claims",),
    "before-erp": ("ledger",),
    "after-erp": ("ledger",),
}
LATER = {
    "in the middle of charges": {"intake": "after-commit:7", "claims": "before-commit:3"},
    "in the middle of answers": {"intake": "before-ack:24", "claims": "after-commit:6", "payments": "before-ack:2"},
    "in the middle of posting": {"ledger": "after-erp:4", "payments": "after-commit:5", "claims": "after-send:3"},
}
"""Windows further on: several services in one story, each at the nth time that it comes there."""
NOTICE_SECONDS = 0.05


class Mortals:
    """Services that are armed to die at a step; each is started again, unarmed, as soon as it is dead."""

    def __init__(self, bench: Bench, deaths: Mapping[str, str], folder: Path) -> None:
        self._bench = bench
        self._deaths = deaths
        self._marks = {service: folder / f"{service}.died" for service in deaths}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._raise_again, args=(service,), daemon=True) for service in deaths]
        self.risen: dict[str, int] = {}

    @property
    def environment(self) -> Mapping[str, Mapping[str, str]]:
        """What arms each service."""
        return {
            service: {"CRASH_AT": f"{service}:{step}", "CRASH_MARK": str(self._marks[service])}
            for service, step in self._deaths.items()
        }

    @property
    def struck(self) -> Mapping[str, str]:
        """Where each service that died says it did."""
        return {service: mark.read_text().strip() for service, mark in self._marks.items() if mark.exists()}

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _raise_again(self, service: str) -> None:
        process = self._bench.running[service]
        while not self._over.wait(NOTICE_SECONDS):
            if process.is_running():
                continue
            self.risen[service] = process.wait_for_exit(1)
            self._bench.start_service(service)
            return


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_of_any_service_leaves_the_same_end(
    bench: Bench, undisturbed: Facts, tmp_path: Path, step: str
) -> None:
    tell_with_deaths(bench, undisturbed, tmp_path, dict.fromkeys(STEPS[step], step))


@pytest.mark.parametrize("deaths", LATER.values(), ids=list(LATER))
def test_a_kill_further_on_leaves_the_same_end(
    bench: Bench, undisturbed: Facts, tmp_path: Path, deaths: Mapping[str, str]
) -> None:
    tell_with_deaths(bench, undisturbed, tmp_path, deaths)


@pytest.mark.parametrize("step", ["before-publish", "after-publish"])
def test_a_break_is_announced_once_though_reconciliation_dies_over_it(bench: Bench, tmp_path: Path, step: str) -> None:
    mortals = Mortals(bench, {"reconciliation": step}, tmp_path)
    bench.start_services(mortals.environment)
    with small_story(bench) as story, mortals, closing(Access(read_connection(bench.folder))) as access:
        story.charge()
        until(lambda: bench.count("ledger", REVENUE) == story.scenario.total.minor, "every charge is booked")
        story.erp.lose_a_cent("NORTH", REVENUE_ACCOUNT)
        until(lambda: has_found_a_break(bench, access), "reconciliation finds the cent", every=1)
        until(lambda: rest_of(bench).is_quiet and "reconciliation" in mortals.risen, "the break is announced")
    assert mortals.struck == {"reconciliation": step}
    announced = bench.at_nats("checker", announcements)
    assert announced == bench.count("reconciliation", "SELECT count(*) FROM breaks") > 0


REVENUE = "SELECT coalesce(-sum(confirmed_minor), 0)::bigint FROM account_balances WHERE account = 'gross-revenue'"
REVENUE_ACCOUNT = ACCOUNTS[AccountRole.GROSS_REVENUE]


def has_found_a_break(bench: Bench, access: Access) -> bool:
    """Asks for a proof; the service may die over its answer."""
    stub = reconciliation_pb2_grpc.ReconciliationServiceStub(access.channel("reconciliation"))
    with suppress(Failure):
        access.call("reconciliation", stub.Run, reconciliation_pb2.RunRequest())
    return bench.count("reconciliation", "SELECT count(*) FROM breaks") > 0


async def announcements(client: Client) -> int:
    """How many messages stand in reconciliation's stream."""
    state = (await client.jetstream(timeout=10).stream_info(STREAMS["reconciliation"])).state
    return int(state.messages)


def tell_with_deaths(bench: Bench, undisturbed: Facts, folder: Path, deaths: Mapping[str, str]) -> None:
    """Tells the story while services die; each fault must have struck, and the end must be the undisturbed one."""
    mortals = Mortals(bench, deaths, folder)
    bench.start_services(mortals.environment)
    began = time.monotonic()
    with small_story(bench) as story, mortals:
        story.tell()
        found = settled_as(bench, undisturbed)
    assert mortals.struck == {service: death.partition(":")[0] for service, death in deaths.items()}
    assert mortals.risen == dict.fromkeys(deaths, -9), f"after {time.monotonic() - began:.0f} s"
    assert differences(undisturbed, found) == {}
    assert story.erp.booked_twice == []
    assert broken_promises(bench.folder) == {}
