"""A suite whose servers stay up while its services, databases and streams start over for each story."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import LiteralString, TypeVar

import nats
import psycopg
from canonical.envelope import STREAMS
from chassis.messaging.declaration import declare
from nats.aio.client import Client
from psycopg import sql
from sandbox.folders import write_private
from sandbox.services import ServiceSpec
from sandbox.world.erp_proxy import ErpProxy
from sandbox.world.scenario import Scenario
from throughline.checker.running import check_folder
from throughline.stack.composition import Overrides, Stack
from throughline.stack.roster import KEYS_DATABASE, MEMBERS, Member

from tests.integration.forking import ForkedService

_T = TypeVar("_T")
ACK_WAIT_SECONDS = 5
QUICK: Mapping[str, Mapping[str, str]] = {
    "claims": {"GATHERING_SECONDS": "0.3"},
    "ledger": {"CHARGES_QUIET_SECONDS": "0.3"},
    "reconciliation": {"RECONCILE_EVERY_SECONDS": "0"},
}
"""What is waited for in real life and not in a test."""


def member_named(name: str) -> Member:
    """The member by its token."""
    return next(member for member in MEMBERS if member.name == name)


class OpenStack(Stack):
    """A suite whose stores and streams a test may look into with more rights than any service has."""

    road: ErpProxy
    """The way to the ERP, where there is one."""

    async def as_user(self, user: str, work: Callable[[Client], Awaitable[_T]]) -> _T:
        """Does something at NATS with the rights of this user."""
        login = self.suite.nats.login(user)
        client = await nats.connect(
            login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
        )
        try:
            return await work(client)
        finally:
            await client.close()

    def at_nats(self, user: str, work: Callable[[Client], Awaitable[_T]]) -> _T:
        """The same, waited for."""
        return asyncio.run(self.as_user(user, work))

    def admin(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        """The superuser in one service's database."""
        return psycopg.connect(self.suite.postgres.admin_dsn(self.database(name).name))

    def count(self, name: str, query: LiteralString) -> int:
        """The one number that a query in one service's database gives."""
        with self.admin(name) as connection:
            (row,) = connection.execute(query)
        return int(str(row[0]))


class Bench(OpenStack):
    """The local suite as fault tests use it: `renew` empties it, and services are forks that start in a moment."""

    def __init__(self, folder: Path, *, calls_apart: bool = False) -> None:
        overrides = Overrides(settings=QUICK, ack_wait_seconds=ACK_WAIT_SECONDS)
        super().__init__(folder, with_erp=False, with_gateway=False, calls_apart=calls_apart, overrides=overrides)
        self.running: dict[str, ForkedService] = {}

    def start_services(self, extra: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """All five services, ready; `extra` is environment by service."""
        with ThreadPoolExecutor(len(MEMBERS)) as threads:
            list(threads.map(lambda member: self.start_service(member.name, (extra or {}).get(member.name)), MEMBERS))
        self._tell()

    def start_service(self, name: str, extra: Mapping[str, str] | None = None) -> ForkedService:
        """One service, ready; where its calls are answered apart, the process that does the rest."""
        member = member_named(name)
        return self._start(name, member, self.service(member, extra))

    def start_calls(self, name: str, extra: Mapping[str, str] | None = None) -> ForkedService:
        """The process that only answers a service's calls, ready."""
        member = member_named(name)
        spec = self.calls(member)
        return self._start(member.calls_user, member, replace(spec, env={**spec.env, **(extra or {})}))

    def _start(self, name: str, member: Member, spec: ServiceSpec) -> ForkedService:
        log = self.folder / "services" / member.user / f"{member.user}.log"
        started = self.running[name] = ForkedService(member.module, spec.env, str(spec.health_url), log)
        started.start()
        return started

    def kill_services(self) -> None:
        """Ends every service at once, as a power cut does."""
        for process in self.running.values():
            if process.is_running():
                process.kill()
            process.wait_for_exit(5)
        self.running.clear()

    def stop_services(self) -> None:
        """Ends every service in order."""
        with ThreadPoolExecutor(len(MEMBERS)) as threads:
            list(threads.map(ForkedService.stop, list(self.running.values())))
        self.running.clear()

    def stop(self) -> list[str]:
        """Ends services and servers."""
        self.kill_services()
        return super().stop()

    def renew(self) -> None:
        """Kills the services and leaves empty databases, streams and folders."""
        self.kill_services()
        with ThreadPoolExecutor(len(MEMBERS) + 1) as threads:
            emptied = threads.map(self._empty_database, [*(member.name for member in MEMBERS), KEYS_DATABASE])
            asyncio.run(self.as_user("operator", self._empty_streams))
            list(emptied)
        for folder in (self.exchange, self.folder / "file-erp", self.folder / "services"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

    async def _empty_streams(self, client: Client) -> None:
        js = client.jetstream(timeout=10)
        for stream in STREAMS.values():
            await js.delete_stream(stream)
        await declare(client, self.topology)

    def _empty_database(self, name: str) -> None:
        """Takes the guard away, empties every table, and puts the guard back: no service could do that."""
        with self.admin(name) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            guarded = [
                row[0] for row in admin.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
            ]
            found = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            tables = [str(row[0]) for row in found if row[0] not in ("schema_migrations", "read_models")]
            for table in guarded:
                admin.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(str(table))))
            names = sql.SQL(", ").join(map(sql.Identifier, tables))
            admin.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))
            for table in guarded:
                admin.execute(
                    sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER append_only").format(sql.Identifier(str(table)))
                )


def broken_promises(folder: Path) -> dict[str, list[str]]:
    """What the independent checker finds wrong with the suite of this folder, by the invariant's name.

    That a killed service's messages come again after five seconds already is what the tests want.
    """
    wanted = f"ack_wait is {ACK_WAIT_SECONDS}000000000 ns"
    found = {
        result.name: [failure for failure in result.failures if not failure.endswith(wanted)]
        for result in check_folder(folder)
        if result.holds is False
    }
    return {name: failures for name, failures in found.items() if failures}


def write_canaries(folder: Path, scenario: Scenario) -> list[str]:
    """Leaves the patients' names and numbers where the checker looks for what it must find nowhere else."""
    words: set[str] = set()
    for encounter in scenario.encounters:
        words |= {encounter.patient.family_name, encounter.patient.street, encounter.patient.mrn}
        words |= {encounter.coverage.member_id} if encounter.coverage else set()
    canaries = sorted(word for word in words if len(word) >= 6)
    write_private(folder / "canaries.txt", "\n".join(canaries))
    return canaries
