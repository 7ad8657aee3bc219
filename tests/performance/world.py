"""The suite that the rows share: prepared and seeded without services, then with them, started when first asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from chassis.runtime.interpreter import tune_interpreter
from sandbox.status import Server
from sandbox.world.gateway import CardGateway
from throughline.connection import Access, read_connection
from throughline.demo.settling import Settling
from throughline.stack.composition import Overrides, Stack

from tests.performance.seeding import Owed, seed_claims
from tests.performance.sizes import Sizes
from tests.performance.stopwatch import cpu_seconds, family_cpu_seconds

SETTLE_SECONDS_MAX = 300.0
POLL_SECONDS = 0.02
SETTINGS = {
    "ledger": {"CHARGES_QUIET_SECONDS": "0.5"},
    "payments": {"LOOSE_AFTER_SECONDS": "3600"},
    "reconciliation": {"RECONCILE_EVERY_SECONDS": "0"},
}


class StackInSteps(Stack):
    """The local suite, whose services start after its databases have been seeded."""

    def start_services(self) -> None:
        """All five services, ready."""
        self.suite.start_services(self.processes())
        self._tell()


class NeverHappened(RuntimeError):
    """What a measurement waits for has not come; the message says what."""


class World:
    """One suite in one folder. A context manager; it leaves nothing running.

    Without an ERP the ledger writes files for one, and what it has written stays uncertain.
    """

    def __init__(self, folder: Path, sizes: Sizes, say: Callable[[str], None], *, with_erp: bool = True) -> None:
        self.folder = folder
        self._with_erp = with_erp
        self.sizes = sizes
        self.say = say
        self._undo = ExitStack()
        self._cards = CardGateway(1, retry_pause_seconds=0.2)
        self._stack = StackInSteps(
            folder / "suite",
            with_erp=with_erp,
            with_gateway=False,
            overrides=Overrides(gateway_api=self._cards.url, settings=SETTINGS),
        )
        self._owed: dict[str, Owed] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    @cached_property
    def seeded(self) -> StackInSteps:
        """Servers, databases and streams, and the claims of both remittances; no service has run yet."""
        self.say("start the servers")
        self._undo.callback(self._stack.stop)
        self._stack.start_servers()
        self._stack.prepare()
        self.say("seed claims")
        self._owed["alone"] = seed_claims(self._stack, self.sizes.remittance, seed=1)
        self._owed["beside"] = seed_claims(self._stack, self.sizes.beside, seed=2)
        tune_interpreter()
        return self._stack

    @cached_property
    def running(self) -> StackInSteps:
        """The same with all services, at rest: every seeded charge is in the ERP."""
        stack = self.seeded
        self.say("start the services")
        self._cards.start(f"http://{stack.address('payments', 'http')}/webhooks/stripe")
        self._undo.callback(self._cards.stop)
        stack.start_services()
        self.settle()
        return stack

    @property
    def cards(self) -> CardGateway:
        return self._cards

    def owed(self, which: str) -> Owed:
        """The claims of the remittance that is paid `alone`, or `beside` other work."""
        assert self.seeded
        return self._owed[which]

    @cached_property
    def access(self) -> Access:
        access = Access(read_connection(self.running.folder))
        self._undo.callback(access.close)
        return access

    def settle(self) -> None:
        """Waits until nothing moves, and no journal is on its way."""
        settling = Settling(Access(read_connection(self._stack.folder)), self._stack.suite.nats.monitoring_url)
        settling.wait("bench", quiet_seconds=2.0, seconds_max=SETTLE_SECONDS_MAX, also=self._nothing_under_way)

    def _nothing_under_way(self) -> bool:
        sent = "'confirmed'" if self._with_erp else "'confirmed', 'uncertain'"
        waiting = f"SELECT count(*) FROM journals WHERE state NOT IN ({sent})"
        loose = "SELECT count(*) FROM subledger_postings WHERE batch = 0"
        return self.ask("ledger", waiting) == [(0,)] and self.ask("ledger", loose) == [(0,)]

    def ask(self, service: str, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """Rows of one service's database, as its owner sees them."""
        with psycopg.connect(self._stack.database(service).owner_dsn, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def wait_for(self, what: str, holds: Callable[[], bool], seconds_max: float) -> None:
        """
        Raises:
            NeverHappened: after `seconds_max`.
        """
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds_max:
                raise NeverHappened(f"{what} has not happened in {seconds_max:.0f} s")
            time.sleep(POLL_SECONDS)

    def cpu_used(self) -> dict[str, float]:
        """CPU seconds so far, by service and server."""
        servers: dict[str, Server] = {"nats": self._stack.suite.nats, "postgres": self._stack.suite.postgres}
        used = {service: cpu_seconds(pid) for service, pid in self.process_ids().items()}
        for name, server in servers.items():
            assert server.process.pid is not None
            used[name] = family_cpu_seconds(server.process.pid)
        return used

    def process_ids(self) -> dict[str, int]:
        """The services' processes, by name."""
        found = {}
        for name, process in self._stack.suite.services.items():
            assert process.pid is not None
            found[name] = process.pid
        return found

    def stop_services(self) -> None:
        """Stops the services alone, in order."""
        for process in self._stack.suite.services.values():
            process.stop()
