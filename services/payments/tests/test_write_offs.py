"""Write-offs give up what is owed and no more, with a second person above a limit, and bad debts that are paid come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from canonical.events.payments import PatientBalanceWrittenOff
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work, transact
from payments.application.patient_rows import ACCOUNTS
from payments.application.publishing import publish
from payments.application.sweeps import context_for
from payments.application.write_off_rows import PATIENT_WRITE_OFFS
from payments.application.write_offs import (
    approve_write_off,
    request_write_off,
    reverse_write_off,
    turn_write_off_down,
)
from payments.domain.account_refusals import MoreThanOwed, MoreThanWrittenOff
from payments.domain.patient_account import PatientAccount, WriteOffKind, account_id_of
from payments.domain.write_off import (
    NothingToWriteOff,
    NotWrittenOff,
    OtherAmountAsked,
    OtherWriteOff,
    OwnWriteOff,
    WriteOffDecided,
)

from .examples import CLAIM, DAY, ENCOUNTER, PATIENT
from .world import World, adjudication

ACCOUNT = account_id_of("NORTH", PATIENT)
ONE = derive("test-write-off", 1)
LATER = DAY + timedelta(days=30)


class Books(World):
    """Payments with a patient who owes 25.00 of one claim."""

    def __init__(self) -> None:
        super().__init__()
        self.deliver(adjudication(2500))

    def by(self, actor: str, decide: Callable[[Work], object]) -> None:
        context = context_for(ACCOUNT, self.clock())
        transact(self.store, replace(context, meta=context.meta.model_copy(update={"actor": actor})), decide)

    def ask(self, amount: int = 1000, kind: WriteOffKind = WriteOffKind.CHARITY, by: str = "clerk") -> None:
        self.by(
            by,
            lambda work: request_write_off(
                work, ONE, account_id=ACCOUNT, place=CLAIM, kind=kind, amount=Money(amount), reason="hardship"
            ),
        )

    def approve(self, amount: int = 1000, by: str = "lead") -> None:
        self.by(by, lambda work: approve_write_off(work, ONE, amount=Money(amount), limit=Money(500), on=LATER))

    def give_up(self, amount: int = 1000, kind: WriteOffKind = WriteOffKind.CHARITY) -> None:
        self.ask(amount, kind)
        self.approve(amount)

    def pay(self, amount: int, number: int = 1) -> None:
        self.on_account(
            lambda account: account.receive(
                entity="NORTH", patient_id=PATIENT, payment_id=derive("p", number), amount=Money(amount), on=LATER
            )
        )

    def on_account(self, change: Callable[[PatientAccount], object]) -> None:
        self.by("source", lambda work: change(work.require(PatientAccount, ACCOUNT)))

    def sums(self) -> tuple[int, ...]:
        """Owed, given up, applied, unapplied."""
        row = self.rows(ACCOUNTS)[0]
        names = ("responsibility_minor", "written_off_minor", "applied_minor", "unapplied_minor")
        return tuple(int(str(row[name])) for name in names)

    def announced(self) -> list[tuple[str, int]]:
        events = (event for logged in self.memory.log(0, 1000) for event in publish(logged.event))
        return [(e.kind, e.amount.minor) for e in events if isinstance(e, PatientBalanceWrittenOff)]


def test_what_one_person_asks_for_another_allows_above_the_limit() -> None:
    books = Books()
    books.ask()
    assert books.sums() == (2500, 0, 0, 0)
    with pytest.raises(OwnWriteOff):
        books.approve(by="clerk")
    with pytest.raises(OtherAmountAsked):
        books.approve(999)
    books.approve()
    assert books.sums() == (2500, 1000, 0, 0)
    assert books.announced() == [("charity", 1000)]
    with pytest.raises(WriteOffDecided):
        books.approve()
    (row,) = books.rows(PATIENT_WRITE_OFFS)
    assert (row["state"], row["stands_minor"], row["requested_by"], row["decided_by"]) == (
        "approved",
        1000,
        "clerk",
        "lead",
    )


def test_no_second_person_is_needed_up_to_the_limit() -> None:
    books = Books()
    books.ask(500)
    books.approve(500, by="clerk")
    assert books.sums() == (2500, 500, 0, 0)


def test_what_was_turned_down_is_not_given_up() -> None:
    books = Books()
    books.ask()
    books.by("clerk", lambda work: turn_write_off_down(work, ONE, "asked too early"))
    with pytest.raises(WriteOffDecided):
        books.approve()
    assert books.sums() == (2500, 0, 0, 0)
    assert [row["state"] for row in books.rows(PATIENT_WRITE_OFFS)] == ["turned-down"]


def test_the_same_request_again_is_one_and_another_under_its_id_is_refused() -> None:
    books = Books()
    books.ask()
    books.ask()
    assert len(books.rows(PATIENT_WRITE_OFFS)) == 1
    with pytest.raises(OtherWriteOff):
        books.ask(1100)


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_and_less_cannot_be_asked_for(amount: int) -> None:
    with pytest.raises(NothingToWriteOff):
        Books().ask(amount)


def test_no_more_is_given_up_than_is_owed_there() -> None:
    books = Books()
    with pytest.raises(MoreThanOwed):
        books.ask(2501)
    books.ask(2500)
    books.pay(1)
    with pytest.raises(MoreThanOwed):
        books.approve(2500)
    assert books.sums() == (2500, 0, 1, 0)


def reverse(books: Books, amount: int, number: int = 1) -> None:
    reversal = derive("test-reversal", number)
    books.by(
        "lead", lambda work: reverse_write_off(work, ONE, reversal, amount=Money(amount), reason="error", on=LATER)
    )


def test_a_reversal_has_it_owed_again_once_and_no_more_than_stands() -> None:
    books = Books()
    books.ask()
    with pytest.raises(NotWrittenOff):
        reverse(books, 100)
    books.approve()
    reverse(books, 400)
    reverse(books, 400)
    assert books.sums() == (2500, 600, 0, 0)
    with pytest.raises(MoreThanWrittenOff):
        reverse(books, 601, 2)
    assert [row["stands_minor"] for row in books.rows(PATIENT_WRITE_OFFS)] == [600]


def test_a_bad_debt_that_is_paid_after_all_is_owed_again_by_what_was_paid() -> None:
    books = Books()
    books.give_up(2000, WriteOffKind.BAD_DEBT)
    books.pay(800)
    assert books.sums() == (2500, 1700, 800, 0)
    assert books.announced() == [("bad-debt", 2000), ("bad-debt", -300)]
    books.pay(2000, 2)
    assert books.sums() == (2500, 0, 2500, 300)


def test_a_recovery_ends_with_the_payment_that_made_it() -> None:
    books = Books()
    books.give_up(2000, WriteOffKind.BAD_DEBT)
    books.pay(800)
    refund = {"reason": "return", "amount": Money(800), "on": LATER}
    books.on_account(lambda account: account.take_back(derive("p", 1), derive("back", 1), **refund))  # type: ignore[arg-type]
    assert books.sums() == (2500, 2000, 0, 0)


def test_charity_stays_given_where_the_patient_pays_more() -> None:
    books = Books()
    books.give_up(2000)
    books.pay(800)
    assert books.sums() == (2500, 2000, 500, 300)


def test_cash_set_aside_for_another_visit_recovers_no_bad_debt() -> None:
    books = Books()
    books.give_up(2500, WriteOffKind.BAD_DEBT)
    other = derive("test-encounter", 2)

    def deposit(account: PatientAccount) -> None:
        account.receive(entity="NORTH", patient_id=PATIENT, payment_id=derive("p", 1), amount=Money(700), on=LATER)
        account.allocate(derive("a", 1), derive("p", 1), target=other, amount=Money(600), on=LATER)

    books.on_account(deposit)
    assert books.sums() == (2500, 2400, 100, 600)


def test_a_write_off_lapses_where_the_share_is_taken_off_and_credits_no_other_visit() -> None:
    books = Books()
    books.give_up(1000)
    books.deliver(adjudication(-2500, 1, kind="reversal"))
    assert books.sums() == (0, 0, 0, 0)
    books.deliver(adjudication(700, 2, kind="correction"))
    assert books.sums() == (700, 700, 0, 0)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_what_stands_of_a_write_off_follows_from_the_facts_in_any_order(order: tuple[int, ...]) -> None:
    books = Books()
    books.give_up(2000, WriteOffKind.BAD_DEBT)
    other = derive("test-claim", 2)
    steps: list[Callable[[], None]] = [
        lambda: books.deliver(adjudication(-1000, 1, kind="reversal", partial=True)),
        lambda: books.deliver(adjudication(900, 2, claim_id=other, encounter_id=ENCOUNTER)),
        lambda: books.pay(1600),
        lambda: books.on_account(
            lambda account: (
                account.allocate(derive("a", 1), derive("p", 1), target=other, amount=Money(300), on=LATER)
                if derive("p", 1) in account.cash
                else None
            )
        ),
    ]
    for place in order:
        steps[place]()
    assert books.sums() == (2400, 800, 1600, 0)
