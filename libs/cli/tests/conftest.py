"""A runner of commands, and where the files of other projects are, if they are here."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from typer.testing import CliRunner


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


Answer = Callable[[Any, grpc.ServicerContext], Message]


def _as_bytes(message: Message) -> bytes:
    return message.SerializeToString()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Serves fakes of all services at one address, as the gateway does, and gives the state folder of that suite.

    Takes answers by method, such as `billing.claims.v1.ClaimsService/GetClaim`, each with the type of its request.
    """
    servers: list[grpc.Server] = []

    def start(answers: Mapping[str, tuple[type[Message], Answer]], without: tuple[str, ...] = ()) -> Path:
        server = grpc.server(ThreadPoolExecutor(max_workers=8))
        for path, (request, answer) in answers.items():
            service, _, method = path.partition("/")
            handler = grpc.unary_unary_rpc_method_handler(answer, request.FromString, _as_bytes)
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        servers.append(server)
        names = ("intake", "claims", "payments", "ledger", "reconciliation")
        services = {name: "127.0.0.1:1" if name in without else address for name in names}
        (tmp_path / "client.json").write_text(json.dumps({"services": services}))
        return tmp_path

    yield start
    for server in servers:
        server.stop(None)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files: `THROUGHLINE_CORPUS`, or `../shared/data` beside the repository."""
    configured = os.environ.get("THROUGHLINE_CORPUS")
    folder = Path(configured) if configured else Path(__file__).resolve().parents[4] / "shared" / "data"
    if not (folder / "INDEX.tsv").is_file():
        pytest.skip("the folder of real files is not here; set THROUGHLINE_CORPUS")
    return folder


@pytest.fixture(scope="session")
def corpus_facts(corpus: Path) -> dict[Path, str]:
    """The expected facts of each X12 file, as INDEX.tsv words them."""
    with (corpus / "INDEX.tsv").open(newline="", encoding="utf-8") as index:
        rows = list(csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {corpus / row["file"]: row["expected_facts (own script)"] for row in rows if row["file"].startswith("x12/")}
