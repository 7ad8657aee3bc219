"""Leases on durables: replicas of a service share its partition groups, and take over those of one that is gone.

A lease is a key in a NATS bucket, changed by compare-and-set. A holder renews it; who sees it unchanged for the whole
term by its own monotonic clock takes it, so no two clocks are ever compared. Two holders at once do no harm, only
work twice: the inbox decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

TERM_SECONDS = 10.0
RENEWAL_SECONDS = 3.0
FREE = b""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Seen:
    revision: int
    since: float


class Lease:
    """One durable's lease, as one replica sees it."""

    def __init__(
        self,
        bucket: KeyValue,
        durable: str,
        replica: str,
        *,
        term_seconds: float = TERM_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = bucket
        self._key = durable
        self._replica = replica.encode()
        self._term_seconds = term_seconds
        self._monotonic = monotonic
        self._held_revision: int | None = None
        self._renewed_at = 0.0
        self._seen: _Seen | None = None

    @property
    def is_held(self) -> bool:
        """Whether the last renewal is fresh enough that nobody else can have taken it."""
        return self._held_revision is not None and self._monotonic() - self._renewed_at < self._term_seconds

    async def hold(self) -> bool:
        """Renews the lease or tries to take it; whether this replica holds it now."""
        started = self._monotonic()
        try:
            revision = await self._renew() if self._held_revision is not None else await self._take()
        except KeyWrongLastSequenceError:
            revision = None
        except (NatsError, TimeoutError) as error:
            _log.warning("lease not renewed", durable=self._key, error=type(error).__name__)
            return self.is_held
        self._held_revision = revision
        if revision is not None:
            self._renewed_at = started
        return revision is not None

    async def release(self) -> None:
        """Frees the lease at once, so that another replica need not wait for its term."""
        if self._held_revision is None:
            return
        try:
            await self._bucket.update(self._key, FREE, last=self._held_revision)
        except (NatsError, TimeoutError) as error:
            _log.info("lease not released", durable=self._key, error=type(error).__name__)
        self._held_revision = None

    async def _renew(self) -> int | None:
        return await self._bucket.update(self._key, self._replica, last=self._held_revision)

    async def _take(self) -> int | None:
        try:
            entry = await self._bucket.get(self._key)
        except KeyNotFoundError:
            return await self._bucket.create(self._key, self._replica)
        assert entry.revision is not None
        if entry.value in (FREE, None, self._replica) or self._expired(entry.revision):
            return await self._bucket.update(self._key, self._replica, last=entry.revision)
        return None

    def _expired(self, revision: int) -> bool:
        now = self._monotonic()
        if self._seen is None or self._seen.revision != revision:
            self._seen = _Seen(revision, now)
            return False
        return now - self._seen.since >= self._term_seconds
