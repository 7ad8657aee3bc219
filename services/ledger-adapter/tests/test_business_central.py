"""What the Business Central adapter makes of lines left over, lost answers, entity tags, tokens and codes; the rest is in the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import pytest
from canonical.codes import AccountRole
from chassis.domain import Unavailable
from ledger_adapter.adapters.business_central import BusinessCentralErp
from ledger_adapter.adapters.business_central_client import BusinessCentralConnection
from ledger_adapter.adapters.business_central_words import journal_code
from ledger_adapter.application.ports import (
    ErpDocument,
    ErpUncertain,
    Pending,
    PeriodState,
    Posted,
    RefusalKind,
    Refused,
)
from sandbox.erps.business_central import BATCH, BusinessCentralDouble
from sandbox.world.misbehaviour import Fault

from .erp_contract import DECEMBER, MARCH, document
from .erps_under_test import BUSINESS_CENTRAL_CODES, business_central_plan, sample_books

POSTING = "Microsoft.NAV.post"


class Meddling(httpx.HTTPTransport):
    """Lets something happen at the ERP right before the first call whose body holds a text."""

    def __init__(self, text: str, meddle: Callable[[], None]) -> None:
        super().__init__()
        self.waiting: list[Callable[[], None]] = [meddle]
        self._text = text

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.waiting and self._text in request.content.decode():
            self.waiting.pop()()
        return super().handle_request(request)


@dataclass
class Environment:
    """A Business Central with what an adapter needs; `erp` makes one, as a restart does."""

    double: BusinessCentralDouble
    folder: Path
    hours: float = 0.0

    def erp(self, transport: httpx.BaseTransport | None = None, **more: object) -> BusinessCentralErp:
        connection = BusinessCentralConnection.read(self.double.write_connection(self.folder, **more))
        return BusinessCentralErp("central", connection, sample_books(BUSINESS_CENTRAL_CODES), transport=transport)


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Environment]:
    made: list[Environment] = []
    with BusinessCentralDouble(business_central_plan(), now=lambda: made[0].hours * 3600) as double:
        made.append(Environment(double, tmp_path))
        yield made[0]


def test_one_token_serves_all_calls_until_it_has_expired(central: Environment) -> None:
    erp = central.erp()
    erp.post("NORTH", [document("a"), document("b")])
    assert central.double.tokens.tokens_given == 1
    central.hours = 2
    answers = erp.post("NORTH", [document("c")])
    assert all(isinstance(answer, Posted) for answer in answers.values())
    assert central.double.tokens.tokens_given == 2


def test_a_secret_that_is_not_known_posts_nothing_and_is_not_told(central: Environment) -> None:
    erp = central.erp()
    (central.folder / "business-central-secret").write_text("stale-secret")
    stale = BusinessCentralConnection.read(central.folder / "business-central.json")
    with pytest.raises(Unavailable, match="no token") as refused:
        BusinessCentralErp("central", stale, sample_books()).post("NORTH", [document("a")])
    assert "stale-secret" not in str(refused.value)
    assert erp.find("NORTH", [document("a").number]) == {}


def test_a_lost_204_is_found_by_asking_and_not_posted_again(central: Environment) -> None:
    erp, journal = central.erp(deadline_seconds=0.3), document("lost")
    central.double.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target=BATCH, spared=1)
    with pytest.raises(ErpUncertain):
        erp.post("NORTH", [journal])
    assert isinstance(erp.find("NORTH", [journal.number])[journal.number], ErpDocument)
    again = erp.post("NORTH", [journal])[journal.number]
    assert isinstance(again, Refused)
    assert again.kind is RefusalKind.NUMBER_TAKEN
    assert len(central.double.entries("NORTH")) == 2


def test_a_journal_that_an_earlier_attempt_made_is_posted_and_not_made_again(central: Environment) -> None:
    erp, journal = central.erp(), document("made")
    central.double.misbehaviour.request(Fault.RESET_AFTER_WORK, target=BATCH)
    with pytest.raises(Unavailable, match="not made for certain"):
        erp.post("NORTH", [journal])
    made = [each.id for each in central.double.journals("NORTH")]
    assert isinstance(erp.post("NORTH", [journal])[journal.number], Posted)
    assert [each.id for each in central.double.journals("NORTH")] == made
    assert len(central.double.entries("NORTH")) == 2


def test_a_line_that_somebody_left_in_our_journal_is_never_posted(central: Environment) -> None:
    erp, journal = central.erp(), document("orphan", "10.00")
    central.double.misbehaviour.request(Fault.RESET_AFTER_WORK, target=BATCH)
    with pytest.raises(Unavailable):
        erp.post("NORTH", [journal])
    (left,) = central.double.journals("NORTH")
    central.double.add_line("NORTH", left, "1000", 7_00, journal.number, MARCH)
    central.double.add_line("NORTH", left, "4000", -7_00, journal.number, MARCH)
    assert isinstance(erp.post("NORTH", [journal])[journal.number], Posted)
    assert [entry.cents for entry in central.double.entries("NORTH")] == [10_00, -10_00]


def test_lines_of_other_journals_stay_where_they_are(central: Environment) -> None:
    books = central.double.books
    other = books.add_journal(books.companies["NORTH"], "journals", "DEFAULT", "somebody's", [])
    central.double.add_line("NORTH", other, "1000", 7_00, "G001", MARCH)
    central.erp().post("NORTH", [document("alone")])
    assert [line.document for line in other.lines] == ["G001"]
    assert central.double.numbers("NORTH") == [document("alone").number]


@pytest.mark.parametrize(("leaves_empty_line", "answers"), [(True, [Posted]), (False, [])])
def test_a_posting_under_way_and_its_repetition_book_once(
    central: Environment, leaves_empty_line: bool, answers: list[type]
) -> None:
    journal, double = document("race"), central.double
    double.books.leaves_empty_line = leaves_empty_line
    double.misbehaviour.request(Fault.RESET_AFTER_WORK, target=BATCH)
    with pytest.raises(Unavailable):
        central.erp().post("NORTH", [journal])

    def first_posting_ends() -> None:
        double.books.post(double.books.companies["NORTH"], double.journals("NORTH")[0])

    erp = central.erp(Meddling(POSTING, first_posting_ends))
    assert [type(answer) for answer in erp.post("NORTH", [journal]).values()] == answers
    assert isinstance(erp.find("NORTH", [journal.number])[journal.number], ErpDocument)
    assert len(double.entries("NORTH")) == 2


def test_a_batch_that_was_cut_off_is_uncertain_and_ends_with_each_document_once(central: Environment) -> None:
    erp, journals = central.erp(), [document(f"cut-{number}") for number in range(5)]
    central.double.misbehaviour.request(Fault.CUT, target=POSTING, spared=3)
    with pytest.raises(ErpUncertain, match="504"):
        erp.post("NORTH", journals)
    assert len(central.double.numbers("NORTH")) == 3
    found = erp.find("NORTH", [journal.number for journal in journals])
    answers = erp.post("NORTH", [journal for journal in journals if journal.number not in found])
    assert [type(answer) for answer in answers.values()] == [Posted, Posted]
    assert len(central.double.entries("NORTH")) == 10


def test_what_was_posted_and_is_in_no_entry_yet_is_pending_and_not_sent(central: Environment) -> None:
    erp, journal = central.erp(), document("hidden")
    erp.post("NORTH", [journal])
    company = central.double.books.companies["NORTH"]
    hidden, company.entries = company.entries, []
    assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
    assert erp.post("NORTH", [journal]) == {journal.number: Pending()}
    company.entries = hidden
    assert isinstance(erp.find("NORTH", [journal.number])[journal.number], ErpDocument)


@pytest.mark.parametrize("leaves_empty_line", [False, True])
def test_a_journal_is_removed_once_its_entries_have_been_read(central: Environment, leaves_empty_line: bool) -> None:
    central.double.books.leaves_empty_line = leaves_empty_line
    erp, journal = central.erp(), document("tidy")
    erp.post("NORTH", [journal])
    assert [each.display_name for each in central.double.journals("NORTH")] == [journal.number]
    erp.find("NORTH", [journal.number])
    assert central.double.journals("NORTH") == ()


@pytest.mark.parametrize("status", [409, 412])
def test_a_journal_that_somebody_changed_since_we_saw_it_is_not_removed(central: Environment, status: int) -> None:
    central.double.api.journals.stale_status = status
    journal = document("changed")
    central.erp().post("NORTH", [journal])
    (left,) = central.double.journals("NORTH")

    def somebody_changes_it() -> None:
        left.version += 1

    erp = central.erp(Meddling("DELETE", somebody_changes_it))
    assert isinstance(erp.find("NORTH", [journal.number])[journal.number], ErpDocument)
    assert central.double.journals("NORTH") == (left,)
    erp.find("NORTH", [journal.number])
    assert central.double.journals("NORTH") == ()


def test_a_refused_journal_does_not_stay_and_is_posted_when_its_period_opens(central: Environment) -> None:
    erp, journal = central.erp(), document("late", day=DECEMBER)
    central.double.allow_posting("NORTH", None, date(2027, 11, 30))
    refusal = erp.post("NORTH", [journal])[journal.number]
    assert isinstance(refusal, Refused)
    assert refusal.kind is RefusalKind.PERIOD_CLOSED
    assert central.double.journals("NORTH") == ()
    central.double.allow_posting("NORTH", None, None)
    assert isinstance(erp.post("NORTH", [journal])[journal.number], Posted)


def test_the_code_of_a_journal_is_letters_alone_for_posting_renames_one_with_a_number() -> None:
    code = journal_code(document("a").number)
    assert code.isalpha()
    assert code.isupper()
    assert len(code) == 10
    assert journal_code(document("b").number) != code


def test_a_journal_of_somebody_else_under_our_code_is_left_alone(central: Environment) -> None:
    journal, books = document("taken"), central.double.books
    books.add_journal(books.companies["NORTH"], "journals", journal_code(journal.number), "payroll", [])
    answer = central.erp().post("NORTH", [journal])[journal.number]
    assert isinstance(answer, Refused)
    assert answer.kind is RefusalKind.UNCLASSIFIED
    assert [each.display_name for each in central.double.journals("NORTH")] == ["payroll"]


def test_codes_that_are_not_in_capitals_or_unknown_are_named_in_the_refusal(central: Environment) -> None:
    small, unknown = document("small", party="acme"), document("unknown", party="NOBODY")
    answers = central.erp().post("NORTH", [small, unknown, document("fine")])
    assert answers[small.number] == Refused(
        RefusalKind.INVALID, "PARTY acme is no code: at most 20 characters, in capitals"
    )
    stranger = answers[unknown.number]
    assert isinstance(stranger, Refused)
    assert stranger.kind is RefusalKind.INVALID
    assert "valueCode" in stranger.reason
    assert central.double.numbers("NORTH") == [document("fine").number]


def test_a_refusal_that_nobody_has_classified_is_told_so(central: Environment) -> None:
    erp = central.erp()
    erp.periods("NORTH")
    central.double.books.companies["NORTH"].blocked.add("4000")
    answer = erp.post("NORTH", [document("blocked")])[document("blocked").number]
    assert isinstance(answer, Refused)
    assert answer.kind is RefusalKind.UNCLASSIFIED
    assert "Blocked must be equal" in answer.reason


def test_a_company_or_account_that_is_not_set_up_is_an_outage_that_says_what_is_missing(central: Environment) -> None:
    central.double.books.companies["NORTH"].blocked |= {"1100", "4000"}
    with pytest.raises(Unavailable, match="company NORTH: no account 1100, 4000"):
        central.erp().find("NORTH", [])
    del central.double.books.companies["SOUTH"]
    with pytest.raises(Unavailable, match="no company SOUTH"):
        central.erp().find("SOUTH", [])


def test_periods_are_closed_by_the_days_of_the_setup_and_locked_with_their_year(central: Environment) -> None:
    central.double.allow_posting("NORTH", date(2026, 2, 10), date(2027, 6, 30))
    central.double.books.companies["NORTH"].closed.add(date(2026, 3, 1))
    told = {period.name: period for period in central.erp().periods("NORTH")}
    assert told["January 2026"].state is PeriodState.SOFT_CLOSED
    assert told["February 2026"].state is PeriodState.OPEN
    assert told["March 2026"].state is PeriodState.LOCKED
    assert told["July 2027"].state is PeriodState.SOFT_CLOSED
    assert told["December 2027"].end == date(2027, 12, 31)
    assert len(told) == 24


def test_a_payer_is_a_customer_where_its_account_is_a_customers(central: Environment) -> None:
    erp, journal = central.erp(customer_accounts=["1100"]), document("customer", "12.00")
    erp.post("NORTH", [journal])
    assert [entry.customer for entry in central.double.entries("NORTH")] == ["ACME", ""]
    held = erp.find("NORTH", [journal.number])[journal.number]
    assert isinstance(held, ErpDocument)
    assert [(line.account, line.party) for line in held.lines] == [
        (AccountRole.AR_PAYER, "ACME"),
        (AccountRole.GROSS_REVENUE, ""),
    ]


def test_balances_are_read_page_by_page(central: Environment) -> None:
    erp = central.erp()
    erp.post("NORTH", [document(f"page-{number}", "1.25") for number in range(8)])
    whole = erp.balances("NORTH")
    central.double.api.page_rows = 3
    assert erp.balances("NORTH") == whole
    assert {(row.account, row.party): row.amount.minor for row in whole} == {
        (AccountRole.AR_PAYER, "ACME"): 1000,
        (AccountRole.GROSS_REVENUE, ""): -1000,
    }


def test_a_next_page_elsewhere_is_not_asked_for(central: Environment) -> None:
    class Elsewhere(httpx.HTTPTransport):
        asked: list[str] = []

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.asked.append(request.url.host)
            if request.url.path.endswith("/companies"):
                return httpx.Response(200, json={"value": [], "@odata.nextLink": "https://elsewhere.example/companies"})
            return super().handle_request(request)

    transport = Elsewhere()
    with pytest.raises(Unavailable, match="elsewhere"):
        central.erp(transport).find("NORTH", [])
    assert "elsewhere.example" not in transport.asked


def test_what_is_changed_or_deleted_beneath_us_is_read_back_as_it_stands(central: Environment) -> None:
    changed, deleted, erp = document("edited"), document("deleted"), central.erp()
    erp.post("NORTH", [changed, deleted])
    erp.find("NORTH", [changed.number, deleted.number])
    central.double.change_amount("NORTH", changed.number, 4242)
    central.double.delete("NORTH", deleted.number)
    found = erp.find("NORTH", [changed.number, deleted.number])
    assert set(found) == {changed.number}
    held = found[changed.number]
    assert isinstance(held, ErpDocument)
    assert [line.amount.minor for line in held.lines] == [4242, -4242]


def test_nothing_that_is_sent_has_room_for_words(central: Environment) -> None:
    central.erp().post("NORTH", [document("fields")])
    (make, _) = central.double.api.batches
    (call,) = make
    assert set(call.body) == {"code", "displayName", "journalLines"}
    assert {name for line in call.body["journalLines"] for name in line} == {
        "accountNumber",
        "postingDate",
        "documentNumber",
        "externalDocumentNumber",
        "amount",
        "dimensionSetLines",
    }


def test_more_requests_than_are_granted_in_five_minutes_post_nothing(central: Environment) -> None:
    erp = central.erp()
    erp.find("NORTH", [])
    central.double.api.requests_max = 0
    with pytest.raises(Unavailable):
        erp.post("NORTH", [document("a")])
    assert central.double.entries("NORTH") == ()
