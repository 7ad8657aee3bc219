"""Files of electronic entries are read whole or refused, and tell of no credit twice that a balance report tells of."""

from __future__ import annotations

from datetime import date, datetime
from itertools import permutations

import pytest
from canonical.money import Money
from payments.adapters.bank_files import bank_file
from payments.adapters.bank_texts import BankFileRefused
from payments.adapters.nacha import read_nacha
from payments.application.doors import Answer, GatewayMessage
from payments.application.patient_rows import PAYOUTS
from payments.application.queries import DEPOSITS, REMITTANCES
from payments.domain.gateway_facts import GatewayFact, PayoutAnnounced
from payments.domain.payout import payout_id_of
from sandbox.world.nacha import RETURNED_DEBIT, AchEntry, ach_file

from .examples import summary
from .test_bai2 import FILE as BAI2
from .test_bai2 import MASTER_DATA
from .world import World, remittance

ACCOUNT = "111222333"
DAY = date(2026, 3, 2)
MOMENT = datetime(2026, 3, 2, 6, 0)


def ach(*entries: AchEntry, day: date = DAY) -> bytes:
    return ach_file(day, MOMENT, entries)


def credit(minor: int = 800000, trace: str = "TRACE1", account: str = ACCOUNT) -> AchEntry:
    return AchEntry(account, Money(minor), f"TRN*1*{trace}*1999\\")


FILE = ach(credit(), credit(12000, "TRACE2"))


def record(raw: bytes, number: int, at: int, text: str) -> bytes:
    """The file with other text in record `number`, from position `at`, both counted from 1."""
    lines = raw.decode().split("\n")
    line = lines[number - 1]
    lines[number - 1] = line[: at - 1] + text + line[at - 1 + len(text) :]
    return "\n".join(lines).encode()


def test_the_entries_are_read_with_their_addenda_and_places() -> None:
    first, second = read_nacha(FILE)
    assert (first.account, first.on, first.amount, first.is_credit) == (ACCOUNT, DAY, Money(800000), True)
    assert first.text == "TRN*1*TRACE1*1999\\"
    assert FILE[first.span_start : first.span_start + 3] == b"622"
    assert second.text == "TRN*1*TRACE2*1999\\"


def test_a_file_without_line_breaks_is_the_same_file() -> None:
    assert [entry.text for entry in read_nacha(FILE.replace(b"\n", b""))] == [entry.text for entry in read_nacha(FILE)]


@pytest.mark.parametrize(
    ("number", "at", "text", "rule"),
    [
        (1, 2, "02", "priority code"),
        (1, 24, "269999", "not a date"),
        (2, 2, "210", "service class"),
        (2, 2, "225", "differ from the batch header"),
        (3, 12, "0", "check digit"),
        (3, 30, "000080000X", "not a number"),
        (3, 30, "0000800001", "the total of credits"),
        (3, 79, "0", "an addenda record of no entry"),
        (4, 84, "0002", "the next one of its entry"),
        (7, 5, "000005", "the entry and addenda count"),
        (7, 11, "0000000001", "the entry hash"),
        (7, 33, "000000812001", "the total of credits"),
        (8, 2, "000002", "the batch count"),
        (8, 8, "000002", "the block count"),
        (8, 22, "0000000001", "the entry hash"),
        (9, 1, "8", "nothing but filler"),
        (2, 1, "6", "an entry outside a batch"),
        (1, 1, "5", "starts with its header"),
        (4, 4, "\x07", "printable"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_record_and_rule(
    number: int, at: int, text: str, rule: str
) -> None:
    with pytest.raises(BankFileRefused, match=rule) as refused:
        read_nacha(record(FILE, number, at, text))
    assert str(refused.value).startswith("record ")
    assert ACCOUNT not in str(refused.value)


def test_a_truncated_file_is_refused() -> None:
    with pytest.raises(BankFileRefused, match="truncated"):
        read_nacha(b"\n".join(FILE.split(b"\n")[:7]))


@pytest.mark.parametrize("raw", [b"", b"101", b"\xff" * 94, b"hello"])
def test_what_is_no_such_file_is_refused_and_never_crashes(raw: bytes) -> None:
    with pytest.raises(BankFileRefused):
        read_nacha(raw)


def test_a_returned_entry_is_a_case_with_its_reason_and_the_account_of_a_stranger_is_not_kept() -> None:
    stranger = "98765432101"
    raw = ach(credit(), AchEntry(stranger, Money(2500), code=RETURNED_DEBIT, reason="R01", original_trace="9" * 15))
    file = bank_file("entries.ach", raw, MASTER_DATA)
    assert stranger.encode() not in file.raw
    assert ACCOUNT.encode() in file.raw
    world = World()
    assert world.doors.receive_bank_file(file) is Answer.TAKEN
    assert world.open_cases() == ["AchReturned"]
    assert len(world.rows(DEPOSITS)) == 1


RENT = AchEntry(ACCOUNT, Money(12000), "RENT")
RENT_TOLD = BAI2.replace(
    b"16,165,12000,Z,B2,,STRIPE PAYOUT po_12345/\n88,SECOND LINE/", b"16,165,12000,Z,B2,,RENT/\n88,MAY/"
)


def tell(world: World, *files: tuple[str, bytes]) -> None:
    for name, raw in files:
        assert world.doors.receive_bank_file(bank_file(name, raw, MASTER_DATA)) in (Answer.TAKEN, Answer.REPEATED)
    world.sweep()


def test_an_entry_that_names_nothing_is_a_deposit_that_waits_for_its_balance_report_before_it_is_nobodys() -> None:
    world = World()
    tell(world, ("entries.ach", ach(RENT)))
    (row,) = world.rows(DEPOSITS)
    assert (row["kind"], row["amount_minor"], row["reference"] != "") == ("other", 12000, True)
    assert world.open_cases() == []
    world.clock.advance(hours=2)
    world.sweep()
    assert (world.open_cases(), world.rows(DEPOSITS)[0]["booked_as"]) == (["DepositWithoutRemittance"], None)
    world.clock.advance(hours=72)
    world.sweep()
    assert world.rows(DEPOSITS)[0]["booked_as"] == "unidentified-receipts"


@pytest.mark.parametrize("report", [RENT_TOLD, BAI2], ids=["that names nothing either", "that names its payout"])
def test_an_entry_that_names_nothing_and_a_balance_report_are_one_deposit_whichever_comes_first(report: bytes) -> None:
    for files in permutations((("report.bai2", report), ("entries.ach", ach(RENT)))):
        world = World()
        tell(world, *files, *files)
        named = [row for row in world.rows(DEPOSITS) if row["amount_minor"] == 12000]
        assert [row["kind"] for row in named] == ["other" if report is RENT_TOLD else "payout"]


def test_an_entry_that_was_booked_as_nobodys_is_not_made_a_payouts_without_a_person() -> None:
    world = World()
    tell(world, ("entries.ach", ach(RENT)))
    world.clock.advance(hours=80)
    world.sweep()
    tell(world, ("report.bai2", BAI2))
    (row,) = (row for row in world.rows(DEPOSITS) if row["amount_minor"] == 12000)
    assert (row["kind"], row["booked_as"], row["matched_to"]) == ("other", "unidentified-receipts", None)
    assert "DepositWithoutRemittance" in world.open_cases()


def test_an_entry_on_an_account_of_nobody_refuses_the_file() -> None:
    file = bank_file("entries.ach", ach(credit(account="42")), MASTER_DATA)
    assert file.refusal is not None
    assert file.refusal.code == "UnknownBankAccount"


def payout(amount: int) -> PayoutAnnounced:
    return PayoutAnnounced("po_12345", Money(amount), DAY)


def gateway_tells(world: World, fact: GatewayFact) -> None:
    world.doors.receive_webhooks([GatewayMessage(repr(fact).encode(), f"evt-{type(fact).__name__}", fact)])
    world.sweep()


DEBITED = BAI2.replace(b"16,165,12000,Z", b"16,455,12000,Z")


def test_the_banks_debit_of_a_payout_below_zero_is_tied_to_it_whichever_comes_first() -> None:
    for is_bank_first in (True, False):
        world = World()
        if is_bank_first:
            tell(world, ("report.bai2", DEBITED))
        gateway_tells(world, payout(-12000))
        if not is_bank_first:
            tell(world, ("report.bai2", DEBITED))
        (row,) = (row for row in world.rows(DEPOSITS) if row["kind"] == "payout")
        assert (row["amount_minor"], row["matched_to"]) == (-12000, payout_id_of("po_12345"))
        assert world.rows(PAYOUTS)[0]["deposit_id"] == row["deposit_id"]


def test_a_debit_of_a_payout_of_another_amount_is_a_case() -> None:
    world = World()
    gateway_tells(world, payout(-11000))
    tell(world, ("report.bai2", DEBITED))
    assert "PayoutDiffers" in world.open_cases()


def test_other_debits_are_the_banks_own_business() -> None:
    file = bank_file("report.bai2", DEBITED.replace(b"po_12345", b"FEE"), MASTER_DATA)
    assert [one.amount for one in file.deposits] == [Money(800000)]


def test_a_debit_that_both_kinds_of_files_tell_of_is_one() -> None:
    entry = AchEntry(ACCOUNT, Money(12000), "STRIPE po_12345", code=RETURNED_DEBIT)
    for files in permutations((("report.bai2", DEBITED), ("entries.ach", ach(entry)))):
        world = World()
        tell(world, *files)
        assert [row["amount_minor"] for row in world.rows(DEPOSITS) if row["kind"] == "payout"] == [-12000]


def silent(raw: bytes) -> bytes:
    """The balance report of a bank that cuts off what a deposit is for."""
    return raw.replace(b"TRN*1*TRACE1*1999\\", b"HEALTHCARE CLAIM PMT")


@pytest.mark.parametrize("report", [BAI2, silent(BAI2)], ids=["with its trace", "without it"])
def test_what_two_kinds_of_files_tell_of_is_one_deposit_whichever_comes_first(report: bytes) -> None:
    for files in permutations((("report.bai2", report), ("entries.ach", ach(credit())))):
        world = World()
        for name, raw in (*files, *files):
            world.doors.receive_bank_file(bank_file(name, raw, MASTER_DATA))
        world.deliver(*remittance(summary(paid=800000)))
        world.sweep()
        named = [row for row in world.rows(DEPOSITS) if row["amount_minor"] == 800000]
        assert [(row["reference"], row["originator"], row["source"] != "") for row in named] == [
            ("TRACE1", "1999", True)
        ]
        assert world.rows(REMITTANCES)[0]["settlement"] == "deposited"


def test_the_same_entries_in_another_file_are_no_new_deposits() -> None:
    world = World()
    for name, raw in (("report.bai2", BAI2), ("a.ach", ach(credit())), ("b.ach", ach(credit(), credit(5, "T9")))):
        assert world.doors.receive_bank_file(bank_file(name, raw, MASTER_DATA)) is Answer.TAKEN
    assert sorted(str(row["reference"]) for row in world.rows(DEPOSITS)) == ["T9", "TRACE1", "po_12345"]


def test_two_payments_alike_that_both_kinds_of_files_tell_of_are_two_deposits() -> None:
    line = b"16,165,800000,Z,B1,C1,HEALTHCARE CLAIM PMT/\n"
    twice = silent(BAI2).replace(b"16,165,800000,Z,B1,C1,ACME EDI PYMT HEALTHCARE CLAIM PMT/\n", line + line)
    twice = twice.replace(b"49,2124000,5", b"49,2924000,6").replace(b"98,2124000,1,7", b"98,2924000,1,8")
    twice = twice.replace(b"99,2124000,1,9", b"99,2924000,1,10")
    world = World()
    for name, raw in (("report.bai2", twice), ("entries.ach", ach(credit(), credit(trace="TRACE2")))):
        assert world.doors.receive_bank_file(bank_file(name, raw, MASTER_DATA)) is Answer.TAKEN
    found = [str(row["reference"]) for row in world.rows(DEPOSITS) if row["amount_minor"] == 800000]
    assert sorted(found) == ["TRACE1", "TRACE2"]
