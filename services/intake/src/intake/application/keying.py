"""Remittances from paper: keyed by one person, checked by another, then received as every remittance is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from canonical.money import Money
from chassis.domain import Context, Event, Meta
from chassis.eventstore import Change, EventStore, Table, Work, put, transact
from chassis.eventstore.projecting import of

from intake.application.deliveries import FileOutcome
from intake.application.judging_files import judge
from intake.application.ports import MasterDataSource, PayerFile
from intake.domain.keyed_remittance import (
    CLAIMS_MAX,
    KeyedContent,
    KeyedFaulty,
    KeyedRemittance,
    KeyedState,
    keyed_remittance_id,
)

ATTEMPTS_MAX = 100
PORTION_MAX = 50
KEYED_REMITTANCES = Table(
    "keyed_remittances",
    {
        "keyed_id": "uuid",
        "state": "text",
        "entity": "text",
        "payer": "text",
        "trace_number": "text",
        "payment_minor": "bigint",
        "claim_count": "integer",
        "keyed_by": "text",
        "checked_by": "text",
        "reason": "text",
        "message_id": "uuid",
        "keyed_at": "timestamptz",
    },
    key=("keyed_id",),
    indexes=(("state",),),
)
AsFile = Callable[[UUID, KeyedContent], PayerFile]


class Keying:
    """`as_file` writes what was keyed as the file that the payer would have sent, for the same reader and the same rules."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        master_data: MasterDataSource,
        as_file: AsFile,
        receive: Callable[[PayerFile], FileOutcome],
    ) -> None:
        self._store = store
        self._clock = clock
        self._master_data = master_data
        self._as_file = as_file
        self._receive = receive

    def key(self, context: Context, content: KeyedContent) -> UUID:
        """Keeps what one person keyed until another has checked it; its id.

        Raises:
            KeyedFaulty: it does not add up, or names what nobody knows.
            KeyedOtherwise: keyed before with other content.
        """
        if not len(content.claims) + len(content.provider_adjustments) > 0 or len(content.claims) > CLAIMS_MAX:
            raise KeyedFaulty(f"one to {CLAIMS_MAX} claims, or provider adjustments alone")

        def decide(work: Work) -> UUID:
            keyed = self._standing(work, content)
            self._refuse_faults(keyed.id, content)
            keyed.key(content)
            return keyed.id

        return transact(self._store, context, decide)

    def _standing(self, work: Work, content: KeyedContent) -> KeyedRemittance:
        """The one of this payer and trace number that was not turned down."""
        for attempt in range(ATTEMPTS_MAX):
            identity = keyed_remittance_id(content.payer, content.trace_number, attempt)
            keyed = work.get_or_new(KeyedRemittance, identity)
            if keyed.state is not KeyedState.TURNED_DOWN:
                return keyed
        raise KeyedFaulty(f"trace {content.trace_number} was turned down {ATTEMPTS_MAX} times")

    def _refuse_faults(self, keyed_id: UUID, content: KeyedContent) -> None:
        verdicts = judge(self._as_file(keyed_id, content).survey(), keyed_id, self._master_data())
        findings = [finding for fault in verdicts.faults for finding in fault.findings]
        if findings or len(verdicts.heads) != 1:
            raise KeyedFaulty("; ".join(findings)[:1000] or "it is no remittance")

    def check(self, context: Context, keyed_id: UUID, payment: Money, claim_count: int) -> None:
        """A second person says what they read on the paper; see `KeyedRemittance.check`."""
        checker = context.meta.actor
        transact(
            self._store,
            context,
            lambda work: work.require(KeyedRemittance, keyed_id).check(payment, claim_count, checker),
        )

    def turn_down(self, context: Context, keyed_id: UUID, reason: str) -> None:
        """See `KeyedRemittance.turn_down`."""
        transact(self._store, context, lambda work: work.require(KeyedRemittance, keyed_id).turn_down(reason))

    def receive_checked(self) -> int:
        """Receives what was checked; a crash on the way is mended by the next round. How many went on."""
        rows = self._store.rows(KEYED_REMITTANCES, {"state": KeyedState.CHECKED.value}, limit=PORTION_MAX)
        for row in rows:
            keyed_id = row["keyed_id"]
            assert isinstance(keyed_id, UUID)
            meta = Meta(correlation_id=keyed_id, causation_id=keyed_id, actor="service:intake")
            context = Context(self._clock(), meta)
            content = Work(self._store, context).require(KeyedRemittance, keyed_id).content
            assert content is not None, "what was checked was keyed"
            outcome = self._receive(self._as_file(keyed_id, content))
            transact(self._store, context, lambda work, of=keyed_id, told=outcome: _received(work, of, told))  # type: ignore[misc]
        return len(rows)


def _received(work: Work, keyed_id: UUID, outcome: FileOutcome) -> None:
    work.require(KeyedRemittance, keyed_id).receive(outcome.message_id, outcome.findings)


@of(KeyedRemittance)
def project_keyed(event: Event) -> Iterable[Change]:
    """The row of a keyed remittance."""
    if isinstance(event, KeyedRemittance.Keyed):
        content = event.content
        yield put(
            KEYED_REMITTANCES,
            keyed_id=event.originator_id,
            state=KeyedState.KEYED.value,
            entity=content.entity,
            payer=content.payer,
            trace_number=content.trace_number,
            payment_minor=content.payment.minor,
            claim_count=len(content.claims),
            keyed_by=event.meta.actor,
            keyed_at=event.timestamp,
        )
    elif isinstance(event, KeyedRemittance.Checked):
        state = KeyedState.CHECKED.value
        yield put(KEYED_REMITTANCES, keyed_id=event.originator_id, state=state, checked_by=event.meta.actor)
    elif isinstance(event, KeyedRemittance.TurnedDown):
        state = KeyedState.TURNED_DOWN.value
        yield put(
            KEYED_REMITTANCES,
            keyed_id=event.originator_id,
            state=state,
            checked_by=event.meta.actor,
            reason=event.reason,
        )
    elif isinstance(event, KeyedRemittance.Received):
        state = KeyedState.RECEIVED.value
        reason = "; ".join(event.findings)
        yield put(
            KEYED_REMITTANCES,
            keyed_id=event.originator_id,
            state=state,
            message_id=event.message_id,
            reason=reason,
        )
