"""The read models of the ledger adapter."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.codes import AccountRole
from chassis.domain import Event
from chassis.eventstore import Change, Row, Table, add, put
from chassis.eventstore.projecting import of

from ledger_adapter.domain.charge_batches import ChargeBatches
from ledger_adapter.domain.manifest import ManifestState, RemittanceManifest
from ledger_adapter.domain.subledger import GroupKind, SubledgerPosting

POSTINGS = Table(
    "subledger_postings",
    {
        "posting_id": "uuid",
        "group_kind": "text",
        "group_id": "uuid",
        "item_id": "uuid",
        "remittance_position": "integer",
        "adjustment": "integer",
        "entity": "text",
        "effective_date": "date",
        "cash_minor": "bigint",
        "rules_version": "text",
        "source_event_id": "uuid",
        "claim_id": "uuid",
        "encounter_id": "uuid",
        "patient_id": "uuid",
        "batch": "integer",
        "journal_id": "uuid",
        "recorded_at": "timestamptz",
    },
    key=("posting_id",),
    indexes=(("group_id",), ("batch",), ("journal_id",), ("encounter_id",), ("claim_id",)),
)
"""`batch` is 0 for a charge posting that no batch has taken up, its batch's ordinal then, and null for other kinds."""

LINES = Table(
    "subledger_lines",
    {
        "posting_id": "uuid",
        "account": "text",
        "party": "text",
        "amount_minor": "bigint",
        "rules": "text",
        "entity": "text",
        "group_id": "uuid",
        "item_id": "uuid",
        "payer_class": "text",
        "department": "text",
        "cost_center": "text",
        "location": "text",
        "claim_id": "uuid",
        "encounter_id": "uuid",
        "patient_id": "uuid",
        "effective_date": "date",
    },
    key=("posting_id", "account", "party", "payer_class", "department", "cost_center", "location"),
    indexes=(("group_id",), ("entity", "account")),
)
"""A posting's lines summed by account, party and dimensions; `rules` lists the rules behind a sum."""

MANIFESTS = Table(
    "remittance_manifests",
    {
        "remittance_id": "uuid",
        "entity": "text",
        "payer": "text",
        "effective_date": "date",
        "state": "text",
        "claim_count": "bigint",
        "adjustment_count": "bigint",
        "total_paid_minor": "bigint",
        "payment_minor": "bigint",
        "postings": "bigint",
        "missing_postings": "bigint",
        "missing_paid_minor": "bigint",
        "journal_id": "uuid",
        "expected_at": "timestamptz",
    },
    key=("remittance_id",),
    indexes=(("state", "missing_postings"),),
)
"""`missing_*` is the manifest less what has been posted of claims and provider-level adjustments; zero when the
remittance is whole, in whatever order it came."""

JOURNALS = Table(
    "journals",
    {
        "journal_id": "uuid",
        "external_number": "text",
        "entity": "text",
        "kind": "text",
        "lane": "integer",
        "group_id": "uuid",
        "effective_date": "date",
        "posting_date": "date",
        "refused_day": "date",
        "state": "text",
        "version": "integer",
        "erp": "text",
        "erp_document": "text",
        "reason": "text",
        "debit_minor": "bigint",
        "line_count": "integer",
        "lines": "jsonb",
        "posting_count": "integer",
        "posting_digest": "text",
        "rules_version": "text",
        "intended_at": "timestamptz",
        "changed_at": "timestamptz",
    },
    key=("journal_id",),
    indexes=(("state",), ("external_number",), ("group_id",), ("erp_document",)),
)

BALANCES = Table(
    "account_balances",
    {
        "entity": "text",
        "account": "text",
        "party": "text",
        "subledger_minor": "bigint",
        "intended_minor": "bigint",
        "confirmed_minor": "bigint",
    },
    key=("entity", "account", "party"),
)
"""Running balances: everything posted here, what of it is in journal entries, and what of those the ERP confirmed."""

DIMENSION_BALANCES = Table(
    "dimension_balances",
    {"entity": "text", "account": "text", "dimension": "text", "value": "text", "confirmed_minor": "bigint"},
    key=("entity", "account", "dimension", "value"),
)
"""What the ERP confirmed of accounts of the income statement, by each value of each dimension; empty where a line has none."""

CLEARING = Table(
    "clearing_items",
    {
        "entity": "text",
        "account": "text",
        "item_id": "uuid",
        "kind": "text",
        "amount_minor": "bigint",
        "postings": "bigint",
        "effective_date": "date",
    },
    key=("entity", "account", "item_id"),
    indexes=(("entity", "account", "amount_minor"),),
)
"""What a clearing account is made of: one row per remittance, deposit, payment or payout, zero when it is cleared; `kind` and
`effective_date` are those of its latest posting."""

TABLES = (POSTINGS, LINES, MANIFESTS, JOURNALS, BALANCES, DIMENSION_BALANCES, CLEARING)
UNIDENTIFIED = AccountRole.UNIDENTIFIED_RECEIPTS.value
CLEARING_ACCOUNTS = frozenset(
    {
        "eft-clearing",
        "gateway-clearing",
        "front-desk-clearing",
        "unapplied-payer",
        "unapplied-patient",
        UNIDENTIFIED,
        "due-to-payer",
        "interest-income",
        "levies-withheld",
        "payer-withholds",
        "provider-adjustments",
        "refunds-payable",
        "refunds-payable-payer",
        "disputes-receivable",
    }
)
"""Accounts that are shown item by item. What is due to a payer clears over many remittances, not within one, and what a
payer took for good never does."""


@of(SubledgerPosting)
def project_postings(event: Event) -> Iterable[Change]:
    """Rows of a posting, of its lines, and the balances they move."""
    if not isinstance(event, SubledgerPosting.Drafted):
        return
    yield put(
        POSTINGS,
        posting_id=event.originator_id,
        group_kind=event.group_kind.value,
        group_id=event.group_id,
        item_id=event.item_id,
        remittance_position=event.remittance_position,
        adjustment=event.adjustment,
        entity=event.entity,
        effective_date=event.effective_date,
        cash_minor=event.cash.minor,
        rules_version=event.rules_version,
        source_event_id=event.source_event_id,
        claim_id=event.claim_id,
        encounter_id=event.encounter_id,
        patient_id=event.patient_id,
        batch=0 if event.group_kind is GroupKind.CHARGES else None,
        recorded_at=event.timestamp,
    )
    if event.group_kind is GroupKind.REMITTANCE:
        yield add(
            MANIFESTS,
            {"remittance_id": event.group_id},
            postings=1,
            missing_postings=-1,
            missing_paid_minor=-event.cash.minor,
        )
    yield from _lines(event)


def _lines(event: SubledgerPosting.Drafted) -> Iterable[Change]:
    """A row per account, party and dimensions, made without detours: a remittance has hundreds of thousands of them."""
    sums: dict[tuple[str, str, str, str, str, str], int] = {}
    rules: dict[tuple[str, str, str, str, str, str], dict[str, None]] = {}
    for line in event.lines:
        payer_class = line.payer_class or event.payer_class
        place = (line.account.value, line.party, payer_class, line.department, line.cost_center, line.location)
        sums[place] = sums.get(place, 0) + line.amount.minor
        rules.setdefault(place, {})[line.rule] = None
    in_common: Row = {
        "entity": event.entity,
        "group_id": event.group_id,
        "item_id": event.item_id,
        "claim_id": event.claim_id,
        "encounter_id": event.encounter_id,
        "patient_id": event.patient_id,
        "effective_date": event.effective_date,
    }
    for place, amount in sums.items():
        row = in_common.copy()
        row["amount_minor"] = amount
        row["rules"] = ",".join(rules[place])
        account, party, payer_class, department, cost_center, location = place
        key: Row = {
            "posting_id": event.originator_id,
            "account": account,
            "party": party,
            "payer_class": payer_class,
            "department": department,
            "cost_center": cost_center,
            "location": location,
        }
        yield Change(LINES, key, row)
        balance: Row = {"entity": event.entity, "account": account, "party": party}
        yield Change(BALANCES, balance, {}, {"subledger_minor": amount})
        if account in CLEARING_ACCOUNTS:
            yield _cleared(event, account, amount)


def _cleared(event: SubledgerPosting.Drafted, account: str, amount: int) -> Change:
    item_id = (event.deposit_id or event.item_id) if account == UNIDENTIFIED else event.item_id
    item: Row = {"entity": event.entity, "account": account, "item_id": item_id}
    latest: Row = {"kind": event.group_kind.value, "effective_date": event.effective_date}
    return Change(CLEARING, item, latest, {"amount_minor": amount, "postings": 1})


@of(RemittanceManifest, ChargeBatches)
def project_groups(event: Event) -> Iterable[Change]:
    """Rows of manifests, and which batch a charge posting is in."""
    if isinstance(event, RemittanceManifest.Expected):
        yield put(
            MANIFESTS,
            remittance_id=event.remittance_id,
            entity=event.entity,
            payer=event.payer,
            effective_date=event.effective_date,
            state=ManifestState.COLLECTING.value,
            claim_count=event.claim_count,
            adjustment_count=event.adjustment_count,
            total_paid_minor=event.total_paid.minor,
            payment_minor=event.payment.minor,
            expected_at=event.timestamp,
        )
        yield add(
            MANIFESTS,
            {"remittance_id": event.remittance_id},
            missing_postings=event.claim_count + event.adjustment_count,
            missing_paid_minor=event.payment.minor,
        )
    elif isinstance(event, RemittanceManifest.Met):
        state = ManifestState.MET.value
        yield put(MANIFESTS, remittance_id=event.remittance_id, state=state, journal_id=event.journal_id)
    elif isinstance(event, RemittanceManifest.Differed):
        yield put(MANIFESTS, remittance_id=event.remittance_id, state=ManifestState.DIFFERS.value)
    elif isinstance(event, RemittanceManifest.Reopened):
        yield put(MANIFESTS, remittance_id=event.remittance_id, state=ManifestState.COLLECTING.value)
    elif isinstance(event, ChargeBatches.Closed):
        for posting_id in event.posting_ids:
            yield put(POSTINGS, posting_id=posting_id, batch=event.ordinal, journal_id=event.journal_id)


PROJECTIONS = (project_postings, project_groups)
