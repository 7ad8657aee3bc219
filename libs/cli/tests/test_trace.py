"""Tracing: every journal line adds up down to its bytes, and one cent anywhere on the way is found at its level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from canonical.money import Money
from throughline.outcome import NotFound
from throughline.tracing import identities
from throughline.tracing.finding_origins import Origins
from throughline.tracing.following import Selection, TracedJournal, follow
from throughline.tracing.opening import claim_amounts_in
from throughline.tracing.origins import percent_of
from throughline.tracing.records import Journal, Line
from throughline.tracing.subjects import subject_of

from . import small_books
from .small_books import SmallBooks, entry, parts_of, usd

KINDS = ("charges", "remittance", "deposit", "patient-payment", "application", "payout")


def traced(books: SmallBooks, kind: str, **selection: object) -> TracedJournal:
    return follow(books, books.of_kind(kind), Selection(**selection), Origins(books))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_entry_adds_up_from_the_erp_to_its_bytes(kind: str) -> None:
    found = traced(SmallBooks(), kind)
    assert found.adds_up
    for line in found.lines:
        assert line.at_erp == line.line.amount == line.parts_total
        assert all(part.origin and part.origin.places and part.adds_up for part in line.parts)


def test_a_claim_payment_is_traced_to_its_own_bytes() -> None:
    (line,) = traced(SmallBooks(), "remittance", account="unapplied-payer").lines
    (part,) = line.parts
    assert part.origin
    (place,) = part.origin.places
    assert (place.message.message_id, place.start, place.length) == (small_books.FILE, 900, len(small_books.CLP))
    assert part.origin.event == "ClaimPaymentUnknown"


def test_charges_are_traced_to_the_whole_of_their_message() -> None:
    line = traced(SmallBooks(), "charges").lines[0]
    assert line.parts[0].origin
    (place,) = line.parts[0].origin.places
    assert (place.message.message_id, place.start, place.length) == (small_books.BUNDLE, 0, 2000)


def test_the_release_of_an_estimate_is_what_was_expected_at_charge() -> None:
    released = traced(SmallBooks(), "remittance", account="ar-allowance").lines[0].parts[0]
    assert released.adds_up
    assert released.origin
    assert any("36.00 expected" in sentence for sentence in released.origin.story)


Damage = Callable[[SmallBooks], None]


def one_cent_more(line: Line) -> Line:
    return replace(line, amount=line.amount + Money(1))


def at_the_erp(books: SmallBooks) -> None:
    journal = books.of_kind("remittance")
    first, *others = journal.lines
    books.erp_lines[journal.journal_id] = (one_cent_more(first), *others)


def in_the_journal(books: SmallBooks) -> None:
    journal = books.of_kind("remittance")
    first, *others = journal.lines
    books.replace_journal(replace(journal, lines=(one_cent_more(first), *others)))


def in_the_subledger(books: SmallBooks) -> None:
    journal = books.of_kind("remittance")
    first, *others = journal.parts
    books.replace_journal(replace(journal, parts=(replace(first, line=one_cent_more(first.line)), *others)))


def in_the_decision(books: SmallBooks) -> None:
    books.decisions[0] = replace(books.decisions[0], paid=usd("70.01"), charge=usd("120.01"))


def in_the_sum_of_the_decision(books: SmallBooks) -> None:
    books.decisions[0] = replace(books.decisions[0], charge=usd("120.01"))


def a_fact_that_nobody_knows(books: SmallBooks) -> None:
    del books.decisions[0]


@pytest.mark.parametrize(
    "damage",
    [
        at_the_erp,
        in_the_journal,
        in_the_subledger,
        in_the_decision,
        in_the_sum_of_the_decision,
        a_fact_that_nobody_knows,
    ],
)
def test_one_cent_at_any_level_does_not_add_up(damage: Damage) -> None:
    books = SmallBooks()
    damage(books)
    found = traced(books, "remittance")
    assert not found.adds_up
    assert not next(line for line in found.lines if line.line.account == "eft-clearing").adds_up


def test_a_line_that_only_the_erp_has_is_found() -> None:
    books = SmallBooks()
    journal = books.of_kind("deposit")
    books.erp_lines[journal.journal_id] = (*journal.lines, Line("processing-fees", "", usd("0.01")))
    found = traced(books, "deposit")
    assert [line.account for line in found.only_at_erp] == ["processing-fees"]
    assert not found.adds_up


def test_an_erp_that_cannot_be_read_is_told_and_does_not_count_as_wrong() -> None:
    books = SmallBooks()
    books.erp_lines.clear()
    found = traced(books, "payout")
    assert found.adds_up
    assert found.lines[0].at_erp is None


@pytest.mark.parametrize(
    ("kind", "key", "field", "wrong"),
    [
        ("deposit", small_books.DEPOSIT, "amount", "75.01 USD"),
        ("patient-payment", small_books.PAYMENT, "applied", "15.01 USD"),
        ("application", small_books.ACCOUNT, "amount", "5.01 USD"),
    ],
)
def test_one_cent_in_a_fact_of_payments_is_found(kind: str, key: str, field: str, wrong: str) -> None:
    books = SmallBooks()
    topic, state = books.history[("payments", key)][0]
    books.history[("payments", key)][0] = (topic, {**state, field: wrong})
    assert not traced(books, kind).adds_up


def test_one_cent_in_a_charge_is_found() -> None:
    books = SmallBooks()
    encounter = books.encounters[0]
    first, second = encounter.charges
    books.encounters[0] = replace(encounter, charges=(replace(first, amount=usd("80.01")), second))
    assert not traced(books, "charges").adds_up


def test_parts_that_are_not_followed_still_count_in_the_sum() -> None:
    line = traced(SmallBooks(), "remittance", account="eft-clearing", parts_max=1).lines[0]
    assert (len(line.parts), line.rest_count, line.rest) == (1, 1, usd("5.00"))
    assert line.adds_up


def test_opened_bytes_must_say_the_same_amounts() -> None:
    books = SmallBooks()
    wanted = {"account": "ar-patient", "open_bytes": True}
    part = traced(books, "remittance", **wanted).lines[0].parts[0]
    assert part.origin
    assert part.origin.bytes_agree
    assert part.origin.places[0].content == small_books.CLP
    books.bytes = small_books.CLP.replace(b"*70*", b"*70.01*")
    assert not traced(books, "remittance", **wanted).adds_up


def test_bytes_that_may_not_be_read_are_refused_and_nothing_else_is() -> None:
    books = SmallBooks()
    books.may_read_raw = False
    found = traced(books, "remittance", account="ar-patient", open_bytes=True)
    assert found.adds_up
    assert found.lines[0].parts[0].origin
    assert "intake.raw.read" in found.lines[0].parts[0].origin.places[0].refusal


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"CLP*A*1*120*70*20~", ("120.00", "70.00")),
        (b"\nCLP|A|22|-120.5|-.75|", ("-120.50", "-0.75")),
        (b"CLP*A*1*many*70*", None),
        (b"CLP*A", None),
        (b"CLP", None),
        (b"SVC*HC:1*2*3", None),
    ],
)
def test_the_amounts_of_a_claim_are_read_from_its_bytes(content: bytes, expected: tuple[str, str] | None) -> None:
    assert claim_amounts_in(content) == (None if expected is None else tuple(map(usd, expected)))


def test_a_percentage_is_found_or_refused() -> None:
    assert percent_of(usd("36.00"), usd("120.00")) == 30
    assert percent_of(usd("36.01"), usd("120.00")) is None


JOURNAL = SmallBooks().of_kind("payout")


@pytest.mark.parametrize(
    ("wanted", "kind", "entries"),
    [
        (JOURNAL.external_number, "journal", ["payout"]),
        (JOURNAL.journal_id, "journal", ["payout"]),
        (JOURNAL.erp_document, "journal", ["payout"]),
        (small_books.NUMBER, "claim", ["remittance", "charges"]),
        (small_books.CLAIM.upper(), "claim", ["remittance", "charges"]),
        (small_books.REMITTANCE, "remittance", ["remittance", "deposit"]),
        (small_books.PAYMENT, "payment", ["patient-payment", "application"]),
        (small_books.DEPOSIT, "deposit", ["deposit"]),
        (small_books.PAYOUT, "payout", ["payout"]),
        (small_books.ENCOUNTER, "encounter", ["charges", "remittance"]),
        (small_books.FILE, "message", ["remittance", "deposit"]),
        (small_books.BUNDLE, "message", ["charges", "remittance"]),
        (small_books.WEBHOOK, "message", ["patient-payment", "application"]),
        (small_books.STATEMENT, "message", ["deposit"]),
    ],
)
def test_an_id_of_any_kind_leads_to_its_entries(wanted: str, kind: str, entries: list[str]) -> None:
    books = SmallBooks()
    subject = subject_of(books, wanted)
    assert subject.kind == kind
    assert [journal.kind for journal, _ in subject.entries] == entries
    origins = Origins(books)
    assert all(follow(books, each, Selection(only=only), origins).lines for each, only in subject.entries)


def test_the_trace_of_a_claim_follows_its_own_parts_and_counts_the_others() -> None:
    books = SmallBooks()
    subject = subject_of(books, small_books.CLAIM)
    entry, only = subject.entries[0]
    found = follow(books, entry, Selection(only=only), Origins(books))
    cash = next(line for line in found.lines if line.line.account == "eft-clearing")
    assert [part.part.claim_id for part in cash.parts] == [small_books.CLAIM]
    assert (cash.rest_count, cash.rest) == (1, usd("5.00"))
    assert "unapplied-payer" not in [line.line.account for line in found.lines]


def test_what_is_in_no_entry_yet_is_told() -> None:
    books = SmallBooks()
    books.journals = []
    subject = subject_of(books, small_books.REMITTANCE)
    assert subject.entries == []
    assert "remittance: in no journal entry yet" in subject.told


@pytest.mark.parametrize("wanted", ["TL00000000000000000X", "00000000-0000-5000-8000-000000000000", "nothing"])
def test_an_id_that_nobody_knows_is_not_found(wanted: str) -> None:
    with pytest.raises(NotFound):
        subject_of(SmallBooks(), wanted)


def test_an_entry_out_of_balance_does_not_add_up_even_where_the_erp_agrees() -> None:
    books = SmallBooks()
    journal: Journal = books.of_kind("deposit")
    lines = (journal.lines[0],)
    books.replace_journal(replace(journal, lines=lines))
    books.erp_lines[journal.journal_id] = lines
    assert not traced(books, "deposit").adds_up


NOBODYS = identities.single_posting("unidentified-deposit", small_books.DEPOSIT)


def books_with_a_deposit_that_was_nobodys() -> SmallBooks:
    """Booked as unidentified first, and taken from there when its remittance came."""
    books = SmallBooks()
    booked = {"entity": small_books.ENTITY, "amount": "75.00 USD"}
    recorded, matched = books.history["payments", small_books.DEPOSIT]
    books.history["payments", small_books.DEPOSIT] = [recorded, ("payments.deposit.unidentified", booked), matched]
    told = {"deposit_id": small_books.DEPOSIT, **booked, "was_unidentified": True}
    books.history["payments", small_books.REMITTANCE] = [("payments.remittance.deposit-matched", told)]
    nobodys = parts_of(
        NOBODYS, small_books.DEPOSIT, "J27", [("cash", "", "75.00"), ("unidentified-receipts", "", "-75.00")]
    )
    later = [("unidentified-receipts", "", "75.00"), ("eft-clearing", "", "-75.00")]
    group = identities.deposit_posting(small_books.DEPOSIT, small_books.REMITTANCE)
    found = entry("deposit", group, parts_of(group, small_books.REMITTANCE, "J27", later))
    books.replace_journal(found)
    books.journals.append(entry("unidentified-deposit", NOBODYS, nobodys))
    for journal in (found, books.journals[-1]):
        books.erp_lines[journal.journal_id] = journal.lines
    return books


@pytest.mark.parametrize("kind", ["deposit", "unidentified-deposit"])
def test_a_deposit_that_was_nobodys_is_traced_on_both_its_entries(kind: str) -> None:
    found = traced(books_with_a_deposit_that_was_nobodys(), kind)
    assert found.lines
    assert found.adds_up


def test_a_deposit_is_told_with_what_it_was_booked_as_before() -> None:
    subject = subject_of(books_with_a_deposit_that_was_nobodys(), small_books.DEPOSIT)
    assert [journal.kind for journal, _ in subject.entries] == ["unidentified-deposit", "deposit"]


def test_deposits_that_are_not_what_the_remittance_pays_do_not_add_up() -> None:
    books = SmallBooks()
    told = {"deposit_id": small_books.DEPOSIT, "entity": small_books.ENTITY, "amount": "74.99 USD"}
    books.history["payments", small_books.REMITTANCE] = [("payments.remittance.deposit-matched", told)]
    assert not traced(books, "deposit").adds_up
