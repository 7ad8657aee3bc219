"""The AsyncAPI pages of the public streams, made from the registry of public events through FastStream's publishers.

`python -m chassis.messaging.asyncapi FOLDER` writes them, with `--check` only tells which have drifted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import canonical.events
from canonical.envelope import STREAMS, PublicEvent, registered_events
from faststream.nats import JStream, NatsBroker
from faststream.specification import AsyncAPI

ASYNCAPI_VERSION = "3.0.0"
PAGES = Path("docs/contracts/asyncapi")
_PACKAGE = canonical.events.__name__


def page_of(service: str) -> str:
    """The AsyncAPI document of one service's stream, as committed."""
    broker = NatsBroker("nats://nats:4222", logger=None, apply_types=False, specification_url="nats://nats:4222")
    stream = JStream(STREAMS[service], declare=False)
    for event in events_of_service(service):
        broker.publisher(
            f"billing.{service}.{event.TYPE}.v{event.VERSION}.{{partition}}.{{key}}",
            stream=stream,
            schema=event,
            title=f"{event.TYPE}.v{event.VERSION}",
            description=(event.__doc__ or "").strip(),
        )
    specification = AsyncAPI(
        broker,
        title=f"Throughline: what {service} announces",
        version="1",
        description="CloudEvents 1.0 in binary mode; attributes travel in `ce-` headers. Fields are added, never changed.",
        schema_version=ASYNCAPI_VERSION,
    )
    return json.dumps(specification.to_specification().to_jsonable(), indent=2, sort_keys=True) + "\n"


def events_of_service(service: str) -> list[type[PublicEvent]]:
    """The public events of a service in the canonical model, by type and version."""
    return [
        event
        for (owner, _, _), event in sorted(registered_events().items(), key=lambda item: item[0])
        if owner == service and event.__module__.startswith(_PACKAGE)
    ]


def drifted(folder: Path) -> list[str]:
    """The services whose committed page is not what their events say."""
    return [service for service in STREAMS if _read(folder / f"{service}.json") != page_of(service)]


def write(folder: Path) -> None:
    """Writes every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for service in STREAMS:
        (folder / f"{service}.json").write_text(page_of(service), encoding="utf-8")


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8") if page.exists() else ""


def main(arguments: Sequence[str]) -> int:
    """The command line; exit code 1 where `--check` finds a page that has drifted."""
    parser = argparse.ArgumentParser(prog="chassis.messaging.asyncapi", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=PAGES)
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args(arguments)
    if not chosen.check:
        write(chosen.folder)
        return 0
    found = drifted(chosen.folder)
    for service in found:
        sys.stderr.write(f"{chosen.folder / service}.json has drifted; run `make schemas`\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
