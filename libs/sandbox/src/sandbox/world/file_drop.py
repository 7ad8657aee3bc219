"""Files handed over through folders: a reader sees a whole file or none, and no file ever replaces another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CLAIMS_OUTBOUND = "claims-outbound"
CLAIMS_TAKEN = "claims-taken"
INTAKE_INBOUND = "intake-inbound"
BANK_INBOUND = "bank-inbound"
_COPIES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """The exchange folder that the services and the outside world share."""

    root: Path

    def folder(self, name: str) -> Path:
        """One of the folders, made when absent."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def drop(folder: Path, name: str, content: bytes) -> Path:
    """Write a file in one step: hidden name, fsync, link to its name, fsync of the folder.

    A name that is taken gets `-2`, `-3` ... before its suffix.

    Raises:
        FileExistsError: ten thousand files of that name.
    """
    unfinished = folder / f".{name}.{os.getpid()}.part"
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        return _publish(unfinished, folder, name)
    finally:
        unfinished.unlink()
        _sync_folder(folder)


def _publish(unfinished: Path, folder: Path, name: str) -> Path:
    wanted = Path(name)
    for copy in range(1, _COPIES_MAX):
        target = folder / (name if copy == 1 else f"{wanted.stem}-{copy}{wanted.suffix}")
        try:
            # A link, unlike a rename, fails where the name is taken.
            os.link(unfinished, target)
        except FileExistsError:
            continue
        return target
    raise FileExistsError(f"{folder}: no free name left for {name}")


def waiting_files(folder: Path) -> list[Path]:
    """Finished files by name; hidden ones are still being written."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def move_into(path: Path, folder: Path) -> Path:
    """Move a file that has been read; one of the same name there is kept beside it."""
    target = _publish(path, folder, path.name)
    path.unlink()
    _sync_folder(path.parent)
    _sync_folder(folder)
    return target


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
