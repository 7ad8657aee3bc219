"""Closing groups into journal entries: a remittance when its manifest is met, charges when their day has gone quiet.

State-driven: what is due is read from the read models every time, so order, repetition and restarts do not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from canonical.codes import AccountRole
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Context, Meta, Refusal
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.exceptions import raise_case

from ledger_adapter.application.queries import LINES, MANIFESTS, POSTINGS
from ledger_adapter.application.summaries import SUMMED_BY, minor, summarised_rows
from ledger_adapter.domain.charge_batches import ChargeBatches, charge_batches_id
from ledger_adapter.domain.journal_entry import JournalEntry, journal_id
from ledger_adapter.domain.manifest import ManifestState, RemittanceManifest, manifest_id
from ledger_adapter.domain.subledger import GroupKind

REMITTANCES_PER_SWEEP_MAX = 50
OPEN_CHARGES_READ_MAX = 5000
LOOK_EVERY = timedelta(seconds=0.5)
ACTOR = "service:ledger"
SUM_DIFFERS = "RemittanceSumDiffers"


class StillDiffers(Refusal):
    """The postings of a remittance are what they were, so judging them again would find the same."""


@dataclass(frozen=True, slots=True)
class BatchingRules:
    """When a batch of charges is closed: nothing new for `quiet`, its oldest older than `oldest`, or it is full."""

    quiet: timedelta = timedelta(seconds=2)
    oldest: timedelta = timedelta(seconds=60)
    postings_max: int = 1000


def context_for(cause: UUID, now: datetime) -> Context:
    """The context of what the ledger adapter does by itself; the cause is what it is done about."""
    return Context(now, Meta(correlation_id=cause, causation_id=cause, actor=ACTOR))


class RemittanceDrafting:
    """Makes the journal entry of each remittance all of whose parts are posted, never from some of them."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def run(self) -> int:
        """Decides remittances that are whole; how many."""
        whole = self._store.rows(
            MANIFESTS,
            {"state": ManifestState.COLLECTING.value, "missing_postings": 0},
            order=("expected_at",),
            limit=REMITTANCES_PER_SWEEP_MAX,
        )
        for row in whole:
            remittance_id = row["remittance_id"]
            assert isinstance(remittance_id, UUID)
            context = context_for(remittance_id, self._clock())
            transact(self._store, context, partial(_decide_remittance, remittance_id=remittance_id))
        return len(whole)


def _decide_remittance(work: Work, remittance_id: UUID) -> None:
    manifest = work.require(RemittanceManifest, manifest_id(remittance_id))
    entry = work.get_or_new(JournalEntry, journal_id(GroupKind.REMITTANCE, remittance_id))
    if manifest.state is not ManifestState.COLLECTING or entry.exists:
        return
    sums = _sums_of(work, remittance_id)
    residual = manifest.payment - cash_promised(sums)
    if residual:
        _report_difference(work, manifest, remittance_id, residual)
        return
    postings = work.rows(POSTINGS, {"group_id": remittance_id}, limit=manifest.posting_count + 1)
    assert len(postings) == manifest.posting_count, "a remittance is drafted whole or not at all"
    lines = summarised_rows(sums)
    manifest.meet(remittance_id, entry.id if lines else None)
    if lines:
        assert manifest.effective_date is not None, "an expected remittance has a date"
        entry.intend(
            entity=manifest.entity,
            effective_date=manifest.effective_date,
            lines=lines,
            group_kind=GroupKind.REMITTANCE,
            group_id=remittance_id,
            posting_ids=_ids(postings),
        )


def _sums_of(work: Work, remittance_id: UUID) -> list[Row]:
    return work.store.sums(LINES, ["amount_minor"], SUMMED_BY, {"group_id": remittance_id})


def cash_promised(sums: list[Row]) -> Money:
    """What a remittance puts on EFT clearing: J04, J26 and their reversals, less J12, and J13."""
    clearing = AccountRole.EFT_CLEARING.value
    return Money(sum(minor(row, "amount_minor") for row in sums if row["account"] == clearing))


def _report_difference(work: Work, manifest: RemittanceManifest, remittance_id: UUID, residual: Money) -> None:
    manifest.differ(remittance_id, residual)
    raise_case(
        work,
        derive("remittance-differs", remittance_id, manifest.attempts),
        code=SUM_DIFFERS,
        summary=f"what is posted differs by {residual} from the payment of {manifest.payment} announced; not journalled",
        subject="remittance",
        subject_id=remittance_id,
        entity=manifest.entity,
        amount=residual,
    )


def judge_remittance_again(work: Work, remittance_id: UUID, reason: str) -> None:
    """What retrying the case of a remittance that differs does: it is judged again, now that its postings add up.

    Raises:
        StillDiffers: they do not.
        NothingToReopen: it does not differ.
    """
    manifest = work.require(RemittanceManifest, manifest_id(remittance_id))
    residual = manifest.payment - cash_promised(_sums_of(work, remittance_id))
    if residual:
        raise StillDiffers(f"what is posted of remittance {remittance_id} still differs by {residual}")
    manifest.reopen(remittance_id, reason)


class ChargeBatching:
    """Closes batches of charges per entity and day."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], rules: BatchingRules) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._next_look: datetime | None = None

    def run(self) -> int:
        """Closes what is due; the number of batches.

        It is woken by every commit and reads all open postings, so it looks at most twice a second.
        """
        now = self._clock()
        if self._next_look is not None and now < self._next_look:
            return 0
        closed = self._close_due(now)
        self._next_look = None if closed else now + LOOK_EVERY
        return closed

    def _close_due(self, now: datetime) -> int:
        loose = self._store.rows(POSTINGS, {"batch": 0}, order=("recorded_at",), limit=OPEN_CHARGES_READ_MAX)
        groups: dict[tuple[str, date], list[datetime]] = {}
        for row in loose:
            entity, day, recorded_at = row["entity"], row["effective_date"], row["recorded_at"]
            assert isinstance(entity, str)
            assert isinstance(day, date)
            assert isinstance(recorded_at, datetime)
            groups.setdefault((entity, day), []).append(recorded_at)
        batches = [(place, self._batches_due(recorded, now)) for place, recorded in groups.items()]
        for (entity, day), due in batches:
            for _ in range(due):
                self._close(entity, day, now)
        return sum(due for _, due in batches)

    def _batches_due(self, recorded: list[datetime], now: datetime) -> int:
        """The full batches among the open postings, and the rest of them too when the day has gone quiet."""
        rules = self._rules
        full, rest = divmod(len(recorded), rules.postings_max)
        is_quiet = now - recorded[-1] >= rules.quiet or now - recorded[0] >= rules.oldest
        return full + 1 if rest and is_quiet else full

    def _close(self, entity: str, day: date, now: datetime) -> None:
        group_id = charge_batches_id(entity, day)

        def decide(work: Work) -> None:
            # The aggregate is loaded before the rows are read: whoever closes in between takes the version away.
            batches = work.get_or_new(ChargeBatches, group_id)
            where = {"batch": 0, "group_id": group_id}
            postings = work.rows(POSTINGS, where, order=("recorded_at",), limit=self._rules.postings_max)
            if postings:
                _close_batch(work, batches, entity, day, _ids(postings))

        transact(self._store, context_for(group_id, now), decide)


def _close_batch(work: Work, batches: ChargeBatches, entity: str, day: date, posting_ids: tuple[UUID, ...]) -> None:
    entry = work.get_or_new(JournalEntry, journal_id(GroupKind.CHARGES, batches.id, batches.next_ordinal))
    batches.close(entity, day, entry.id, posting_ids)
    sums = work.store.sums(LINES, ["amount_minor"], SUMMED_BY, {"posting_id": frozenset(posting_ids)})
    lines = summarised_rows(sums)
    if lines:
        entry.intend(
            entity=entity,
            effective_date=day,
            lines=lines,
            group_kind=GroupKind.CHARGES,
            group_id=batches.id,
            posting_ids=posting_ids,
        )


def _ids(postings: list[Row]) -> tuple[UUID, ...]:
    found = []
    for row in postings:
        posting_id = row["posting_id"]
        assert isinstance(posting_id, UUID)
        found.append(posting_id)
    return tuple(found)
