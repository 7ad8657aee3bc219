"""What the Dynamics 365 Finance adapter makes of imports that end badly, late or in part; the good ones are in the contract."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from canonical.codes import AccountRole
from canonical.money import Money
from chassis.domain import Unavailable
from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaSettings
from ledger_adapter.adapters.finance import FinanceErp
from ledger_adapter.adapters.finance_client import FinanceConnection
from ledger_adapter.adapters.finance_words import FIELDS, package_of
from ledger_adapter.application.ports import (
    ErpDocument,
    ErpUncertain,
    Pending,
    PeriodState,
    RefusalKind,
    Refused,
)
from sandbox.erps.finance import IMPORT, FinanceDouble
from sandbox.erps.finance_imports import rows_in
from sandbox.world.misbehaviour import Fault

from .erp_contract import MARCH, document
from .erps_under_test import finance_books, finance_plan

UNSEEN_SECONDS = 600.0


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def double() -> Iterator[FinanceDouble]:
    with FinanceDouble(finance_plan()) as running:
        yield running


def adapter(double: FinanceDouble, folder: Path, clock: Clock | None = None, **more: object) -> FinanceErp:
    path = double.write_connection(folder, **{"deadline_seconds": 0.3, "unseen_seconds": UNSEEN_SECONDS, **more})
    quota = ErpQuota("finance", QuotaSettings(concurrency=4))
    return FinanceErp("finance", FinanceConnection.read(path), finance_books(), quota=quota, clock=clock or Clock())


def test_a_journal_is_pending_until_the_posting_job_has_come_round(double: FinanceDouble, tmp_path: Path) -> None:
    erp, journal = adapter(double, tmp_path), document("pending")
    assert erp.post("NORTH", [journal]) == {journal.number: Pending()}
    assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
    double.run_jobs()
    held = erp.find("NORTH", [journal.number])[journal.number]
    assert isinstance(held, ErpDocument)
    assert double.numbers("NRTH") == [journal.number]


def test_what_is_pending_is_not_handed_over_again(double: FinanceDouble, tmp_path: Path) -> None:
    erp, journal = adapter(double, tmp_path), document("again")
    for _ in range(3):
        assert erp.post("NORTH", [journal]) == {journal.number: Pending()}
    assert list(double.imports.executions) == [f"{journal.number}-1"]


def test_an_import_whose_answer_was_lost_is_not_begun_again_while_it_may_come_to_light(
    double: FinanceDouble, tmp_path: Path
) -> None:
    clock = Clock()
    erp, journal = adapter(double, tmp_path, clock), document("lost")
    double.misbehaviour.request(Fault.SERVER_ERROR, target=IMPORT)
    with pytest.raises(ErpUncertain):
        erp.post("NORTH", [journal])
    assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
    clock.seconds += UNSEEN_SECONDS
    assert erp.find("NORTH", [journal.number]) == {}
    erp.post("NORTH", [journal])
    assert list(double.imports.executions) == [f"{journal.number}-1"]


def test_an_import_that_failed_in_part_is_told_and_not_understood(double: FinanceDouble, tmp_path: Path) -> None:
    erp, journal = adapter(double, tmp_path), document("part", party="STRANGER")
    erp.post("NORTH", [journal])
    assert erp.find("NORTH", [journal.number]) == {}
    refused = erp.post("NORTH", [journal])[journal.number]
    assert isinstance(refused, Refused)
    assert refused.kind is RefusalKind.UNCLASSIFIED
    assert "PartiallySucceeded, 1 failed: The value 'STRANGER' of dimension Customer does not exist." in refused.reason
    double.run_jobs()
    assert double.numbers("NRTH") == []


def test_an_import_of_which_nothing_arrived_is_refused_with_the_words_of_the_erp(
    double: FinanceDouble, tmp_path: Path
) -> None:
    erp, journal = adapter(double, tmp_path, currency="EUR"), document("euros")
    erp.post("NORTH", [journal])
    refused = erp.post("NORTH", [journal])[journal.number]
    assert isinstance(refused, Refused)
    assert refused.kind is RefusalKind.INVALID
    assert "Failed, 2 failed: The currency" in refused.reason


def test_a_canceled_import_is_not_understood(double: FinanceDouble, tmp_path: Path) -> None:
    double.api.holds_imports = True
    erp, journal = adapter(double, tmp_path), document("canceled")
    erp.post("NORTH", [journal])
    double.cancel_import(f"{journal.number}-1")
    refused = erp.post("NORTH", [journal])[journal.number]
    assert isinstance(refused, Refused)
    assert refused.kind is RefusalKind.UNCLASSIFIED


def test_a_document_that_a_person_sends_again_is_imported_under_the_next_id(
    double: FinanceDouble, tmp_path: Path
) -> None:
    erp, journal = adapter(double, tmp_path, currency="EUR"), document("mended")
    erp.post("NORTH", [journal])
    erp.post("NORTH", [journal])
    mended = adapter(double, tmp_path)
    assert isinstance(mended.post("NORTH", [journal])[journal.number], Refused)
    assert mended.post("NORTH", [journal]) == {journal.number: Pending()}
    assert list(double.imports.executions) == [f"{journal.number}-1", f"{journal.number}-2"]
    double.run_jobs()
    assert double.numbers("NRTH") == [journal.number]


def test_imports_are_begun_one_at_a_time_whoever_asks(double: FinanceDouble, tmp_path: Path) -> None:
    double.api.import_seconds = 0.005
    erp = adapter(double, tmp_path, deadline_seconds=5)
    batches = [[document(f"at-once-{lane}-{number}") for number in range(3)] for lane in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda batch: erp.post("NORTH", batch), batches))
    assert double.api.importing_max == 1
    assert [each for told in answers for each in told.values()] == [Pending()] * 12


def test_a_package_that_cannot_be_uploaded_begins_no_import(double: FinanceDouble, tmp_path: Path) -> None:
    erp, journal = adapter(double, tmp_path), document("upload")
    double.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target="PUT /blob/")
    with pytest.raises(Unavailable):
        erp.post("NORTH", [journal])
    assert double.imports.executions == {}


def test_a_wrong_secret_is_an_outage_that_does_not_tell_it(double: FinanceDouble, tmp_path: Path) -> None:
    erp = adapter(double, tmp_path)
    (tmp_path / "finance-secret").write_text("not-the-secret")
    erp = FinanceErp("finance", FinanceConnection.read(tmp_path / "finance.json"), finance_books())
    with pytest.raises(Unavailable) as outage:
        erp.find("NORTH", ["TL1"])
    assert "not-the-secret" not in str(outage.value)


def test_a_token_that_ends_is_got_anew(double: FinanceDouble, tmp_path: Path) -> None:
    erp = adapter(double, tmp_path)
    erp.find("NORTH", ["TL1"])
    double.api.tokens.revoke_all()
    assert erp.find("NORTH", ["TL1"]) == {}


def test_everything_is_read_from_however_many_pages(double: FinanceDouble, tmp_path: Path) -> None:
    double.api.page_rows = 3
    erp = adapter(double, tmp_path)
    journals = [document(f"page-{number}", f"{number + 1}.00") for number in range(8)]
    erp.post("NORTH", journals)
    double.run_jobs()
    assert len(erp.find("NORTH", [journal.number for journal in journals])) == 8
    revenue = [row.amount for row in erp.balances("NORTH") if row.account is AccountRole.GROSS_REVENUE]
    assert revenue == [Money.of("-36.00")]


def test_periods_are_those_of_operation_with_the_state_that_the_ledger_gives_them(
    double: FinanceDouble, tmp_path: Path
) -> None:
    double.set_period("NRTH", MARCH, "OnHold")
    double.set_period("NRTH", date(2026, 2, 1), "Closed")
    told = adapter(double, tmp_path).periods("NORTH")
    assert len(told) == 24
    states = {period.start.month: period.state for period in told if period.start.year == 2026}
    assert (states[2], states[3], states[4]) == (PeriodState.LOCKED, PeriodState.SOFT_CLOSED, PeriodState.OPEN)


def test_what_somebody_changed_by_hand_is_read_as_it_is_now(double: FinanceDouble, tmp_path: Path) -> None:
    erp, journal = adapter(double, tmp_path), document("changed", "10.00")
    erp.post("NORTH", [journal])
    double.run_jobs()
    double.change_amount(journal.number, 1001)
    held = erp.find("NORTH", [journal.number])[journal.number]
    assert isinstance(held, ErpDocument)
    assert [line.amount for line in held.lines] == [Money.of("10.01"), Money.of("-10.01")]


def test_a_voucher_that_somebody_booked_under_our_number_is_taken(double: FinanceDouble, tmp_path: Path) -> None:
    erp, journal = adapter(double, tmp_path), document("taken")
    double.book_by_hand("NRTH", journal.number, MARCH, {"4000": -100, "1000": 100})
    refused = erp.post("NORTH", [journal])[journal.number]
    assert isinstance(refused, Refused)
    assert refused.kind is RefusalKind.NUMBER_TAKEN
    assert double.imports.executions == {}


def test_books_that_keep_a_dimension_which_the_format_has_not_are_refused(
    double: FinanceDouble, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="CostCenter, Department"):
        adapter(double, tmp_path, dimension_format=["MainAccount", "Customer", "PayerClass", "Location"])


def test_a_package_is_read_as_it_was_made() -> None:
    row = [f"value {number}" for number in range(len(FIELDS))]
    assert rows_in(package_of("Throughline", [row])) == [dict(zip(FIELDS, row, strict=True))]
