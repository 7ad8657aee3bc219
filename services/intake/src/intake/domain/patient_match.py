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
    """`linked` and `unlikely` need nobody's word: an identifier says that they are one, or what is known now speaks against it."""

    OPEN = "open"
    MERGED = "merged"
    DISTINCT = "distinct"
    LINKED = "linked"
    UNLIKELY = "unlikely"


def match_id_of(one: UUID, other: UUID) -> UUID:
    """The id of a pair of patients, whichever is named first."""
    first, second = sorted((one, other))
    return derive("patient-match", first, second)


class PatientMatch(Aggregate):
    """Id: the pair of patients."""

    def start(self) -> None:
        self.state = MatchState.OPEN
        self.kind = MatchKind.PROBABLE
        self.pair: tuple[UUID, ...] = ()
        self.suggestions = 0

    class Suggested(Event):
        """A probable match, or an identifier that two patients share who can hardly be one person; perhaps again."""

        TOPIC = "intake.patient-match.suggested"
        first_id: UUID
        second_id: UUID
        kind: MatchKind
        likeness: Likeness

        def apply(self, match: PatientMatch) -> None:
            match.kind = self.kind
            match.state = MatchState.OPEN
            match.pair = (self.first_id, self.second_id)
            match.suggestions += 1

    class Settled(Event):
        """What came in later answered the question: linked, or unlikely."""

        TOPIC = "intake.patient-match.settled"
        state: MatchState
        likeness: Likeness

        def apply(self, match: PatientMatch) -> None:
            match.state = self.state

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

    @property
    def case_cause(self) -> UUID:
        """What the case of the latest suggestion is raised for."""
        return self.id if self.suggestions <= 1 else derive("patient-match-again", self.id, self.suggestions)

    @property
    def is_open(self) -> bool:
        """Whether a person is asked about the pair."""
        return self.exists and self.state is MatchState.OPEN

    def suggest(self, one: UUID, other: UUID, kind: MatchKind, likeness: Likeness) -> bool:
        """Asks a person about the pair, unless one is asked or has told them apart; whether that is new."""
        if self.exists and self.state in (MatchState.OPEN, MatchState.DISTINCT):
            return False
        first, second = sorted((one, other))
        self.trigger_event(self.Suggested, first_id=first, second_id=second, kind=kind, likeness=likeness)
        return True

    def settle(self, state: MatchState, likeness: Likeness) -> None:
        """Nobody need be asked any more."""
        if self.is_open:
            self.trigger_event(self.Settled, state=state, likeness=likeness)

    def merge(self, reason: str) -> None:
        if self.state is not MatchState.MERGED:
            self.trigger_event(self.Merged, reason=reason)

    def distinguish(self, one: UUID, other: UUID, reason: str) -> None:
        if self.state is not MatchState.DISTINCT:
            first, second = sorted((one, other))
            self.trigger_event(self.Distinguished, first_id=first, second_id=second, reason=reason)
