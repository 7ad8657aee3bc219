"""Master data from its file, read again when the file changes, so that a release sees today's."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import structlog
from canonical.master_data import MasterData, load_master_data
from pydantic import ValidationError

_log = structlog.get_logger(__name__)


class MasterDataFile:
    """Called, it gives the newest readable content; a file that does not fit is told once and leaves the last one.

    Raises:
        ValidationError, OSError: there is no usable content to begin with.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._read_at_ns = path.stat().st_mtime_ns
        self._content = load_master_data(path)

    def __call__(self) -> MasterData:
        with self._lock:
            try:
                changed_at_ns = self._path.stat().st_mtime_ns
                if changed_at_ns != self._read_at_ns:
                    self._read_at_ns = changed_at_ns
                    self._content = load_master_data(self._path)
            except (OSError, ValueError, ValidationError) as error:
                _log.error("master data not taken", error=error)
            return self._content
