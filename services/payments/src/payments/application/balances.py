"""What payments says of an entity's money, at one position of its log."""

from __future__ import annotations

from canonical.money import Money
from chassis.eventstore import EventStore, Table, Where

from payments.application.patient_rows import ACCOUNTS, GATEWAY_MOVES, PAYMENTS
from payments.application.provider_rows import PROVIDER_MOVES
from payments.application.queries import DEPOSITS, REMITTANCES
from payments.domain.deposit import DepositKind
from payments.domain.provider_items import ITEM_REASONS
from payments.domain.remittance import Settlement

READS_MAX = 5


def entity_balances(store: EventStore, entity: str) -> tuple[int, dict[str, dict[str, Money]]]:
    """The position and the sums by entity; read again, at most five times, while the log moves under the reading."""
    position = -1
    found: dict[str, dict[str, Money]] = {}
    for _ in range(READS_MAX):
        position = store.last_position()
        found = _read(store, {"entity": entity} if entity else {})
        if store.last_position() == position:
            break
    return position, found


def _read(store: EventStore, where: Where) -> dict[str, dict[str, Money]]:
    found: dict[str, dict[str, Money]] = {}

    def note(table: Table, column: str, name: str, extra: Where) -> None:
        for row in store.sums(table, [column], ["entity"], {**where, **extra}):
            total = row[column]
            assert isinstance(total, int)
            sums = found.setdefault(str(row["entity"]), {})
            sums[name] = sums.get(name, Money(0)) + Money(total)

    note(ACCOUNTS, "responsibility_minor", "patient_responsibility", {})
    note(ACCOUNTS, "written_off_minor", "patient_written_off", {})
    note(ACCOUNTS, "applied_minor", "patient_applied", {})
    note(ACCOUNTS, "unapplied_minor", "patient_unapplied", {})
    unclaimed: Where = {"state": "succeeded", "account_id": None}
    note(PAYMENTS, "amount_minor", "patient_unapplied", unclaimed)
    note(PAYMENTS, "taken_back_minor", "unclaimed_taken_back", unclaimed)
    note(
        PAYMENTS,
        "amount_minor",
        "payments_not_paid_out",
        {"state": "succeeded", "payout_id": None, "channel": "gateway"},
    )
    note(GATEWAY_MOVES, "amount_minor", "payments_not_paid_out", {"payout_id": None})
    note(REMITTANCES, "payment_minor", "remittances_without_deposit", {"settlement": Settlement.WAITING.value})
    loose = {"matched_to": None, "kind": [DepositKind.REMITTANCE.value, DepositKind.OTHER.value]}
    note(DEPOSITS, "amount_minor", "deposits_without_remittance", loose)
    note(PROVIDER_MOVES, "amount_minor", "provider_items_open", {"reason": sorted(ITEM_REASONS)})
    for sums in found.values():
        owed = sums.get("patient_responsibility", Money(0)) - sums.pop("patient_written_off", Money(0))
        sums["patient_balance"] = owed - sums.get("patient_applied", Money(0))
        taken_back = sums.pop("unclaimed_taken_back", Money(0))
        sums["patient_unapplied"] = sums.get("patient_unapplied", Money(0)) - taken_back
    return found
