"""Puts the suite together: servers, databases, streams, services, gateway; and says where everything is."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import nats
from chassis.keys import FileMasterKey
from chassis.keys.postgres import migrate_keys
from chassis.messaging.declaration import declare
from chassis.messaging.topology import ACK_WAIT_SECONDS, Topology
from chassis.runtime.roles import Role
from sandbox.folders import private_folder, write_private
from sandbox.ports import kept_ports
from sandbox.services import ServiceSpec
from sandbox.suite import DatabaseLogin, Suite
from sandbox.world.gateway import API_KEY, WEBHOOK_SECRET
from sandbox.world.known_world import MASTER_DATA_FILE, sandbox_master_data

from throughline.connection import MASTER_DATA
from throughline.stack.certificates import gateway_certificate
from throughline.stack.erp_configuration import erp_configuration, tryton_plan
from throughline.stack.roster import CLIENTS, KEYS_DATABASE, MEMBERS, Member

LOOPBACK = "127.0.0.1"
MIGRATION_SECONDS_MAX = 60
REPOSITORY = Path(__file__).resolve().parents[5]
GATEWAY_TEMPLATE = REPOSITORY / "deploy" / "gateway" / "envoy.yaml"


class CompositionFailed(RuntimeError):
    """A step of the composition did not succeed; the message says which, and where to read more."""


@dataclass(frozen=True)
class Overrides:
    """What a demo or a test changes: the ERP's address (a proxy), the gateway's API, settings per service."""

    erp_url: str = ""
    gateway_api: str = ""
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    partition_groups: int = 1
    ack_wait_seconds: int = ACK_WAIT_SECONDS


class Stack:
    """The whole suite in one folder. As a context manager it leaves nothing running."""

    def __init__(
        self,
        folder: Path,
        *,
        detached: bool = False,
        with_erp: bool = True,
        with_gateway: bool = True,
        calls_apart: bool = True,
        overrides: Overrides | None = None,
    ) -> None:
        self.folder = private_folder(folder)
        self.overrides = overrides or Overrides()
        self.topology = Topology(
            partition_groups=self.overrides.partition_groups, ack_wait_seconds=self.overrides.ack_wait_seconds
        )
        self.exchange = private_folder(folder / "exchange")
        self._with_erp = with_erp
        self._with_gateway = with_gateway
        self._apart = tuple(member for member in MEMBERS if calls_apart and member.calls_apart)
        self.suite = Suite(
            folder,
            consumers=self.topology.durables_by_user(),
            with_tryton=with_erp,
            tryton_plan=tryton_plan(sandbox_master_data()),
            token_clients=CLIENTS,
            detached=detached,
        )
        self._databases: dict[str, DatabaseLogin] = {}
        doors = [f"{member.name}-{door}" for member in MEMBERS for door in ("grpc", "ops", *member.doors)]
        doors += [f"{member.name}-calls-ops" for member in MEMBERS if member.calls_apart]
        self.ports = kept_ports(folder / "ports.json", [*doors, "card-gateway"])

    def start(self) -> None:
        """Starts everything, in order; when something fails, all of it is stopped again.

        Raises:
            AlreadyRunning, DidNotStart, CommandFailed, CompositionFailed: what went wrong and where its log is.
        """
        self.start_servers()
        try:
            self.prepare()
            self.suite.start_services(self.processes())
            if self._with_gateway:
                self._start_gateway()
            self._tell()
        except BaseException:
            self.suite.stop()
            raise

    def start_servers(self) -> None:
        """PostgreSQL, NATS, the token server and, where wanted, the ERP."""
        self.suite.start()

    def prepare(self) -> None:
        """Databases and their tables, the master key, streams and durables: all of it may run again."""
        for member in MEMBERS:
            self._databases[member.name] = self.suite.database(member.user.replace("-", "_"))
        keys = self._databases[KEYS_DATABASE] = self.suite.database(KEYS_DATABASE)
        migrate_keys(keys.owner_dsn, [keys.app_role])
        if not self.master_key_file.exists():
            FileMasterKey.create(self.master_key_file)
        if not self.master_data_file.exists():
            write_private(self.master_data_file, MASTER_DATA_FILE.read_text(encoding="utf-8"))
        self._migrate()
        asyncio.run(self._declare())

    @property
    def master_key_file(self) -> Path:
        return self.folder / "master.key"

    @property
    def master_data_file(self) -> Path:
        """What all services know of the world; intake writes new versions of it."""
        return self.folder / MASTER_DATA

    def database(self, token: str) -> DatabaseLogin:
        """The logins of one service's database, or of `keys`."""
        return self._databases[token]

    def _migrate(self) -> None:
        running = []
        for member in MEMBERS:
            login = self._databases[member.name]
            environment = plain_environment() | {
                "THROUGHLINE_OWNER_URL": login.owner_dsn,
                "THROUGHLINE_APP_ROLE": login.app_role,
            }
            command = [sys.executable, "-m", "chassis.runtime.operate", "migrate", member.shape]
            running.append(
                subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            )
        for member, process in zip(MEMBERS, running, strict=True):
            output, _ = process.communicate(timeout=MIGRATION_SECONDS_MAX)
            if process.returncode:
                raise CompositionFailed(f"the migration of {member.name} failed: {output.strip()[-500:]}")

    async def _declare(self) -> None:
        login = self.suite.nats.login("operator")
        client = await nats.connect(
            login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
        )
        try:
            await declare(client, self.topology)
        finally:
            await client.close()

    def processes(self) -> list[ServiceSpec]:
        """Every process of every service."""
        return [*map(self.service, MEMBERS), *map(self.calls, self._apart)]

    def service(self, member: Member, extra: Mapping[str, str] | None = None) -> ServiceSpec:
        """How one service is started; where its calls are answered apart, the process that does the rest."""
        role = Role.WORK if member in self._apart else Role.ALL
        return self._process(member, member.user, f"{member.name}-ops", {"ROLE": role}, extra or {})

    def calls(self, member: Member) -> ServiceSpec:
        """How the process is started that only answers a service's calls."""
        told = {"ROLE": Role.CALLS, "REPLICA": f"{member.name}-calls-0"}
        return self._process(member, member.calls_user, f"{member.name}-calls-ops", told, {})

    def _process(
        self, member: Member, name: str, ops: str, told: Mapping[str, str], extra: Mapping[str, str]
    ) -> ServiceSpec:
        told = {**told, "OPS_PORT": str(self.ports[ops])}
        own = {f"THROUGHLINE_{key}": value for key, value in told.items()}
        return ServiceSpec(
            name=name,
            argv=[sys.executable, "-m", member.module],
            env=self._environment(member) | own | dict(extra),
            health_url=f"http://{self._ops(ops)}/readyz",
        )

    def _ops_ports(self) -> list[str]:
        return [f"{member.name}-ops" for member in MEMBERS] + [f"{member.name}-calls-ops" for member in self._apart]

    def _ops(self, port: str) -> str:
        return f"{LOOPBACK}:{self.ports[port]}"

    def _environment(self, member: Member) -> dict[str, str]:
        login = self.suite.nats.login(member.user)
        told = {
            "DATABASE_URL": self._databases[member.name].app_dsn,
            "NATS_URL": login.url,
            "NATS_USER": login.user,
            "NATS_PASSWORD": login.password,
            "NATS_MONITORING_URLS": self.suite.nats.monitoring_url,
            "PARTITION_GROUPS": str(self.topology.partition_groups),
            "ACK_WAIT_SECONDS": str(self.topology.ack_wait_seconds),
            "REPLICA": f"{member.name}-0",
            "JWKS_URL": self.suite.tokens.jwks_url,
            "JWT_ISSUER": self.suite.tokens.issuer,
            "EXCHANGE_DIR": str(self.exchange),
            "MASTER_DATA_PATH": str(self.master_data_file),
            "GRPC_PORT": str(self.ports[f"{member.name}-grpc"]),
            **{f"{door.upper()}_PORT": str(self.ports[f"{member.name}-{door}"]) for door in member.doors},
            **{f"{other.name.upper()}_GRPC": self.address(other.name, "grpc") for other in MEMBERS},
            **self._secrets_of(member),
            **self._particulars(member),
            **dict(self.overrides.settings.get(member.name, {})),
        }
        return plain_environment() | {f"THROUGHLINE_{name}": value for name, value in told.items()}

    def _secrets_of(self, member: Member) -> dict[str, str]:
        told: dict[str, str] = {}
        if member.holds_keys:
            told |= {
                "KEYS_DATABASE_URL": self._databases[KEYS_DATABASE].app_dsn,
                "MASTER_KEY_FILE": str(self.master_key_file),
            }
        if member.calls:
            client = f"service-{member.name}"
            told |= {
                "CLIENT_ID": client,
                "CLIENT_SECRET": self.suite.tokens.secret(client),
                "TOKEN_URL": self.suite.tokens.token_url,
            }
        return told

    def _particulars(self, member: Member) -> dict[str, str]:
        """What only one service is told."""
        if member.name == "payments":
            return {
                "GATEWAY_SECRETS": WEBHOOK_SECRET,
                "GATEWAY_API_KEY": API_KEY,
                "GATEWAY_API_BASE": self.overrides.gateway_api or f"http://{LOOPBACK}:{self.ports['card-gateway']}",
            }
        if member.name == "ledger":
            info = self.suite.tryton.info_file if self._with_erp else None
            entities = tuple(entity.code for entity in sandbox_master_data().entities)
            return erp_configuration(self.folder, info, self.overrides.erp_url, entities)
        return {}

    def address(self, token: str, door: str) -> str:
        return f"{LOOPBACK}:{self.ports[f'{token}-{door}']}"

    def gateway_variables(self) -> dict[str, str]:
        """What the gateway's template is filled in with."""
        certificate, key = gateway_certificate(self.folder)
        variables = {
            "GATEWAY_HOST": LOOPBACK,
            "GATEWAY_CERTIFICATE": str(certificate),
            "GATEWAY_KEY": str(key),
            "GATEWAY_ACCESS_LOG": str(self.folder / "gateway-access.log"),
            "PROTO_DESCRIPTOR": str(REPOSITORY / "proto" / "gen" / "throughline.pb"),
            "TOKEN_ISSUER": self.suite.tokens.issuer,
            "TOKEN_AUDIENCE": "throughline",
            "JWKS_URL": self.suite.tokens.jwks_url,
            "TOKENS_HOST": LOOPBACK,
            "TOKENS_PORT": str(self.suite.tokens.port),
        }
        for member in MEMBERS:
            name = member.name.upper()
            variables |= {f"{name}_HOST": LOOPBACK, f"{name}_GRPC_PORT": str(self.ports[f"{member.name}-grpc"])}
            if "http" in member.doors:
                variables[f"{name}_HTTP_PORT"] = str(self.ports[f"{member.name}-http"])
        return variables

    def _start_gateway(self) -> None:
        gateway = self.suite.start_gateway(GATEWAY_TEMPLATE.read_text(encoding="utf-8"), self.gateway_variables())
        self.ports["gateway"] = gateway.port

    def _tell(self) -> None:
        """Writes where everything is: for the command line, and for the checker."""
        certificate, _ = gateway_certificate(self.folder)
        way_in = f"{LOOPBACK}:{self.ports.get('gateway', 0)}"
        http = f"https://{way_in}" if self._with_gateway else ""
        client = {
            "gateway": {"address": way_in, "ca": str(certificate)} if self._with_gateway else None,
            "token_url": self.suite.tokens.token_url,
            "client_id": "operator",
            "client_secret": self.suite.tokens.secret("operator"),
            "ehr_client": {"id": "ehr", "secret": self.suite.tokens.secret("ehr")},
            "services": {member.name: self.address(member.name, "grpc") for member in MEMBERS},
            "exchange": str(self.exchange),
            "mllp": self.address("intake", "mllp"),
            "fhir": (http or f"http://{self.address('intake', 'http')}") + "/fhir",
            "webhooks": (http or f"http://{self.address('payments', 'http')}") + "/webhooks/stripe",
        }
        write_private(self.folder / "client.json", json.dumps(client, indent=2))
        checker_login = self.suite.nats.login("checker")
        checker = {
            "stores": {member.name: {"dsn": self._databases[member.name].owner_dsn} for member in MEMBERS},
            "keys_dsn": self._databases[KEYS_DATABASE].owner_dsn,
            "nats": {
                "url": checker_login.url,
                "user": checker_login.user,
                "password": checker_login.password,
                "inbox_prefix": checker_login.inbox_prefix,
            },
            "nats_monitoring": self.suite.nats.monitoring_url,
            "erp": {"kind": "tryton", "info": str(self.suite.tryton.info_file)} if self._with_erp else None,
            "logs": [str(self.folder / "services"), str(self.folder / "gateway-access.log")],
            "metrics": [f"http://{self._ops(port)}/metrics" for port in self._ops_ports()],
            "canaries": str(self.folder / "canaries.txt"),
            "processes": [str(self.folder / "services" / spec.name / "process.json") for spec in self.processes()],
        }
        write_private(self.folder / "checker.json", json.dumps(checker, indent=2))

    def stop(self) -> list[str]:
        """Stops everything of this folder; the names of what was running."""
        return self.suite.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def plain_environment() -> dict[str, str]:
    """What every program of ours needs to run at all."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONUNBUFFERED": "1"}
