"""What payments does by itself: ties deposits to what they pay, and composes payouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Context, Meta, Refusal
from chassis.eventstore import EventStore, Row, Table, Where, Work, transact
from chassis.exceptions import ExceptionCase, raise_case
from chassis.exceptions.case import CaseState

from payments.application.patient_rows import PAYMENTS, PAYOUTS
from payments.application.ports import GatewayReader
from payments.application.queries import DEPOSITS, REMITTANCES
from payments.domain.deposit import Deposit, DepositKind
from payments.domain.payment import payment_id_of
from payments.domain.payout import (
    BalanceTransaction,
    Payout,
    PayoutDiffers,
    PayoutUnreadable,
    shares_by_entity,
)
from payments.domain.remittance import Remittance, Settlement

PORTION_MAX = 200
CANDIDATES_MAX = 10_000
LOOSE_DEPOSIT = "DepositWithoutRemittance"


def context_for(cause: UUID, now: datetime) -> Context:
    """The context of what payments does by itself; the cause is what it is done about."""
    return Context(now, Meta(correlation_id=cause, causation_id=cause, actor="service:payments"))


@dataclass(frozen=True, slots=True)
class _Counterpart:
    """What deposits of one kind pay, and where its rows say so."""

    kind: DepositKind
    table: Table
    column: str
    amount: str
    since: str
    waiting: Where

    def best(self, candidates: Sequence[Row], deposit: Row) -> Row | None:
        """The one of the deposit's amount, else any of its entity, so that the difference is shown.

        A trace number is a payer's own, and two payers may use the same.
        """
        ours = [row for row in candidates if "entity" not in row or row["entity"] == deposit["entity"]]
        same = (row for row in ours if row[self.amount] == deposit["amount_minor"])
        return next(same, ours[0] if ours else None)


_UNPAID: Where = {"settlement": Settlement.WAITING.value}
_COUNTERPARTS = (
    _Counterpart(DepositKind.REMITTANCE, REMITTANCES, "trace_number", "payment_minor", "accepted_at", _UNPAID),
    _Counterpart(DepositKind.PAYOUT, PAYOUTS, "gateway_id", "net_minor", "announced_at", {"deposit_id": None}),
)


class DepositMatcher:
    """Ties each deposit to the remittance with its trace number, or to its payout, whichever came first."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], loose_after: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._loose_after = loose_after
        self._reported: set[UUID] = set()

    def match(self) -> int:
        """Matches what can be matched; the number of deposits that found their counterpart."""
        return sum(map(self._match_kind, _COUNTERPARTS))

    def _match_kind(self, counterpart: _Counterpart) -> int:
        deposits = self._loose(counterpart)
        references = sorted({str(row["reference"]) for row in deposits})
        if not references:
            return 0
        where: Where = {**counterpart.waiting, counterpart.column: references}
        waiting: dict[str, list[Row]] = {}
        for row in self._store.rows(counterpart.table, where, limit=CANDIDATES_MAX):
            waiting.setdefault(str(row[counterpart.column]), []).append(row)
        done = 0
        for deposit in deposits:
            candidates = waiting.get(str(deposit["reference"]), [])
            found = counterpart.best(candidates, deposit)
            if found is not None and self._tie(deposit, found, counterpart.kind):
                candidates.remove(found)
                done += 1
        return done

    def _loose(self, counterpart: _Counterpart) -> list[Row]:
        """Unmatched deposits to look at: the oldest, the newest, and those of the newest open counterparts.

        Deposits that nothing ever explains add up over the years, and must not keep later ones from being looked at:
        of a pair that belongs together, the half that comes last is always among the newest of its kind.
        """
        limit = PORTION_MAX * 5
        loose: Where = {"kind": counterpart.kind.value, "matched_to": None}
        rows = self._store.rows(DEPOSITS, loose, order=("recorded_at",), limit=limit)
        if len(rows) == limit:
            rows += self._store.rows(DEPOSITS, loose, order=("-recorded_at",), limit=limit)
            order = (f"-{counterpart.since}",)
            newest = self._store.rows(counterpart.table, counterpart.waiting, order=order, limit=limit)
            named = sorted({str(row[counterpart.column]) for row in newest})
            rows += self._store.rows(DEPOSITS, {**loose, "reference": named}, limit=limit)
        return list({row["deposit_id"]: row for row in rows}.values())

    def _tie(self, row: Row, target: Row, kind: DepositKind) -> int:
        deposit_id = row["deposit_id"]
        assert isinstance(deposit_id, UUID)

        def decide(work: Work) -> int:
            deposit = work.require(Deposit, deposit_id)
            mark = work.mark()
            try:
                if kind is DepositKind.REMITTANCE:
                    remittance = work.require(Remittance, _uuid(target["remittance_id"]))
                    remittance.match_deposit(deposit_id, deposit.amount, deposit.on)
                    deposit.match(remittance.id)
                else:
                    payout = work.require(Payout, _uuid(target["payout_id"]))
                    payout.match_deposit(deposit_id, deposit.amount)
                    deposit.match(payout.id)
            except Refusal as refusal:
                work.roll_back(mark)
                raise_case(
                    work,
                    deposit_id,
                    code=refusal.code,
                    summary=str(refusal),
                    subject="deposit",
                    subject_id=deposit_id,
                    entity=str(row["entity"]),
                    amount=deposit.amount,
                )
                return 0
            _end_loose_case(work, deposit_id)
            return 1

        return transact(self._store, context_for(deposit_id, self._clock()), decide)

    def report_loose(self) -> int:
        """Opens a case for every deposit that nothing explains after the time allowed; how many it looked at anew."""
        before = self._clock() - self._loose_after
        limit = len(self._reported) + PORTION_MAX
        rows = self._store.rows(DEPOSITS, {"matched_to": None}, order=("recorded_at",), limit=limit)
        self._reported &= {_uuid(row["deposit_id"]) for row in rows}
        due = [row for row in rows if _instant(row["recorded_at"]) <= before or row["kind"] == DepositKind.OTHER.value]
        due = [row for row in due if row["deposit_id"] not in self._reported]
        for row in due:
            deposit_id = _uuid(row["deposit_id"])
            transact(
                self._store,
                context_for(deposit_id, self._clock()),
                lambda work, row=row, deposit_id=deposit_id: raise_case(  # type: ignore[misc]
                    work,
                    deposit_id,
                    code=LOOSE_DEPOSIT,
                    summary=f"{Money(_int(row['amount_minor']))} on {row['effective_date']}, reference "
                    f"{row['reference'] or 'none'}: no accepted remittance or payout explains it",
                    subject="deposit",
                    subject_id=deposit_id,
                    entity=str(row["entity"]),
                    amount=Money(_int(row["amount_minor"])),
                ),
            )
            self._reported.add(deposit_id)
        return len(due)


def _end_loose_case(work: Work, deposit_id: UUID) -> None:
    case = work.get(ExceptionCase, derive("exception-case", deposit_id, LOOSE_DEPOSIT))
    if case is not None and case.is_open:
        case.end(CaseState.CORRECTED, "the deposit has been matched")


class PayoutComposer:
    """Asks the gateway what each announced payout is made of, and books it by entity."""

    def __init__(
        self, store: EventStore, clock: Callable[[], datetime], gateway: GatewayReader, patience: timedelta
    ) -> None:
        self._store = store
        self._clock = clock
        self._gateway = gateway
        self._patience = patience
        self._rounds = 0
        self._asked: dict[UUID, int] = {}

    def compose(self) -> int:
        """Composes announced payouts; the number of those done."""
        return sum(map(self._compose_one, self._next_portion()))

    def _next_portion(self) -> list[Row]:
        """Announced payouts to ask about now: those never asked about, newest first, then those asked the longest ago.

        Payouts that cannot be composed until a person has looked stay announced, and must not keep later ones from it.
        """
        order = ("-announced_at", "payout_id")
        announced = self._store.rows(PAYOUTS, {"state": "announced"}, order=order, limit=CANDIDATES_MAX)
        asked = {_uuid(row["payout_id"]): self._asked.get(_uuid(row["payout_id"]), 0) for row in announced}
        portion = sorted(announced, key=lambda row: asked[_uuid(row["payout_id"])])[:PORTION_MAX]
        self._rounds += 1
        self._asked = asked | {_uuid(row["payout_id"]): self._rounds for row in portion}
        return portion

    def _compose_one(self, row: Row) -> int:
        payout_id = _uuid(row["payout_id"])
        try:
            transactions = self._gateway.balance_transactions(str(row["gateway_id"]))
        except PayoutUnreadable as unreadable:
            return self._report(row, unreadable)
        entities = self._entities_of(transactions)
        unknown = [t for t in transactions if t.payment_gateway_id not in entities]
        if unknown and _instant(row["announced_at"]) + self._patience > self._clock():
            return 0
        payment_ids = sorted({payment_id_of(line.payment_gateway_id) for line in transactions}, key=str)

        def decide(work: Work) -> int:
            payout = work.require(Payout, payout_id)
            payout.compose(shares_by_entity(transactions, dict(entities)), payment_ids)
            return 1

        try:
            return transact(self._store, context_for(payout_id, self._clock()), decide)
        except PayoutDiffers as differs:
            return self._report(row, differs)

    def _report(self, row: Row, refusal: Refusal) -> int:
        """Opens the payout's case, and lets the other payouts go on."""
        payout_id = _uuid(row["payout_id"])

        def decide(work: Work) -> int:
            raise_case(
                work,
                payout_id,
                code=refusal.code,
                summary=str(refusal),
                subject="payout",
                subject_id=payout_id,
                amount=Money(_int(row["net_minor"])),
            )
            return 0

        return transact(self._store, context_for(payout_id, self._clock()), decide)

    def _entities_of(self, transactions: Sequence[BalanceTransaction]) -> Mapping[str, str]:
        wanted = sorted({transaction.payment_gateway_id for transaction in transactions})
        rows = self._store.rows(PAYMENTS, {"gateway_id": wanted, "state": "succeeded"}, limit=max(1, len(wanted)))
        return {str(row["gateway_id"]): str(row["entity"]) for row in rows}


def _uuid(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value
