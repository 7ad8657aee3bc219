"""The jobs of an operator: `python -m chassis.runtime.operate declare | migrate | migrate-keys | empty-stream | render`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import nats
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from chassis.eventstore.migrations import migrate
from chassis.keys.postgres import migrate_keys
from chassis.messaging.declaration import Declared, WouldLoseData, declare, empty_for_refill
from chassis.messaging.topology import ACK_WAIT_SECONDS, CONSUMES, Topology
from chassis.runtime.core import ServiceShape
from chassis.templates import TemplateNotFilled, rendered, variables_of

OPERATOR_INBOX = "_INBOX_operator"
EXIT_REFUSED = 1
EXIT_USAGE = 2


class OperatorSettings(BaseModel):
    """Read from `THROUGHLINE_*`; `owner_url` is the database as its owner, `app_role` what the service connects as."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    nats_url: str = ""
    nats_user: str = "operator"
    nats_password: SecretStr = SecretStr("")
    nats_replicas: int = 1
    stream_max_age_seconds: int = 0
    stream_max_bytes: int = 0
    partition_groups: int = 1
    ack_wait_seconds: int = ACK_WAIT_SECONDS
    owner_url: SecretStr = SecretStr("")
    app_role: str = ""
    erasure_role: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> OperatorSettings:
        return cls.model_validate(
            {
                name: environment[f"THROUGHLINE_{name.upper()}"]
                for name in cls.model_fields
                if f"THROUGHLINE_{name.upper()}" in environment
            }
        )

    @property
    def topology(self) -> Topology:
        return Topology(
            replicas=self.nats_replicas,
            max_age_seconds=self.stream_max_age_seconds,
            max_bytes=self.stream_max_bytes,
            partition_groups=self.partition_groups,
            ack_wait_seconds=self.ack_wait_seconds,
        )


def shape_named(place: str) -> ServiceShape:
    """The shape at `package.module:NAME`.

    Raises:
        LookupError: there is no shape at that place.
    """
    module, _, name = place.partition(":")
    shape = getattr(importlib.import_module(module), name or "SHAPE", None)
    if not isinstance(shape, ServiceShape):
        raise LookupError(f"{place} is no ServiceShape")
    return shape


async def declare_streams(settings: OperatorSettings, *, empty_first: str = "") -> Declared:
    """Connects as the operator and makes what is missing; `empty_first` names a service whose stream starts over."""
    client = await nats.connect(
        settings.nats_url,
        user=settings.nats_user,
        password=settings.nats_password.get_secret_value(),
        inbox_prefix=OPERATOR_INBOX,
        max_reconnect_attempts=10,
        connect_timeout=5,
    )
    try:
        if empty_first:
            await empty_for_refill(client, settings.topology, empty_first)
        return await declare(client, settings.topology)
    finally:
        await client.close()


def migrate_service(settings: OperatorSettings, shape: ServiceShape) -> list[int]:
    """Brings one service's database to the schema of this build; the versions applied."""
    return migrate(settings.owner_url.get_secret_value(), shape.all_tables, settings.app_role)


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs one job; 0 when done, 1 when it refused, 2 when it was called wrongly."""
    parser = argparse.ArgumentParser(prog="chassis.runtime.operate", description=__doc__)
    jobs = parser.add_subparsers(dest="job", required=True)
    jobs.add_parser("declare", help="make streams, durables and lease buckets as declared")
    migration = jobs.add_parser("migrate", help="make the tables of one service")
    migration.add_argument("shape", help="package.main:SHAPE")
    jobs.add_parser(
        "migrate-keys", help="make the tables of the key database; THROUGHLINE_APP_ROLE may name several, by comma"
    )
    rendering = jobs.add_parser("render", help="fill a template's variables from the environment")
    rendering.add_argument("template", type=Path)
    rendering.add_argument("target", type=Path)
    emptying = jobs.add_parser(
        "empty-stream", help="delete one stream, so that its service can refill it from the store"
    )
    emptying.add_argument("service", choices=sorted(CONSUMES))
    chosen = parser.parse_args(arguments)
    try:
        settings = OperatorSettings.from_environment(environment)
        if chosen.job == "migrate":
            versions = migrate_service(settings, shape_named(chosen.shape))
            sys.stdout.write(f"applied: {', '.join(map(str, versions)) or 'nothing'}\n")
        elif chosen.job == "migrate-keys":
            roles = settings.app_role.split(",")
            versions = migrate_keys(settings.owner_url.get_secret_value(), roles, settings.erasure_role or None)
            sys.stdout.write(f"applied: {', '.join(map(str, versions)) or 'nothing'}\n")
        elif chosen.job == "render":
            template = chosen.template.read_text(encoding="utf-8")
            wanted = variables_of(template)
            chosen.target.write_text(
                rendered(template, {n: v for n, v in environment.items() if n in wanted}), encoding="utf-8"
            )
        else:
            emptied = chosen.service if chosen.job == "empty-stream" else ""
            declared = asyncio.run(declare_streams(settings, empty_first=emptied))
            sys.stdout.write(f"made {len(declared.made)}, changed {len(declared.changed)}\n")
    except WouldLoseData as refusal:
        sys.stderr.write(f"refused: {refusal}\n")
        return EXIT_REFUSED
    except (ValidationError, LookupError, TemplateNotFilled) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return EXIT_USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
