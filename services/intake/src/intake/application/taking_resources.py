"""Takes the resources of one message: counts their versions, and keeps back what a condition of the sender excludes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from chassis.eventstore import Work
from chassis.keys import Sealer

from intake.domain.encounter import Encounter
from intake.domain.facts import ChargeSeen, Fact
from intake.domain.identities import reference_id_of
from intake.domain.patient import Patient
from intake.domain.refusals import Finding, InvalidMessage
from intake.domain.source_reference import Fate, ResourceSeen, ResourceVersion, SourceReference

_TARGETS: dict[str, type[Patient] | type[Encounter]] = {"Patient": Patient, "Encounter": Encounter}


class ResourceTaking:
    """The resources of one message; `versions` is what became of them so far."""

    def __init__(self, work: Work, sealer: Sealer, source: str, delivery_key: str, message_id: UUID) -> None:
        self._work = work
        self._sealer = sealer
        self._source = source
        self._delivery = self._keyed(f"{source} {delivery_key}".encode())
        self._message_id = message_id
        self.versions: list[ResourceVersion] = []

    def take(self, resources: Sequence[ResourceSeen], facts: Sequence[Fact]) -> tuple[Fact, ...]:
        """Takes the resources; gives the facts that are left to be taken.

        Raises:
            InvalidMessage: a resource is not at the version that the sender expects, or would be updated by who may not.
        """
        left = tuple(facts)
        for seen in resources:
            known = self._work.get_or_new(SourceReference, reference_id_of(self._source, seen.reference))
            if not self._is_as_expected(seen, known):
                note = f"it is at version {known.revision}, not at {seen.expected_version}"
                raise InvalidMessage([Finding(seen.place, "version-conflict", note)])
            if seen.only_if_new and self._is_known(seen, known):
                left = tuple(fact for fact in left if not fact.place.startswith(seen.place))
                self._note(seen, known, Fate.MATCHED)
                continue
            if seen.target_id and known.target_id not in (None, seen.target_id):
                note = "it was known by another identifier; one resource is one thing"
                raise InvalidMessage([Finding(seen.place, "identity-changed", note)])
            is_reused = known.delivery == self._delivery
            fate = known.see(seen, self._keyed(seen.content), self._delivery, self._message_id)
            if fate is Fate.UPDATED and not seen.may_update:
                note = "it is known, and this client's scopes do not let it update"
                raise InvalidMessage([Finding(seen.place, "scope", note)])
            if fate is Fate.UPDATED and is_reused:
                left = tuple(_as_conflict(fact, seen.place) for fact in left)
            self._note(seen, known, fate)
        return left

    def revision_told_under_same_key(self, resources: Sequence[ResourceSeen]) -> int:
        """The newest version of one of these that says other things, and came under this very delivery key; 0 for none."""
        for seen in resources:
            known = self._work.get_or_new(SourceReference, reference_id_of(self._source, seen.reference))
            is_other = not (seen.only_if_new or known.holds(seen, self._keyed(seen.content)))
            if is_other and known.delivery == self._delivery:
                return known.revision
        return 0

    def _is_as_expected(self, seen: ResourceSeen, known: SourceReference) -> bool:
        """At the version that the sender expects; or at the next, if it says what the sender would make of it: asked
        again after a lost answer.
        """
        if seen.expected_version in (0, known.revision):
            return True
        return known.revision == seen.expected_version + 1 and known.holds(seen, self._keyed(seen.content))

    def _is_known(self, seen: ResourceSeen, known: SourceReference) -> bool:
        kind = _TARGETS.get(seen.kind)
        return known.exists or (
            kind is not None and seen.target_id is not None and self._work.get(kind, seen.target_id) is not None
        )

    def _note(self, seen: ResourceSeen, known: SourceReference, fate: Fate) -> None:
        version = ResourceVersion(seen.entry, seen.reference, max(1, known.revision), fate, known.changed_at)
        self.versions.append(version)

    def _keyed(self, content: bytes) -> str:
        return self._sealer.content_address(content).hex()


def _as_conflict(fact: Fact, place: str) -> Fact:
    """One delivery that says two things of a charge is no correction of it."""
    if isinstance(fact, ChargeSeen) and fact.corrects and fact.place.startswith(place):
        return replace(fact, corrects=False)
    return fact


def versions_known(work: Work, source: str, resources: Sequence[ResourceSeen]) -> tuple[ResourceVersion, ...]:
    """The resources of a message that has come before, as they are now."""
    found = ((seen, work.get(SourceReference, reference_id_of(source, seen.reference))) for seen in resources)
    return tuple(
        ResourceVersion(seen.entry, seen.reference, known.revision, Fate.UNCHANGED, known.changed_at)
        for seen, known in found
        if known is not None
    )
