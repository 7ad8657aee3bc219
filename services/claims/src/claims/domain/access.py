"""Who was shown what of claims' sealed details."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event


class FilingDisclosure(Aggregate):
    """One look at a claim's filing packet, by one call; its id follows from both."""

    class Given(Event):
        """`digests` are those of the interchanges whose bytes were asked for; the event's actor is who asked."""

        TOPIC = "claims.filing-disclosure.given"
        claim_id: UUID
        digests: tuple[Public[str], ...]

        def apply(self, disclosure: FilingDisclosure) -> None:
            """That it exists is its whole state."""

    def give(self, claim_id: UUID, digests: tuple[str, ...]) -> None:
        self.trigger_event(self.Given, claim_id=claim_id, digests=digests)


def filing_disclosure_id_of(call_id: UUID, claim_id: UUID) -> UUID:
    return derive("filing-disclosure", call_id, claim_id)


class PlatformDisclosure(Aggregate):
    """The details of a batch's claims, given to the external platform that works them; its id follows from the interchange."""

    class Given(Event):
        """Recorded before the first byte leaves; `digest` is that of the bytes."""

        TOPIC = "claims.platform-disclosure.given"
        platform: Public[str]
        interchange_id: UUID
        claim_ids: tuple[UUID, ...]
        digest: Public[str]

        def apply(self, disclosure: PlatformDisclosure) -> None:
            """That it exists is its whole state."""

    def give(self, platform: str, interchange_id: UUID, claim_ids: tuple[UUID, ...], digest: str) -> None:
        """Trying again gives nothing new."""
        if not self.exists:
            told = {"platform": platform, "interchange_id": interchange_id, "digest": digest}
            self.trigger_event(self.Given, claim_ids=claim_ids, **told)


def platform_disclosure_id_of(interchange_id: UUID) -> UUID:
    return derive("platform-disclosure", interchange_id)
