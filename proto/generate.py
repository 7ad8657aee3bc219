"""Generates the committed Python code and the descriptor set from the protos; `--check` only tells whether they drifted."""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

HERE = Path(__file__).parent
GENERATED = HERE / "gen"
DESCRIPTOR_SET = "throughline.pb"
SCRIPTS = Path(sysconfig.get_path("scripts"))
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"


class GenerationFailed(Exception):
    """The compiler refused the protos; it has said why."""


def generate(target: Path) -> None:
    """Writes everything that is generated into an empty folder."""
    sources = sorted(str(path.relative_to(HERE)) for path in (HERE / "billing").rglob("*.proto"))
    arguments = [
        "protoc",
        f"--proto_path={HERE}",
        f"--proto_path={HERE / 'third_party'}",
        f"--proto_path={WELL_KNOWN}",
        f"--plugin=protoc-gen-mypy={SCRIPTS / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={SCRIPTS / 'protoc-gen-mypy_grpc'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
        f"--descriptor_set_out={target / DESCRIPTOR_SET}",
        "--include_imports",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        raise GenerationFailed
    (target / "billing" / "py.typed").touch()


def drift(target: Path) -> list[str]:
    """The generated files that differ from the committed ones, are missing, or are left over."""
    fresh = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    committed = {
        path.relative_to(GENERATED)
        for path in GENERATED.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    differing = {path for path in fresh & committed if not filecmp.cmp(target / path, GENERATED / path, shallow=False)}
    return sorted(map(str, (fresh ^ committed) | differing))


def main() -> int:
    """The command line; exit code 1 where `--check` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    wants_check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        generate(target)
        differing = drift(target)
        if wants_check:
            for name in differing:
                sys.stderr.write(f"proto/gen/{name} is not what the protos say; run `make proto`\n")
            return 1 if differing else 0
        if differing:
            shutil.rmtree(GENERATED, ignore_errors=True)
            shutil.copytree(target, GENERATED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
