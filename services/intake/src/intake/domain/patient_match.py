"""Two patients who may be one person, and what was decided about them; a decision is never forgotten."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event

from intake.domain.likeness import Likeness


class MatchKind(StrEnum):
    PROBABLE = "probable"
    CONTRADICTION = "contradiction"


CASE_CODES = {MatchKind.PROBABLE: "ProbableMatch", MatchKind.CONTRADICTION: "IdentifierContradiction"}


class MatchState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    DISTINCT = "distinct"


def match_id_of(one: UUID, other: UUID) -> UUID:
    """The id of a pair of patients, whichever is named first."""
    first, second = sorted((one, other))
    return derive("patient-match", first, second)


class PatientMatch(Aggregate):
    """Id: the pair of patients."""

    def start(self) -> None:
        self.state = MatchState.OPEN
        self.kind = MatchKind.PROBABLE

    class Suggested(Event):
        """A probable match, or an identifier that two patients share who can hardly be one person."""

        TOPIC = "intake.patient-match.suggested"
        first_id: UUID
        second_id: UUID
        kind: MatchKind
        likeness: Likeness

        def apply(self, match: PatientMatch) -> None:
            match.kind = self.kind

    class Merged(Event):
        """They were merged, by a person or by their source."""

        TOPIC = "intake.patient-match.merged"
        reason: Public[str]

        def apply(self, match: PatientMatch) -> None:
            match.state = MatchState.MERGED

    class Distinguished(Event):
        """They are two persons, and are not suggested again."""

        TOPIC = "intake.patient-match.distinguished"
        first_id: UUID
        second_id: UUID
        reason: Public[str]

        def apply(self, match: PatientMatch) -> None:
            match.state = MatchState.DISTINCT

    @property
    def case_code(self) -> str:
        return CASE_CODES[self.kind]

    def suggest(self, one: UUID, other: UUID, kind: MatchKind, likeness: Likeness) -> bool:
        """Asks a person about the pair, once; whether that is new."""
        if self.exists:
            return False
        first, second = sorted((one, other))
        self.trigger_event(self.Suggested, first_id=first, second_id=second, kind=kind, likeness=likeness)
        return True

    def merge(self, reason: str) -> None:
        if self.state is not MatchState.MERGED:
            self.trigger_event(self.Merged, reason=reason)

    def distinguish(self, one: UUID, other: UUID, reason: str) -> None:
        if self.state is not MatchState.DISTINCT:
            first, second = sorted((one, other))
            self.trigger_event(self.Distinguished, first_id=first, second_id=second, reason=reason)
