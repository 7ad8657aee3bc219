"""Private folders and files of a local suite: what it keeps, its secrets, and what another start may reuse."""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def default_cache_folder() -> Path:
    """Where templates that hold no secret of a suite are kept between starts."""
    return Path.home() / ".cache" / "throughline"


def private_folder(path: Path) -> Path:
    """Make the folder, with its parents, readable by its owner alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step, so that no reader ever sees half of it."""
    private_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def generated_secrets(path: Path, names: Iterable[str]) -> dict[str, str]:
    """One random secret per name, made once and kept in a private JSON file; asking again gives the same ones."""
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [name for name in names if name not in known]
    if missing:
        known |= {name: secrets.token_hex(24) for name in missing}
        write_private(path, json.dumps(known, indent=2, sort_keys=True))
    return known
