"""What payments answers about accounts: at any date, as known at any time, line by line; and cash that pays nothing."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from typing import cast

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.payments.v1 import patient_accounts_pb2 as pb
from billing.payments.v1 import payments_pb2
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import transact
from chassis.rpc import BadArgument, NotThere
from chassis.telemetry.correlation import caused_by, incoming
from payments.adapters.grpc_accounts import PatientAccounts
from payments.adapters.grpc_statements import Document, Documents
from payments.application.account_history import Moment, accounts_at
from payments.application.patient_rows import ACCOUNTS
from payments.application.sweeps import context_for
from payments.domain.card_numbers import CardNumberSeen
from payments.domain.gateway_facts import PaymentArrived
from payments.domain.patient_account import PatientAccount, TakenBack, WriteOffKind
from payments.domain.payment import payment_id_of
from payments.domain.refunds import ToldState
from payments.domain.write_off import OwnWriteOff

from .examples import CLAIM, DAY, ENCOUNTER, PATIENT
from .test_patient_money import ACCOUNT, PAYMENT, Told, arrived, refund
from .world import adjudication

NO_CONTEXT = cast(grpc.ServicerContext, None)
OTHER_CLAIM = derive("test-claim", 2)


DOCUMENTS = Documents(
    {"text": Document("text/plain", lambda said, name: f"{name}: {said.balance}".encode())},
    lambda: {"NORTH": "North Clinic"},
)


def usd(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency="USD")


class Asked(Told):
    """A patient who owes 25.00 since the first day, and what is asked about it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = PatientAccounts(self.core, lambda: DAY + timedelta(days=30), Money(300), DOCUMENTS)

    def balance(self, **request: str) -> pb.GetBalanceResponse:
        wanted = request if "patient_id" in request else {"account_id": str(ACCOUNT), **request}
        return self.calls.GetBalance(pb.GetBalanceRequest(**wanted), NO_CONTEXT)

    def pay(self, gateway_id: str, amount: int) -> None:
        """A payment that names no account of ours."""
        self.tell(PaymentArrived(gateway_id, Money(amount), DAY, "NORTH", None))

    def write_off(self, amount: int) -> None:
        self.change(
            lambda work: work.require(PatientAccount, ACCOUNT).write_off(
                derive("test-write-off", amount), kind=WriteOffKind.CHARITY, place=CLAIM, amount=Money(amount), on=DAY
            )
        )


def sums(told: pb.AccountBalance) -> tuple[int, int, int, int, int]:
    """Responsibility, written off, applied, unapplied and balance, in cents."""
    account = told.account
    parts = (account.responsibility, account.written_off, account.applied, account.unapplied, account.balance)
    responsibility, written_off, applied, unapplied, balance = (part.minor for part in parts)
    return responsibility, written_off, applied, unapplied, balance


@pytest.fixture
def world() -> Asked:
    """25.00 owed and paid with 30.00 on the first day; 10.00 of it refunded a day later; 5.00 forgiven."""
    made = Asked()
    made.tell(arrived(3000), refund(ToldState.SUCCEEDED, 1000))
    made.write_off(400)
    return made


def test_a_balance_is_told_with_everything_that_makes_it_up(world: Asked) -> None:
    told = world.balance()
    (account,) = told.accounts
    assert sums(account) == (2500, 400, 2000, 0, 100)
    assert told.balance.minor == 100
    (place,) = account.places
    assert (place.place, place.encounter_id, place.open.minor) == (str(CLAIM), str(ENCOUNTER), 100)
    (cash,) = account.cash
    assert (cash.amount.minor, cash.unapplied.minor) == (2000, 0)
    assert [(part.place, part.amount.minor) for part in cash.parts] == [(str(CLAIM), 2000)]
    lines = [(line.kind, line.amount.minor) for line in account.lines]
    assert lines == [("responsibility", 2500), ("payment", -3000), ("refund", 1000), ("charity", -400)]
    assert all(line.recorded_at for line in account.lines)


def test_the_balance_now_is_the_one_of_the_read_model(world: Asked) -> None:
    (row,) = world.rows(ACCOUNTS)
    (account,) = world.balance().accounts
    columns = ("responsibility_minor", "written_off_minor", "applied_minor", "unapplied_minor")
    assert sums(account)[:4] == tuple(row[column] for column in columns)


def test_a_balance_as_of_a_day_leaves_out_what_is_dated_later(world: Asked) -> None:
    (account,) = world.balance(as_of=DAY.isoformat()).accounts
    assert sums(account) == (2500, 400, 2100, 900, 0)


def test_a_payment_dated_before_the_debt_it_pays_waits_until_then() -> None:
    world = Asked()
    world.deliver(adjudication(1000, 1, claim_id=OTHER_CLAIM, effective_date=DAY + timedelta(days=9)))
    world.tell(arrived(3000))
    (then,) = world.balance(as_of=(DAY + timedelta(days=5)).isoformat()).accounts
    assert sums(then) == (2500, 0, 2500, 500, 0)
    (later,) = world.balance(as_of=(DAY + timedelta(days=9)).isoformat()).accounts
    assert sums(later) == (3500, 0, 3000, 0, 500)


def test_a_balance_as_known_at_an_instant_leaves_out_what_came_later() -> None:
    world = Asked()
    before = world.clock()
    world.clock.advance(hours=1)
    world.tell(arrived(3000))
    assert sums(world.balance(known_at=before.isoformat()).accounts[0]) == (2500, 0, 0, 0, 2500)
    assert sums(world.balance(known_at=world.clock().isoformat()).accounts[0]) == (2500, 0, 2500, 500, 0)
    with pytest.raises(NotThere):
        world.balance(known_at=(before - timedelta(seconds=1)).isoformat())


def test_a_refund_dated_before_its_payment_takes_nothing_until_then() -> None:
    world = Asked()
    world.tell(arrived(3000), refund(ToldState.SUCCEEDED, 1000))
    moment = Moment(DAY - timedelta(days=1), world.clock())
    assert accounts_at(world.store, [ACCOUNT], moment) == []
    transact(
        world.store,
        context_for(PAYMENT, world.clock()),
        lambda work: _take_back_early(work.require(PatientAccount, ACCOUNT), DAY - timedelta(days=1)),
    )
    assert accounts_at(world.store, [ACCOUNT], moment) == []


def _take_back_early(account: PatientAccount, on: date) -> None:
    account.take_back(PAYMENT, derive("early"), reason=TakenBack.REFUND, amount=Money(100), on=on)


def test_what_lapsed_of_a_write_off_before_it_was_granted_is_left_out(world: Asked) -> None:
    granted = DAY + timedelta(days=20)
    write_off_id = derive("test-write-off", "late")
    world.deliver(adjudication(1000, 1, claim_id=OTHER_CLAIM))
    world.change(
        lambda work: work.require(PatientAccount, ACCOUNT).write_off(
            write_off_id, kind=WriteOffKind.SMALL_BALANCE, place=OTHER_CLAIM, amount=Money(1000), on=granted
        )
    )
    world.deliver(adjudication(-1000, 2, claim_id=OTHER_CLAIM, effective_date=DAY + timedelta(days=10)))
    (then,) = world.balance(as_of=(DAY + timedelta(days=15)).isoformat()).accounts
    assert (sums(then)[0], sums(then)[1], sums(then)[4]) == (2500, 400, 100)
    (later,) = world.balance().accounts
    assert (sums(later)[1], sums(later)[4]) == (400, 100)


def test_a_person_is_asked_for_over_all_their_accounts(world: Asked) -> None:
    world.deliver(adjudication(700, 2, entity="SOUTH"))
    told = world.balance(patient_id=str(PATIENT))
    assert [each.account.entity for each in told.accounts] == ["NORTH", "SOUTH"]
    assert (told.balance.minor, told.person_id) == (800, str(PATIENT))


@pytest.mark.parametrize(
    "request_fields",
    [
        {"patient_id": str(PATIENT), "account_id": str(ACCOUNT)},
        {"as_of": "2026-02-30"},
        {"known_at": "2026-03-02T09:00:00"},
        {"known_at": "yesterday"},
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_field(world: Asked, request_fields: dict[str, str]) -> None:
    with pytest.raises(BadArgument):
        world.balance(**request_fields)


def test_activity_comes_page_by_page_each_line_once(world: Asked) -> None:
    whole = world.calls.ListActivity(pb.ListActivityRequest(account_id=str(ACCOUNT)), NO_CONTEXT)
    assert len(whole.activity) == 5
    assert whole.next_page_token == ""
    paged: list[payments_pb2.Activity] = []
    token = ""
    for _ in range(10):
        request = pb.ListActivityRequest(account_id=str(ACCOUNT), page_size=2, page_token=token)
        page = world.calls.ListActivity(request, NO_CONTEXT)
        paged += page.activity
        token = page.next_page_token
        if not token:
            break
    assert paged == list(whole.activity)


def test_the_lines_of_one_cause_name_their_account(world: Asked) -> None:
    request = pb.ListActivityRequest(source_id=str(PAYMENT))
    told = world.calls.ListActivity(request, NO_CONTEXT).activity
    assert [(line.account_id, line.kind) for line in told] == [(str(ACCOUNT), "payment"), (str(ACCOUNT), "application")]
    with pytest.raises(BadArgument):
        world.calls.ListActivity(pb.ListActivityRequest(), NO_CONTEXT)


def test_an_account_that_nobody_knows_has_no_activity(world: Asked) -> None:
    with pytest.raises(NotThere):
        world.calls.ListActivity(pb.ListActivityRequest(account_id=str(CLAIM)), NO_CONTEXT)


def unapplied(world: Asked, **request: object) -> pb.ListUnappliedResponse:
    return world.calls.ListUnapplied(pb.ListUnappliedRequest(**request), NO_CONTEXT)  # type: ignore[arg-type]


def test_cash_that_pays_nothing_is_listed_with_its_age_and_why() -> None:
    world = Asked()
    world.tell(arrived(3000))
    world.pay("pi_2", 700)
    told = unapplied(world)
    listed = [(each.payment_id, each.account_id, each.amount.minor, each.age_days, each.why) for each in told.unapplied]
    assert sorted(listed) == sorted(
        [
            (str(PAYMENT), str(ACCOUNT), 500, 30, "nothing-owed"),
            (str(payment_id_of("pi_2")), "", 700, 30, "unclaimed"),
        ]
    )
    assert (told.total.minor, told.count) == (1200, 2)
    assert [each.amount.minor for each in unapplied(world, only_unclaimed=True).unapplied] == [700]
    assert [each.amount.minor for each in unapplied(world, account_id=str(ACCOUNT)).unapplied] == [500]
    assert unapplied(world, entity="SOUTH").count == 0


def test_cash_that_pays_something_is_unapplied_no_more() -> None:
    world = Asked()
    world.tell(arrived(3000))
    world.deliver(adjudication(500, 1, claim_id=OTHER_CLAIM))
    assert unapplied(world).count == 0


def allocate(world: Asked, amount: int, name: str = "knee", target: object = OTHER_CLAIM) -> pb.AllocateResponse:
    request = pb.AllocateRequest(
        account_id=str(ACCOUNT), allocation=name, payment_id=str(PAYMENT), target=str(target), amount=usd(amount)
    )
    with caused_by(incoming("user:ann", None, None)):
        return world.calls.Allocate(request, NO_CONTEXT)


def test_cash_set_aside_pays_its_place_alone_until_that_is_ended() -> None:
    world = Asked()
    world.tell(arrived(3000))
    done = allocate(world, 1000)
    assert (done.unapplied.minor, done.account.balance.minor) == (1000, 500)
    assert [each.why for each in unapplied(world).unapplied] == ["set-aside"]
    (account,) = world.balance().accounts
    assert [(each.target, each.amount.minor) for each in account.cash[0].allocations] == [(str(OTHER_CLAIM), 1000)]
    assert allocate(world, 0).account.balance.minor == 0


def test_an_allocation_does_not_carry_a_card_number() -> None:
    world = Asked()
    world.tell(arrived(3000))
    with pytest.raises(CardNumberSeen):
        allocate(world, 1000, "4242 4242 4242 4242")


def test_a_statement_has_the_numbers_of_the_balance_and_its_document(world: Asked) -> None:
    request = pb.GetStatementRequest(account_id=str(ACCOUNT), format="text")
    said = world.calls.GetStatement(request, NO_CONTEXT)
    balance = world.balance().balance
    assert (said.balance, said.adds_up, said.as_of) == (balance, True, (DAY + timedelta(days=30)).isoformat())
    assert (said.document, said.media_type) == (b"North Clinic: 1.00 USD", "text/plain")
    (visit,) = said.visits
    assert (visit.share.minor, visit.given_up.minor, visit.paid.minor, visit.open.minor) == (2500, 400, 2000, 100)
    assert all(line.explanation for line in said.lines)


def test_a_statement_of_nobody_or_in_an_unknown_form_is_refused(world: Asked) -> None:
    with pytest.raises(NotThere):
        world.calls.GetStatement(pb.GetStatementRequest(account_id=str(CLAIM)), NO_CONTEXT)
    with pytest.raises(BadArgument, match=r"^format"):
        world.calls.GetStatement(pb.GetStatementRequest(account_id=str(ACCOUNT), format="docx"), NO_CONTEXT)


def as_user(name: str) -> contextlib.AbstractContextManager[object]:
    return caused_by(incoming(f"user:{name}", None, None))


def ask_write_off(world: Asked, amount: int, key: str = "hardship-1", **changes: str) -> pb.WriteOff:
    fields = {"place": str(CLAIM), "kind": "charity", "reason": "hardship, form 7", **changes}
    request = pb.RequestWriteOffRequest(account_id=str(ACCOUNT), idempotency_key=key, amount=usd(amount), **fields)
    with as_user("ann"):
        return world.calls.RequestWriteOff(request, NO_CONTEXT).write_off


def approve_write_off(world: Asked, asked: pb.WriteOff, by: str, **changes: object) -> pb.WriteOff:
    request = pb.ApproveWriteOffRequest(write_off_id=asked.write_off_id, amount=asked.amount, **changes)  # type: ignore[arg-type]
    with as_user(by):
        return world.calls.ApproveWriteOff(request, NO_CONTEXT).write_off


def test_a_write_off_is_asked_for_approved_by_another_and_reversed() -> None:
    world = Asked()
    asked = ask_write_off(world, 1000)
    assert (asked.state, asked.stands.minor, asked.requested_by) == ("requested", 0, "user:ann")
    assert ask_write_off(world, 1000) == asked
    with pytest.raises(OwnWriteOff):
        approve_write_off(world, asked, "ann")
    approved = approve_write_off(world, asked, "eve")
    assert (approved.state, approved.stands.minor, approved.decided_by) == ("approved", 1000, "user:eve")
    assert world.balance().balance.minor == 1500
    request = pb.ReverseWriteOffRequest(
        write_off_id=asked.write_off_id, idempotency_key="reversal-1", amount=usd(400), reason="income was found"
    )
    with as_user("eve"):
        assert world.calls.ReverseWriteOff(request, NO_CONTEXT).write_off.stands.minor == 600
    assert world.balance().balance.minor == 1900


def test_a_small_write_off_needs_one_person_and_one_turned_down_moves_nothing() -> None:
    world = Asked()
    assert approve_write_off(world, ask_write_off(world, 300), "ann").state == "approved"
    refused = approve_write_off(
        world, ask_write_off(world, 700, "hardship-2"), "eve", turn_down=True, reason="no form was given"
    )
    assert refused.state == "turned-down"
    assert world.balance().balance.minor == 2200
    request = pb.ListWriteOffsRequest(account_id=str(ACCOUNT), state="turned-down")
    assert list(world.calls.ListWriteOffs(request, NO_CONTEXT).write_offs) == [refused]


@pytest.mark.parametrize("changes", [{"kind": "mercy"}, {"place": "7"}, {"reason": "why"}, {"reason": "x" * 201}])
def test_a_write_off_that_cannot_be_is_refused_by_its_field(changes: dict[str, str]) -> None:
    with pytest.raises(BadArgument, match=f"^{next(iter(changes))}"):
        ask_write_off(Asked(), 1000, **changes)


def test_no_reason_carries_a_card_number() -> None:
    with pytest.raises(CardNumberSeen):
        ask_write_off(Asked(), 1000, reason="card 4242 4242 4242 4242")
