"""The settings of a service: read from `THROUGHLINE_*` once, in its main, and passed on as a value."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from chassis.messaging.nats_connection import NatsLogin
from chassis.messaging.topology import ACK_WAIT_SECONDS, Topology
from chassis.runtime.crash_points import CrashPoints
from chassis.runtime.interpreter import THREAD_TURN_SECONDS
from chassis.runtime.roles import Role

PREFIX = "THROUGHLINE_"


class WrongSettings(Exception):
    """The environment lacks a setting or holds one that does not fit; values are never shown."""


class Settings(BaseModel):
    """What every service is told from outside. A service with more to know subclasses it.

    Field `nats_url` is read from `THROUGHLINE_NATS_URL`, and so on. A port of 0 means that the door stays shut.
    `replica` names this process among the replicas of its service; a restarted one takes its own leases back at once.
    `thread_turn_seconds` is for how long a thread that computes keeps the others of its process waiting.
    `role` keeps this process to one half of its service; another one on the same database does the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: SecretStr
    keys_database_url: SecretStr = SecretStr("")
    nats_url: str
    nats_user: str
    nats_password: SecretStr
    nats_monitoring_urls: tuple[str, ...] = ()
    nats_replicas: int = 1
    stream_max_age_seconds: int = 0
    stream_max_bytes: int = 0
    partition_groups: int = 1
    ack_wait_seconds: int = ACK_WAIT_SECONDS
    replica: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    refill_stream: bool = False
    role: Role = Role.ALL

    bind_host: str = "127.0.0.1"
    grpc_port: int = 0
    http_port: int = 0
    ops_port: int = 0
    grpc_threads: int = 8
    thread_turn_seconds: float = Field(default=THREAD_TURN_SECONDS, gt=0, le=1)

    master_key_file: Path | None = None
    jwks_url: str = ""
    jwt_issuer: str = ""
    jwt_audience: str = "throughline"
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    token_url: str = ""

    exchange_dir: Path | None = None
    master_data_path: Path | None = None
    intake_grpc: str = ""
    claims_grpc: str = ""
    payments_grpc: str = ""
    ledger_grpc: str = ""
    reconciliation_grpc: str = ""

    log_level: str = "info"
    traces: str = Field(default="off", pattern="^(off|console)$")
    crash_at: str = ""
    crash_mark: str = ""

    @field_validator("nats_monitoring_urls", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `environment`; `CRASH_AT` and `CRASH_MARK` are read without the prefix too.

        Raises:
            WrongSettings: names every variable that is missing or does not fit.
        """
        found: dict[str, Any] = {
            name: environment[PREFIX + name.upper()]
            for name in cls.model_fields
            if PREFIX + name.upper() in environment
        }
        for name in ("crash_at", "crash_mark"):
            if name.upper() in environment:
                found[name] = environment[name.upper()]
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False, include_context=False)
            told = "; ".join(f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in faults)
            raise WrongSettings(told) from None

    @property
    def topology(self) -> Topology:
        """The streams as this deployment wants them."""
        return Topology(
            replicas=self.nats_replicas,
            max_age_seconds=self.stream_max_age_seconds,
            max_bytes=self.stream_max_bytes,
            partition_groups=self.partition_groups,
            ack_wait_seconds=self.ack_wait_seconds,
        )

    def nats_login(self, service: str) -> NatsLogin:
        return NatsLogin(service, self.nats_url, self.nats_user, self.nats_password.get_secret_value())

    def crash_points(self, service: str) -> CrashPoints:
        """Hand this to the consumers, and to what talks to the ERP; the runtime gives it to the relay."""
        return CrashPoints.armed(self.crash_at, self.crash_mark, self.role.process_name(service))
