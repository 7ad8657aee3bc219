"""Claims out by file drop: a whole file appears in the exchange folder, once, and none ever replaces another."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from chassis.whole_files import sync_folder

from claims.application.ports import TransportUnavailable, TransportUncertain
from claims.domain.interchange import OtherBytesSent

OUTBOUND = "claims-outbound"
TAKEN = "claims-taken"
_READ_BYTES = 1 << 20


class FileDrop:
    """The receiver moves what it read from `claims-outbound` to `claims-taken`; a probe looks at both, in that order."""

    def __init__(self, exchange_dir: Path, *, outbound: str = OUTBOUND, taken: str = TAKEN) -> None:
        self._outbound = exchange_dir / outbound
        self._taken = exchange_dir / taken

    def probe(self, name: str) -> str | None:
        """A file on its way from one folder to the other stands in both for a moment, never in none."""
        try:
            self._outbound.mkdir(parents=True, exist_ok=True)
            for folder in (self._outbound, self._taken):
                digest = _digest(folder / name)
                if digest is not None:
                    return digest
        except OSError as error:
            raise TransportUnavailable(f"the exchange folder cannot be read: {error.strerror}") from error
        return None

    def send(self, name: str, content: bytes) -> None:
        """Hidden name, fsync, link to the name, fsync of the folder.

        Raises:
            OtherBytesSent: another file stands under this name.
        """
        try:
            self._outbound.mkdir(parents=True, exist_ok=True)
            unfinished = _write_durably(self._outbound, name, content)
        except OSError as error:
            raise TransportUnavailable(f"the exchange folder takes no file: {error.strerror}") from error
        try:
            self._publish(unfinished, name, content)
        except OSError as error:
            raise TransportUncertain(f"the file may or may not stand in the folder: {error.strerror}") from error

    def _publish(self, unfinished: Path, name: str, content: bytes) -> None:
        target = self._outbound / name
        try:
            # A link, unlike a rename, fails where the name is taken.
            os.link(unfinished, target)
        except FileExistsError:
            if _digest(target) not in (None, hashlib.sha256(content).hexdigest()):
                raise OtherBytesSent(f"{name}: another file stands in {self._outbound.name} under this name") from None
        finally:
            unfinished.unlink(missing_ok=True)
            sync_folder(self._outbound)


def _write_durably(folder: Path, name: str, content: bytes) -> Path:
    """The finished file under a hidden name of its own; what a crash left behind under this name is cleared away."""
    for leftover in folder.glob(f".{name}.*.part"):
        leftover.unlink(missing_ok=True)
    descriptor, path = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(path)


def _digest(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_READ_BYTES):
                digest.update(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest()
