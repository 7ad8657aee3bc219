"""Tryton's books by its REST API: every document with its lines, its own balances, and every text it holds of us."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from throughline.checker.invariants.erp_agreement import ErpBooks, ErpMove
from throughline.checker.invariants.secrets_kept import Search
from throughline.checker.vocabulary import CHART, PARTY_ACCOUNTS

PAGE = 1000
TIMEOUT_SECONDS = 30.0
_DECIMAL = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]+))?", re.ASCII)


class ErpUnreadable(Exception):
    """The ERP does not answer, or not as Tryton does."""


@dataclass(frozen=True, slots=True)
class Company:
    """One entity's company, and its accounts by id."""

    entity: str
    company_id: int
    codes: Mapping[int, str]


class TrytonReader:
    """Reads with the key of the integration's user; nothing is written."""

    def __init__(self, info_file: Path, search: Search | None = None) -> None:
        info = json.loads(info_file.read_text(encoding="utf-8"))
        self._entities: Mapping[str, Any] = info["entities"]
        self._search_phi = search
        self._http = httpx.Client(
            base_url=f"{info['base_url']}/{info['database']}/rest/model/",
            headers={"Authorization": f"Bearer {info['api_key']}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def books(self) -> ErpBooks:
        """The books of every entity.

        Raises:
            ErpUnreadable: it does not answer, or not as expected.
        """
        moves: list[ErpMove] = []
        balances: dict[str, dict[tuple[str, str], int]] = {}
        with self._http:
            for entity, content in self._entities.items():
                codes = {int(identity): code for code, identity in content["accounts"].items()}
                company = Company(entity, content["company_id"], codes)
                moves += self._moves(company)
                balances[entity] = self._balances(company)
            self._look("ERP parties", self._pages(None, "party.party", [], "name", "code"))
        return ErpBooks(tuple(moves), balances)

    def _moves(self, company: Company) -> Iterator[ErpMove]:
        lines: dict[int, dict[tuple[str, str], int]] = {}
        domain = [["move.company", "=", company.company_id]]
        fields = ("move", "account", "party.code", "debit", "credit", "description")
        for row in self._look("ERP lines", self._pages(company, "account.move.line", domain, *fields)):
            party = row["party"]["code"] if row["party"] else ""
            place = (company.codes.get(row["account"], f"account id {row['account']}"), party or "")
            sums = lines.setdefault(row["move"], {})
            sums[place] = sums.get(place, 0) + cents_of(row["debit"]) - cents_of(row["credit"])
        domain = [["company", "=", company.company_id]]
        texts = ("external_number", "date", "state", "description", "number")
        for row in self._look("ERP documents", self._pages(company, "account.move", domain, *texts)):
            yield ErpMove(
                document=str(row["id"]),
                number=row["external_number"] or "",
                entity=company.entity,
                day=day_of(row["date"]),
                is_posted=row["state"] == "posted",
                lines={place: amount for place, amount in lines.get(row["id"], {}).items() if amount},
            )

    def _balances(self, company: Company) -> dict[tuple[str, str], int]:
        """The ERP's own sums: receivables by party, every other account as a whole."""
        by_party = {CHART[role] for role in PARTY_ACCOUNTS}
        plain = [identity for identity, code in company.codes.items() if code not in by_party]
        parties = [identity for identity, code in company.codes.items() if code in by_party]
        found: dict[tuple[str, str], int] = {}
        for row in self._search(company, "account.account", [["id", "in", plain]], ["balance"], None, None):
            found[company.codes[row["id"]], ""] = cents_of(row["balance"])
        fields = ["account", "party.code", "balance"]
        for row in self._search(company, "account.account.party", [["account", "in", parties]], fields, None, None):
            found[company.codes[row["account"]], row["party"]["code"] or ""] = cents_of(row["balance"])
        return found

    def _pages(self, company: Company | None, model: str, domain: list[Any], *fields: str) -> Iterator[Any]:
        last = 0
        while True:
            after = [*domain, ["id", ">", last]]
            rows = self._search(company, model, after, list(fields), [["id", "ASC"]], PAGE)
            yield from rows
            if len(rows) < PAGE:
                return
            last = rows[-1]["id"]

    def _search(
        self,
        company: Company | None,
        model: str,
        domain: list[Any],
        fields: list[str],
        order: list[Any] | None,
        limit: int | None,
    ) -> list[Any]:
        parameters: dict[str, Any] = {"d": _encoded(domain), "f": fields}
        if order is not None:
            parameters |= {"o": _encoded(order), "s": limit}
        context: dict[str, object] = {"posted": True}
        if company is not None:
            context["company"] = company.company_id
        try:
            answer = self._http.get(model, params=parameters, headers={"X-Tryton-Context": _encoded(context)})
            answer.raise_for_status()
            rows = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ErpUnreadable(f"reading {model} of the ERP failed: {type(error).__name__}") from error
        if not isinstance(rows, list):
            raise ErpUnreadable(f"reading {model} of the ERP gave no list")
        return rows

    def _look(self, kind: str, rows: Iterator[Any]) -> Iterator[Any]:
        for row in rows:
            if self._search_phi is not None:
                text = json.dumps(row, ensure_ascii=False).encode()
                self._search_phi.look("ERP", f"{kind} {row['id']}", text)
            yield row


def cents_of(value: Any) -> int:
    """A decimal of Tryton in cents; zeros past the cents are none."""
    match = _DECIMAL.fullmatch(value["decimal"]) if isinstance(value, dict) else None
    if match is None or (match[3] or "")[2:].strip("0"):
        raise ErpUnreadable("the ERP gave an amount that is not whole cents")
    minor = int(match[2]) * 100 + int(((match[3] or "") + "00")[:2])
    return -minor if match[1] else minor


def day_of(value: Any) -> str:
    return f"{value['year']:04d}-{value['month']:02d}-{value['day']:02d}"


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
