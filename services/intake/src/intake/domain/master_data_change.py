"""A change of master data: proposed row by row, approved (where money follows, by another person), and released as a version."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event, Refusal

ROWS_PER_EVENT_MAX = 500
REASON_CHARACTERS_MIN = 5
BOOK_ID = derive("master-data-book")


class ChangeDecided(Refusal):
    """The change was approved or rejected before."""


class ApproverIsProposer(Refusal):
    """Money follows from the change, so that another person than the one who proposed it approves it."""


class StaleProposal(Refusal):
    """Rows of the proposal were changed after the version that it was made against; look at today's and propose again."""


class NothingChanges(Refusal):
    """Every row of the proposal is there already."""


class RowsDoNotFit(Refusal):
    """The rows would not fit each other; the message names list, row, column and rule."""


class ReasonTooShort(Refusal):
    """A proposal and a rejection say why, in five characters at least."""


class ChangeState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


class RowChange(CanonicalModel):
    """One row as it is to be, as JSON; empty where it is to go. `before` is how it was, empty where there was none."""

    list_name: Public[str]
    key: Public[str]
    code: Public[str]
    row: Public[str]
    before: Public[str] = ""


def change_id_of(base_version: int, proposer: str, reason: str, digest: str) -> UUID:
    """The id of a proposal: the same again, before anything was released, is the same proposal."""
    return derive("master-data-change", base_version, proposer, reason, digest)


class MasterDataChange(Aggregate):
    """Id: the version it was made against, who proposed it, why, and its rows."""

    def start(self) -> None:
        self.state = ChangeState.PROPOSED
        self.proposer = ""
        self.needs_another = False
        self.rows: list[RowChange] = []

    class Proposed(Event):
        """Its rows follow, in portions."""

        TOPIC = "intake.master-data-change.proposed"
        reason: Public[str]
        base_version: int
        lists: tuple[Public[str], ...]
        row_count: int
        needs_another: bool

        def apply(self, change: MasterDataChange) -> None:
            change.proposer = self.meta.actor
            change.needs_another = self.needs_another

    class RowsGiven(Event):
        TOPIC = "intake.master-data-change.rows-given"
        rows: tuple[RowChange, ...]

        def apply(self, change: MasterDataChange) -> None:
            change.rows.extend(self.rows)

    class Approved(Event):
        """It is in force as this version."""

        TOPIC = "intake.master-data-change.approved"
        version: int

        def apply(self, change: MasterDataChange) -> None:
            change.state = ChangeState.APPROVED

    class Rejected(Event):
        TOPIC = "intake.master-data-change.rejected"
        reason: Public[str]

        def apply(self, change: MasterDataChange) -> None:
            change.state = ChangeState.REJECTED

    def propose(self, reason: str, base_version: int, rows: Sequence[RowChange], *, needs_another: bool) -> None:
        """Takes the rows, once.

        Raises:
            ReasonTooShort, ChangeDecided: see there.
        """
        if len(reason.strip()) < REASON_CHARACTERS_MIN:
            raise ReasonTooShort(f"a reason has at least {REASON_CHARACTERS_MIN} characters")
        if self.exists:
            self._refuse_decided()
            return
        lists = tuple(dict.fromkeys(row.list_name for row in rows))
        self.trigger_event(
            self.Proposed,
            reason=reason.strip(),
            base_version=base_version,
            lists=lists,
            row_count=len(rows),
            needs_another=needs_another,
        )
        for start in range(0, len(rows), ROWS_PER_EVENT_MAX):
            self.trigger_event(self.RowsGiven, rows=tuple(rows[start : start + ROWS_PER_EVENT_MAX]))

    def approve(self, version: int) -> None:
        """Puts it in force; the caller checks its rows against today's.

        Raises:
            ChangeDecided, ApproverIsProposer: see there.
        """
        self._refuse_decided()
        if self.needs_another and self.context.meta.actor == self.proposer:
            raise ApproverIsProposer(f"{self.proposer} proposed change {self.id}, and money follows from it")
        self.trigger_event(self.Approved, version=version)

    def reject(self, reason: str) -> None:
        """Turns it down.

        Raises:
            ChangeDecided, ReasonTooShort: see there.
        """
        self._refuse_decided()
        if len(reason.strip()) < REASON_CHARACTERS_MIN:
            raise ReasonTooShort(f"a reason has at least {REASON_CHARACTERS_MIN} characters")
        self.trigger_event(self.Rejected, reason=reason.strip())

    def _refuse_decided(self) -> None:
        if self.state is not ChangeState.PROPOSED:
            raise ChangeDecided(f"change {self.id} is {self.state}")


class MasterDataBook(Aggregate):
    """Id: one in a deployment. Which change made which version; the first is what the file said before any proposal."""

    def start(self) -> None:
        self.changes: list[UUID] = []
        self.content_hash = ""

    class Released(Event):
        TOPIC = "intake.master-data-book.released"
        version: int
        change_id: UUID
        content_hash: Public[str]

        def apply(self, book: MasterDataBook) -> None:
            book.changes.append(self.change_id)
            book.content_hash = self.content_hash

    @property
    def newest(self) -> int:
        """The newest version; 0 before any."""
        return len(self.changes)

    def release(self, change_id: UUID, content_hash: str) -> int:
        """The number of the new version."""
        self.trigger_event(self.Released, version=self.newest + 1, change_id=change_id, content_hash=content_hash)
        return self.newest
