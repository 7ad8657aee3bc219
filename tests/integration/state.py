"""What a suite has come to, as facts that must be the same however often and in whatever order it was told them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import LiteralString

import httpx
import psycopg
from throughline.stack.roster import MEMBERS

from tests.integration.suite import OpenStack

Facts = Mapping[str, list[list[object]]]

QUESTIONS: Mapping[str, Mapping[str, LiteralString]] = {
    "intake": {
        "encounters": "SELECT encounter_id, entity, state, charge_count, charged_minor, posting_count, posted_minor, "
        "hold_reasons FROM encounters",
        "remittances read": "SELECT entity, payer, payment_minor, claim_count, claims_read FROM remittance_receipts",
        "files not accepted": "SELECT format, state, residual_minor, count(*) FROM inbound_messages WHERE state <> 'accepted' "
        "GROUP BY format, state, residual_minor",
        "messages": "SELECT source_system, format, state, count(*) FROM inbound_messages WHERE format NOT LIKE 'x12%' "
        "GROUP BY source_system, format, state",
    },
    "claims": {
        "claims": "SELECT encounter_id, entity, payer, state, hold_reasons, charge_minor, paid_minor, contractual_minor, "
        "denied_minor, patient_minor, other_minor FROM claims",
        "adjudications": "SELECT encounter_id, entity, payer, denied, charge_minor, paid_minor, contractual_minor, "
        "denied_minor, patient_minor, other_minor FROM adjudications",
        "claims sent": "SELECT entity, payer, state, sum(claim_count), sum(total_minor) FROM interchanges "
        "GROUP BY entity, payer, state",
        "unknown payments": "SELECT entity, payer, why, paid_minor FROM unknown_claim_payments",
    },
    "payments": {
        "remittances": "SELECT entity, payer, payment_minor, claim_count, chunks_accepted, deposit_id IS NOT NULL "
        "FROM remittances",
        "receipts": "SELECT entity, verdict, payment_minor FROM remittance_receipts",
        "deposits": "SELECT entity, kind, amount_minor, matched_to IS NOT NULL FROM deposits",
        "payments": "SELECT gateway_id, entity, state, amount_minor, account_id IS NOT NULL, payout_id IS NOT NULL "
        "FROM payments",
        "payouts": "SELECT gateway_id, state, net_minor, deposit_id IS NOT NULL FROM payouts",
        "accounts": "SELECT entity, responsibility_minor, applied_minor, unapplied_minor FROM patient_accounts",
        "activity": "SELECT kind, amount_minor, count(*) FROM account_activity GROUP BY kind, amount_minor",
    },
    "ledger": {
        "postings": "SELECT group_kind, entity, cash_minor, encounter_id, journal_id IS NOT NULL OR batch > 0 "
        "OR group_kind <> 'charges' FROM subledger_postings",
        "subledger": "SELECT entity, account, party, encounter_id, sum(amount_minor) FROM subledger_lines GROUP BY 1, 2, 3, 4",
        "balances": "SELECT entity, account, party, subledger_minor, intended_minor, confirmed_minor FROM account_balances",
        "journals": "SELECT entity, kind, state, effective_date, lines FROM journals WHERE kind <> 'charges'",
        "charge journals": "SELECT entity, effective_date, state, sum(debit_minor) FROM journals WHERE kind = 'charges' "
        "GROUP BY entity, effective_date, state",
        "clearing": "SELECT entity, account, amount_minor, count(*) FROM clearing_items GROUP BY entity, account, amount_minor",
    },
    "reconciliation": {
        "confirmed": "SELECT entity, account, party, confirmed_minor FROM confirmed_balances",
        "clearing": "SELECT entity, account, balance_minor, is_open, count(*) FROM clearing_items GROUP BY 1, 2, 3, 4",
    },
}
CASES: LiteralString = "SELECT code, state, subject, entity, amount_minor FROM exception_cases"
PARKED: LiteralString = "SELECT consumer, count(*) FROM parked_messages GROUP BY consumer"
POSITIONS: LiteralString = (
    "SELECT coalesce((SELECT max(notification_id) FROM stored_events), 0), "
    "coalesce((SELECT position FROM relay_position), 0)"
)


@dataclass(frozen=True, slots=True)
class Rest:
    """Whether anything is under way: the logs' ends, what of them is not published, and what consumers still have."""

    positions: tuple[int, ...]
    unpublished: int
    pending: int

    @property
    def is_quiet(self) -> bool:
        return self.unpublished == 0 and self.pending == 0


def facts_of(bench: OpenStack) -> Facts:
    """The whole state by section, its rows in an order of their own; no id of chance, no instant, no position."""
    with ThreadPoolExecutor(len(MEMBERS)) as threads:
        found = threads.map(lambda member: _facts_of_service(bench, member.name), MEMBERS)
    return {section: rows for service in found for section, rows in service.items()}


def fingerprint(facts: Facts) -> str:
    """A hash over all of it."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def rest_of(bench: OpenStack) -> Rest:
    """One look at the logs and at the consumers."""
    with ThreadPoolExecutor(len(MEMBERS)) as threads:
        found = list(threads.map(lambda member: _rows(bench, member.name, POSITIONS)[0], MEMBERS))
    positions = tuple(int(str(row[0])) for row in found)
    unpublished = sum(max(0, int(str(last)) - int(str(published))) for last, published in found)
    return Rest(positions, unpublished, pending_at(bench.suite.nats.monitoring_url))


def pending_at(monitoring_url: str) -> int:
    """What consumers have not been given, or have not acknowledged."""
    asked = {"streams": "true", "consumers": "true"}
    answer = httpx.get(f"{monitoring_url}/jsz", params=asked, timeout=5, trust_env=False).json()
    return sum(
        consumer["num_pending"] + consumer["num_ack_pending"]
        for account in answer.get("account_details") or ()
        for stream in account.get("stream_detail") or ()
        for consumer in stream.get("consumer_detail") or ()
    )


def _facts_of_service(bench: OpenStack, name: str) -> dict[str, list[list[object]]]:
    questions = {**QUESTIONS[name], "cases": CASES, "parked": PARKED}
    with psycopg.connect(bench.database(name).owner_dsn) as connection:
        return {f"{name}: {what}": _sorted(connection.execute(query)) for what, query in questions.items()}


def _rows(bench: OpenStack, name: str, query: LiteralString) -> list[tuple[object, ...]]:
    with psycopg.connect(bench.database(name).owner_dsn) as connection:
        return connection.execute(query).fetchall()


def _sorted(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return sorted(([_plain(value) for value in row] for row in rows), key=lambda row: json.dumps(row, default=str))


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | str) else json.loads(json.dumps(value, default=str))
