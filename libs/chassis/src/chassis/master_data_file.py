"""Master data from its file, read again when the file changes, so that what is decided sees today's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from threading import Lock

import structlog
from canonical.master_data import (
    Department,
    DunningStepRow,
    Entity,
    FeeScheduleRow,
    MasterData,
    Payer,
    PriceConcession,
    Provider,
    UnusableMasterData,
    load_master_data,
)
from pydantic import ValidationError

from chassis.domain import UnsafeSetting
from chassis.telemetry.metrics import MASTER_DATA

LOOK_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class MasterDataFile:
    """Called, it gives the newest readable content; a file that does not fit is told once and leaves the last one.

    The questions of `KnownMasterData` are asked of the content of at most `look_seconds` ago.

    Raises:
        UnsafeSetting: there is no usable content to begin with.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        look_seconds: float = LOOK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if path is None:
            raise UnsafeSetting("THROUGHLINE_MASTER_DATA_PATH", "not given", "the master data file")
        self.path = path
        self._look_seconds = look_seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._looked_at = monotonic()
        try:
            self._seen = self._mark()
            self._take(load_master_data(path))
        except (OSError, UnusableMasterData, ValidationError) as error:
            raise UnsafeSetting("THROUGHLINE_MASTER_DATA_PATH", str(error), "a master data file that fits") from error

    def __call__(self) -> MasterData:
        with self._lock:
            self._looked_at = self._monotonic()
            try:
                mark = self._mark()
                if mark != self._seen:
                    self._seen = mark
                    self._take(load_master_data(self.path))
            except (OSError, ValueError) as error:
                _log.error("master data not taken", error=error)
            return self._content

    @property
    def version(self) -> str:
        """The version of the content that is in use."""
        return self.recent().version

    @property
    def entities(self) -> tuple[Entity, ...]:
        return self.recent().entities

    @property
    def payers(self) -> tuple[Payer, ...]:
        return self.recent().payers

    @property
    def fee_schedules(self) -> tuple[FeeScheduleRow, ...]:
        return self.recent().fee_schedules

    @property
    def price_concessions(self) -> tuple[PriceConcession, ...]:
        return self.recent().price_concessions

    @property
    def dunning_steps(self) -> tuple[DunningStepRow, ...]:
        return self.recent().dunning_steps

    def entity(self, code: str, day: date) -> Entity:
        return self.recent().entity(code, day)

    def payer(self, code: str, day: date) -> Payer:
        return self.recent().payer(code, day)

    def provider(self, code: str, day: date) -> Provider:
        return self.recent().provider(code, day)

    def department(self, code: str, day: date) -> Department:
        return self.recent().department(code, day)

    def entity_by_bank_account(self, account: str, day: date) -> Entity:
        return self.recent().entity_by_bank_account(account, day)

    def recent(self) -> MasterData:
        """The content of at most `look_seconds` ago, for those who ask at every request."""
        return self._content if self._monotonic() - self._looked_at < self._look_seconds else self()

    def _mark(self) -> tuple[int, int, int]:
        found = self.path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _take(self, content: MasterData) -> None:
        self._content = content
        MASTER_DATA.clear()
        MASTER_DATA.labels(content.version).set(1)
        _log.info("master data taken", version=content.version)
