"""Which part of patients' shares is not expected to be paid: by the portfolios of master data, when a share arises and as it ages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from canonical.codes import PayerClass
from canonical.master_data import PriceConcession, UnknownMasterData
from chassis.eventstore import Above, EventStore, Row, Work, transact

from payments.application.patient_rows import ACCOUNTS
from payments.application.row_values import uuid_of
from payments.application.sweeps import context_for
from payments.domain.cash_spread import NOTHING, left_of_each
from payments.domain.patient_account import PatientAccount
from payments.domain.price_concession import NONE_EXPECTED, Expectation

PORTION = 200


class Portfolios(Protocol):
    """What is asked of master data: the rates, and the class of a payer."""

    @property
    def rows(self) -> Sequence[PriceConcession]: ...

    def class_of(self, payer: str, on: date) -> PayerClass | None: ...


class NoPortfolios:
    """Nothing is estimated."""

    rows: Sequence[PriceConcession] = ()

    def class_of(self, payer: str, on: date) -> PayerClass | None:
        return None


class MasterDataPortfolios:
    """The rates that two people released; without any, nothing is estimated."""

    def __init__(self, rows: Callable[[], Sequence[PriceConcession]], payer: Callable[[str, date], PayerClass]) -> None:
        self._rows = rows
        self._class_of = payer

    @property
    def rows(self) -> Sequence[PriceConcession]:
        return self._rows()

    def class_of(self, payer: str, on: date) -> PayerClass | None:
        try:
            return self._class_of(payer, on)
        except UnknownMasterData:
            return None


def expectation_of(
    rows: Iterable[PriceConcession], entity: str, payer_class: PayerClass | None, age_days: int, on: date
) -> Expectation:
    """The band of a portfolio that shares of this age are of on a day; nothing is expected to be left where there is none."""
    held = [
        row
        for row in rows
        if row.entity == entity
        and row.payer_class is payer_class
        and row.from_days <= max(age_days, 0)
        and row.holds_on(on)
    ]
    if not held:
        return NONE_EXPECTED
    band = max(held, key=lambda row: row.from_days)
    return Expectation(band.code, band.percent, band.from_days)


def estimate_new_share(account: PatientAccount, place: UUID, portfolios: Portfolios, on: date) -> None:
    """Expects of a share what its portfolio has shown, of the day on which it arose. Once something is expected of
    a place, only its ageing changes that, which knows the rates of today."""
    rows = portfolios.rows
    if not rows or place in account.expected:
        return
    since = _since(account, place)
    found = expectation_of(rows, account.entity, _class_at(account, place, portfolios, since), 0, since)
    account.expect_concession(place, found, on)


class ConcessionAgeing:
    """Once a day, and when the rates change: what is open is expected to be paid as the rates of today say for its age."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], portfolios: Portfolios) -> None:
        self._store = store
        self._clock = clock
        self._portfolios = portfolios
        self._done: tuple[date, tuple[PriceConcession, ...]] | None = None

    def run(self) -> int:
        """Looks at every account that owes; of how many the expectation changed."""
        today, rates = self._clock().date(), tuple(self._portfolios.rows)
        if not rates or self._done == (today, rates):
            return 0
        changed = sum(self._follow(ids, today) for ids in self._portions())
        self._done = (today, rates)
        return changed

    def _portions(self) -> Iterator[list[UUID]]:
        last: Row | None = None
        where = {"owed_minor": Above.ZERO}
        while page := self._store.rows(ACCOUNTS, where, order=("account_id",), limit=PORTION, after=last):
            yield [uuid_of(row["account_id"]) for row in page]
            last = page[-1]

    def _follow(self, ids: Sequence[UUID], today: date) -> int:
        def decide(work: Work) -> int:
            work.prefetch(ids)
            return sum(self._age(work.require(PatientAccount, each), today) for each in ids)

        return transact(self._store, context_for(ids[0], self._clock()), decide)

    def _age(self, account: PatientAccount, today: date) -> int:
        before = account.version
        for place, left in left_of_each(account.entries, account.parts).items():
            since = _since(account, place)
            if left <= NOTHING or since > today:
                continue
            payer_class = _class_at(account, place, self._portfolios, today)
            if payer_class is not None:
                age = (today - since).days
                found = expectation_of(self._portfolios.rows, account.entity, payer_class, age, today)
                account.expect_concession(place, found, today)
        return int(account.version != before)


def _since(account: PatientAccount, place: UUID) -> date:
    return min(owed.on for owed in account.owed.values() if owed.place == place)


def _class_at(account: PatientAccount, place: UUID, portfolios: Portfolios, on: date) -> PayerClass | None:
    """The class of the payer that left the share; self-pay where none did. What came by a transfer keeps its portfolio."""
    sources = [source for source, owed in account.owed.items() if owed.place == place]
    words = [account.words[source] for source in sources if source in account.words]
    if words:
        return portfolios.class_of(min(words, key=lambda word: word.sequence).payer, on)
    is_self_pay = any(owed.place == place == owed.encounter_id for owed in account.owed.values())
    return PayerClass.SELF_PAY if is_self_pay else None
