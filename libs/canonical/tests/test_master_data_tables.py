"""Lists of master data as CSV: what is exported is imported again to the letter, and what is wrong is named by its place."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from canonical.codes import ClaimType, PayerClass
from canonical.master_data import LISTS, ChargeMasterRow, Crosswalk, Dated, Entity, Payer, TradingPartner
from canonical.master_data.profile import profile_page
from canonical.master_data.tables import TableRefused, parse_table, read_table, table_lines
from canonical.money import Money
from canonical.party import OrganizationAddress
from hypothesis import given
from hypothesis import strategies as st

PRINTABLE = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ;=|\\'\",-+@"), max_size=12
)
CODES = PRINTABLE.filter(bool)
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))
DATED = {"code": CODES, "valid_from": DAYS, "valid_until": st.none() | DAYS}
ADDRESSES = st.builds(OrganizationAddress, line=PRINTABLE, city=PRINTABLE, state=PRINTABLE, postal_code=PRINTABLE)
PAYERS = st.builds(
    Payer,
    **DATED,
    name=PRINTABLE,
    payer_class=st.sampled_from(PayerClass),
    x12_identifier=PRINTABLE,
    receiver_id=PRINTABLE,
    expected_contractual_percent=st.integers(0, 100),
    contractual_reasons=st.lists(PRINTABLE, max_size=3).map(tuple),
    denial_write_off_reasons_by_plan=st.dictionaries(PRINTABLE, st.lists(PRINTABLE, max_size=2).map(tuple), max_size=2),
    transport=PRINTABLE,
)
ENTITIES = st.builds(
    Entity,
    **DATED,
    name=PRINTABLE,
    npi=PRINTABLE,
    tax_id=PRINTABLE,
    address=ADDRESSES,
    submitter_id=PRINTABLE,
    bank_account=PRINTABLE,
    bills=st.none() | st.sampled_from(ClaimType),
)
PRICES = st.builds(
    ChargeMasterRow, **DATED, price=st.integers(-(10**9), 10**9).map(Money), units_max=st.integers(0, 999)
)
PARTNERS = st.builds(
    TradingPartner,
    **DATED,
    rules=st.dictionaries(PRINTABLE, st.sampled_from(("finding", "quarantine", "refuse")), max_size=3),
    accept_4010=st.booleans(),
)


def text_of(list_name: str, rows: list[Dated]) -> str:
    return "".join(table_lines(LISTS[list_name], rows))


@given(
    st.one_of(
        st.tuples(st.just("payers"), st.lists(PAYERS, max_size=3)),
        st.tuples(st.just("entities"), st.lists(ENTITIES, max_size=3)),
        st.tuples(st.just("charge_master"), st.lists(PRICES, max_size=3)),
        st.tuples(st.just("trading_partners"), st.lists(PARTNERS, max_size=3)),
    )
)
def test_what_is_exported_is_imported_again_to_the_letter(listed: tuple[str, list[Dated]]) -> None:
    list_name, rows = listed
    assert parse_table(text_of(list_name, rows), LISTS[list_name]).rows == tuple(rows)


@given(PRINTABLE.filter(bool))
def test_no_cell_of_a_text_is_taken_for_a_formula(text: str) -> None:
    row = Crosswalk(code=text, source="ehr", kind="payer", ours=text)
    cells = text_of("crosswalks", [row]).splitlines()[1]
    assert not cells.lstrip('"').startswith(("=", "+", "-", "@"))


CROSSWALK_HEADER = "code,source,kind,ours"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{CROSSWALK_HEADER}\nA,ehr,payer", "line 2, the line: wrong-number-of-cells"),
        (f"{CROSSWALK_HEADER}\nA,ehr,payer,=HYPERLINK(1)", "line 2, ours: formula"),
        (f"{CROSSWALK_HEADER}\n@A,ehr,payer,X", "line 2, code: formula"),
        (f"{CROSSWALK_HEADER}\n,ehr,payer,X", "line 2, code: string-too-short"),
        (f"{CROSSWALK_HEADER},valid_from\nA,ehr,payer,X,31.1.2026", "line 2, valid_from: date"),
        (f"{CROSSWALK_HEADER},valid_from\nA,ehr,payer,X,2026-02-30", "line 2, valid_from: date"),
        ("code,source,kind\nA,ehr,payer", "line 1, ours: required"),
        (f"{CROSSWALK_HEADER},price\n", "line 1, price: unknown-column"),
        (f"{CROSSWALK_HEADER},code\n", "line 1, code: column-twice"),
        (f'{CROSSWALK_HEADER}\n"A,ehr,payer,X', "not-csv"),
        (f"{CROSSWALK_HEADER}\nA\x07,ehr,payer,X", "line 2, the line: control-character"),
        (f"{CROSSWALK_HEADER}\nA,ehr,payer,{'X' * 5000}", "line 2, ours: cell-too-long"),
        (f"{CROSSWALK_HEADER}\nA,ehr,payer,{'X' * 70000}", "line 2, the line: line-too-long"),
    ],
)
def test_a_fault_is_named_by_line_column_and_rule(text: str, told: str) -> None:
    with pytest.raises(TableRefused, match=r"crosswalks\.csv, ") as refused:
        parse_table(text, LISTS["crosswalks"])
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("cell", "rule"), [("1e3", "amount"), ("1.234", "amount"), ("NaN", "amount"), ("", "amount"), ("1_0", "amount")]
)
def test_an_amount_is_a_plain_decimal(cell: str, rule: str) -> None:
    with pytest.raises(TableRefused, match=f"line 2, price: {rule}"):
        parse_table(f"code,price\n99213,{cell}\n", LISTS["charge_master"])


def test_a_column_left_out_takes_its_default_and_a_file_says_its_list(tmp_path: Path) -> None:
    path = tmp_path / "charge-master.csv"
    path.write_bytes("\ufeffcode,price\r\n99213,120.50\r\n".encode())
    assert read_table(path).rows == (ChargeMasterRow(code="99213", price=Money(12050)),)


def test_a_file_that_names_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tariffs.csv").write_text("code\n")
    with pytest.raises(TableRefused, match="unknown-list"):
        read_table(tmp_path / "tariffs.csv")


def test_faults_are_told_up_to_a_hundred() -> None:
    lines = io.StringIO()
    lines.write("code,price\n")
    lines.writelines(f"{number},free\n" for number in range(300))
    with pytest.raises(TableRefused) as refused:
        parse_table(lines.getvalue(), LISTS["charge_master"])
    assert len(refused.value.faults) == 100


def test_the_published_profile_is_what_the_code_reads() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "master-data.md"
    assert page.read_text(encoding="utf-8") == profile_page(), (
        "write it again: python -m canonical.master_data.profile docs/master-data.md"
    )
