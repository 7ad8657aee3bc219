"""Payments that nobody could match at first: matched by themselves once what they name is there, or shown to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from chassis.domain import Refusal
from chassis.eventstore import EventStore, Row, Table, Work, transact

from payments.application.patient_rows import ACCOUNTS, ACTIVITY, PAYMENTS
from payments.application.row_values import int_of, uuid_of
from payments.application.sweeps import context_for
from payments.application.use_cases import match_payment
from payments.domain.payment import Payment
from payments.domain.payment_matching import Candidate, Clue, Trail, candidates, certain

WAITING_MAX = 10_000
LOOK_UP_MAX = 1_000
CANDIDATES_MAX = 20
_NAMED = ("named_account_id", "named_patient_id", "named_encounter_id")


class PaymentMatcher:
    """Matches payments that name an account, a patient or a visit which was not known when they came."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._refused: set[UUID] = set()

    def match(self) -> int:
        """Matches what can be matched without a doubt; how many payments found their account."""
        waiting = self._store.rows(
            PAYMENTS,
            {"account_id": None, "state": "succeeded"},
            order=("-effective_date", "payment_id"),
            limit=WAITING_MAX,
        )
        named = [row for row in waiting if any(row[name] for name in _NAMED)]
        return sum(self._match_portion(named[at : at + LOOK_UP_MAX]) for at in range(0, len(named), LOOK_UP_MAX))

    def _match_portion(self, rows: Sequence[Row]) -> int:
        trails = _named_trails(self._store, rows)
        done = 0
        for row in rows:
            payment_id = uuid_of(row["payment_id"])
            found = certain(candidates(trails[payment_id]), str(row["entity"]))
            if found is not None and payment_id not in self._refused:
                done += self._tie(payment_id, found)
        return done

    def _tie(self, payment_id: UUID, found: Candidate) -> int:
        def decide(work: Work) -> int:
            payment = work.require(Payment, payment_id)
            match_payment(work, payment_id, found.account_id, payment.on, f": {'; '.join(found.reasons)}")
            return 1

        try:
            return transact(self._store, context_for(payment_id, self._clock()), decide)
        except Refusal:
            # A person has matched it meanwhile; its case, where there is one still, stays theirs.
            self._refused.add(payment_id)
            return 0


def candidates_of(store: EventStore, payment: Row) -> list[Candidate]:
    """The accounts that an unmatched payment may belong to, the likeliest first: what a person chooses from."""
    trails = _named_trails(store, [payment])[uuid_of(payment["payment_id"])]
    return candidates([*trails, *_trails_by_amount(store, payment)])[:CANDIDATES_MAX]


def _named_trails(store: EventStore, rows: Sequence[Row]) -> dict[UUID, list[Trail]]:
    """By payment, the accounts that it names in one way or another."""
    accounts = _by(store, ACCOUNTS, "account_id", (row["named_account_id"] for row in rows))
    of_patients = _by(store, ACCOUNTS, "patient_id", (row["named_patient_id"] for row in rows))
    visits = _by(store, ACTIVITY, "encounter_id", (row["named_encounter_id"] for row in rows))
    of_visits = _by(store, ACCOUNTS, "account_id", {line["account_id"] for lines in visits.values() for line in lines})
    found: dict[UUID, list[Trail]] = {}
    for row in rows:
        owing = {line["account_id"] for line in visits.get(row["named_encounter_id"], ())}
        entity = row["entity"]
        found[uuid_of(row["payment_id"])] = [
            *_trails(Clue.ACCOUNT_NAMED, accounts.get(row["named_account_id"], ())),
            *_trails(Clue.VISIT_NAMED, (each for one in owing for each in of_visits.get(one, ()))),
            *_trails(
                Clue.PATIENT_NAMED,
                (each for each in of_patients.get(row["named_patient_id"], ()) if each["entity"] == entity),
            ),
        ]
    return found


def _trails_by_amount(store: EventStore, payment: Row) -> Iterator[Trail]:
    """Accounts of the payment's entity that owe its amount, or one of whose shares it is."""
    amount = {"kind": "responsibility", "amount_minor": payment["amount_minor"]}
    lines = store.rows(ACTIVITY, amount, order=("-effective_date",), limit=LOOK_UP_MAX)
    sharing = _by(store, ACCOUNTS, "account_id", {line["account_id"] for line in lines})
    for rows in sharing.values():
        ours = [row for row in rows if row["entity"] == payment["entity"]]
        yield from _trails(Clue.ONE_SHARE_OF_THE_AMOUNT, ours)
        exact = [row for row in ours if _owed(row) == payment["amount_minor"]]
        yield from _trails(Clue.OWES_THE_AMOUNT, exact)


def _owed(account: Row) -> int:
    names = ("written_off_minor", "applied_minor")
    return int_of(account["responsibility_minor"]) - sum(int_of(account[name] or 0) for name in names)


def _trails(clue: Clue, accounts: Iterable[Row]) -> list[Trail]:
    return [Trail(clue, uuid_of(row["account_id"]), str(row["entity"])) for row in accounts]


def _by(store: EventStore, table: Table, column: str, wanted: Iterable[object]) -> dict[object, list[Row]]:
    ids = sorted({each for each in wanted if each is not None}, key=str)
    found: dict[object, list[Row]] = {}
    if ids:
        for row in store.rows(table, {column: ids}, limit=WAITING_MAX):
            found.setdefault(row[column], []).append(row)
    return found
