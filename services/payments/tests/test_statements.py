"""A statement says in plain words what became of each visit, and its numbers are those of the balance."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work, transact
from chassis.messaging import Delivery
from chassis.testing.clock import START
from payments.adapters.statement_html import html_of
from payments.adapters.statement_pdf import pdf_of
from payments.application.account_history import Moment, accounts_at
from payments.application.gateway_taking import take_gateway_fact
from payments.application.statements import statement
from payments.application.sweeps import context_for
from payments.domain.gateway_facts import GatewayFact, PaymentArrived, RefundReported
from payments.domain.patient_account import PatientAccount, WriteOffKind, account_id_of
from payments.domain.payer_words import PayerWord
from payments.domain.refunds import ToldState
from payments.domain.statement import Statement, ages_of, billing_of
from payments.domain.statement_words import headings_of, lines_of, notes_on, said_of, to_pay

from .examples import CLAIM, DAY, PATIENT
from .test_front_desk import paid, story
from .world import World, adjudication

ACCOUNT = account_id_of("NORTH", PATIENT)
END = date(2026, 6, 30)
SAMPLE_DAY = date(2026, 4, 20)
SAMPLES = Path(__file__).parent / "samples"
SECOND = {"claim_id": derive("test-claim", 2), "encounter_id": derive("test-encounter", 2)}


def told(world: World, as_of: date = END) -> Statement:
    found = statement(world.store, ACCOUNT, as_of, START + timedelta(days=3650))
    assert found is not None
    assert found.adds_up
    return found


def words(world: World, number: int = 0) -> list[tuple[str, str]]:
    return [(said.words, said.amount.decimal_text) for said in said_of(told(world).visits[number])]


def decided(share: int, position: int = 0, *, charge: int = 10000, paid: int = 6000, **changes: object) -> Delivery:
    amounts = {"charge": Money(charge), "paid": Money(paid)}
    return adjudication(share, position, **(amounts | changes))


def test_a_visit_is_told_from_what_was_charged_to_what_is_open() -> None:
    world = World()
    world.deliver(decided(2500), paid(1000))
    assert words(world) == [
        ("We charged", "100.00"),
        ("Your insurance paid (ACME)", "-60.00"),
        ("Taken off by an agreement with your insurance", "-15.00"),
        ("Your share", "25.00"),
        ("You paid", "-10.00"),
        ("You still owe", "15.00"),
    ]
    assert to_pay(told(world)) == "Please pay $15.00."


def test_a_visit_without_an_insurance_is_the_patients_whole() -> None:
    world = World()
    world.deliver(*story())
    world.deliver(*story()[:1])
    assert words(world) == [("We charged", "0.00"), ("Your share", "0.00"), ("You still owe", "0.00")]
    assert to_pay(told(world)) == "You have nothing to pay."


def test_what_waits_for_a_second_insurance_is_not_asked_for_until_that_has_decided() -> None:
    world = World()
    world.deliver(decided(2500, next_payer="BETA"))
    assert statement(world.store, ACCOUNT, END, START + timedelta(days=1)) is None
    world.deliver(paid(100))
    assert words(world)[3:] == [
        ("Waiting for an answer of your other insurance (BETA)", "-25.00"),
        ("Your share", "0.00"),
        ("You still owe", "0.00"),
    ]
    world.deliver(decided(500, 1, charge=10000, paid=2000, sequence=2, payer="BETA"))
    assert words(world) == [
        ("We charged", "100.00"),
        ("Your insurance paid (ACME and BETA)", "-80.00"),
        ("Taken off by an agreement with your insurance", "-15.00"),
        ("Your share", "5.00"),
        ("You paid", "-1.00"),
        ("You still owe", "4.00"),
    ]


def word(sequence: int, charge: int, paid: int, left: int, next_payer: str = "") -> PayerWord:
    return PayerWord(
        payer=f"P{sequence}",
        sequence=sequence,
        charge=Money(charge),
        paid=Money(paid),
        left=Money(left),
        next_payer=next_payer,
        service_from=DAY,
    )


@pytest.mark.parametrize(
    ("said", "share", "expected"),
    [
        ([], 500, (500, 0, 0, 0)),
        ([word(1, 1000, 700, 200)], 200, (1000, 700, 100, 0)),
        ([word(1, 1000, 700, 200, "P2")], 0, (1000, 700, 100, 200)),
        ([word(2, 1000, 150, 50), word(1, 1000, 700, 200, "P2")], 50, (1000, 850, 100, 0)),
        (
            [word(1, 1000, 700, 200, "P2"), word(2, 1000, 150, 50), word(2, -1000, -150, -50)],
            0,
            (1000, 700, 100, 200),
        ),
        ([word(1, 1000, 700, 200), word(1, -1000, -700, -200), word(1, 1000, 600, 300)], 300, (1000, 600, 100, 0)),
    ],
)
def test_what_became_of_charges_adds_up(said: list[PayerWord], share: int, expected: tuple[int, ...]) -> None:
    billing = billing_of(said, Money(share))
    found = (billing.charged, billing.insurance_paid, billing.adjusted, billing.waiting)
    assert tuple(amount.minor for amount in found) == expected
    assert billing.charged == billing.insurance_paid + billing.adjusted + billing.waiting + billing.share


def test_what_is_open_is_aged_by_days_and_a_credit_lowers_the_oldest() -> None:
    since = [(END - timedelta(days=n), Money(amount)) for n, amount in ((30, 100), (31, 200), (121, 400), (5, -450))]
    assert [amount.minor for _, amount in ages_of(since, END)] == [100, 150, 0, 0, 0]


def full() -> World:
    """Two visits: one paid by card and partly refunded, one given up in part; and cash for what comes."""
    world = World()
    world.deliver(decided(2500), decided(4000, 1, charge=30000, paid=20000, **SECOND))
    facts: tuple[GatewayFact, ...] = (
        PaymentArrived("pi_1", Money(2500), DAY + timedelta(days=9), "NORTH", ACCOUNT),
        RefundReported("re_1", "pi_1", None, ToldState.SUCCEEDED, Money(300), DAY + timedelta(days=12)),
    )

    def decide(work: Work) -> None:
        for number, fact in enumerate(facts):
            take_gateway_fact(work, fact, derive("m", number), "NORTH")
        account = work.require(PatientAccount, ACCOUNT)
        place = SECOND["claim_id"]
        assert isinstance(place, UUID)
        on = DAY + timedelta(days=40)
        account.write_off(derive("w", 1), kind=WriteOffKind.CHARITY, place=place, amount=Money(1500), on=on)

    transact(world.store, context_for(ACCOUNT, world.clock()), decide)
    return world


def test_the_numbers_are_those_of_the_balance_of_the_same_day() -> None:
    world = full()
    for days in (0, 10, 13, 41):
        as_of = DAY + timedelta(days=days)
        found = told(world, as_of)
        (account,) = accounts_at(world.store, [ACCOUNT], Moment(as_of, START + timedelta(days=3650)))
        assert (found.balance, found.unapplied) == (account.balance, account.unapplied)
        assert len(found.lines) == len(account.lines)


def test_every_line_is_explained() -> None:
    assert [(line.amount.minor, line.explanation) for line in told(full()).lines] == [
        (2500, "Your share, as your insurance decided."),
        (4000, "Your share, as your insurance decided."),
        (-2500, "Your payment. Thank you."),
        (300, "Refund to you."),
        (-1500, "Financial assistance: you do not owe this."),
    ]


def test_cash_that_pays_nothing_is_told() -> None:
    world = World()
    world.deliver(decided(500), paid(900))
    assert notes_on(told(world)) == [
        "We hold $4.00 of yours that pays nothing yet. It pays what you owe next, or you can ask for it back."
    ]


def test_an_account_that_had_no_fact_by_then_has_no_statement() -> None:
    world = full()
    assert statement(world.store, ACCOUNT, DAY - timedelta(days=1), START + timedelta(days=3650)) is None
    assert statement(world.store, CLAIM, END, START) is None


class Outline(HTMLParser):
    """What a screen reader goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.facts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag not in ("meta",):
            self.open.append(tag)
        if tag in ("h1", "h2"):
            self.headings.append(tag)
        for fact in (tag, f"{tag} scope" if "scope" in names else "", f"{tag} lang" if "lang" in names else ""):
            self.facts[fact] = self.facts.get(fact, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes another tag"


def test_the_page_has_a_language_headings_captions_and_scopes_and_loads_nothing() -> None:
    page = html_of(told(full()))
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.headings == ["h1", "h2", "h2", "h2", "h2"]
    assert outline.facts["html lang"] == outline.facts["main"] == 1
    assert outline.facts["caption"] == outline.facts["table"]
    assert outline.facts["th scope"] == outline.facts["th"]
    assert not re.search(r"https?:|<script|<img|url\(", page)


def test_visits_of_one_day_are_numbered_so_that_each_line_says_of_which_it_is() -> None:
    statement = told(full())
    headings = list(headings_of(statement).values())
    assert headings == ["Visit on March 2, 2026, 1 of 2", "Visit on March 2, 2026, 2 of 2"]
    shares = [words for line, words in lines_of(statement) if line.encounter_id]
    assert all(any(heading in words for words in shares) for heading in headings)
    (only,) = headings_of(replace(statement, visits=statement.visits[:1])).values()
    assert only == "Visit on March 2, 2026"


def test_names_from_outside_cannot_write_markup() -> None:
    assert "<b>" not in html_of(told(full()), "<b>North</b>")
    assert pdf_of(told(full()), "<b>North & Sons").startswith(b"%PDF")


def test_the_page_of_the_example_is_as_it_was_looked_at() -> None:
    page = html_of(told(full(), SAMPLE_DAY), "North Clinic")
    assert page == (SAMPLES / "statement.html").read_text(encoding="utf-8")


def test_the_same_statement_is_the_same_document() -> None:
    first, again = (pdf_of(told(full()), "North Clinic") for _ in range(2))
    assert first == again
