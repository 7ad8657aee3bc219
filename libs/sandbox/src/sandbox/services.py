"""Processes of ours and of the simulated world, as the suite starts them and asks after their health."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from sandbox.folders import private_folder, write_private
from sandbox.processes import ManagedProcess

HEALTH_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A process of ours or of the simulated world. It gets exactly this environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    health_url: str | None = None
    grace_seconds: float = 15.0


def service_process(spec: ServiceSpec, folder: Path, *, detached: bool) -> ManagedProcess:
    """The process of this service, with its log, its record and its health address in this folder; not started."""
    keep_health_url(private_folder(folder), spec.health_url)
    return ManagedProcess(
        spec.name,
        spec.argv,
        env=spec.env,
        log_file=folder / f"{spec.name}.log",
        record_file=folder / "process.json",
        grace_seconds=spec.grace_seconds,
        detached=detached,
    )


def keep_health_url(folder: Path, health_url: str | None) -> None:
    """Keep beside a process's record where its health is, for programs that did not start it."""
    write_private(folder / "health.json", json.dumps({"health_url": health_url}))


def kept_health_url(folder: Path) -> str | None:
    """What `keep_health_url` kept."""
    url: str | None = json.loads((folder / "health.json").read_text(encoding="utf-8"))["health_url"]
    return url


def answers(health_url: str | None) -> bool:
    """Whether the address answers 200; a process without one is healthy while it runs."""
    if health_url is None:
        return True
    try:
        answer = httpx.get(health_url, timeout=HEALTH_TIMEOUT_SECONDS, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK
