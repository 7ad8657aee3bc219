"""What a fact would book, by the very code that would book it: run in a work that is never saved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from canonical.envelope import Envelope, PublicEvent, registered_events
from canonical.ids import derive
from canonical.journal import JournalHead, JournalLine
from chassis.domain import Context, NotYet, Refusal
from chassis.eventstore import EventStore, Row, Work
from chassis.messaging.reactions import Reaction
from pydantic import ValidationError

from ledger_adapter.application.exchanging import MAY_BE_SENT, day_to_book, erp_journal
from ledger_adapter.application.ports import ErpDirectory, ErpJournal, UnknownEntity
from ledger_adapter.application.summaries import DIMENSIONS, summarised_rows
from ledger_adapter.domain.journal_entry import JournalEntry, JournalState
from ledger_adapter.domain.subledger import SubledgerPosting

FACT_BYTES_MAX = 1_000_000
TO_SEND = (JournalState.INTENDED, JournalState.HELD_FOR_PERIOD, *MAY_BE_SENT)


class UnknownFact(Refusal):
    """No posting rule answers an event of this service and type."""


class UnreadableFact(Refusal):
    """The fact is not what its schema says; the message names the place, never the content."""


class NotToBeSent(Refusal):
    """The entry is at its ERP already, or was refused there: nothing is sent unless a person resumes it."""


@dataclass(frozen=True, slots=True)
class JournalPreview:
    """A journal entry that would be intended. `document` is what its ERP would get on `booked_on`, `held` why it would not."""

    head: JournalHead
    lines: tuple[JournalLine, ...]
    booked_on: date | None
    document: ErpJournal | None
    held: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the fact would do.

    `stands`: it has been booked before, and nothing would be booked again. `joins` are the sums that it would bring into the
    entry of its group, where that is made of more than this fact. `refusal` is the code and the reason of what would be a
    case, `waits_for` what it would wait for.
    """

    postings: tuple[SubledgerPosting.Drafted, ...] = ()
    journals: tuple[JournalPreview, ...] = ()
    joins: tuple[JournalLine, ...] = ()
    refusal: str = ""
    waits_for: str = ""
    stands: bool = False


@dataclass(frozen=True)
class DryRun:
    """Runs the reactions of this service on facts that are told to it alone."""

    store: EventStore
    erps: ErpDirectory
    reactions: Iterable[Reaction[Any]]
    _by_type: dict[tuple[str, str], Reaction[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_type.update({reaction.type_key: reaction for reaction in self.reactions})

    def of_fact(self, context: Context, service: str, kind: str, content: bytes) -> Preview:
        """
        Raises:
            UnknownFact, UnreadableFact: see there.
        """
        reaction = self._by_type.get((service, kind))
        if reaction is None:
            known = ", ".join(sorted("/".join(key) for key in self._by_type))
            raise UnknownFact(f"no posting rule answers {service}/{kind}; there are rules for {known}")
        event = _read(service, kind, content)
        work = Work(self.store, context)
        work.prefetch(reaction.needs(event))
        try:
            reaction.act(work, event, _envelope(event, content, context))
        except NotYet as waiting:
            return Preview(waits_for=str(waiting))
        except Refusal as refused:
            return Preview(refusal=f"{type(refused).__name__}: {refused}")
        return self._preview(work)

    def of_journal(self, context: Context, journal_id: UUID) -> JournalPreview:
        """What sending a stored entry now would send; one that may have been sent keeps the day that it was sent with.

        Raises:
            NotToBeSent: see there.
        """
        work = Work(self.store, context)
        entry = work.require(JournalEntry, journal_id)
        if entry.state not in TO_SEND:
            raise NotToBeSent(f"journal {journal_id} is {entry.state}, so nothing would be sent")
        return self._journal(work, entry)

    def _preview(self, work: Work) -> Preview:
        recorded = work.pending_events()
        postings = tuple(event for event in recorded if isinstance(event, SubledgerPosting.Drafted))
        intended = [event for event in recorded if isinstance(event, JournalEntry.Intended)]
        groups = {event.group_id for event in intended}
        return Preview(
            postings=postings,
            journals=tuple(self._journal(work, work.require(JournalEntry, each.originator_id)) for each in intended),
            joins=summarised_rows(
                row for posting in postings if posting.group_id not in groups for row in rows_of(posting)
            ),
            stands=not recorded,
        )

    def _journal(self, work: Work, entry: JournalEntry) -> JournalPreview:
        assert entry.head is not None, "an intended entry has a head"
        entity, day = entry.head.entity, entry.head.effective_date
        try:
            erp, policy = self.erps.of(entity), self.erps.late_policy(entity)
        except UnknownEntity as unknown:
            return JournalPreview(entry.head, entry.lines, None, None, str(unknown))
        on = day_to_book(work, entry, policy)
        if on is None:
            return JournalPreview(entry.head, entry.lines, None, None, f"the period of {day} is closed")
        document = erp_journal(entry, erp.dimensions(entity)).model_copy(update={"effective_date": on})
        return JournalPreview(entry.head, entry.lines, on, document)


def rows_of(posting: SubledgerPosting.Drafted) -> list[Row]:
    """The lines of a posting as `summarised_rows` takes them."""
    return [
        {
            "account": line.account.value,
            "party": line.party,
            "amount_minor": line.amount.minor,
            **{name: getattr(line, name) for name in DIMENSIONS},
            "payer_class": line.payer_class or posting.payer_class,
        }
        for line in posting.lines
    ]


def _read(service: str, kind: str, content: bytes) -> PublicEvent:
    if len(content) > FACT_BYTES_MAX:
        raise UnreadableFact(f"the fact has more than {FACT_BYTES_MAX} bytes")
    try:
        return registered_events()[service, kind, 1].model_validate_json(content)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise UnreadableFact(f"{service}/{kind}: {place}: {first['type']}") from None


def _envelope(event: PublicEvent, content: bytes, context: Context) -> Envelope:
    identity = derive("dry-run", hashlib.sha256(content).hexdigest())
    return Envelope(
        id=identity,
        service=event.SERVICE,
        type=event.TYPE,
        key=identity,
        sequence=1,
        time=context.now,
        correlation_id=context.meta.correlation_id,
        causation_id=context.meta.causation_id,
        actor=context.meta.actor,
    )
