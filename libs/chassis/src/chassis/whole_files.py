"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(folder: Path, name: str, content: bytes) -> None:
    """As `replace_whole`, into a folder that is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_whole(folder / name, content)


def replace_whole(path: Path, content: bytes) -> None:
    """Durable under its name when it returns, in place of what had that name; a reader never sees half of it.

    Raises:
        OSError: the folder takes no file.
    """
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """What was named, renamed or removed in the folder is durable when it returns.

    Raises:
        OSError: the folder cannot be read.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
