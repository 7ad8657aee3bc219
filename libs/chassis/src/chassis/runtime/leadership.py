"""Which replica of a service runs its relay and its sweeps: one lease among the replicas, renewed while alive."""

from __future__ import annotations

import asyncio

import structlog
from nats.aio.client import Client

from chassis.messaging.leases import RENEWAL_SECONDS, Lease
from chassis.messaging.topology import lease_bucket_of

LEASE = "leader"

_log = structlog.get_logger(__name__)


class Leadership:
    """Held or not; the relay and the sweeps ask before each step, and two holders at once do no harm."""

    def __init__(self, service: str, replica: str) -> None:
        self._service = service
        self._replica = replica
        self._lease: Lease | None = None

    @property
    def is_held(self) -> bool:
        return self._lease is not None and self._lease.is_held

    async def start(self, client: Client) -> None:
        """Tries to take the lease once."""
        bucket = await client.jetstream(timeout=5).key_value(lease_bucket_of(self._service))
        self._lease = Lease(bucket, LEASE, self._replica)
        await self._lease.hold()

    async def keep(self) -> None:
        """Renews or tries again until cancelled."""
        assert self._lease is not None, "start comes first"
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            before = self.is_held
            await self._lease.hold()
            if self.is_held != before:
                _log.info("leadership changed", held=self.is_held)

    async def release(self) -> None:
        if self._lease is not None:
            await self._lease.release()
