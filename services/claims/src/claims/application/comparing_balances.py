"""Balances of external platforms: taken as they are reported, and compared with ours once what was on its way has arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from canonical.envelope import Envelope
from canonical.events.intake import PlatformBalanceReported
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Row, Table, Work, put, transact
from chassis.exceptions import raise_case

from claims.application.contexts import caused_by
from claims.application.queries import ChargeShares
from claims.application.read_models import CLAIMS
from claims.application.use_cases import end_case
from claims.domain.claim import Claim
from claims.domain.claim_content import claim_id_in_sequence, claim_id_of
from claims.domain.platform_balance import PlatformBalance, platform_balance_id_of

PATIENCE_SECONDS = 60.0
COMPARED_PER_RUN_MAX = 200
DIFFERS_CASE = "PlatformBalanceDiffers"
WAITING, DIFFERS, AGREES = "waiting", "differs", "agrees"

PLATFORM_BALANCES = Table(
    "platform_balances",
    {
        "balance_id": "uuid",
        "claim_id": "uuid",
        "encounter_id": "uuid",
        "posting": "integer",
        "entity": "text",
        "platform": "text",
        "state": "text",
        "theirs_minor": "bigint",
        "ours_minor": "bigint",
        "as_of": "date",
        "reported_at": "timestamptz",
    },
    key=("balance_id",),
    indexes=(("state", "reported_at"),),
)
"""What platforms hold to be open, `waiting` to be compared, or `differs` or `agrees` with ours."""


def project_platform_balances(event: Event) -> Iterable[Change]:
    """The row that a report or a comparison changes."""
    if isinstance(event, PlatformBalance.Reported):
        yield put(
            PLATFORM_BALANCES,
            balance_id=event.originator_id,
            claim_id=event.claim_id,
            encounter_id=event.encounter_id,
            posting=event.posting,
            entity=event.entity,
            platform=event.platform,
            state=WAITING,
            theirs_minor=event.theirs.minor,
            as_of=event.as_of,
            reported_at=event.timestamp,
        )
    elif isinstance(event, PlatformBalance.Compared):
        state = AGREES if event.ours == event.theirs else DIFFERS
        yield put(PLATFORM_BALANCES, balance_id=event.originator_id, state=state, ours_minor=event.ours.minor)


def claim_of_balance(event: PlatformBalanceReported) -> Iterable[UUID]:
    yield claim_id_of(event.patient_control_number)


def when_platform_balance_reported_keep_it(work: Work, event: PlatformBalanceReported, envelope: Envelope) -> None:
    """Raises UnknownAggregate for a claim that is not ours."""
    content = work.require(Claim, claim_id_of(event.patient_control_number)).content
    first = claim_id_in_sequence(content, 1)
    work.get_or_new(PlatformBalance, platform_balance_id_of(first)).report(
        claim_id=first,
        encounter_id=content.encounter_id,
        posting=content.posting,
        entity=content.entity,
        platform=event.platform,
        theirs=event.balance,
        as_of=event.as_of,
    )


class BalanceComparing:
    """`run` compares what was reported `patience` ago, and what differed before wherever ours has moved since.

    Payments and balances of one report come to us by different ways, so a balance waits until they have arrived.
    """

    def __init__(
        self, store: EventStore, clock: Callable[[], datetime], *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._store = store
        self._clock = clock
        self._patience = timedelta(seconds=patience_seconds)

    def run(self) -> int:
        """How many comparisons told something new."""
        where = {"state": [WAITING, DIFFERS]}
        rows = self._store.rows(PLATFORM_BALANCES, where, order=("reported_at",), limit=COMPARED_PER_RUN_MAX)
        return sum(self._compare(row) for row in rows if self._is_due(row))

    def _is_due(self, row: Row) -> bool:
        reported_at = row["reported_at"]
        assert isinstance(reported_at, datetime)
        return reported_at <= self._clock() - self._patience

    def _compare(self, row: Row) -> bool:
        identity, ours = row["balance_id"], open_at_payers(self._store, row)
        assert isinstance(identity, UUID)
        if row["state"] == DIFFERS and row["ours_minor"] == ours.minor:
            return False
        context = caused_by(self._clock(), derive("balance-comparison", identity))
        return transact(self._store, context, lambda work: _compare(work, identity, row, ours))


def open_at_payers(store: EventStore, posting: Row) -> Money:
    """What is open of a posting's charges at its payers together; what they denied is open until somebody gives it up."""
    rows = store.rows(CLAIMS, {"encounter_id": posting["encounter_id"], "posting": posting["posting"]})
    shares = [ChargeShares.of_row(row) for row in rows]
    left = Money.total(Money(int(str(row["next_payer_minor"] or 0))) for row in rows)
    return left + Money.total(each.open + each.denied for each in shares)


def _compare(work: Work, identity: UUID, row: Row, ours: Money) -> bool:
    """Compares, and tells a person of a difference; the case of the comparison before ends."""
    balance = work.require(PlatformBalance, identity)
    if not balance.compare(ours):
        return False
    number, difference = balance.comparisons, ours - balance.theirs
    end_case(work, _cause(identity, number - 1), DIFFERS_CASE, "compared again")
    if difference:
        claim_id = row["claim_id"]
        assert isinstance(claim_id, UUID)
        claim = work.require(Claim, claim_id)
        raise_case(
            work,
            _cause(identity, number),
            code=DIFFERS_CASE,
            summary=f"{balance.platform} holds {balance.theirs} open on {balance.as_of}, we hold {ours}",
            subject=f"claim {claim.content.patient_control_number}",
            subject_id=claim_id,
            entity=balance.entity,
            amount=difference,
        )
    return True


def _cause(identity: UUID, number: int) -> UUID:
    return derive("platform-balance-differs", identity, number)
