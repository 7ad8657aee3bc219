"""The local Tryton is a real ledger: it books balanced entries once, keeps periods, and gives its balances back."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sandbox.servers.postgres import PostgresServer
from sandbox.servers.tryton import TrytonServer
from sandbox.servers.tryton_plan import CHART, PayerParty, TrytonInfo, TrytonPlan

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PLAN = TrytonPlan(payers=(PayerParty("BLUE", "Blue Plan"), PayerParty("STATE", "State Medicaid")))


def money(amount: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": amount}


def day(year: int, month: int, number: int) -> dict[str, object]:
    return {"__class__": "date", "year": year, "month": month, "day": number}


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


class Erp:
    """The few calls that an adapter makes, for one legal entity."""

    def __init__(self, info: TrytonInfo, entity: str) -> None:
        self.entity = info.entities[entity]
        context = {"company": self.entity.company_id, "posted": True}
        self.http = httpx.Client(
            base_url=f"{info.base_url}/{info.database}/rest/model/",
            headers={"Authorization": f"Bearer {info.api_key}", "X-Tryton-Context": encoded(context)},
            timeout=60,
        )

    def search(self, model: str, domain: Sequence[object], *fields: str) -> list[dict[str, Any]]:
        answer = self.http.get(model, params={"d": encoded(domain), "f": list(fields)})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def period(self, on: dict[str, object]) -> int:
        domain = [["company", "=", self.entity.company_id], ["start_date", "<=", on], ["end_date", ">=", on]]
        (period,) = self.search("account.period", domain, "state")
        return int(period["id"])

    def entry(self, number: str, debit: str = "100.00", credit: str = "100.00", party: str | None = "BLUE") -> Any:
        on = day(2026, 3, 5)
        receivable = {"account": self.entity.accounts["1100"], "debit": money(debit), "credit": money("0")}
        if party:
            receivable["party"] = self.entity.parties[party]
        revenue = {"account": self.entity.accounts["4000"], "debit": money("0"), "credit": money(credit)}
        return {
            "company": self.entity.company_id,
            "journal": self.entity.journal_id,
            "period": self.period(on),
            "date": on,
            "external_number": number,
            "lines": [["create", [receivable, revenue]]],
        }

    def book(self, *entries: Any) -> httpx.Response:
        return self.http.post("account.move/book", json={"entries": list(entries)})

    def balance(self, code: str) -> str:
        domain = [["company", "=", self.entity.company_id], ["code", "=", code]]
        (account,) = self.search("account.account", domain, "balance")
        return str(account["balance"]["decimal"])


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture(scope="module")
def tryton(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[TrytonServer]:
    with TrytonServer(tmp_path_factory.mktemp("tryton"), postgres, plan=PLAN) as running:
        yield running


@pytest.fixture
def north(tryton: TrytonServer) -> Erp:
    return Erp(tryton.info, "NORTH")


@pytest.fixture
def south(tryton: TrytonServer) -> Erp:
    return Erp(tryton.info, "SOUTH")


def test_each_entity_has_every_account_of_the_chart_and_every_payer(tryton: TrytonServer) -> None:
    for code, entity in tryton.info.entities.items():
        assert set(entity.accounts) == {account.code for account in CHART}
        assert set(entity.parties) == {"BLUE", "STATE", f"PATIENTS-{code}"}
    assert tryton.info.entities["NORTH"].accounts["1100"] != tryton.info.entities["SOUTH"].accounts["1100"]


def test_booked_entries_are_found_by_their_external_number_and_stand_in_the_balances(north: Erp) -> None:
    before = float(north.balance("4000"))
    answer = north.book(north.entry("NA1"), north.entry("NA2", party="STATE"))
    assert answer.status_code == 200, answer.text
    assert [(entry["external_number"], entry["state"]) for entry in answer.json()] == [
        ("NA1", "posted"),
        ("NA2", "posted"),
    ]
    found = north.search("account.move", [["external_number", "in", ["NA1", "NA2"]]], "number", "state")
    assert {entry["number"] for entry in found} == {entry["number"] for entry in answer.json()}
    assert float(north.balance("4000")) == before - 200


def test_an_external_number_books_once_in_a_company(north: Erp, south: Erp) -> None:
    assert north.book(north.entry("ONCE")).status_code == 200
    again = north.book(north.entry("ONCE"))
    assert again.status_code == 400
    assert "must be unique in its company" in again.json()["message"]
    assert south.book(south.entry("ONCE")).status_code == 200


def test_a_batch_with_one_unbalanced_entry_books_nothing(north: Erp) -> None:
    refused = north.book(north.entry("WHOLE"), north.entry("CENT", credit="99.99"))
    assert refused.status_code == 400
    assert "balance" in refused.json()["message"]
    assert north.search("account.move", [["external_number", "in", ["WHOLE", "CENT"]]], "state") == []


def test_a_receivable_line_without_a_party_is_refused(north: Erp) -> None:
    refused = north.book(north.entry("NOPARTY", party=None))
    assert refused.status_code == 400
    assert "Party" in refused.json()["message"]


def test_a_closed_period_takes_no_entry_until_it_is_reopened(south: Erp) -> None:
    period = south.period(day(2027, 1, 5))
    entry = {**south.entry("LATE"), "date": day(2027, 1, 5), "period": period}
    assert south.http.post(f"account.period/{period}/close", json={}).status_code == 200
    refused = south.book(entry)
    assert refused.status_code == 400
    assert "closed period" in refused.json()["message"]
    assert south.http.post(f"account.period/{period}/reopen", json={}).status_code == 200
    assert south.book(entry).status_code == 200


def test_balances_are_kept_by_account_and_party(south: Erp) -> None:
    south.book(south.entry("P1", party="BLUE"), south.entry("P2", "7.00", "7.00", party="STATE"))
    domain = [["company", "=", south.entity.company_id]]
    rows = south.search("account.account.party", domain, "account.code", "party.code", "balance")
    by_party = {row["party"]["code"]: row["balance"]["decimal"] for row in rows}
    assert by_party["STATE"] == "7.00"
    assert float(south.balance("1100")) == sum(map(float, by_party.values()))


def test_a_wrong_key_is_refused(tryton: TrytonServer) -> None:
    url = f"{tryton.base_url}/tryton/rest/model/account.move"
    assert httpx.get(url, headers={"Authorization": "Bearer guess"}).status_code == 401


def test_a_suspended_erp_hangs_and_then_answers(tryton: TrytonServer) -> None:
    tryton.suspend()
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{tryton.base_url}/tryton/rest/model/account.move", timeout=0.2)
    tryton.resume()
    assert tryton.is_healthy()


def test_a_second_suite_has_the_same_ids_from_the_template_and_a_key_of_its_own(
    tryton: TrytonServer, tmp_path: Path
) -> None:
    with (
        PostgresServer(tmp_path / "postgres") as postgres,
        TrytonServer(tmp_path / "tryton", postgres, plan=PLAN) as second,
    ):
        assert second.info.entities == tryton.info.entities
        assert second.info.api_key != tryton.info.api_key
        record = second.process.record
    assert record is not None
    assert not record.is_running()


def test_entries_outlive_a_restart_of_the_server(tryton: TrytonServer, north: Erp) -> None:
    north.book(north.entry("KEPT"))
    tryton.stop()
    assert not tryton.is_healthy()
    tryton.start()
    assert [row["state"] for row in north.search("account.move", [["external_number", "=", "KEPT"]], "state")] == [
        "posted"
    ]


def test_the_template_holds_no_key(tryton: TrytonServer, postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.admin_dsn("tryton")) as connection:
        rows = connection.execute("SELECT key FROM res_user_application").fetchall()
    assert rows == [(tryton.info.api_key,)]
