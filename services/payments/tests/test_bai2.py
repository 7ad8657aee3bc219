"""Bank files are read whole or refused, with the record and the rule."""

from datetime import date

import pytest
from canonical.master_data import MasterData
from canonical.money import Money
from payments.adapters.bai2 import read_bai2
from payments.adapters.bank_files import bank_file
from payments.adapters.bank_texts import BankFileRefused, payout_of, trace_of

FILE = b"""01,BANK,CLINIC,260302,0800,1,,,2/
02,CLINIC,BANK,1,260302,,USD,/
03,111222333,USD,010,500000,,,100,812000,2,/
16,165,800000,Z,B1,C1,ACME EDI PYMT TRN*1*TRACE1*1999\\/
16,165,12000,Z,B2,,STRIPE PAYOUT po_12345/
88,SECOND LINE/
49,2124000,5/
98,2124000,1,7/
99,2124000,1,9/
"""


MASTER_DATA = MasterData.model_validate(
    {
        "version": "test",
        "entities": [
            {
                "code": "NORTH",
                "name": "North",
                "npi": "1234567893",
                "tax_id": "123456789",
                "address": {"line": "1 Main", "city": "Town", "state": "NY", "postal_code": "100010000"},
                "submitter_id": "SUB1",
                "bank_account": "111222333",
            }
        ],
        "payers": [],
        "providers": [],
    }
)


def test_the_deposits_of_a_file_are_read_with_what_they_are_for() -> None:
    first, second = read_bai2(FILE)
    assert (first.account, first.on, first.amount, first.is_credit) == (
        "111222333",
        date(2026, 3, 2),
        Money(800000),
        True,
    )
    assert trace_of(first.text) == ("TRACE1", "1999")
    assert payout_of(second.text) == "po_12345"
    assert FILE[first.span_start : first.span_start + first.span_length].startswith(b"16,165,800000")


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (b"49,2124000", b"49,2124001", "account's control total"),
        (b"98,2124000,1", b"98,2124000,2", "number of accounts"),
        (b"99,2124000,1,9/\n", b"", "truncated"),
        (
            b"49,2124000,5",
            b"49,2124000,4",
            r"line 7, record 7 \(49\): the account's number of records is 4, the records",
        ),
        (b"98,2124000,1,7", b"98,2124000,1,8", r"line 8, record 8 \(98\): the group's number of records is 8"),
        (b"99,2124000,1,9", b"99,2124000,1,10", r"line 9, record 9 \(99\): the file's number of records is 10"),
        (b"99,2124000,1,9", b"99,2124001,1,9", r"\(99\): the file's control total"),
        (b"98,2124000,1,7", b"98,2124001,1,7", r"\(98\): the group's control total"),
        (b"99,2124000,1,9", b"99,2124000,2,9", r"\(99\): the number of groups"),
        (b"49,2124000,5", b"49,2124000,", r"\(49\): field 3 is not a count"),
        (b"49,2124000,5/\n", b"", r"line 7, record 7 \(98\): an account's trailer \(49\) is missing"),
        (b"98,2124000,1,7/\n", b"", r"\(99\): a group's trailer \(98\) is missing"),
        (b"49,2124000,5/\n", b"49,2124000,5/\n49,0,1/\n", r"line 8, record 8 \(49\): the trailer of no account"),
        (b"98,2124000,1,7/\n", b"98,2124000,1,7/\n98,0,0,1/\n", r"\(98\): the trailer of no group"),
        (b"03,111222333", b"03,", r"\(03\): field 2, the number of the account, is empty"),
        (b"16,165,12000", b"02,CLINIC,BANK,1,260302,,USD,/\n16,165,12000", r"line 5, .*a group in a group"),
        (b"16,165,12000", b"03,999,USD,010,0,,,/\n16,165,12000", r"line 5, .*an account in an account"),
        (b"16,165,12000", b"01,BANK,CLINIC,260302,0800,1,,,2/\n16,165,12000", r"line 5, .*one file header"),
        (b"16,165,800000", b"16,165,8000.00", "not an amount"),
        (b"16,165,800000", b"16,165,-800000", "not an amount without a sign"),
        (b"01,BANK", b"03,BANK", "file header"),
        (b",1,,,2/", b",1,,,3/", "version"),
        (b"02,CLINIC,BANK,1,260302", b"02,CLINIC,BANK,1,261302", "as-of date"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_rule(before: bytes, after: bytes, rule: str) -> None:
    assert before in FILE
    with pytest.raises(BankFileRefused, match=rule):
        read_bai2(FILE.replace(before, after))


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"hello", b"88,x/", b"16,165,1,Z,,,x/", b"01,a,b,c,d,e,f,g,2/"])
def test_what_is_no_bank_file_is_refused_and_never_crashes(raw: bytes) -> None:
    with pytest.raises(BankFileRefused):
        read_bai2(raw)


def test_two_credits_under_one_reference_of_the_bank_are_two_deposits() -> None:
    line = b"16,165,12000,Z,B2,,STRIPE PAYOUT po_12345/\n88,SECOND LINE/\n"
    other = b"16,165,12000,Z,B2,,STRIPE PAYOUT po_67890/\n"
    raw = FILE.replace(line, line + other).replace(b"2124000,5", b"2136000,6")
    raw = raw.replace(b"98,2124000,1,7", b"98,2136000,1,8").replace(b"99,2124000,1,9", b"99,2136000,1,10")
    file = bank_file("bai2.txt", raw, MASTER_DATA)
    assert file.refusal is None
    assert [one.reference for one in file.deposits] == ["TRACE1", "po_12345", "po_67890"]
    assert len({one.deposit_id for one in file.deposits}) == 3
    alone = bank_file("bai2.txt", FILE, MASTER_DATA)
    assert [one.deposit_id for one in alone.deposits] == [one.deposit_id for one in file.deposits[:2]]


def test_a_deposit_in_another_currency_refuses_its_file() -> None:
    for raw in (FILE.replace(b"03,111222333,USD", b"03,111222333,CAD"), FILE.replace(b",USD,", b",CAD,")):
        file = bank_file("bai2.txt", raw, MASTER_DATA)
        assert file.refusal is not None
        assert file.refusal.code == "DepositOfOtherCurrency"


def test_a_deposit_that_names_several_traces_keeps_all_of_them() -> None:
    raw = FILE.replace(b"TRN*1*TRACE1*1999\\", b"TRN*1*TRACE1*1999\\ TRN*1*TRACE2*1999\\")
    first, _ = bank_file("bai2.txt", raw, MASTER_DATA).deposits
    assert (first.reference, first.further_references, first.originator) == ("TRACE1", ("TRACE2",), "1999")
