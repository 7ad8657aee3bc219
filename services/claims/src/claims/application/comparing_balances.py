"""Balances of external platforms: taken as they are reported, and compared with ours once what was on its way has arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from canonical.envelope import Envelope
from canonical.events.intake import PlatformBalanceReported
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.exceptions import end_case, raise_case

from claims.application.contexts import caused_by
from claims.application.platform_read_models import DIFFERS, PLATFORM_BALANCES, WAITING
from claims.application.queries import ChargeShares
from claims.application.read_models import CLAIMS
from claims.domain.claim import Claim
from claims.domain.claim_content import claim_id_in_sequence, claim_id_of
from claims.domain.platform_balance import PlatformBalance, platform_balance_id_of

PATIENCE_SECONDS = 60.0
COMPARED_PER_RUN_MAX = 200
DIFFERING_MAX = 20_000
DIFFERS_CASE = "PlatformBalanceDiffers"


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
        message_id=event.message_id,
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
        self._turn = 0

    def run(self) -> int:
        """How many comparisons told something new."""
        where = {"state": WAITING}
        waiting = self._store.rows(PLATFORM_BALANCES, where, order=("reported_at",), limit=COMPARED_PER_RUN_MAX)
        due = [row for row in waiting if self._is_due(row)]
        return sum(self._compare(row) for row in (*due, *self._differing()))

    def _differing(self) -> list[Row]:
        """The next portion of those that differed, in turn, so that many which nobody settles keep no other waiting."""
        rows = self._store.rows(PLATFORM_BALANCES, {"state": DIFFERS}, order=("balance_id",), limit=DIFFERING_MAX)
        start = self._turn if self._turn < len(rows) else 0
        self._turn = start + COMPARED_PER_RUN_MAX
        return rows[start : self._turn]

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
