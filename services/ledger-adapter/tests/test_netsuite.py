"""What the NetSuite adapter makes of tokens, limits, jobs, odd words and changes by hand; the rest is in the contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from canonical.codes import AccountRole, Dimension
from canonical.exact_json import read_exact, write_exact
from canonical.money import Money
from chassis.domain import Unavailable
from joserfc.jwk import ECKey, RSAKey
from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaSettings
from ledger_adapter.adapters.netsuite import ASKED_AGAIN_SECONDS, NetSuiteErp
from ledger_adapter.adapters.netsuite_client import NetSuiteConnection
from ledger_adapter.adapters.netsuite_words import net_of, quoted
from ledger_adapter.application.lanes import Lane, calling_in
from ledger_adapter.application.ports import (
    ErpDocument,
    ErpUncertain,
    Pending,
    PeriodState,
    Posted,
    RefusalKind,
    Refused,
)
from sandbox.erps.netsuite import NetSuiteDouble
from sandbox.world.misbehaviour import UNTIL_LIFTED, Fault

from .erp_contract import DECEMBER, MARCH, VALUES, document
from .erps_under_test import NETSUITE_FIELDS, netsuite_plan, sample_books

JOURNALS = "POST /services/rest/record/v1/journalEntry"


@dataclass
class Account:
    """A NetSuite with an adapter before it; `erp` makes another one, as a restart does, whose clock jumps a minute a look."""

    double: NetSuiteDouble
    path: Path

    def erp(self, quota: QuotaSettings | None = None, **more: Any) -> NetSuiteErp:
        connection = NetSuiteConnection.read(self.path)
        return NetSuiteErp(
            "netsuite",
            connection,
            sample_books(NETSUITE_FIELDS),
            quota=ErpQuota("netsuite", quota or QuotaSettings()),
            **{"clock": count(0, 60).__next__, **more},
        )


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with NetSuiteDouble(netsuite_plan()) as double:
        yield Account(double, double.write_connection(tmp_path))


@pytest.fixture
def with_jobs(tmp_path: Path) -> Iterator[Account]:
    with NetSuiteDouble(netsuite_plan()) as double:
        double.api.holds_jobs = True
        yield Account(double, double.write_connection(tmp_path, jobs_from_lines=2))


def test_one_token_serves_all_calls_until_it_is_refused(account: Account) -> None:
    erp = account.erp()
    journals = [document(f"token-{number}") for number in range(6)]
    erp.post("NORTH", journals[:4])
    assert account.double.tokens.tokens_given == 1
    account.double.tokens.revoke_all()
    answers = erp.post("NORTH", journals[4:])
    assert all(isinstance(answer, Posted) for answer in answers.values())
    assert account.double.tokens.tokens_given == 2


def test_a_key_that_the_account_does_not_know_books_nothing_and_is_not_told(account: Account) -> None:
    stranger = ECKey.generate_key("P-256")
    (account.path.parent / "netsuite-key.pem").write_bytes(stranger.as_pem(private=True))
    with pytest.raises(Unavailable, match="no token") as refused:
        account.erp().post("NORTH", [document("a")])
    assert "PRIVATE" not in str(refused.value)
    assert account.double.numbers() == []


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [("PS256", "does not sign by PS256"), ("ES384", "does not sign by ES384"), ("none", "takes no none")],
)
def test_a_key_that_does_not_fit_its_algorithm_is_refused_at_the_start(
    account: Account, algorithm: str, words: str
) -> None:
    told = json.loads(account.path.read_text())
    account.path.write_text(json.dumps(told | {"algorithm": algorithm}))
    with pytest.raises(ValueError, match=words):
        NetSuiteConnection.read(account.path)


def test_an_rsa_key_signs_with_ps256(tmp_path: Path) -> None:
    with NetSuiteDouble(netsuite_plan(), key=RSAKey.generate_key(3072, auto_kid=False)) as double:
        account = Account(double, double.write_connection(tmp_path))
        answers = account.erp().post("NORTH", [document("a")])
    assert all(isinstance(answer, Posted) for answer in answers.values())


def test_a_batch_uses_as_many_calls_at_once_as_the_quota_grants_and_no_more(account: Account) -> None:
    account.double.misbehaviour.request(Fault.SLOW, target=JOURNALS, times=UNTIL_LIFTED, measure=30)
    account.erp(QuotaSettings(concurrency=3)).post("NORTH", [document(f"wide-{number}") for number in range(9)])
    assert account.double.troubled.running_max == 3


def test_parallel_calls_stay_in_the_lane_of_their_caller(account: Account) -> None:
    quota = ErpQuota("netsuite", QuotaSettings())
    lanes: list[Lane] = []
    original = quota._enter

    def entering(lane: Lane, wait_seconds: float) -> None:
        lanes.append(lane)
        original(lane, wait_seconds)

    quota._enter = entering  # type: ignore[method-assign]
    erp = NetSuiteErp("netsuite", NetSuiteConnection.read(account.path), sample_books(), quota=quota)
    with calling_in(Lane.PATIENT_PAYMENT):
        erp.post("NORTH", [document(f"lane-{number}") for number in range(3)])
    assert set(lanes) == {Lane.PATIENT_PAYMENT}


def test_more_calls_than_the_account_grants_leave_the_rest_unanswered_and_unbooked(account: Account) -> None:
    journals = [document(f"limit-{number}") for number in range(8)]
    account.double.misbehaviour.request(Fault.THROTTLE, target=JOURNALS, measure=0, spared=3)
    answers = account.erp(QuotaSettings(concurrency=1)).post("NORTH", journals)
    assert list(answers) == [journal.number for journal in journals[:3]] == account.double.numbers()


@pytest.mark.parametrize(("fault", "raised"), [(Fault.THROTTLE, Unavailable), (Fault.SERVER_ERROR, ErpUncertain)])
def test_where_the_first_call_fails_nothing_else_is_sent(
    account: Account, fault: Fault, raised: type[Exception]
) -> None:
    account.double.misbehaviour.request(fault, target=JOURNALS, measure=0)
    with pytest.raises(raised):
        account.erp(QuotaSettings(concurrency=1)).post("NORTH", [document("a"), document("b")])
    assert account.double.numbers() == []


def test_an_answer_that_does_not_come_in_time_is_found_by_asking(account: Account) -> None:
    class Hasty(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "/record/" in request.url.path and request.method == "POST":
                request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), 0.1)
            return super().handle_request(request)

    account.double.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target=JOURNALS)
    journal, erp = document("slow"), account.erp(transport=Hasty())
    with pytest.raises(ErpUncertain, match="ReadTimeout"):
        erp.post("NORTH", [journal])
    assert set(erp.find("NORTH", [journal.number])) == {journal.number}


def test_without_a_connection_nothing_happened(account: Account) -> None:
    erp = account.erp()
    erp.find("NORTH", [])
    account.double.__exit__(None, None, None)
    with pytest.raises(Unavailable):
        erp.post("NORTH", [document("a")])


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("USER_ERROR", "This record already exists."), RefusalKind.NUMBER_TAKEN),
        (("USER_ERROR", "External ID must be unique."), RefusalKind.NUMBER_TAKEN),
    ],
)
def test_a_number_that_is_taken_is_known_by_its_words_where_the_code_says_nothing(
    account: Account, words: tuple[str, str], kind: RefusalKind
) -> None:
    journal, erp = document("taken"), account.erp()
    erp.post("NORTH", [journal])
    account.double.records.words["duplicate"] = words
    answer = erp.post("NORTH", [journal])[journal.number]
    assert isinstance(answer, Refused)
    assert answer.kind is kind


def test_an_upsert_would_have_changed_what_is_booked_and_a_post_does_not(account: Account) -> None:
    journal, erp = document("untouched", "10.00"), account.erp()
    erp.post("NORTH", [journal])
    before = account.double.trial_balance()
    erp.post("NORTH", [document("untouched", "99.00")])
    assert account.double.trial_balance() == before
    path = f"{account.double.url}/services/rest/record/v1/journalEntry/eid:{journal.number}"
    other = erp._prepared("NORTH", erp._lists.company("NORTH"), document("untouched", "99.00"))
    assert not isinstance(other, Refused)
    erp._client._http.put(path, params={"replace": "line"}, content=write_exact(other.body)).raise_for_status()
    assert account.double.trial_balance() != before


@pytest.mark.parametrize("words", [("USER_ERROR", "Nobody knows these words."), ("TRAN_PRD_CLOSED", "Closed.")])
def test_a_closed_period_is_known_whatever_the_refusal_says(account: Account, words: tuple[str, str]) -> None:
    account.double.records.words["closed"] = words
    account.double.close_period(DECEMBER)
    journal = document("late", day=DECEMBER)
    answer = account.erp().post("NORTH", [journal])[journal.number]
    assert answer == Refused(RefusalKind.PERIOD_CLOSED, f"{words[0]}: Error while accessing a resource. {words[1]}")


def test_words_that_nobody_knows_in_an_open_period_are_unclassified(account: Account) -> None:
    account.double.records.words["unbalanced"] = ("USER_ERROR", "Nobody knows these words.")
    journal = document("odd", "3.00", credit="2.99")
    answer = account.erp().post("NORTH", [journal])[journal.number]
    assert isinstance(answer, Refused)
    assert answer.kind is RefusalKind.UNCLASSIFIED


def test_a_day_for_which_nobody_has_made_a_period_is_refused_before_it_is_sent(account: Account) -> None:
    journal = document("far", day=date(2031, 1, 1))
    answer = account.erp().post("NORTH", [journal])[journal.number]
    assert answer == Refused(RefusalKind.PERIOD_CLOSED, "there is no period for 2031-01-01")


def test_a_locked_period_may_open_again_and_a_closed_one_may_not(account: Account) -> None:
    account.double.lock_period(MARCH)
    account.double.close_period(DECEMBER)
    states = {period.name: period.state for period in account.erp().periods("NORTH")}
    assert states["Mar 2026"] is PeriodState.SOFT_CLOSED
    assert states["Dec 2027"] is PeriodState.LOCKED
    assert len(states) == 24
    account.double.reopen_period(MARCH)
    assert isinstance(next(iter(account.erp().post("NORTH", [document("reopened")]).values())), Posted)


def test_a_customer_or_segment_that_netsuite_has_not_is_named_in_the_refusal(account: Account) -> None:
    erp = account.erp()
    stranger = document("stranger", party="NOBODY")
    debit, credit = document("elsewhere").lines
    elsewhere = document("elsewhere").model_copy(
        update={"lines": (debit, credit.model_copy(update={"department": "MOON"}))}
    )
    answers = erp.post("NORTH", [stranger, elsewhere, document("fine")])
    assert answers[stranger.number] == Refused(RefusalKind.INVALID, "the ERP has no customer NOBODY")
    assert answers[elsewhere.number] == Refused(RefusalKind.INVALID, "the ERP has no department MOON")
    assert len(account.double.numbers()) == 1


def test_a_department_that_was_made_later_is_found_without_a_restart(account: Account) -> None:
    erp = account.erp()
    debit, credit = document("new").lines
    lines = (debit, credit.model_copy(update={"department": "NEW"}))
    journal = document("new").model_copy(update={"lines": lines})
    assert isinstance(erp.post("NORTH", [journal])[journal.number], Refused)
    with account.double.books.changing() as data:
        data.execute("INSERT INTO department (name, externalid) VALUES ('New', 'NEW')")
    assert isinstance(erp.post("NORTH", [journal])[journal.number], Posted)


def test_a_subsidiary_or_account_that_is_not_set_up_is_an_outage_that_says_what_is_missing(account: Account) -> None:
    with account.double.books.changing() as data:
        data.execute("UPDATE account SET isinactive = 'T' WHERE acctnumber IN ('1100', '4000')")
    with pytest.raises(Unavailable, match="no account 1100, 4000"):
        account.erp().find("NORTH", [])
    with account.double.books.changing() as data:
        data.execute("UPDATE subsidiary SET externalid = NULL WHERE externalid = 'NORTH'")
    with pytest.raises(Unavailable, match="no subsidiary with the external id NORTH"):
        account.erp().find("NORTH", [])


def test_a_journal_that_waits_for_approval_is_pending_and_then_there(account: Account) -> None:
    account.double.records.needs_approval = True
    journal, erp = document("approval"), account.erp()
    erp.post("NORTH", [journal])
    assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
    assert [row for row in erp.balances("NORTH") if row.amount] == []
    account.double.approve(journal.number)
    assert isinstance(erp.find("NORTH", [journal.number])[journal.number], ErpDocument)


def test_what_is_changed_or_deleted_by_hand_is_read_back_as_it_stands(account: Account) -> None:
    changed, deleted, erp = document("changed"), document("deleted"), account.erp()
    erp.post("NORTH", [changed, deleted])
    account.double.change_amount(changed.number, 0, 4242)
    account.double.delete(deleted.number)
    found = erp.find("NORTH", [changed.number, deleted.number])
    assert set(found) == {changed.number}
    held = found[changed.number]
    assert isinstance(held, ErpDocument)
    assert sorted(line.amount.minor for line in held.lines) == [-4242, 4242]


def test_a_document_on_an_account_that_we_do_not_know_has_no_lines(account: Account) -> None:
    journal, erp = document("foreign"), account.erp()
    erp.post("NORTH", [journal])
    with account.double.books.changing() as data:
        made = data.execute("INSERT INTO account (acctnumber, accttype) VALUES ('9999', 'Other')")
        data.execute("UPDATE txnline SET account = ? WHERE debit = 0", (made.lastrowid,))
    held = erp.find("NORTH", [journal.number])[journal.number]
    assert isinstance(held, ErpDocument)
    assert held.lines == ()


def test_the_record_and_suiteql_tell_the_same_lines(account: Account) -> None:
    debit, credit = document("twice").lines
    told = credit.model_copy(update={dimension.value: value for dimension, value in VALUES.items()})
    journal = document("twice").model_copy(update={"lines": (debit, told)})
    account.double.misbehaviour.request(Fault.READ_LAG, measure=20)
    account.erp().post("NORTH", [journal])
    by_record = account.erp().find("NORTH", [journal.number])
    with account.double.books.changing() as data:
        data.execute("UPDATE txn SET shown_from = 0")
    asked: list[str] = []

    class Noting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(f"{request.method} {request.url.path}")
            return super().handle_request(request)

    assert account.erp(transport=Noting()).find("NORTH", [journal.number]) == by_record
    assert not [call for call in asked if call.startswith("GET")]


def test_a_job_is_pending_until_it_has_run_also_after_a_restart(with_jobs: Account) -> None:
    journal, erp = document("job"), with_jobs.erp()
    assert erp.post("NORTH", [journal]) == {journal.number: Pending()}
    assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
    restarted = with_jobs.erp()
    assert restarted.find("NORTH", [journal.number]) == {}
    assert restarted.post("NORTH", [journal]) == {journal.number: Pending()}
    with_jobs.double.api.run_jobs()
    assert isinstance(restarted.find("NORTH", [journal.number])[journal.number], ErpDocument)
    assert with_jobs.double.numbers() == [journal.number]


@pytest.mark.parametrize("is_job", [True, False])
def test_nobody_asks_all_the_time_of_a_job_that_runs_or_an_approval_that_is_awaited(
    tmp_path: Path, is_job: bool
) -> None:
    now, asked = [0.0], []

    class Noting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            return super().handle_request(request)

    with NetSuiteDouble(netsuite_plan()) as double:
        double.api.holds_jobs = double.records.needs_approval = True
        account = Account(double, double.write_connection(tmp_path, jobs_from_lines=int(is_job)))
        journal, erp = document("patience"), account.erp(transport=Noting(), clock=lambda: now[0])
        erp.post("NORTH", [journal])
        assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
        before = len(asked)
        assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
        assert len(asked) == before
        now[0] += ASKED_AGAIN_SECONDS
        assert erp.find("NORTH", [journal.number]) == {journal.number: Pending()}
        assert len(asked) > before


def test_a_job_that_failed_can_be_sent_again_under_the_same_number(with_jobs: Account) -> None:
    journal, erp = document("failed", day=DECEMBER), with_jobs.erp()
    with_jobs.double.close_period(DECEMBER)
    erp.post("NORTH", [journal])
    with_jobs.double.api.run_jobs()
    assert erp.find("NORTH", [journal.number]) == {}
    answer = erp.post("NORTH", [journal])[journal.number]
    assert isinstance(answer, Refused)
    assert answer.kind is RefusalKind.PERIOD_CLOSED
    with_jobs.double.reopen_period(DECEMBER)
    assert isinstance(erp.post("NORTH", [journal])[journal.number], Posted)
    assert with_jobs.double.numbers() == [journal.number]


def test_short_journals_are_no_jobs(tmp_path: Path) -> None:
    with NetSuiteDouble(netsuite_plan()) as double:
        double.api.holds_jobs = True
        account = Account(double, double.write_connection(tmp_path, jobs_from_lines=3))
        journal = document("short")
        assert isinstance(account.erp().post("NORTH", [journal])[journal.number], Posted)


def test_what_is_sent_is_numbers_dates_and_ids(account: Account) -> None:
    sent: list[Any] = []

    class Noting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "record" in request.url.path:
                sent.append((read_exact(request.content), request.headers))
            return super().handle_request(request)

    account.erp(transport=Noting()).post("NORTH", [document("a", "12.30")])
    ((body, headers),) = sent
    assert sorted(body) == ["approved", "externalId", "line", "postingPeriod", "subsidiary", "tranDate"]
    debit, credit = body["line"]["items"]
    assert sorted(debit) == ["account", "debit", "entity"]
    assert (debit["debit"], sorted(credit)) == (Decimal("12.30"), ["account", "credit"])
    assert headers["X-NetSuite-PropertyNameValidation"] == "Error"


def test_balances_come_in_pages_and_without_accounts_that_are_not_ours(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = account.erp()
    erp.post("NORTH", [document("acme", "1.00"), document("medicare", "2.00", party="MEDICARE")])
    monkeypatch.setattr("ledger_adapter.adapters.netsuite_client.PAGE_ROWS", 1)
    held = {(row.account, row.party): row.amount.minor for row in erp.balances("NORTH")}
    assert held == {
        (AccountRole.AR_PAYER, "ACME"): 100,
        (AccountRole.AR_PAYER, "MEDICARE"): 200,
        (AccountRole.GROSS_REVENUE, ""): -300,
    }
    values = {(row.dimension, row.value) for row in erp.dimension_balances("NORTH")}
    assert values == {(dimension, "") for dimension in Dimension}


@pytest.mark.parametrize("row", [{"debit": "1.005"}, {"credit": "many"}, {"debit": {"value": 1}}])
def test_an_amount_that_is_no_whole_cents_is_not_guessed(row: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="whole cents"):
        net_of(row)


def test_an_absent_side_of_a_line_is_zero() -> None:
    assert net_of({"debit": "7.5"}) == Money.of("7.50")
    assert net_of({"credit": Decimal("0.01")}) == -Money.of("0.01")


def test_texts_for_suiteql_cannot_end_their_quotes() -> None:
    assert quoted(["b", "a' OR '1'='1"]) == "'a'' OR ''1''=''1', 'b'"


def answering(status: int, headers: dict[str, str] | None = None, **content: Any) -> Callable[[Account], NetSuiteErp]:
    """An adapter whose journals are answered so by something between it and NetSuite."""

    class Between(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST" and "/record/" in request.url.path:
                return httpx.Response(status, headers=headers, **content)
            return super().handle_request(request)

    return lambda account: account.erp(transport=Between())


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_closed_door_pauses_and_books_nothing(account: Account, status: int) -> None:
    with pytest.raises(Unavailable, match=str(status)):
        answering(status, {"retry-after": "0"})(account).post("NORTH", [document("a")])


@pytest.mark.parametrize(
    ("status", "content"), [(200, {"html": "<html>log in</html>"}), (204, {}), (302, {}), (502, {})]
)
def test_an_answer_that_does_not_say_what_was_booked_leaves_it_unknown(
    account: Account, status: int, content: dict[str, Any]
) -> None:
    with pytest.raises(ErpUncertain, match=str(status)):
        answering(status, **content)(account).post("NORTH", [document("a")])


def test_a_limit_that_is_told_as_a_bad_request_pauses_too(account: Account) -> None:
    told = {"o:errorDetails": [{"o:errorCode": "WS_REQUEST_BLOCKED", "detail": "Too many."}]}
    with pytest.raises(Unavailable):
        answering(400, json=told)(account).post("NORTH", [document("a")])


def test_an_earlier_job_of_which_nobody_says_where_it_is_leaves_the_outcome_unknown(with_jobs: Account) -> None:
    told = {"o:errorDetails": [{"o:errorCode": "IDEMPOTENCY_ERROR", "detail": "Already submitted."}]}
    with pytest.raises(ErpUncertain, match="earlier job"):
        answering(400, json=told)(with_jobs).post("NORTH", [document("a")])


@pytest.mark.parametrize("content", [{"text": "no"}, {"json": ["no"]}, {"json": {"o:errorDetails": []}}])
def test_a_refusal_without_words_is_unclassified(account: Account, content: dict[str, Any]) -> None:
    journal = document("a")
    answers = answering(400, **content)(account).post("NORTH", [journal])
    assert answers[journal.number] == Refused(RefusalKind.UNCLASSIFIED, "HTTP 400")
