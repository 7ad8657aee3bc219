"""The local suite: its servers and services, started in order, seen at a glance, stopped without a leftover."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sandbox.folders import generated_secrets, private_folder
from sandbox.process_records import DidNotStop, ProcessRecord, stop_recorded
from sandbox.processes import AlreadyRunning, ManagedProcess
from sandbox.servers.envoy import EnvoyServer
from sandbox.servers.localstripe import LocalStripe
from sandbox.servers.nats import NatsServer
from sandbox.servers.nats_permissions import Consumers
from sandbox.servers.postgres import PostgresServer
from sandbox.servers.tokens import CLIENTS, TokenServer
from sandbox.servers.tryton import TrytonServer
from sandbox.servers.tryton_plan import TrytonPlan
from sandbox.services import ServiceSpec, answers, keep_health_url, service_process
from sandbox.status import Server, StatusRow, row_of_record, row_of_server

Item = TypeVar("Item")

SERVICE_DEADLINE_SECONDS = 180.0
AT_ONCE = 8
STOP_STAGES = ("envoy", "services", "localstripe", "tryton", "tokens", "nats", "postgres")
"""Who is stopped after whom: callers before what they call."""


def default_state_folder() -> Path:
    """`.throughline` in the root of the checkout this code runs from, or in the current folder."""
    for folder in Path(__file__).parents:
        if (folder / "libs" / "sandbox").is_dir():
            return folder / ".throughline"
    return Path.cwd() / ".throughline"


@dataclass(frozen=True, slots=True)
class DatabaseLogin:
    """Where migrations connect, and where the service does."""

    name: str
    owner_dsn: str
    app_dsn: str
    app_role: str


class Suite:
    """Everything local in one state folder: data, logs, ports, secrets, and the records by which `stop` finds it all.

    As a context manager it stops whatever it started, also on Ctrl-C and on errors. With `detached=True` the processes
    outlive this one, and `Suite(folder).stop()` of any later program stops them.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        consumers: Consumers | None = None,
        with_tryton: bool = False,
        tryton_plan: TrytonPlan | None = None,
        with_localstripe: bool = False,
        webhook_url: str | None = None,
        cache_folder: Path | None = None,
        token_clients: Mapping[str, Sequence[str]] = CLIENTS,
        detached: bool = False,
    ) -> None:
        self.folder = private_folder(folder or default_state_folder())
        self.detached = detached
        self.services: dict[str, ManagedProcess] = {}
        self.start_seconds: dict[str, float] = {}
        self.postgres = PostgresServer(self.folder / "postgres", cache_folder=cache_folder, detached=detached)
        self.nats = NatsServer(self.folder / "nats", consumers=consumers, detached=detached)
        self.tokens = TokenServer(self.folder / "tokens", clients=token_clients, detached=detached)
        self.tryton = TrytonServer(
            self.folder / "tryton", self.postgres, plan=tryton_plan, cache_folder=cache_folder, detached=detached
        )
        self.localstripe = LocalStripe(self.folder / "localstripe", webhook_url=webhook_url, detached=detached)
        self._gateway: EnvoyServer | None = None
        self._with_tryton = with_tryton
        self._with_localstripe = with_localstripe

    def start(self) -> None:
        """Start the servers, side by side where they can; if one fails, the others are stopped again.

        Raises:
            AlreadyRunning: something of this folder runs.
            DidNotStart, CommandFailed: a server did not come up.
        """
        if running := sorted(name for name, record in self._records() if record.is_running()):
            raise AlreadyRunning(f"running in {self.folder}: {', '.join(running)}")
        chains: list[list[tuple[str, Server]]] = [[("postgres", self.postgres)]]
        if self._with_tryton:
            chains[0].append(("tryton", self.tryton))
        if self._with_localstripe:
            chains.append([("localstripe", self.localstripe)])
        chains += [[("nats", self.nats)], [("tokens", self.tokens)]]
        self._all_or_nothing(self._start_chain, chains)

    def start_services(self, specs: Sequence[ServiceSpec]) -> None:
        """Start these services side by side and wait until each is healthy; if one fails, everything is stopped.

        Raises:
            DidNotStart: a service ended or stayed unhealthy.
        """
        self._all_or_nothing(self.start_service, specs)

    def start_service(self, spec: ServiceSpec) -> ManagedProcess:
        """Start one service and wait until it is healthy.

        Raises:
            DidNotStart: it ended or stayed unhealthy.
            AlreadyRunning: a service of this name runs in this folder.
        """
        began = time.monotonic()
        process = service_process(spec, self.folder / "services" / spec.name, detached=self.detached)
        process.start()
        self.services[spec.name] = process
        process.wait_until_healthy(lambda: answers(spec.health_url), SERVICE_DEADLINE_SECONDS)
        self.start_seconds[spec.name] = time.monotonic() - began
        return process

    def start_gateway(self, template: str, variables: Mapping[str, str]) -> EnvoyServer:
        """Start Envoy by this template once the services' addresses are known.

        Raises:
            TemplateNotFilled, CommandFailed, DidNotStart: the configuration or Envoy is at fault.
        """
        gateway = EnvoyServer(self.folder / "envoy", template=template, variables=variables, detached=self.detached)
        keep_health_url(self.folder / "envoy", f"http://127.0.0.1:{gateway.admin_port}/ready")
        self._gateway = gateway
        self._start_chain([("envoy", gateway)])
        return gateway

    def database(self, name: str, *, app_role: str | None = None) -> DatabaseLogin:
        """Make this database and its two roles if need be; the owner migrates it, the other role works in it."""
        owner, app = f"{name}_owner", app_role or f"{name}_app"
        passwords = generated_secrets(self.folder / "database-secrets.json", [owner, app])
        self.postgres.ensure_database(
            name, owner_role=owner, owner_password=passwords[owner], app_role=app, app_password=passwords[app]
        )
        return DatabaseLogin(
            name=name,
            owner_dsn=self.postgres.dsn(name, owner, passwords[owner]),
            app_dsn=self.postgres.dsn(name, app, passwords[app]),
            app_role=app,
        )

    def status(self) -> list[StatusRow]:
        """One row per server and service that was ever started in this folder."""
        servers: list[tuple[str, Server, str]] = [
            ("postgres", self.postgres, f"127.0.0.1:{self.postgres.port}"),
            ("nats", self.nats, self.nats.url),
            ("tokens", self.tokens, self.tokens.issuer),
            ("tryton", self.tryton, self.tryton.base_url),
            ("localstripe", self.localstripe, self.localstripe.base_url),
        ]
        started = [row for row in servers if row[1].process.log_file.exists()]
        by_url = [(name, file) for name, file in self._record_files() if name not in {row[0] for row in servers}]
        return [*(row_of_server(*row) for row in started), *(row_of_record(name, file) for name, file in by_url)]

    def stop(self) -> list[str]:
        """Stop everything that runs in this folder, whoever started it; gives the names of what was running.

        Raises:
            DidNotStop: something outlived SIGKILL; the rest is stopped all the same.
        """
        stopped: list[str] = []
        failures: list[Exception] = []
        for stage in STOP_STAGES:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                tasks = [(name, threads.submit(stop_recorded, file)) for name, file in self._record_files(stage)]
            failures += [DidNotStop(f"{name}: {error}") for name, task in tasks if (error := task.exception())]
            stopped += [name for name, task in tasks if not task.exception() and task.result()]
        for process in self._own_processes():
            process.reap()
        if failures:
            raise ExceptionGroup("not everything stopped", failures)
        return stopped

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_chain(self, chain: Sequence[tuple[str, Server]]) -> None:
        for name, server in chain:
            began = time.monotonic()
            server.start()
            self.start_seconds[name] = time.monotonic() - began

    def _all_or_nothing(self, start: Callable[[Item], object], items: Sequence[Item]) -> None:
        try:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                tasks = [threads.submit(start, item) for item in items]
            for task in tasks:
                task.result()
        except BaseException:
            self.stop()
            raise

    def _own_processes(self) -> list[ManagedProcess]:
        servers: list[Server] = [self.postgres, self.nats, self.tokens, self.tryton, self.localstripe]
        if self._gateway is not None:
            servers.append(self._gateway)
        return [*self.services.values(), *(server.process for server in servers)]

    def _record_files(self, *stages: str) -> list[tuple[str, Path]]:
        """The records of what was started in this folder and not stopped since, by name."""
        found = []
        for stage in stages or STOP_STAGES:
            if stage == "services":
                found += [(file.parent.name, file) for file in sorted(self.folder.glob("services/*/process.json"))]
            elif (file := self.folder / stage / f"{stage}.json").exists():
                found.append((stage, file))
        return found

    def _records(self) -> list[tuple[str, ProcessRecord]]:
        return [(name, record) for name, file in self._record_files() if (record := ProcessRecord.read(file))]
