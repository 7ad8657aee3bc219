"""Shows a source its own resources as they are known here, after recording that it looked."""

from __future__ import annotations

from dataclasses import dataclass, field

from chassis.domain import Context
from chassis.eventstore import EventStore, Work
from chassis.inbound import read_raw
from chassis.keys import Sealer

from intake.application.disclosing import Disclosing
from intake.domain.identities import reference_id_of
from intake.domain.source_reference import Fate, ResourceVersion, SourceReference


@dataclass(frozen=True, slots=True)
class ShownResource:
    """The newest version, and the bytes of the message that brought it (`entry` says where in it, -1: it is the message)."""

    version: ResourceVersion
    raw: bytes = field(repr=False)


class ResourceShowing:
    """What a source's own reference stands for, with its content."""

    def __init__(self, store: EventStore, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        self._disclosing = Disclosing(store, sealer)

    def show(self, context: Context, source: str, reference: str) -> ShownResource | None:
        """The resource, or None where the source has sent none of this name.

        Raises:
            ErasedKey, ExpiredRaw: its patient was erased, or its bytes were kept long enough.
        """
        known = Work(self._store, context).get(SourceReference, reference_id_of(source, reference))
        if known is None or known.message_id is None:
            return None
        raw = read_raw(self._store, self._sealer, known.message_id)
        self._disclosing.resource_shown(context, known.id)
        version = ResourceVersion(known.entry, reference, known.revision, Fate.UNCHANGED, known.changed_at)
        return ShownResource(version, raw)
