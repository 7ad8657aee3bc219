"""What patients are not expected to pay is allowed for by portfolio, and nothing of it is left once an account is settled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from canonical.codes import PayerClass
from canonical.events.payments import PatientBalanceWrittenOff, PriceConcessionMoved
from canonical.ids import derive
from canonical.master_data import PriceConcession
from canonical.money import Money
from chassis.domain import ContextSource
from chassis.eventstore import Work, transact
from chassis.testing.contexts import context
from hypothesis import given
from hypothesis import strategies as st
from payments.application import price_concessions
from payments.application.patient_rows import ACCOUNTS
from payments.application.price_concessions import MasterDataPortfolios, expectation_of
from payments.application.publishing import publish
from payments.application.transfers import make_transfer
from payments.domain.account_transfer import Moved, TransferOf
from payments.domain.cash_spread import left_of_each
from payments.domain.patient_account import PatientAccount, TakenBack, WriteOffKind, account_id_of
from payments.domain.price_concession import NONE_EXPECTED, Expectation, not_expected

from .examples import CLAIM, DAY, ENCOUNTER, PATIENT
from .test_front_desk import charged, paid
from .world import World, adjudication, delivery

ACCOUNT = account_id_of("NORTH", PATIENT)
CHILD = derive("test-patient", 2)
OTHER_CLAIM = derive("test-claim", 2)
LATER = DAY + timedelta(days=10)


def rate(percent: int, payer_class: PayerClass, from_days: int = 0, **changes: object) -> PriceConcession:
    row = PriceConcession(
        code=f"{payer_class}-{from_days}", entity="NORTH", payer_class=payer_class, from_days=from_days, percent=percent
    )
    return row.model_copy(update=changes)


RATES = [
    rate(20, PayerClass.COMMERCIAL),
    rate(60, PayerClass.SELF_PAY),
    rate(80, PayerClass.SELF_PAY, 90),
    rate(95, PayerClass.SELF_PAY, 180),
]


class Estimating(World):
    """Payments with rates that two people released; the test may change them."""

    def __init__(self) -> None:
        self.rates = list(RATES)
        super().__init__(portfolios=MasterDataPortfolios(lambda: self.rates, lambda payer, on: PayerClass.COMMERCIAL))

    def allowance(self) -> int:
        (row,) = self.rows(ACCOUNTS, account_id=ACCOUNT)
        return int(str(row["allowance_minor"] or 0))

    def change(self, decide: Callable[[PatientAccount], object]) -> None:
        transact(self.store, context(now=self.clock()), lambda work: decide(work.require(PatientAccount, ACCOUNT)))

    def give_up(self, kind: WriteOffKind, amount: int, place: UUID = CLAIM) -> None:
        self.change(
            lambda account: account.write_off(derive("w", kind), kind=kind, place=place, amount=Money(amount), on=DAY)
        )

    def announced(self) -> list[tuple[str, int]]:
        told = [public for logged in self.memory.log(0, 1000) for public in publish(logged.event)]
        return [
            (each.kind if isinstance(each, PatientBalanceWrittenOff) else "allowance", each.amount.minor)
            for each in told
            if isinstance(each, PatientBalanceWrittenOff | PriceConcessionMoved)
        ]


def test_without_rates_nothing_is_estimated() -> None:
    world = World()
    world.deliver(adjudication(2500), delivery(charged(8000), ENCOUNTER))
    world.sweep()
    (row,) = world.rows(ACCOUNTS)
    assert not row["allowance_minor"]
    assert not [each for logged in world.memory.log(0, 100) if "concession" in (each := logged.event.TOPIC)]


def test_a_share_is_estimated_by_its_portfolio_when_it_arises() -> None:
    world = Estimating()
    world.deliver(adjudication(2500))
    assert (world.allowance(), world.announced()) == (500, [("allowance", 500)])
    other = Estimating()
    other.deliver(delivery(charged(8000), ENCOUNTER))
    assert other.allowance() == 4800


@pytest.mark.parametrize(("paid_now", "left"), [(1000, 500), (2000, 500), (2200, 300), (2500, 0), (3000, 0)])
def test_what_is_paid_trues_it_up_once_less_is_open_than_was_not_expected(paid_now: int, left: int) -> None:
    world = Estimating()
    world.deliver(adjudication(2500), paid(paid_now))
    assert world.allowance() == left


@pytest.mark.parametrize(
    ("given_up", "left"),
    [
        ([(WriteOffKind.CHARITY, 2500)], 0),
        ([(WriteOffKind.BAD_DEBT, 2500)], 0),
        ([(WriteOffKind.SMALL_BALANCE, 2100)], 400),
        ([(WriteOffKind.PRICE_CONCESSION, 500)], 0),
        ([(WriteOffKind.PRICE_CONCESSION, 200)], 300),
        ([(WriteOffKind.PRICE_CONCESSION, 500), (WriteOffKind.BAD_DEBT, 2000)], 0),
    ],
)
def test_a_concession_that_is_given_uses_the_allowance_and_other_reasons_do_not(
    given_up: list[tuple[WriteOffKind, int]], left: int
) -> None:
    world = Estimating()
    world.deliver(adjudication(2500))
    for kind, amount in given_up:
        world.give_up(kind, amount)
    assert world.allowance() == left
    assert [each for each in world.announced() if each[0] != "allowance"] == [(k.value, a) for k, a in given_up]


def test_charity_concession_and_bad_debt_are_three_lines_of_one_balance() -> None:
    world = Estimating()
    world.deliver(adjudication(2500))
    for kind, amount in (
        (WriteOffKind.CHARITY, 1000),
        (WriteOffKind.PRICE_CONCESSION, 500),
        (WriteOffKind.BAD_DEBT, 1000),
    ):
        world.give_up(kind, amount)
    assert world.announced() == [
        ("allowance", 500),
        ("charity", 1000),
        ("price-concession", 500),
        ("allowance", -500),
        ("bad-debt", 1000),
    ]


def test_a_balance_that_ages_is_of_the_next_band_of_its_portfolio() -> None:
    world = Estimating()
    world.deliver(delivery(charged(8000), ENCOUNTER))
    for days, wanted in ((0, 4800), (89, 4800), (1, 6400), (90, 7600)):
        world.clock.advance(days=days)
        world.sweep()
        assert world.allowance() == wanted, days
    assert [amount for _, amount in world.announced()] == [4800, 1600, 1200]


def test_rates_that_change_are_followed_and_a_rate_holds_on_its_days_only() -> None:
    world = Estimating()
    world.deliver(adjudication(2500))
    world.rates = [rate(40, PayerClass.COMMERCIAL, valid_from=DAY + timedelta(days=10))]
    world.sweep()
    assert world.allowance() == 0
    world.clock.advance(days=10)
    world.sweep()
    world.sweep()
    assert (world.allowance(), world.announced()) == (
        1000,
        [("allowance", 500), ("allowance", -500), ("allowance", 1000)],
    )


def test_the_next_word_on_a_claim_leaves_what_new_rates_have_made_of_its_share() -> None:
    world = Estimating()
    world.rates = [rate(0, PayerClass.COMMERCIAL, valid_until=DAY), rate(40, PayerClass.COMMERCIAL, valid_from=LATER)]
    world.deliver(adjudication(2500))
    world.clock.advance(days=10)
    world.sweep()
    world.deliver(adjudication(500, 1, effective_date=LATER))
    for _ in range(3):
        world.sweep()
        world.clock.advance(days=1)
    assert world.announced() == [("allowance", 1000), ("allowance", 200)]


def test_more_accounts_than_one_page_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_concessions, "PORTION", 2)
    world = Estimating()
    people = [(number, derive("aged-patient", number), derive("aged-claim", number)) for number in range(5)]
    world.deliver(*(adjudication(1000, number, patient_id=who, claim_id=claim) for number, who, claim in people))
    world.rates = [rate(40, PayerClass.COMMERCIAL)]
    world.sweep()
    assert [row["allowance_minor"] for row in world.rows(ACCOUNTS)] == [400] * 5


def test_a_share_that_moves_to_another_account_takes_its_expectation_along() -> None:
    world = Estimating()
    world.deliver(adjudication(2500), adjudication(700, 1, patient_id=CHILD, claim_id=OTHER_CLAIM))

    def decide(work: Work) -> None:
        wanted = TransferOf(Moved.SHARE, CLAIM, ACCOUNT, account_id_of("NORTH", CHILD), Money(2500))
        make_transfer(work, derive("t", 1), wanted, "answers for it", DAY)

    transact(world.store, context(), decide)
    for _ in range(2):
        rows = {row["account_id"]: row["allowance_minor"] for row in world.rows(ACCOUNTS)}
        assert (rows[ACCOUNT], rows[account_id_of("NORTH", CHILD)]) == (0, 640)
        world.clock.advance(days=30)
        world.sweep()


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_allowance_is_the_same_whatever_came_first(order: tuple[int, ...]) -> None:
    world = Estimating()
    later = DAY + timedelta(days=120)
    messages = [
        adjudication(2500),
        adjudication(-2500, 1, effective_date=later),
        adjudication(3100, 2, effective_date=later),
        paid(700),
    ]
    world.deliver(*(messages[place] for place in order))
    assert world.allowance() == 620


@pytest.mark.parametrize(
    ("entity", "payer_class", "age", "on", "percent"),
    [
        ("NORTH", PayerClass.SELF_PAY, 0, DAY, 60),
        ("NORTH", PayerClass.SELF_PAY, 89, DAY, 60),
        ("NORTH", PayerClass.SELF_PAY, 90, DAY, 80),
        ("NORTH", PayerClass.SELF_PAY, 999, DAY, 95),
        ("NORTH", PayerClass.MEDICARE, 0, DAY, 0),
        ("SOUTH", PayerClass.SELF_PAY, 0, DAY, 0),
        ("NORTH", PayerClass.SELF_PAY, 0, date(1999, 12, 31), 0),
    ],
)
def test_which_band_of_which_portfolio(entity: str, payer_class: PayerClass, age: int, on: date, percent: int) -> None:
    assert expectation_of(RATES, entity, payer_class, age, on).percent == percent


@pytest.mark.parametrize(
    ("share", "percent", "expected"), [(1, 50, 1), (1, 49, 0), (333, 20, 67), (100, 0, 0), (7, 100, 7)]
)
def test_half_a_cent_is_not_expected(share: int, percent: int, expected: int) -> None:
    assert not_expected(Money(share), percent) == Money(expected)


PLACES = [derive("place", number) for number in range(3)]
FACTS = st.lists(
    st.tuples(
        st.sampled_from(["owe", "pay", "take", "expect", *WriteOffKind]),
        st.integers(0, 2),
        st.integers(1, 3000),
        st.integers(0, 100),
    ),
    max_size=14,
)


def _settle(account: PatientAccount) -> None:
    left = account.balance
    if left.minor > 0:
        _receive(account, derive("last"), left)


def _receive(account: PatientAccount, payment_id: UUID, amount: Money) -> None:
    account.receive(entity="NORTH", patient_id=PATIENT, payment_id=payment_id, amount=amount, on=DAY)


def _happen(account: PatientAccount, number: int, what: str, place: UUID, minor: int, percent: int) -> None:
    identity, amount = derive("fact", number), Money(minor)
    whose = {"entity": "NORTH", "patient_id": PATIENT, "source_id": identity, "claim_id": place}
    if what == "owe":
        signed = amount if percent > 20 else -amount
        account.assign(**whose, encounter_id=place, amount=signed, on=DAY + timedelta(days=percent))  # type: ignore[arg-type]
    elif what == "pay":
        _receive(account, identity, amount)
    elif what == "take" and account.cash:
        account.take_back(next(iter(account.cash)), identity, reason=TakenBack.REFUND, amount=amount, on=DAY)
    elif what == "expect" and any(owed.place == place for owed in account.owed.values()):
        account.expect_concession(place, Expectation("P", percent), DAY)
    elif what in set(WriteOffKind) and Money(0) < (part := min(amount, account.open_at(place))):
        is_owed = any(owed.place == place for owed in account.owed.values())
        if is_owed:
            account.write_off(identity, kind=WriteOffKind(what), place=place, amount=part, on=DAY)


@given(FACTS)
def test_the_allowance_is_never_more_than_is_open_and_nothing_once_the_account_is_settled(
    facts: list[tuple[str, int, int, int]],
) -> None:
    account = PatientAccount(ACCOUNT, ContextSource(context()))
    for number, (what, place, minor, percent) in enumerate(facts):
        if what in ("owe", "pay") or account.exists:
            _happen(account, number, what, PLACES[place], minor, percent)
        left = left_of_each(account.entries, account.parts)
        for where, allowed in account.allowances.items():
            assert Money(0) <= allowed <= max(Money(0), left[where])
            assert allowed == Money(0) or account.expected[where] != NONE_EXPECTED
    if account.exists:
        _settle(account)
        assert account.balance <= Money(0)
        assert not any(account.allowances.values())
