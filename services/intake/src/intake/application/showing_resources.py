"""Shows a source its own resources as they are and were known here, after recording that it looked."""

from __future__ import annotations

from dataclasses import dataclass, field

from chassis.domain import Context, Event
from chassis.eventstore import EventStore
from chassis.inbound import ExpiredRaw, read_raw
from chassis.keys import Sealer

from intake.application.disclosing import Disclosing
from intake.domain.identities import reference_id_of
from intake.domain.source_reference import Fate, ResourceVersion, SourceReference


@dataclass(frozen=True, slots=True)
class ShownResource:
    """One version, and the bytes of the message that brought it (`entry` says where in it, -1: it is the message).

    Without bytes they have expired, or are of a time when versions did not name their message.
    """

    version: ResourceVersion
    raw: bytes = field(default=b"", repr=False)

    @property
    def is_kept(self) -> bool:
        return bool(self.raw)


class ResourceShowing:
    """What a source's own reference stands for, with its content: every version is kept as long as its message's bytes."""

    def __init__(self, store: EventStore, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        self._disclosing = Disclosing(store, sealer)

    def show(self, context: Context, source: str, reference: str, version: int = 0) -> ShownResource | None:
        """The resource in this version, 0 for the newest, or None where the source has sent none of this name and version.

        Raises:
            ErasedKey, ExpiredRaw: its patient was erased, or its bytes were kept long enough.
        """
        versions = self._versions(source, reference)
        if not versions or version > len(versions):
            return None
        shown = self._shown(versions[version - 1], reference)
        self._disclosing.resource_shown(context, versions[-1].originator_id)
        return shown

    def history(
        self, context: Context, source: str, reference: str, before: int, count: int
    ) -> tuple[list[ShownResource], int] | None:
        """At most `count` versions, the newest first, below version `before` (0: of all), and how many there are altogether.

        Raises:
            ErasedKey: its patient was erased.
        """
        versions = self._versions(source, reference)
        if not versions:
            return None
        asked = versions[: before - 1] if before else versions
        shown = [self._kept(each, reference) for each in reversed(asked[-count:])]
        self._disclosing.resource_shown(context, versions[-1].originator_id)
        return shown, len(versions)

    def _versions(self, source: str, reference: str) -> list[Event]:
        """Each event of a reference is one version."""
        return self._store.story(reference_id_of(source, reference))

    def _kept(self, event: Event, reference: str) -> ShownResource:
        try:
            return self._shown(event, reference)
        except ExpiredRaw:
            return ShownResource(_version(event, reference))

    def _shown(self, event: Event, reference: str) -> ShownResource:
        """Raises ErasedKey, ExpiredRaw."""
        message_id = event.message_id if isinstance(event, SourceReference.Versioned) else None
        raw = read_raw(self._store, self._sealer, message_id) if message_id else b""
        return ShownResource(_version(event, reference), raw)


def _version(event: Event, reference: str) -> ResourceVersion:
    entry = event.entry if isinstance(event, SourceReference.Versioned) else -1
    return ResourceVersion(entry, reference, event.originator_version, Fate.UNCHANGED, event.timestamp)
