"""What payers take back, put off, leave to the next payer or pay for claims nobody knows is traced to its bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from throughline.tracing.finding_origins import Origins
from throughline.tracing.following import Selection, TracedJournal, follow
from throughline.tracing.opening import adjustments_in
from throughline.tracing.subjects import subject_of

from . import payer_books
from .payer_books import PayerBooks
from .small_books import CLAIM, PAYER, usd

KINDS = ("remittance", "claim-match", "denial-write-off", "denial-release")


def traced(books: PayerBooks, kind: str, *, account: str = "", party: str = "") -> TracedJournal:
    selection = Selection(account, party, parts_max=9, open_bytes=True)
    return follow(books, books.of_kind(kind), selection, Origins(books))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_payers_entry_adds_up_from_the_erp_to_its_bytes(kind: str) -> None:
    found = traced(PayerBooks(), kind)
    assert found.adds_up
    for line in found.lines:
        assert all(part.origin and part.origin.places and part.adds_up for part in line.parts)


@pytest.mark.parametrize(
    ("kind", "account", "party", "content"),
    [
        ("remittance", "ar-patient", "", payer_books.REVERSAL),
        ("remittance", "unapplied-payer", "", payer_books.UNKNOWN),
        ("remittance", "sequestration", "", payer_books.SHARED),
        ("remittance", "ar-payer", "MEDICARE", payer_books.SHARED),
        ("remittance", "due-to-payer", "", payer_books.PLB),
        ("remittance", "interest-income", "", payer_books.PLB),
        ("claim-match", "unapplied-payer", "", payer_books.UNKNOWN),
        ("claim-match", "ar-payer", PAYER, payer_books.UNKNOWN),
        ("denial-write-off", "denial-write-off", "", payer_books.UNKNOWN),
        ("denial-release", "ar-payer-denied", PAYER, payer_books.UNKNOWN),
    ],
)
def test_a_line_leads_to_the_bytes_of_its_claim_or_adjustment(
    kind: str, account: str, party: str, content: bytes
) -> None:
    (line,) = traced(PayerBooks(), kind, account=account, party=party).lines
    (part,) = line.parts
    assert part.origin
    assert [place.content for place in part.origin.places] == [content]
    assert part.origin.bytes_agree in (True, None)


def test_a_reversal_says_what_it_takes_back() -> None:
    (line,) = traced(PayerBooks(), "remittance", account="ar-patient").lines
    assert line.parts[0].origin
    assert any("takes back remittance" in sentence for sentence in line.parts[0].origin.story)


def test_a_memo_of_earlier_payers_is_in_the_sum_and_on_no_account() -> None:
    (line,) = traced(PayerBooks(), "remittance", account="sequestration").lines
    assert line.parts[0].origin
    assert line.parts[0].origin.equation == "charge 120.00 = paid 50.00 + patient 40.00 + other 30.00"
    assert line.parts[0].origin.amounts["ar-payer"] == usd("-100.00")


def cent_in_the_adjustment(books: PayerBooks) -> None:
    (_, state), *_ = books.history["payments", payer_books.SECOND]
    pairs = state["summary"]["provider_adjustments"]  # type: ignore[index]
    pairs[0]["amount"] = "-4.01 USD"


def adjustment_of_another_code(books: PayerBooks) -> None:
    (_, state), *_ = books.history["payments", payer_books.SECOND]
    pairs = state["summary"]["provider_adjustments"]  # type: ignore[index]
    pairs[0]["reason"] = "CS"


def adjustment_nobody_knows(books: PayerBooks) -> None:
    del books.history["payments", payer_books.SECOND]


def reversal_of_another_amount(books: PayerBooks) -> None:
    books.history["claims", CLAIM] = [
        payer_books.decided(0, 100, ("-119.99", "-69.99"), {"contractual": "-30.00", "patient": "-20.00"})
    ]


def nobody_behind_the_payer(books: PayerBooks) -> None:
    state = books.history["claims", payer_books.OTHER_CLAIM][0][1]
    assert isinstance(state, dict)
    state["next_payer"] = ""


@pytest.mark.parametrize(
    ("damage", "account", "party"),
    [
        (cent_in_the_adjustment, "due-to-payer", ""),
        (adjustment_of_another_code, "due-to-payer", ""),
        (adjustment_nobody_knows, "due-to-payer", ""),
        (reversal_of_another_amount, "ar-payer", PAYER),
        (nobody_behind_the_payer, "ar-payer", "MEDICARE"),
    ],
)
def test_one_cent_or_another_account_does_not_add_up(
    damage: Callable[[PayerBooks], None], account: str, party: str
) -> None:
    books = PayerBooks()
    damage(books)
    assert not traced(books, "remittance", account=account, party=party).adds_up


def test_opened_bytes_of_an_adjustment_must_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(payer_books.BYTES, 400, payer_books.PLB.replace(b"*-4*", b"*-5*"))
    assert not traced(PayerBooks(), "remittance", account="due-to-payer").adds_up


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (payer_books.PLB, [("FB", "-4.00"), ("L6", "-1.00")]),
        (b"PLB|1|20261231|WO>A B>C|12.5^", [("WO", "12.50")]),
        (b"\nPLB*1*20261231*72:7*-1\n", [("72", "-1.00")]),
        (b"PLB*1*20261231*FB*many~", None),
        (b"CLP*A*1*120*70*20~", None),
        (b"PLB", None),
    ],
)
def test_the_pairs_of_a_provider_adjustment_are_read_from_its_bytes(
    content: bytes, expected: list[tuple[str, str]] | None
) -> None:
    assert adjustments_in(content) == (
        None if expected is None else tuple((code, usd(each)) for code, each in expected)
    )


def test_a_claim_leads_to_its_match_and_to_the_ends_of_its_denial() -> None:
    subject = subject_of(PayerBooks(), payer_books.OTHER_CLAIM)
    assert [journal.kind for journal, _ in subject.entries] == ["claim-match", "denial-release", "denial-write-off"]
