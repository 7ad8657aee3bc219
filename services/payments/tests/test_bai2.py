"""Bank files are read whole or refused, with the record and the rule."""

import os
from datetime import date
from pathlib import Path

import pytest
from canonical.money import Money
from payments.adapters.bai2 import BankFileRefused, payout_of, read_bai2, trace_of

CORPUS = Path(os.environ.get("THROUGHLINE_CORPUS", Path(__file__).resolve().parents[4] / "shared" / "data"))
FILE = b"""01,BANK,CLINIC,260302,0800,1,,,2/
02,CLINIC,BANK,1,260302,,USD,/
03,111222333,USD,010,500000,,,100,812000,2,/
16,165,800000,Z,B1,C1,ACME EDI PYMT TRN*1*TRACE1*1999\\/
16,165,12000,Z,B2,,STRIPE PAYOUT po_12345/
88,SECOND LINE/
49,2124000,4/
98,2124000,1,6/
99,2124000,1,8/
"""


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
        (b"99,2124000,1,8/\n", b"", "truncated"),
        (b"16,165,800000", b"16,165,8000.00", "not an amount"),
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


@pytest.mark.parametrize(("name", "count"), [("bai2__sample1.txt", 17), ("bai2__sample2.txt", 4)])
def test_the_public_sample_files_are_read(name: str, count: int) -> None:
    path = CORPUS / "bank" / "bai2" / name
    if not path.is_file():
        pytest.skip("the corpus of real files is not beside the repository")
    assert len(read_bai2(path.read_bytes())) == count
