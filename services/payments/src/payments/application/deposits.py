"""What payments does by itself about deposits: ties them to what they pay, and tells what stays without a counterpart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from canonical.money import Money
from chassis.domain import Refusal
from chassis.eventstore import EventStore, Row, Table, Where, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import CASES, ExceptionCase, case_id_of, end_case, raise_case

from payments.application.patient_rows import PAYOUTS
from payments.application.queries import DEPOSITS, REMITTANCES, TRACE_SEPARATOR
from payments.application.recording_deposits import DAYS_APART_MAX
from payments.application.sweeps import context_for
from payments.application.tying import DIFFERS, LOOSE_DEPOSIT, UNDEPOSITED, tie
from payments.domain.deposit import Deposit, DepositKind, DepositSource, DepositTaken
from payments.domain.payout import Payout
from payments.domain.reassociation import Difference, LooseDeposit, Tie, WaitingRemittance, reassociate
from payments.domain.remittance import DepositDiffers, Settlement

PORTION_MAX = 200
CANDIDATES_MAX = 10_000
NAMED_IN_CASE_MAX = 3
NO_LONGER = "no remittance waits for it any more"
_UNPAID: Where = {"settlement": Settlement.WAITING.value}
_UNTIED: Where = {"deposit_id": None}
_NOBODYS = [DepositKind.REMITTANCE.value, DepositKind.OTHER.value]


class DepositMatcher:
    """Ties each deposit to the remittances with its trace number, or to its payout, whichever came first."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], *, crash_point: CrashPoint = no_crash) -> None:
        self._store = store
        self._crash_point = crash_point
        self._clock = clock

    def match(self) -> int:
        """Matches what can be matched; the number of ties that were made."""
        return self._match_remittances() + self._match_payouts()

    def _match_remittances(self) -> int:
        rows = _loose(self._store, DepositKind.REMITTANCE, REMITTANCES, _UNPAID, "trace_number", "accepted_at")
        deposits = [_deposit_of(row) for row in rows]
        traces = sorted({trace for deposit in deposits for trace in deposit.traces})
        if not traces:
            return 0
        where: Where = {**_UNPAID, "trace_number": traces}
        waiting = self._store.rows(REMITTANCES, where, order=("remittance_id",), limit=CANDIDATES_MAX)
        found = reassociate(deposits, [_remittance_of(row) for row in waiting])
        self._tell_differences(deposits, found.differences)
        return sum(map(self._tie, found.ties))

    def _tie(self, found: Tie) -> int:
        def decide(work: Work) -> int:
            try:
                tie(work, found.deposits, found.remittances)
            except (DepositDiffers, DepositTaken):
                # A person was quicker than the rows that this was decided on; the next round reads them anew.
                return 0
            return 1

        return transact(
            self._store, context_for(found.deposits[0], self._clock()), decide, crash_point=self._crash_point
        )

    def _tell_differences(self, looked_at: Sequence[LooseDeposit], differences: Iterable[Difference]) -> None:
        """Opens a case for each deposit that differs, and ends those of deposits that no longer do."""
        off = {identity: one for one in differences for identity in one.deposits}
        known = self._store.rows(CASES, {"code": DIFFERS, "state": ["open", "assigned"]}, limit=CANDIDATES_MAX)
        told = {row["subject_id"]: str(row["summary"]) for row in known}
        for deposit in looked_at:
            identity, difference = deposit.deposit_id, off.get(deposit.deposit_id)
            now = _differs(deposit, difference) if difference else None
            if now is not None and now != told.get(identity):
                self._about(identity, partial(_tell_differs, deposit=deposit, told=now))
            elif now is None and identity in told:
                self._about(identity, partial(end_case, cause=identity, code=DIFFERS, reason=NO_LONGER))

    def _about(self, deposit_id: UUID, decide: Callable[[Work], None]) -> None:
        transact(self._store, context_for(deposit_id, self._clock()), decide)

    def _match_payouts(self) -> int:
        rows = _loose(self._store, DepositKind.PAYOUT, PAYOUTS, _UNTIED, "gateway_id", "announced_at")
        references = sorted({str(row["reference"]) for row in rows})
        if not references:
            return 0
        where: Where = {"gateway_id": references}
        payouts = {str(row["gateway_id"]): row for row in self._store.rows(PAYOUTS, where, limit=CANDIDATES_MAX)}
        pairs = [(row, payouts.get(str(row["reference"]))) for row in rows]
        fitting = [(row, payout) for row, payout in pairs if payout and _may_pay(row, payout)]
        return sum(self._tie_payout(row, _uuid(payout["payout_id"])) for row, payout in fitting)

    def _tie_payout(self, row: Row, payout_id: UUID) -> int:
        deposit_id = _uuid(row["deposit_id"])

        def decide(work: Work) -> int:
            deposit = work.require(Deposit, deposit_id)
            mark = work.mark()
            try:
                work.require(Payout, payout_id).match_deposit(deposit_id, deposit.amount)
                deposit.match(payout_id)
            except Refusal as refusal:
                work.roll_back(mark)
                _raise_about(work, deposit_id, refusal.code, str(refusal), deposit.entity, deposit.amount)
                return 0
            end_case(work, deposit_id, LOOSE_DEPOSIT, "the deposit has been matched")
            return 1

        return transact(self._store, context_for(deposit_id, self._clock()), decide, crash_point=self._crash_point)


class WithoutCounterpart:
    """Tells people of deposits without a remittance and remittances without a deposit, and books what nobody can name."""

    def __init__(
        self, store: EventStore, clock: Callable[[], datetime], loose_after: timedelta, undeposited_after: timedelta
    ) -> None:
        self._store = store
        self._clock = clock
        self._loose_after = loose_after
        self._undeposited_after = undeposited_after
        self._reported: set[UUID] = set()
        self._waiting: set[UUID] = set()

    def report_deposits(self) -> int:
        """Opens a case for every deposit that nothing explains after the time allowed; how many it looked at anew."""
        before = self._clock() - self._loose_after
        limit = len(self._reported) + PORTION_MAX
        rows = self._store.rows(DEPOSITS, {"matched_to": None}, order=("recorded_at",), limit=limit)
        self._reported &= {_uuid(row["deposit_id"]) for row in rows}
        due = [row for row in rows if _instant(row["recorded_at"]) <= before or _names_nothing(row)]
        due = [row for row in due if row["deposit_id"] not in self._reported]
        for row in due:
            deposit_id, amount = _uuid(row["deposit_id"]), Money(_int(row["amount_minor"]))
            told = (
                f"{amount} on {row['effective_date']}, reference {row['reference'] or 'none'}: "
                "no accepted remittance or payout explains it"
            )
            self._about(
                deposit_id,
                partial(
                    _raise_about,
                    deposit_id=deposit_id,
                    code=LOOSE_DEPOSIT,
                    summary=told,
                    entity=str(row["entity"]),
                    amount=amount,
                ),
            )
            self._reported.add(deposit_id)
        return len(due)

    def book_unidentified(self) -> int:
        """Books what has waited for too long as a receipt that nobody can name (J27); a payout is in the books by itself."""
        where: Where = {"matched_to": None, "booked_as": None, "kind": _NOBODYS}
        rows = self._store.rows(DEPOSITS, where, order=("recorded_at",), limit=PORTION_MAX)
        before = self._clock() - self._loose_after
        due = [_uuid(row["deposit_id"]) for row in rows if _instant(row["recorded_at"]) <= _waited(row, before)]
        for deposit_id in due:
            self._about(deposit_id, partial(_give_up_waiting, deposit_id=deposit_id))
        return len(due)

    def report_remittances(self) -> int:
        """Opens a case for every remittance whose money has not come in time; how many it looked at anew."""
        before = self._clock() - self._undeposited_after
        limit = len(self._waiting) + PORTION_MAX
        rows = self._store.rows(REMITTANCES, _UNPAID, order=("accepted_at",), limit=limit)
        self._waiting &= {_uuid(row["remittance_id"]) for row in rows}
        due = [row for row in rows if _instant(row["accepted_at"]) <= before]
        due = [row for row in due if row["remittance_id"] not in self._waiting]
        for row in due:
            self._about(_uuid(row["remittance_id"]), partial(_tell_undeposited, row=row))
            self._waiting.add(_uuid(row["remittance_id"]))
        return len(due)

    def _about(self, cause: UUID, decide: Callable[[Work], None]) -> None:
        transact(self._store, context_for(cause, self._clock()), decide)


def _names_nothing(deposit: Row) -> bool:
    """Whether no file will say more of it: the balance report has told of it, and named nothing."""
    return deposit["kind"] == DepositKind.OTHER.value and not _waits_for_report(deposit)


def _waits_for_report(deposit: Row) -> bool:
    """Whether a balance report may still say what an entry is that names nothing itself."""
    is_silent = deposit["kind"] == DepositKind.OTHER.value and deposit["source"] == DepositSource.NACHA.value
    return is_silent and deposit["told_again_by"] is None


def _waited(deposit: Row, before: datetime) -> datetime:
    """When it must have been recorded to be given up; what waits for its report waits as long as that may come later."""
    return before - timedelta(days=DAYS_APART_MAX) if _waits_for_report(deposit) else before


def _may_pay(deposit: Row, payout: Row) -> bool:
    """Whether it is looked at as the payout's deposit, or is the bank's debit of one that came back."""
    if _int(deposit["amount_minor"]) == -_int(payout["net_minor"]):
        return payout["state"] == "returned"
    return payout["deposit_id"] is None


def _tell_undeposited(work: Work, row: Row) -> None:
    remittance_id, amount = _uuid(row["remittance_id"]), Money(_int(row["payment_minor"]))
    where: Where = {"reference": row["trace_number"], "matched_to": None}
    seen = work.rows(DEPOSITS, where, order=("recorded_at",), limit=NAMED_IN_CASE_MAX)
    named = ", ".join(f"{Money(_int(one['amount_minor']))} on {one['effective_date']}" for one in seen)
    raise_case(
        work,
        remittance_id,
        code=UNDEPOSITED,
        summary=f"{row['payer']} says it paid {amount} on {row['effective_date']}, trace {row['trace_number']}: "
        f"{'the bank reports ' + named if named else 'no deposit names it'}",
        subject="remittance",
        subject_id=remittance_id,
        entity=str(row["entity"]),
        amount=amount,
    )


def _give_up_waiting(work: Work, deposit_id: UUID) -> None:
    work.require(Deposit, deposit_id).give_up_waiting()


def _loose(
    store: EventStore, kind: DepositKind, counterparts: Table, waiting: Where, column: str, since: str
) -> list[Row]:
    """Unmatched deposits to look at: the oldest, the newest, and those of the newest open counterparts.

    Deposits that nothing ever explains add up over the years, and must not keep later ones from being looked at:
    of a pair that belongs together, the half that comes last is always among the newest of its kind.
    """
    limit = PORTION_MAX * 5
    loose: Where = {"kind": kind.value, "matched_to": None}
    rows = store.rows(DEPOSITS, loose, order=("recorded_at",), limit=limit)
    if len(rows) == limit:
        rows += store.rows(DEPOSITS, loose, order=("-recorded_at",), limit=limit)
        newest = store.rows(counterparts, waiting, order=(f"-{since}",), limit=limit)
        named = sorted({str(row[column]) for row in newest})
        rows += store.rows(DEPOSITS, {**loose, "reference": named}, limit=limit)
    return list({row["deposit_id"]: row for row in rows}.values())


def _deposit_of(row: Row) -> LooseDeposit:
    further = str(row["further_references"] or "").split(TRACE_SEPARATOR)
    return LooseDeposit(
        deposit_id=_uuid(row["deposit_id"]),
        entity=str(row["entity"]),
        amount=Money(_int(row["amount_minor"])),
        traces=(str(row["reference"]), *filter(None, further)),
        originator=str(row["originator"] or ""),
    )


def _remittance_of(row: Row) -> WaitingRemittance:
    return WaitingRemittance(
        remittance_id=_uuid(row["remittance_id"]),
        entity=str(row["entity"]),
        payment=Money(_int(row["payment_minor"])),
        trace=str(row["trace_number"]),
        payer_identifier=str(row["payer_identifier"]),
    )


def _differs(deposit: LooseDeposit, difference: Difference) -> str:
    deposits, remittances = len(difference.deposits), len(difference.remittances)
    what = (
        f"{deposits} deposits minus {remittances} remittances"
        if deposits * remittances > 1
        else "deposit minus remittance"
    )
    return f"trace {', '.join(deposit.traces)}: {what} is {difference.residual}"


def _tell_differs(work: Work, deposit: LooseDeposit, told: str) -> None:
    case = work.get(ExceptionCase, case_id_of(deposit.deposit_id, DIFFERS))
    if case is None:
        _raise_about(work, deposit.deposit_id, DIFFERS, told, deposit.entity, deposit.amount)
    else:
        case.restate(told, deposit.amount)


def _raise_about(work: Work, deposit_id: UUID, code: str, summary: str, entity: str, amount: Money) -> None:
    raise_case(
        work,
        deposit_id,
        code=code,
        summary=summary,
        subject="deposit",
        subject_id=deposit_id,
        entity=entity,
        amount=amount,
    )


def _uuid(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value
