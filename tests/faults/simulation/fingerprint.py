"""What a story came to: everything that must not depend on order, faults or seed, and nothing that may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from canonical.codes import AccountRole
from chassis.eventstore import Row, Table
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import CASES
from chassis.merged_patients import PATIENT_MERGES
from claims.application.money_read_models import UNKNOWN_PAYMENTS
from claims.application.read_models import CLAIMS, INTERCHANGES
from intake.application.queries import ENCOUNTERS
from ledger_adapter.adapters.fake_erp import FakeErp
from ledger_adapter.application.queries import BALANCES, CLEARING, JOURNALS, MANIFESTS
from payments.application.dispute_rows import DISPUTES
from payments.application.gateway_rows import GATEWAY_ORDERS
from payments.application.overpayments import PAYER_OVERPAYMENTS
from payments.application.patient_rows import ACCOUNTS, GATEWAY_MOVES, PAYMENTS, PAYOUTS, REFUNDS
from payments.application.plan_rows import PAYMENT_PLANS
from payments.application.queries import DEPOSITS, RECEIPTS, REMITTANCES
from payments.application.transfer_rows import ACCOUNT_TRANSFERS
from payments.application.write_off_rows import PATIENT_WRITE_OFFS
from reconciliation.application.queries import RUNS

from .nodes import Node

Fingerprint = Mapping[str, object]
_ROWS_MAX = 100_000
_BATCHED = "charges"
"""Its entries are as many as the moments in which their facts came; their sums are compared in the balances."""
_PASSING = ("application", "estimate-release")
"""Entries that are there or not by what came first: an amount may be taken off and owed again, or never move."""
_NOTHING_LEFT = ("reversed", "voided")
"""States of claims whose charge is that of the version which was given up, and that depends on when it was."""


def fingerprint_of(nodes: Mapping[str, Node], erp: FakeErp, entities: tuple[str, ...]) -> Fingerprint:
    """The end of a story, by name of what is compared."""
    intake, claims, payments, ledger = (nodes[name].kept for name in ("intake", "claims", "payments", "ledger"))
    return {
        "encounters": _by_id(intake, ENCOUNTERS, "encounter_id", "state", "charged_minor", "posted_minor"),
        "claims": _claims(claims),
        "claims by entity and payer": _claims_by_payer(claims),
        "claims by state of their interchange": _claims_by_interchange(claims),
        "payments for unknown claims": _counted(claims, UNKNOWN_PAYMENTS, "entity", "payer", "why", "paid_minor"),
        "patient accounts": _by_id(
            payments,
            ACCOUNTS,
            "account_id",
            "entity",
            "responsibility_minor",
            "written_off_minor",
            "applied_minor",
            "unapplied_minor",
        ),
        "patient payments": _counted(
            payments, PAYMENTS, "entity", "state", "amount_minor", "?account_id", "?payout_id"
        ),
        "refunds": _counted(payments, REFUNDS, "entity", "state", "amount_minor", "?gateway_id"),
        "disputes": _counted(payments, DISPUTES, "entity", "outcome", "step", "amount_minor", "fee_minor"),
        "moves at the gateway": _counted(payments, GATEWAY_MOVES, "entity", "kind", "amount_minor", "?payout_id"),
        "orders at the gateway": _counted(payments, GATEWAY_ORDERS, "entity", "kind", "state", "amount_minor"),
        "write-offs": _by_id(payments, PATIENT_WRITE_OFFS, "write_off_id", "kind", "state", "stands_minor"),
        "transfers": _by_id(payments, ACCOUNT_TRANSFERS, "transfer_id", "moved", "state", "amount_minor"),
        "payment plans": _by_id(payments, PAYMENT_PLANS, "plan_id", "state", "total_minor"),
        "payer overpayments": _counted(payments, PAYER_OVERPAYMENTS, "entity", "payer", "amount_minor", "open_minor"),
        "payouts": _counted(payments, PAYOUTS, "state", "net_minor", "?deposit_id"),
        "remittances": _counted(
            payments, REMITTANCES, "entity", "payer", "payment_minor", "claim_count", "chunks_accepted", "?deposit_id"
        ),
        "receipts": _counted(payments, RECEIPTS, "entity", "verdict", "payment_minor"),
        "deposits": _counted(payments, DEPOSITS, "entity", "kind", "amount_minor", "?matched_to"),
        "manifests": _counted(ledger, MANIFESTS, "entity", "payer", "state", "claim_count", "total_paid_minor"),
        "balances": _balances(ledger),
        "clearing": _clearing(ledger),
        "journals": _journals(ledger),
        "at the ERP": _at_the_erp(erp, entities),
        "last proof": _last_proof(nodes["reconciliation"].kept),
        "merged patients": _by_id(intake, PATIENT_MERGES, "retired_id", "survivor_id"),
        "open cases": {name: _open_cases(node.kept) for name, node in nodes.items()},
    }


_AMOUNTS = ("paid_minor", "contractual_minor", "denied_minor", "patient_minor", "other_minor")


def _rows(store: MemoryEventStore, table: Table, **where: object) -> list[Row]:
    return store.rows(table, where, limit=_ROWS_MAX)


def _shown(row: Row, column: str) -> object:
    """The value; of a column with a question mark only whether there is one, for such ids depend on the order."""
    return row[column[1:]] is not None if column.startswith("?") else row[column]


def _by_id(store: MemoryEventStore, table: Table, identity: str, *columns: str) -> dict[str, tuple[object, ...]]:
    return {
        str(row[identity]): tuple(_shown(row, column) for column in columns)
        for row in sorted(_rows(store, table), key=lambda row: str(row[identity]))
    }


def _counted(store: MemoryEventStore, table: Table, *columns: str) -> dict[tuple[object, ...], int]:
    counts = Counter(tuple(_shown(row, column) for column in columns) for row in _rows(store, table))
    return dict(sorted(counts.items(), key=str))


def _charge_left(row: Row) -> int:
    return 0 if row["state"] in _NOTHING_LEFT else _whole(row["charge_minor"])


def _claims(store: MemoryEventStore) -> dict[str, tuple[object, ...]]:
    columns = ("state", *_AMOUNTS, "adjudications", "hold_reasons")
    return {
        str(row["patient_control_number"]): (_charge_left(row), *(row[column] for column in columns))
        for row in sorted(_rows(store, CLAIMS), key=lambda row: str(row["patient_control_number"]))
    }


def _claims_by_payer(store: MemoryEventStore) -> dict[tuple[str, str, str], tuple[int, ...]]:
    """Count, charge, paid, contractual, denied and patient's, by entity, payer and whether the claim is held."""
    columns = ("paid_minor", "contractual_minor", "denied_minor", "patient_minor")
    sums: dict[tuple[str, str, str], tuple[int, ...]] = {}
    for row in _rows(store, CLAIMS):
        key = (str(row["entity"]), str(row["payer"]), "held" if row["state"] == "held" else "sent")
        amounts = (1, _charge_left(row), *(_whole(row[column]) for column in columns))
        before = sums.get(key, (0,) * len(amounts))
        sums[key] = tuple(sum_ + amount for sum_, amount in zip(before, amounts, strict=True))
    return dict(sorted(sums.items()))


def _claims_by_interchange(store: MemoryEventStore) -> dict[tuple[object, ...], tuple[int, int]]:
    """Count and charge of the claims whose newest version left with an interchange of that state."""
    states = {row["interchange_id"]: row["state"] for row in _rows(store, INTERCHANGES)}
    sums: dict[tuple[object, ...], tuple[int, int]] = {}
    for row in _rows(store, CLAIMS):
        key = (row["entity"], row["payer"], states.get(row["interchange_id"]))
        count, total = sums.get(key, (0, 0))
        sums[key] = (count + 1, total + _charge_left(row))
    return dict(sorted(sums.items(), key=str))


def _balances(store: MemoryEventStore) -> dict[tuple[object, ...], tuple[int, ...]]:
    columns = ("subledger_minor", "intended_minor", "confirmed_minor")
    found = {
        (row["entity"], row["account"], row["party"]): tuple(_whole(row[column]) for column in columns)
        for row in _rows(store, BALANCES)
    }
    return {key: found[key] for key in sorted(found, key=str) if any(found[key])}


def _clearing(store: MemoryEventStore) -> dict[tuple[object, ...], int]:
    """What is not cleared; an item whose cash was applied in two steps may have passed through another account.

    Which of a patient's payments of one day is used first hangs on ids that the gateway gives as they are ordered.
    """
    where = [role.value for role in AccountRole if role is not AccountRole.UNAPPLIED_PATIENT]
    open_items = [row for row in _rows(store, CLEARING, account=where) if _whole(row["amount_minor"])]
    counts = Counter((row["entity"], row["account"], row["amount_minor"]) for row in open_items)
    return dict(sorted(counts.items(), key=str))


def _journals(store: MemoryEventStore) -> dict[tuple[object, ...], int]:
    rows = _rows(store, JOURNALS)
    counts: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        if row["kind"] == _BATCHED:
            counts[row["entity"], row["kind"], row["state"]] = 1
        elif row["kind"] not in _PASSING:
            counts[row["entity"], row["kind"], row["state"], row["debit_minor"]] += 1
    return dict(sorted(counts.items(), key=str))


def _at_the_erp(erp: FakeErp, entities: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    erp.is_down = False
    return {
        (entity, balance.account.value, balance.party): balance.amount.minor
        for entity in entities
        for balance in sorted(erp.balances(entity), key=str)
        if balance.amount
    }


def _last_proof(store: MemoryEventStore) -> dict[str, object]:
    """Not how many controls: an account through which something only passed has one of its own."""
    rows = store.rows(RUNS, {}, order=("-completed_at",), limit=1)
    return {column: row[column] for row in rows for column in ("explained", "in_motion", "broken")}


def _open_cases(store: MemoryEventStore) -> dict[tuple[object, ...], int]:
    rows = _rows(store, CASES, state=["open", "assigned"])
    return dict(sorted(Counter((row["code"], row["entity"], row["amount_minor"]) for row in rows).items(), key=str))


def _whole(value: object) -> int:
    assert value is None or isinstance(value, int)
    return value or 0
