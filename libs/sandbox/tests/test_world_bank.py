"""The bank: statements whose totals and counts are right, deposits that carry the trace, and faults on request."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from canonical.money import Money
from sandbox.world.bank import Bank
from sandbox.world.bulk import generate_remittance
from sandbox.world.file_drop import Exchange, waiting_files
from sandbox.world.misbehaviour import Fault, Misbehaviour

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 18, 0)


def statement_of(bank: Bank) -> list[list[str]]:
    file = bank.statement(DAY, NOW)[0]
    return [row.rstrip("/").split(",") for row in file.content.decode().splitlines()]


def deposits_of(rows: list[list[str]]) -> list[tuple[str, int, str]]:
    """Account, cents and text of every 16 record, continuations included."""
    found: list[tuple[str, int, str]] = []
    account = ""
    for row in rows:
        if row[0] == "03":
            account = row[1]
        elif row[0] == "16":
            found.append((account, int(row[2]), ",".join(row[6:])))
        elif row[0] == "88":
            last = found.pop()
            found.append((*last[:2], f"{last[2]} {','.join(row[1:])}"))
    return found


def amounts_of(row: list[str]) -> int:
    return sum(int(row[at]) for at in ((4, 8, 12) if row[0] == "03" else (2,)))


def bank_with_deposits(faults: Misbehaviour | None = None) -> Bank:
    bank = Bank(misbehaviour=faults)
    bank.deposit_remittances(
        [generate_remittance(3, DAY), generate_remittance(4, DAY, payer_code="MEDICARE", entity_code="SOUTH")]
    )
    bank.deposit_payout("NORTH", "po_abc", Money(123_45), DAY)
    return bank


def test_control_totals_and_record_counts_are_those_of_the_records() -> None:
    rows = statement_of(bank_with_deposits())
    kinds = [row[0] for row in rows]
    assert kinds == ["01", "02", "03", "16", "88", "16", "49", "03", "16", "88", "49", "98", "99"]
    first, second = rows[2:7], rows[7:11]
    totals = []
    for part in (first, second):
        expected = sum(amounts_of(row) for row in part if row[0] in ("03", "16"))
        assert part[-1] == ["49", str(expected), str(len(part))]
        totals.append(expected)
    assert rows[11] == ["98", str(sum(totals)), "2", "11"]
    assert rows[12] == ["99", str(sum(totals)), "1", "13"]


def test_a_deposit_carries_the_trace_of_its_remittance_on_the_account_of_its_entity() -> None:
    remittance = generate_remittance(3, DAY)
    bank = Bank()
    bank.deposit_remittances([remittance])
    text = f"HCCLAIMPMT ACME HEALTH PLAN TRN*1*{remittance.trace_number}*1900100001\\"
    assert deposits_of(statement_of(bank)) == [("4400100017", remittance.amount.minor, text)]


def test_payouts_and_unrelated_money_are_deposits_too() -> None:
    bank = Bank()
    bank.deposit_payout("SOUTH", "po_abc", Money(99), DAY)
    bank.deposit_unrelated("NORTH", Money(500), DAY)
    assert deposits_of(statement_of(bank)) == [
        ("4400100025", 99, "STRIPE PAYOUT po_abc"),
        ("4400100017", 500, "VENDING MACHINE RENT"),
    ]


def test_balances_carry_over_to_the_next_statement() -> None:
    bank = Bank()
    bank.deposit_unrelated("NORTH", Money(500), DAY)
    statement_of(bank)
    bank.deposit_unrelated("NORTH", Money(300), DAY)
    account = next(row for row in statement_of(bank) if row[0] == "03")
    assert account[3:5] == ["010", "500"]
    assert account[7:9] == ["015", "800"]


def test_a_remittance_without_payment_makes_no_deposit_and_nothing_makes_no_statement() -> None:
    bank = Bank()
    bank.deposit_remittances([generate_remittance(0, DAY)])
    assert bank.statement(DAY, NOW) == []


def test_a_delayed_deposit_comes_with_a_later_statement() -> None:
    faults = Misbehaviour()
    faults.request(Fault.DELAY, target="payout", measure=1)
    bank = bank_with_deposits(faults)
    assert len(deposits_of(statement_of(bank))) == 2
    assert deposits_of(statement_of(bank)) == [("4400100017", 123_45, "STRIPE PAYOUT po_abc")]


def test_one_cent_more_is_credited_and_the_statement_still_adds_up() -> None:
    faults = Misbehaviour()
    faults.request(Fault.CORRUPT_ONE_CENT, target="remittance")
    remittance = generate_remittance(3, DAY)
    bank = Bank(misbehaviour=faults)
    bank.deposit_remittances([remittance])
    rows = statement_of(bank)
    assert deposits_of(rows)[0][1] == remittance.amount.minor + 1
    assert rows[-1][1] == str(amounts_of(rows[2]) + amounts_of(rows[3]))


def test_a_bank_that_is_down_gives_no_statement_and_loses_nothing() -> None:
    faults = Misbehaviour()
    bank = bank_with_deposits(faults)
    faults.request(Fault.DOWN)
    assert bank.statement(DAY, NOW) == []
    assert len(deposits_of(statement_of(bank))) == 3


def test_statements_are_dropped_and_a_duplicate_has_the_same_bytes_under_another_name(tmp_path: Path) -> None:
    faults = Misbehaviour()
    faults.request(Fault.DUPLICATE, target="statement")
    exchange = Exchange(tmp_path)
    assert bank_with_deposits(faults).drop_statement(exchange, DAY, NOW) == 2
    files = waiting_files(exchange.folder("bank-inbound"))
    assert [path.name for path in files] == ["bank-20261120-0001-2.bai2", "bank-20261120-0001.bai2"]
    assert files[0].read_bytes() == files[1].read_bytes()
