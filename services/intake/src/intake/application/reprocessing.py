"""Reads kept messages again: shows what would differ, or takes it as new events; what was recorded is never edited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.domain import Context, Event, Meta, Refusal
from chassis.eventstore import EventStore, Work, transact
from chassis.inbound import Fact as MessageFact
from chassis.inbound import InboundMessage, MessageState, read_raw
from chassis.inbound.taken_files import TakenFiles
from chassis.keys import Sealer
from chassis.keys.rehearsal import RehearsalKeys

from intake.application.deliveries import InboundDelivery
from intake.application.disclosing import Disclosing
from intake.application.envelopes import Envelopes
from intake.application.local_days import today_of
from intake.application.matching import match_people
from intake.application.ports import MasterDataSource
from intake.application.receiving import ENCOUNTER_FACT, findings_of
from intake.application.receiving_files import ReceivingFiles
from intake.application.reprocessing_files import FileReprocessing
from intake.application.rereadings import REASON, Original, Reader, Reread
from intake.application.superseding import Standing
from intake.application.taking_facts import FactTaking
from intake.application.taking_resources import ResourceTaking
from intake.application.telling_events import told
from intake.domain.charge_rules import broken_rules
from intake.domain.identities import reference_id_of
from intake.domain.refusals import InvalidMessage
from intake.domain.source_reference import SourceReference

DIFFERENCES_SHOWN_MAX = 200
EVENTS_PER_SCAN_MAX = 5000
SEARCH_STEPS_MAX = 64


class Reprocessing:
    """One message at a time, each in a transaction of its own: stopped anywhere, it is gone on with, and twice is once."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        sealer: Sealer,
        master_data: MasterDataSource,
        read: Reader,
        files: ReceivingFiles,
        known_files: TakenFiles,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._master_data = master_data
        self._read = read
        self._files = FileReprocessing(store, files, master_data, known_files)

    def reprocess(self, caller: Context, message_id: UUID, *, reader: str = "", dry_run: bool) -> Reread:
        """Raises UnknownAggregate, NotReadable, ErasedKey, ExpiredRaw; the look at the bytes is recorded."""
        original = self._original(caller, message_id)
        Disclosing(self._store, self._sealer).raw_read_again(caller, message_id)
        delivery = self._read(read_raw(self._store, self._sealer, message_id), original, reader)
        context = self._context(caller, original)
        if not isinstance(delivery, InboundDelivery):
            return self._files.reprocess(context, original, delivery, dry_run=dry_run)
        if dry_run:
            sealer = Sealer(RehearsalKeys(self._sealer.keys))
            return self._decide(Work(self._store, context), sealer, original, delivery)
        return transact(self._store, context, lambda work: self._decide(work, self._sealer, original, delivery))

    def since(self, instant: datetime, position: int, limit: int) -> tuple[list[UUID], int]:
        """Messages received from an instant on, after a position of the log (0: from the instant); where to go on, 0 at the end."""
        start = position or self._position_before(instant)
        logged = self._store.log(start, EVENTS_PER_SCAN_MAX)
        found: list[UUID] = []
        for entry in logged:
            if isinstance(entry.event, InboundMessage.Received) and entry.event.timestamp >= instant:
                found.append(entry.event.originator_id)
                if len(found) == limit:
                    return found, entry.position
        return found, logged[-1].position if logged else 0

    def _position_before(self, instant: datetime) -> int:
        """A position with nothing from the instant on before it. Instants in the log go up, but for clocks that differ."""
        low, high = 0, self._store.last_position()
        for _ in range(SEARCH_STEPS_MAX):
            if low >= high:
                break
            middle = (low + high) // 2
            (entry,) = self._store.log(middle, 1)
            if entry.event.timestamp < instant:
                low = middle + 1
            else:
                high = middle
        return max(0, low - EVENTS_PER_SCAN_MAX // 10)

    def _original(self, caller: Context, message_id: UUID) -> Original:
        Work(self._store, caller).require(InboundMessage, message_id)
        story = self._store.story(message_id)
        received = story[0]
        assert isinstance(received, InboundMessage.Received)
        return Original(
            message_id,
            received.source_system,
            received.delivery_key,
            received.format,
            received.timestamp,
            tuple(dict.fromkeys(_encounters(story))),
        )

    def _context(self, caller: Context, original: Original) -> Context:
        """The message is the cause, as it was the first time; who asked stands as the actor."""
        meta = Meta(
            correlation_id=original.message_id,
            causation_id=original.message_id,
            actor=caller.meta.actor,
            source_system=original.source,
            source_reference=original.delivery_key,
            traceparent=caller.meta.traceparent,
        )
        return Context(self._clock(), meta)

    def _decide(self, work: Work, sealer: Sealer, original: Original, delivery: InboundDelivery) -> Reread:
        message = work.require(InboundMessage, original.message_id)
        before, mark = message.state, work.mark()
        notes: tuple[str, ...] = ()
        findings: tuple[str, ...] = ()
        touched: tuple[UUID, ...] = ()
        try:
            notes, touched = self._take(work, sealer, original, delivery)
        except Refusal as refusal:
            work.roll_back(mark)
            findings = findings_of(refusal)
        message = work.require(InboundMessage, original.message_id)
        verdict = MessageState.REFUSED if findings else MessageState.ACCEPTED
        differences = tuple(map(told, work.pending_events()))
        if before is MessageState.ACCEPTED and findings:
            return Reread(original.message_id, before.value, before.value, (), findings, notes)
        if differences or verdict is not before or findings != message.findings:
            facts = [MessageFact(name=ENCOUNTER_FACT, value=str(each)) for each in touched]
            message.reprocess(verdict, REASON, findings, facts)
        shown = differences[:DIFFERENCES_SHOWN_MAX]
        return Reread(original.message_id, before.value, verdict.value, shown, findings, notes)

    def _take(
        self, work: Work, sealer: Sealer, original: Original, delivery: InboundDelivery
    ) -> tuple[tuple[str, ...], tuple[UUID, ...]]:
        today = today_of(work, delivery, self._master_data(), original.received_at)
        findings = [*delivery.findings, *broken_rules(delivery.facts, today)]
        if findings:
            raise InvalidMessage(findings)
        standing = Standing(work, original.source, original.message_id, original.received_at)
        facts = (*standing.withdrawn(delivery.facts, original.encounters), *standing.of(delivery.facts))
        unknown = [
            each
            for each in delivery.resources
            if work.get(SourceReference, reference_id_of(original.source, each.reference)) is None
        ]
        resources = ResourceTaking(work, sealer, original.source, original.delivery_key, original.message_id)
        left = resources.take([replace(each, expected_version=0) for each in unknown], facts)
        taking = FactTaking(work, Envelopes(sealer), self._master_data(), original.source, original.message_id)
        notes = taking.take(left)
        match_people(work)
        return (*standing.notes, *notes), taking.encounters


def _encounters(story: Sequence[Event]) -> Iterator[UUID]:
    for event in story:
        if isinstance(event, InboundMessage.Accepted | InboundMessage.Reprocessed):
            yield from (UUID(fact.value) for fact in event.facts if fact.name == ENCOUNTER_FACT)
