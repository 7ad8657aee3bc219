"""Questions about claims, answered from the read models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from canonical.master_data import KnownMasterData, UnknownMasterData
from canonical.money import Money
from canonical.npi import has_valid_check_digit
from chassis.eventstore import EventStore, Row, Where, Work

from claims.application.contexts import caused_by
from claims.application.money_read_models import ADJUDICATIONS, UNKNOWN_PAYMENTS
from claims.application.platform_read_models import PlatformBalances, balances_by_platform
from claims.application.read_models import CLAIMS, INTERCHANGES
from claims.domain.claim import Claim

AMOUNTS = ("charge_minor", "paid_minor", "contractual_minor", "denied_minor", "patient_minor", "other_minor")
GONE = (*AMOUNTS, "written_off_minor")
SUMS = (*GONE, "owed_minor", "memo_minor")
FOUND_MAX = 500
PAGE_MAX = 500
ROWS_BEFORE_PAGE_MAX = 20_000
CONSISTENT_READS_MAX = 5


@dataclass(frozen=True, slots=True)
class ChargeShares:
    """A charge and where it went; `open` is what is left at the payer.

    `owed` is what the payer owes of the charge before any decision, `memo` what of `other` took nothing off.
    """

    charge: Money
    paid: Money
    contractual: Money
    denied: Money
    patient: Money
    other: Money
    written_off: Money
    owed: Money
    memo: Money

    @classmethod
    def of_row(cls, row: Row) -> ChargeShares:
        """Of a claim, a sum of claims, or one decision, which writes nothing off."""
        return cls(*(Money(whole(row.get(column))) for column in SUMS))

    @property
    def open(self) -> Money:
        gone = (self.paid, self.contractual, self.denied, self.patient, self.other, self.written_off)
        return self.owed + self.memo - Money.total(gone)


@dataclass(frozen=True, slots=True)
class PayerBalance:
    """One payer at one entity; `unknown_paid` is its cash that no claim holds, `left_by_others` what payers before it left."""

    payer: str
    claims: int
    shares: ChargeShares
    unknown_paid: Money
    left_by_others: Money

    @property
    def open(self) -> Money:
        return self.shares.open + self.left_by_others


@dataclass(frozen=True, slots=True)
class Balances:
    """The sums of every event up to `position`, and of none after `position_after`."""

    by_payer: tuple[PayerBalance, ...]
    by_platform: tuple[PlatformBalances, ...]
    position: int
    position_after: int


@dataclass(frozen=True, slots=True)
class Eligibility:
    payer_known: bool
    reasons: tuple[str, ...]

    @property
    def is_billable(self) -> bool:
        return not self.reasons


def whole(value: object) -> int:
    """A whole-number column; nothing is zero."""
    assert value is None or isinstance(value, int)
    return value or 0


def claim_row(store: EventStore, claim_id: UUID) -> Row | None:
    rows = store.rows(CLAIMS, {"claim_id": claim_id}, limit=1)
    return rows[0] if rows else None


def claim_rows(store: EventStore, where: Where, *, skip: int, size: int) -> list[Row]:
    """A page of claims, the latest changed first, and one more where there is a next page."""
    assert skip + size <= ROWS_BEFORE_PAGE_MAX, "the caller bounds the page"
    return store.rows(CLAIMS, where, order=("-changed_at", "claim_id"), limit=skip + size + 1)[skip:]


def find_claims(store: EventStore, where: Where) -> list[Row]:
    return store.rows(CLAIMS, where, order=("service_from", "posting"), limit=FOUND_MAX)


def decisions_on(store: EventStore, claim_id: UUID) -> list[Row]:
    """Every decision on a claim, in the order they were recorded."""
    order = ("recorded_at", "remittance_id", "position")
    return store.rows(ADJUDICATIONS, {"claim_id": claim_id}, order=order, limit=FOUND_MAX)


def decisions_of(store: EventStore, remittance_id: UUID, position_from: int, size: int) -> list[Row]:
    """The decisions of a remittance by position; positions have no gaps but where a payment is not ours."""
    positions = range(position_from, position_from + size)
    where = {"remittance_id": remittance_id, "position": tuple(positions)}
    return store.rows(ADJUDICATIONS, where, order=("position",), limit=size)


def unknown_payments_of(store: EventStore, remittance_id: UUID) -> list[Row]:
    return store.rows(UNKNOWN_PAYMENTS, {"remittance_id": remittance_id}, order=("position",), limit=FOUND_MAX)


def unmatched_payments(store: EventStore, where: Where, size: int) -> list[Row]:
    """Payments that no claim holds, the oldest first."""
    order = ("effective_date", "remittance_id", "position")
    return store.rows(UNKNOWN_PAYMENTS, {**where, "is_matched": False}, order=order, limit=size)


def payments_matched_to(store: EventStore, claim_id: UUID) -> list[Row]:
    where = {"claim_id": claim_id}
    return store.rows(UNKNOWN_PAYMENTS, where, order=("remittance_id", "position"), limit=FOUND_MAX)


def claims_to_other_payers(store: EventStore, claim: Row) -> list[Row]:
    """The claims for the same charges to the payers before and after."""
    where = {"encounter_id": claim["encounter_id"], "posting": claim["posting"]}
    rows = store.rows(CLAIMS, where, order=("sequence",), limit=FOUND_MAX)
    return [row for row in rows if row["claim_id"] != claim["claim_id"]]


def claim_itself(store: EventStore, claim_id: UUID, now: datetime) -> Claim | None:
    """The claim with all that no table holds: its lines, and those of its decisions."""
    return Work(store, caused_by(now, claim_id)).get(Claim, claim_id)


def interchange_rows(store: EventStore, where: Where, size: int) -> list[Row]:
    return store.rows(INTERCHANGES, where, order=("-control_number",), limit=size)


def counts_by_state(store: EventStore, where: Where) -> list[Row]:
    return store.sums(CLAIMS, ["charge_minor"], ["state"], where)


def subledger_balances(store: EventStore, entity: str) -> Balances:
    """The entity's balances by payer, read again a few times while events arrive, so that the position is exact."""
    for _ in range(CONSISTENT_READS_MAX):
        before = store.last_position()
        claims = store.sums(CLAIMS, SUMS, ["payer"], {"entity": entity})
        unknown = store.sums(UNKNOWN_PAYMENTS, ["unapplied_minor"], ["payer"], {"entity": entity})
        left = store.sums(CLAIMS, ["next_payer_minor"], ["next_payer"], {"entity": entity})
        platforms = balances_by_platform(store, entity)
        after = store.last_position()
        if after == before:
            break
    return Balances(tuple(_by_payer(claims, unknown, left)), platforms, before, after)


def _by_payer(claims: Sequence[Row], unknown: Sequence[Row], left: Sequence[Row]) -> Iterable[PayerBalance]:
    unknown_paid = {str(row["payer"]): Money(whole(row["unapplied_minor"])) for row in unknown}
    left_to = {str(row["next_payer"]): Money(whole(row["next_payer_minor"])) for row in left if row["next_payer"]}
    nothing: Row = dict.fromkeys((*SUMS, "count"), 0)
    rows = {str(row["payer"]): row for row in claims}
    for payer in sorted(rows.keys() | unknown_paid.keys() | left_to.keys()):
        row, zero = rows.get(payer, nothing), Money.zero()
        shares = ChargeShares.of_row(row)
        yield PayerBalance(payer, whole(row["count"]), shares, unknown_paid.get(payer, zero), left_to.get(payer, zero))


def check_eligibility(master_data: KnownMasterData, payer: str, entity: str, day: date) -> Eligibility:
    """Whether the entity can bill the payer for a service on that day, as far as master data knows."""
    reasons = []
    payer_known = True
    try:
        master_data.payer(payer, day)
    except UnknownMasterData as unknown:
        payer_known = False
        reasons.append(str(unknown))
    try:
        if not has_valid_check_digit(master_data.entity(entity, day).npi):
            reasons.append(f"the NPI of entity {entity!r} has a wrong check digit")
    except UnknownMasterData as unknown:
        reasons.append(str(unknown))
    return Eligibility(payer_known, tuple(reasons))
