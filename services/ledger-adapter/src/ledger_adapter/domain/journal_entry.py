"""The journal entry: from the intent to book it, to the proof that the ERP holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive, external_number
from canonical.journal import JournalHead, JournalLine, refuse_unbalanced
from chassis.domain import Aggregate, Event, Refusal

from ledger_adapter.domain.posting_rules import RULES_VERSION
from ledger_adapter.domain.subledger import GroupKind


class JournalState(StrEnum):
    """UNCERTAIN: sent, and nobody knows yet whether it arrived. DIFFERS: the ERP holds something else than we sent."""

    UNKNOWN = "unknown"
    INTENDED = "intended"
    PROBED = "probed"
    POSTED = "posted"
    UNCERTAIN = "uncertain"
    REJECTED = "rejected"
    HELD_FOR_PERIOD = "held-for-period"
    DIFFERS = "differs"
    CONFIRMED = "confirmed"


LEGAL_MOVES: Mapping[JournalState, frozenset[JournalState]] = {
    JournalState.UNKNOWN: frozenset({JournalState.INTENDED}),
    JournalState.INTENDED: frozenset({JournalState.PROBED, JournalState.POSTED, JournalState.HELD_FOR_PERIOD}),
    JournalState.PROBED: frozenset(
        {
            JournalState.PROBED,
            JournalState.POSTED,
            JournalState.UNCERTAIN,
            JournalState.REJECTED,
            JournalState.HELD_FOR_PERIOD,
        }
    ),
    JournalState.UNCERTAIN: frozenset({JournalState.PROBED, JournalState.POSTED}),
    JournalState.POSTED: frozenset({JournalState.CONFIRMED, JournalState.DIFFERS}),
    JournalState.REJECTED: frozenset(),
    JournalState.HELD_FOR_PERIOD: frozenset(),
    JournalState.DIFFERS: frozenset(),
    JournalState.CONFIRMED: frozenset(),
}

RESUMED_AS: Mapping[JournalState, JournalState] = {
    JournalState.REJECTED: JournalState.INTENDED,
    JournalState.HELD_FOR_PERIOD: JournalState.INTENDED,
    JournalState.DIFFERS: JournalState.POSTED,
}
"""What waits for a person, and where it goes on once the person has mended the cause."""


class IllegalMove(Refusal):
    """A journal entry cannot go from its state to that one."""


def journal_id(kind: GroupKind, group_id: UUID, ordinal: int = 1) -> UUID:
    """The journal entry of a group; charges have one per batch."""
    return derive("journal", kind.value, group_id, ordinal)


def digest_of(posting_ids: Iterable[UUID]) -> str:
    """One hash over the postings of an entry, whatever order they come in."""
    return hashlib.sha256(b"".join(sorted(identity.bytes for identity in posting_ids))).hexdigest()


class JournalEntry(Aggregate):
    """Intended, probed, posted, confirmed; an unknown outcome is a state, never a reason to send again blindly."""

    def start(self) -> None:
        self.state = JournalState.UNKNOWN
        self.head: JournalHead | None = None
        self.lines: tuple[JournalLine, ...] = ()
        self.erp = ""
        self.erp_document = ""
        self.uncertain_count = 0

    class Intended(Event):
        TOPIC = "ledger.journal-entry.intended"
        head: JournalHead
        lines: tuple[JournalLine, ...]
        group_kind: GroupKind
        group_id: UUID
        posting_count: int
        posting_digest: Public[str]

        def apply(self, entry: JournalEntry) -> None:
            entry.state = JournalState.INTENDED
            entry.head = self.head
            entry.lines = self.lines

    class Probed(Event):
        """The ERP was asked and does not hold our number; what follows is the only sending this event allows.

        `posting_date` is the day it is booked on, where the period of its business date is closed. `erp` is the ERP that was
        asked; entries of before it was noted have none.
        """

        TOPIC = "ledger.journal-entry.probed"
        posting_date: Public[date] | None = None
        erp: Public[str] = ""

        def apply(self, entry: JournalEntry) -> None:
            entry.state = JournalState.PROBED
            entry.erp = self.erp
            if entry.head is not None:
                entry.head = entry.head.model_copy(update={"posting_date": self.posting_date})

    class Posted(Event):
        TOPIC = "ledger.journal-entry.posted"
        erp: Public[str]
        erp_document: Public[str]

        def apply(self, entry: JournalEntry) -> None:
            entry.state = JournalState.POSTED
            entry.erp = self.erp
            entry.erp_document = self.erp_document

    class BecameUncertain(Event):
        """Sent, but no answer tells whether it arrived."""

        TOPIC = "ledger.journal-entry.became-uncertain"
        reason: Public[str]

        def apply(self, entry: JournalEntry) -> None:
            entry.state = JournalState.UNCERTAIN
            entry.uncertain_count += 1

    class Rejected(Event):
        """The ERP refused it for a reason that trying again does not mend."""

        TOPIC = "ledger.journal-entry.rejected"
        code: Public[str]
        reason: Public[str]

        def apply(self, entry: JournalEntry) -> None:
            entry.state = JournalState.REJECTED

    class HeldForPeriod(Event):
        """The period of the day that it would be booked on is closed. `refused_day` is that day where the ERP refused it; None
        where the periods that the ERP told said so before anything was sent."""

        TOPIC = "ledger.journal-entry.held-for-period"
        reason: Public[str]
        refused_day: Public[date] | None = None

        def apply(self, entry: JournalEntry) -> None:
            entry.state = JournalState.HELD_FOR_PERIOD

    class Confirmed(Event):
        """Read back from the ERP, equal line by line."""

        TOPIC = "ledger.journal-entry.confirmed"
        head: JournalHead
        lines: tuple[JournalLine, ...]
        erp: Public[str]
        erp_document: Public[str]

        def apply(self, entry: JournalEntry) -> None:
            entry.state = JournalState.CONFIRMED

    class Differed(Event):
        """What the ERP holds under our number is not what we sent."""

        TOPIC = "ledger.journal-entry.differed"
        differences: tuple[Public[str], ...]

        def apply(self, entry: JournalEntry) -> None:
            entry.state = JournalState.DIFFERS

    class Resumed(Event):
        """A person mended the cause: a refused or held entry starts over, one that differs is read back again."""

        TOPIC = "ledger.journal-entry.resumed"
        state: JournalState
        reason: Public[str]

        def apply(self, entry: JournalEntry) -> None:
            entry.state = self.state

    def intend(
        self,
        *,
        entity: str,
        effective_date: date,
        lines: tuple[JournalLine, ...],
        group_kind: GroupKind,
        group_id: UUID,
        posting_ids: tuple[UUID, ...],
    ) -> None:
        """Decides to book the entry under our own number.

        Raises:
            IllegalMove: it is intended already.
            canonical.journal.Unbalanced: our own fault, nothing is recorded.
        """
        self._refuse_illegal(JournalState.INTENDED)
        refuse_unbalanced(f"journal {self.id}", lines)
        assert lines, "an entry without lines is never booked"
        head = JournalHead(
            journal_id=self.id,
            entity=entity,
            kind=group_kind.value,
            effective_date=effective_date,
            external_number=external_number(self.id),
            rules_version=RULES_VERSION,
        )
        self.trigger_event(
            self.Intended,
            head=head,
            lines=lines,
            group_kind=group_kind,
            group_id=group_id,
            posting_count=len(posting_ids),
            posting_digest=digest_of(posting_ids),
        )

    @property
    def booked_on(self) -> date:
        """The day that the entry has at the ERP."""
        assert self.head is not None, "an intended entry has a head"
        return self.head.posting_date or self.head.effective_date

    def record_probe(self, posting_date: date | None = None, *, erp: str = "") -> None:
        """`posting_date` is when it will be booked, where that is not its business date. An entry that may have been
        sent keeps the day that it was sent with."""
        self._refuse_illegal(JournalState.PROBED)
        assert self.head is not None, "an intended entry has a head"
        sent = self.state in (JournalState.PROBED, JournalState.UNCERTAIN)
        day = self.head.posting_date if sent else posting_date
        self.trigger_event(self.Probed, posting_date=None if day == self.head.effective_date else day, erp=erp)

    def record_posted(self, erp: str, erp_document: str) -> None:
        self._refuse_illegal(JournalState.POSTED)
        self.trigger_event(self.Posted, erp=erp, erp_document=erp_document)

    def record_uncertain(self, reason: str) -> None:
        self._refuse_illegal(JournalState.UNCERTAIN)
        self.trigger_event(self.BecameUncertain, reason=reason)

    def record_rejected(self, code: str, reason: str) -> None:
        self._refuse_illegal(JournalState.REJECTED)
        self.trigger_event(self.Rejected, code=code, reason=reason)

    def hold_for_period(self, reason: str, refused_day: date | None = None) -> None:
        self._refuse_illegal(JournalState.HELD_FOR_PERIOD)
        self.trigger_event(self.HeldForPeriod, reason=reason, refused_day=refused_day)

    def confirm(self) -> None:
        self._refuse_illegal(JournalState.CONFIRMED)
        self.trigger_event(
            self.Confirmed, head=self.head, lines=self.lines, erp=self.erp, erp_document=self.erp_document
        )

    def record_differences(self, differences: tuple[str, ...]) -> None:
        self._refuse_illegal(JournalState.DIFFERS)
        self.trigger_event(self.Differed, differences=differences)

    def resume(self, reason: str) -> None:
        """
        Raises:
            IllegalMove: nothing has stopped this entry.
        """
        target = RESUMED_AS.get(self.state)
        if target is None:
            raise IllegalMove(
                f"journal {self.id} is {self.state}; only one that was refused, held or differs is resumed"
            )
        self.trigger_event(self.Resumed, state=target, reason=reason)

    def _refuse_illegal(self, target: JournalState) -> None:
        if target not in LEGAL_MOVES[self.state]:
            raise IllegalMove(f"journal {self.id} is {self.state} and cannot become {target}")


def differences_between(ours: Iterable[JournalLine], theirs: Iterable[JournalLine]) -> tuple[str, ...]:
    """What two sets of lines disagree on, by account, party and dimensions; empty when they are equal to the cent."""
    left, right = _by_place(ours), _by_place(theirs)
    return tuple(
        " ".join(filter(None, place)) + f": ours {left.get(place, 0)} minor units, at the ERP {right.get(place, 0)}"
        for place in sorted(left.keys() | right.keys())
        if left.get(place, 0) != right.get(place, 0)
    )


def _by_place(lines: Iterable[JournalLine]) -> dict[tuple[str, ...], int]:
    sums: dict[tuple[str, ...], int] = {}
    for line in lines:
        dimensions = (line.payer_class, line.department, line.cost_center, line.location)
        place = (line.account.value, line.party, *dimensions)
        sums[place] = sums.get(place, 0) + line.amount.minor
    return sums
