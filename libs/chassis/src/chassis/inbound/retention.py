"""How long raw bytes are kept: by format and age, never before the message is decided, and not while a law holds them.

Files that were taken lie in the clear in the folder of what is done; they go after `done_days`, for their bytes are kept sealed.

{"keep_days": 3653, "formats": {"hl7v2": 2557}, "done_days": 90,
 "holds": [{"source": "ehr-north", "received_from": "2026-01-01", "received_to": "2026-06-30", "reason": "case 12"},
           {"message": "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77", "reason": "audit"}]}
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Self
from uuid import UUID

from canonical.ids import derive
from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.inbound.message import INBOUND_MESSAGES, InboundMessage, MessageState
from chassis.setting_files import read_setting_file

KEEP_DAYS = 3653
KEEP_DAYS_MIN = 365
HOLDS_MAX = 1000
MESSAGES_PER_RUN_MAX = 100
DONE_DAYS = 90
DONE_LOOKED_AT_MAX = 20_000
DONE_CLEARED_PER_RUN_MAX = 1_000
ROWS_PER_PAGE = 1_000
PAGES_PER_RUN_MAX = 20


class WrongRetention(ValueError):
    """The file of the policy cannot be read, or says what cannot be."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class LegalHold(_Strict):
    """What must stay: one message, or what a source (empty: any) sent between two days, both included."""

    reason: str = Field(min_length=1, max_length=200)
    message: UUID | None = None
    source: str = ""
    received_from: date = date.min
    received_to: date = date.max

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.message is None and not self.source and self.received_from == date.min:
            raise ValueError("a hold names a message, a source, or the day from which on it holds")
        return self

    def holds(self, row: Row) -> bool:
        """Whether it holds the message of this row of `inbound_messages`."""
        if self.message is not None:
            return row["message_id"] == self.message
        received_at = row["received_at"]
        assert isinstance(received_at, datetime)
        is_source = not self.source or row["source_system"] == self.source
        return is_source and self.received_from <= received_at.date() <= self.received_to


class RetentionPolicy(_Strict):
    """How many days each format is kept, and what is held."""

    keep_days: int = Field(default=KEEP_DAYS, ge=KEEP_DAYS_MIN)
    formats: dict[str, int] = {}
    done_days: int = Field(default=DONE_DAYS, ge=1)
    holds: tuple[LegalHold, ...] = Field(default=(), max_length=HOLDS_MAX)

    @model_validator(mode="after")
    def _is_long_enough(self) -> Self:
        if any(days < KEEP_DAYS_MIN for days in self.formats.values()):
            raise ValueError(f"every format is kept for at least {KEEP_DAYS_MIN} days")
        return self

    def days_of(self, format_name: str) -> int:
        return self.formats.get(format_name, self.keep_days)

    def is_held(self, row: Row) -> bool:
        return any(hold.holds(row) for hold in self.holds)


def read_retention(path: Path | None) -> RetentionPolicy:
    """The policy of a file; ten years of everything where there is none.

    Raises:
        WrongRetention: the file is not as described above.
    """
    return read_setting_file(path, RetentionPolicy, WrongRetention) if path else RetentionPolicy()


class RawRetention:
    """Deletes raw bytes that are old enough, a bounded number each run; hash, facts and findings of the message stay.

    So it does with files in `done`, the folder of what was taken and kept, by the day on which they came there.

    A run goes on where the one before it stopped looking, however much of what is old is held; at the end it begins again.
    """

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        policy: Callable[[], RetentionPolicy],
        service: str,
        done: Path | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._actor = f"service:{service}"
        self._done = done
        self._looked_at: dict[str, Row] = {}

    def run(self) -> int:
        """One sweep; how many messages and files it let go of."""
        policy = self._policy()
        formats = [row["format"] for row in self._store.sums(INBOUND_MESSAGES, (), ("format",), {"is_raw_kept": True})]
        expired = 0
        for name in map(str, formats):
            days = policy.days_of(name)
            due = (row for row in self._old(name, days) if _is_decided(row) and not policy.is_held(row))
            for row in islice(due, MESSAGES_PER_RUN_MAX - expired):
                message_id = row["message_id"]
                assert isinstance(message_id, UUID)
                expired += self._expire(message_id, days)
        return expired + self._clear_done(policy.done_days)

    def _clear_done(self, days: int) -> int:
        """By the instant of the last change of the entry: what moves into the folder keeps the time of its content."""
        if self._done is None or not self._done.is_dir():
            return 0
        before = (self._clock() - timedelta(days=days)).timestamp()
        with os.scandir(self._done) as entries:
            files = (each for each in islice(entries, DONE_LOOKED_AT_MAX) if each.is_file(follow_symlinks=False))
            old = [each.path for each in files if each.stat(follow_symlinks=False).st_ctime < before]
        for path in old[:DONE_CLEARED_PER_RUN_MAX]:
            Path(path).unlink(missing_ok=True)
        return len(old[:DONE_CLEARED_PER_RUN_MAX])

    def _old(self, name: str, days: int) -> Iterator[Row]:
        """The next messages of a format that are as old as that, the oldest first, page by page."""
        before = self._clock() - timedelta(days=days)
        where = {"format": name, "is_raw_kept": True}
        for _ in range(PAGES_PER_RUN_MAX):
            after = self._looked_at.get(name)
            page = self._store.rows(INBOUND_MESSAGES, where, order=["received_at"], limit=ROWS_PER_PAGE, after=after)
            for row in page:
                received_at = row["received_at"]
                assert isinstance(received_at, datetime)
                if received_at.astimezone(UTC) >= before:
                    self._looked_at.pop(name, None)
                    return
                self._looked_at[name] = row
                yield row
            if len(page) < ROWS_PER_PAGE:
                self._looked_at.pop(name, None)
                return

    def _expire(self, message_id: UUID, days: int) -> bool:
        cause = derive("raw-expiry", message_id)
        meta = Meta(correlation_id=message_id, causation_id=cause, actor=self._actor)

        def decide(work: Work) -> bool:
            message = work.require(InboundMessage, message_id)
            is_new = message.is_decided and message.expire_raw(days)
            if is_new:
                work.expire_spans(message_id)
            return is_new

        return transact(self._store, Context(self._clock(), meta), decide)


def _is_decided(row: Row) -> bool:
    return row["state"] != MessageState.RECEIVED.value
