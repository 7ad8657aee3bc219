"""Batches out and reports in by folders that both sides reach: whole files, none of which ever replaces another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from claims.adapters.file_drop import FileDrop
from claims.application.ports import ReceivedAnswer, TransportUnavailable

BATCHES, BATCHES_TAKEN = "batches", "batches-taken"
REPORTS, REPORTS_DONE = "reports", "reports-done"
REPORTS_PER_FETCH_MAX = 200


class FolderPlatform(FileDrop):
    """The platform moves what it read from `batches` to `batches-taken`; we move its reports from `reports` to `reports-done`.

    Who writes a file gives it its name when it is finished; names that begin with a dot are not looked at.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, outbound=BATCHES, taken=BATCHES_TAKEN)
        self._reports = folder / REPORTS
        self._done = folder / REPORTS_DONE

    def fetch(self, keep: Callable[[ReceivedAnswer], None]) -> int:
        """Gives each report to `keep`, and moves it away once it is kept; how many there were."""
        try:
            for folder in (self._reports, self._done):
                folder.mkdir(parents=True, exist_ok=True)
            waiting = sorted(path for path in self._reports.iterdir() if not path.name.startswith("."))
            for path in waiting[:REPORTS_PER_FETCH_MAX]:
                keep(ReceivedAnswer(path.name, path.read_bytes()))
                path.replace(self._done / path.name)
        except OSError as error:
            raise TransportUnavailable(f"the platform's folder cannot be read: {error.strerror}") from error
        return min(len(waiting), REPORTS_PER_FETCH_MAX)
