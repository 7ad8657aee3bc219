"""Facts and stored events for the tests of the ledger adapter; nobody in them exists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from canonical.codes import AccountRole, AdjustmentGroup, PayerClass
from canonical.encounter import ChargeLine
from canonical.envelope import Envelope, PublicEvent
from canonical.events.claims import (
    ClaimAdjudicated,
    ClaimPaymentNoted,
    ClaimPaymentUnknown,
    DenialReleased,
    DenialWrittenOff,
)
from canonical.events.intake import EncounterCharged
from canonical.events.payments import (
    DepositMatched,
    PatientPaymentSucceeded,
    PaymentApplied,
    PayoutPaid,
    RemittanceAccepted,
)
from canonical.ids import derive, external_number
from canonical.journal import JournalHead, JournalLine
from canonical.master_data import MasterData
from canonical.money import Money
from canonical.remittance import ClaimAdjustment, DecisionPlace, ProviderAdjustment, RemittanceSummary
from canonical.sealed import Sealed
from chassis.domain import Event, Meta
from chassis.messaging import Delivery
from ledger_adapter.domain.books_mapping import BooksMapping, MappedCode, NamedBooks, mapping_id
from ledger_adapter.domain.charge_batches import ChargeBatches, charge_batches_id
from ledger_adapter.domain.journal_entry import JournalEntry, JournalState, digest_of, journal_id
from ledger_adapter.domain.manifest import RemittanceManifest, manifest_id
from ledger_adapter.domain.party_account import PartyAccount, PartyKind, party_account_id
from ledger_adapter.domain.period_calendar import FiscalPeriod, PeriodCalendar, PeriodState, calendar_id
from ledger_adapter.domain.subledger import GroupKind, PostedLine, SubledgerPosting, charge_posting_id

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENT = derive("test-patient", 1)
REMITTANCE = derive("test-remittance", 1)

PARTY = party_account_id("NORTH", "ACME")
BOOKS = NamedBooks(
    entity="NORTH",
    erp="tryton",
    company="NORTH",
    accounts=(MappedCode(ours="cash", theirs="1000"),),
    parties=(MappedCode(ours="ACME", theirs="C-7"),),
    dimensions=(MappedCode(ours="department", theirs="DEPT"),),
)

MASTER = MasterData.model_validate(
    {
        "version": "test",
        "entities": [],
        "providers": [],
        "payers": [
            {
                "code": code,
                "name": code,
                "payer_class": payer_class,
                "x12_identifier": number,
                "receiver_id": code,
                "expected_contractual_percent": percent,
                "contractual_reasons": reasons,
            }
            for code, payer_class, number, percent, reasons in (
                ("ACME", "commercial", "900100001", 30, ["45"]),
                ("MEDICARE", "medicare", "900100003", 45, ["45", "253"]),
            )
        ],
    }
)


def money(text: str) -> Money:
    return Money.of(text)


def encounter_id(number: int = 1) -> UUID:
    return derive("test-encounter", number)


def claim_id(number: int = 1) -> UUID:
    return derive("test-claim", number)


def charged(
    number: int = 1,
    amounts: Sequence[str] = ("100.00",),
    *,
    payer: str = "ACME",
    entity: str = "NORTH",
    posting: int = 1,
    departments: Sequence[str] = ("N-FM",),
    total: str = "",
    day: date = DAY,
) -> EncounterCharged:
    charges = tuple(
        ChargeLine(
            charge_id=derive("test-charge", number, posting, place),
            procedure_code="99213",
            units=Decimal(1),
            amount=money(amount),
            service_date=day,
            department=departments[place % len(departments)],
        )
        for place, amount in enumerate(amounts)
    )
    return EncounterCharged(
        encounter_id=encounter_id(number),
        posting=posting,
        entity=entity,
        patient_id=PATIENT,
        payer=payer,
        payer_class=PayerClass.COMMERCIAL if payer else PayerClass.SELF_PAY,
        rendering_provider="P1",
        service_from=day,
        service_to=day,
        charges=charges,
        total=money(total) if total else Money.total(charge.amount for charge in charges),
        diagnosis_count=1,
        has_member_id=bool(payer),
        details=Sealed(key_id=PATIENT, kind="encounter.v1", fact=encounter_id(number), ciphertext=b"sealed"),
        message_ids=(),
    )


def adjudicated(
    number: int = 1,
    charge: str = "100.00",
    paid: str = "60.00",
    adjustments: Sequence[tuple[str, str, str]] = (("CO", "45", "30.00"), ("PR", "2", "10.00")),
    *,
    payer: str = "ACME",
    entity: str = "NORTH",
    first: bool = True,
    position: int = 0,
    posting: int = 1,
    remittance_id: UUID = REMITTANCE,
    payer_class: PayerClass = PayerClass.COMMERCIAL,
    kind: str = "decision",
    match: int = 0,
    sequence: int = 1,
    next_payer: str = "",
    next_payer_class: PayerClass | None = None,
) -> ClaimAdjudicated:
    taken = tuple(
        ClaimAdjustment(group=AdjustmentGroup(group), reason=reason, amount=money(amount))
        for group, reason, amount in adjustments
    )
    return ClaimAdjudicated(
        claim_id=claim_id(number),
        encounter_id=encounter_id(number),
        posting=posting,
        patient_id=PATIENT,
        entity=entity,
        payer=payer,
        payer_class=payer_class,
        remittance_id=remittance_id,
        remittance_position=position,
        effective_date=date(2026, 3, 16),
        first=first,
        denied=False,
        charge=money(charge),
        paid=money(paid),
        patient_responsibility=Money.total(cas.amount for cas in taken if cas.group is AdjustmentGroup.PATIENT),
        adjustments=taken,
        service_from=DAY,
        kind=kind,
        match=match,
        sequence=sequence,
        next_payer=next_payer,
        next_payer_class=next_payer_class,
    )


def negated(
    decision: ClaimAdjudicated,
    *,
    kind: str = "reversal",
    position: int | None = None,
    remittance_id: UUID | None = None,
    match: int = 0,
    also: tuple[DecisionPlace, ...] = (),
) -> ClaimAdjudicated:
    """Every amount of a decision, the other way: its reversal, or what unmatches it. `also` is taken back with it."""
    return decision.model_copy(
        update={
            "kind": kind,
            "first": False,
            "charge": -decision.charge,
            "paid": -decision.paid,
            "patient_responsibility": -decision.patient_responsibility,
            "adjustments": tuple(cas.model_copy(update={"amount": -cas.amount}) for cas in decision.adjustments),
            "remittance_id": remittance_id or decision.remittance_id,
            "remittance_position": decision.remittance_position if position is None else position,
            "reverses_remittance_id": decision.remittance_id if kind == "reversal" else None,
            "reverses_position": decision.remittance_position if kind == "reversal" else -1,
            "reverses_match": decision.match if kind == "reversal" else 0,
            "reverses_also": also,
            "match": match,
        }
    )


def payment_noted(*, position: int = 0, why: str = "predetermination") -> ClaimPaymentNoted:
    return ClaimPaymentNoted(
        remittance_id=REMITTANCE,
        remittance_position=position,
        claim_id=claim_id(),
        entity="NORTH",
        payer="ACME",
        effective_date=date(2026, 3, 16),
        why=why,
    )


def of_denial(amount: str, day: date) -> dict[str, object]:
    """What every end of the first claim's denial says of the claim."""
    return {
        "claim_id": claim_id(),
        "encounter_id": encounter_id(),
        "posting": 1,
        "patient_id": PATIENT,
        "entity": "NORTH",
        "payer": "ACME",
        "payer_class": PayerClass.COMMERCIAL,
        "amount": money(amount),
        "effective_date": day,
    }


def denial_released(amount: str = "100.00", *, release: int = 1) -> DenialReleased:
    return DenialReleased.model_validate({**of_denial(amount, date(2026, 4, 20)), "release": release})


def denial_written_off(amount: str = "100.00", *, write_off: int = 1) -> DenialWrittenOff:
    why = {"reason": "timely filing, no appeal left", "approved_by": "user:second"}
    return DenialWrittenOff.model_validate({**of_denial(amount, date(2026, 5, 4)), "write_off": write_off, **why})


def provider_adjustment(reason: str, amount: str, reference: str = "") -> ProviderAdjustment:
    return ProviderAdjustment(
        provider="1999999984", fiscal_date=date(2026, 12, 31), reason=reason, reference=reference, amount=money(amount)
    )


def payment_unknown(
    paid: str = "25.00", *, position: int = 0, remittance_id: UUID = REMITTANCE, entity: str = "NORTH"
) -> ClaimPaymentUnknown:
    return ClaimPaymentUnknown(
        remittance_id=remittance_id,
        remittance_position=position,
        entity=entity,
        payer="ACME",
        paid=money(paid),
        effective_date=date(2026, 3, 16),
    )


def accepted(
    claims: int = 1,
    paid: str = "60.00",
    *,
    remittance_id: UUID = REMITTANCE,
    entity: str = "NORTH",
    content_hash: str = "c0ffee",
    adjustments: Sequence[tuple[str, str]] = (),
) -> RemittanceAccepted:
    """`paid` is what the claims add up to; the payment is less the provider-level `adjustments`, by code and amount."""
    taken = tuple(provider_adjustment(reason, amount) for reason, amount in adjustments)
    total_taken = Money.total(plb.amount for plb in taken)
    return RemittanceAccepted(
        summary=RemittanceSummary(
            remittance_id=remittance_id,
            receipt_id=derive("test-receipt", remittance_id),
            entity=entity,
            payer_id="ACME",
            payer_identifier="900100001",
            trace_number="TRACE1",
            payment=money(paid) - total_taken,
            payment_method="ACH",
            effective_date=date(2026, 3, 16),
            claim_count=claims,
            chunk_count=1,
            total_charge=money("100.00"),
            total_paid=money(paid),
            total_provider_adjustments=total_taken,
            provider_adjustments=taken,
            content_hash=content_hash,
            message_id=derive("test-message", 1),
        )
    )


def deposit(amount: str = "60.00", *, remittance_id: UUID = REMITTANCE, entity: str = "NORTH") -> DepositMatched:
    return DepositMatched(
        deposit_id=derive("test-deposit", remittance_id),
        remittance_id=remittance_id,
        entity=entity,
        amount=money(amount),
        effective_date=date(2026, 3, 17),
    )


def patient_paid(
    applied: str = "10.00", unapplied: str = "0.00", *, number: int = 1, patient: UUID | None = PATIENT
) -> PatientPaymentSucceeded:
    return PatientPaymentSucceeded(
        payment_id=derive("test-payment", number),
        entity="NORTH",
        patient_id=patient,
        applied=money(applied),
        unapplied=money(unapplied),
        effective_date=date(2026, 3, 20),
    )


def applied_later(amount: str = "5.00") -> PaymentApplied:
    return PaymentApplied(
        payment_id=derive("test-payment", 1),
        application=1,
        entity="NORTH",
        patient_id=PATIENT,
        amount=money(amount),
        effective_date=date(2026, 3, 21),
    )


def payout(gross: str = "10.00", fees: str = "0.59", net: str = "9.41", entity: str = "NORTH") -> PayoutPaid:
    return PayoutPaid(
        payout_id=derive("test-payout", 1),
        entity=entity,
        gross=money(gross),
        fees=money(fees),
        net=money(net),
        effective_date=date(2026, 3, 22),
    )


def envelope(event: PublicEvent, key: UUID, sequence: int = 1) -> Envelope:
    return Envelope(
        id=derive("test-event", event.TYPE, key, sequence),
        service=event.SERVICE,
        type=event.TYPE,
        key=key,
        sequence=sequence,
        time=NOW,
        correlation_id=derive("test-correlation", key),
        causation_id=derive("test-cause", key),
        actor="test",
    )


def delivery(event: PublicEvent, key: UUID, sequence: int = 1) -> Delivery:
    about = envelope(event, key, sequence)
    return Delivery(about.subject, about.to_headers(), event.model_dump_json().encode())


LINES = (
    JournalLine(account=AccountRole.AR_PAYER, amount=money("-60.00"), party="ACME"),
    JournalLine(account=AccountRole.EFT_CLEARING, amount=money("60.00")),
)
ENTRY = journal_id(GroupKind.REMITTANCE, REMITTANCE)
HEAD = JournalHead(
    journal_id=ENTRY,
    entity="NORTH",
    kind="remittance",
    effective_date=DAY,
    external_number=external_number(ENTRY),
    rules_version="2026.1-test",
)


def stored_examples() -> list[Event]:
    """One example of every stored event."""
    meta = Meta(correlation_id=derive("c"), causation_id=derive("d"), actor="test")

    def stamp(identity: UUID, version: int = 1) -> dict[str, object]:
        return {"originator_id": identity, "originator_version": version, "timestamp": NOW, "meta": meta}

    posting = charge_posting_id(encounter_id(), 1)
    line = PostedLine(account=AccountRole.AR_PAYER, amount=money("100.00"), party="ACME", department="N-FM", rule="J01")
    march = FiscalPeriod(name="2026-03", start=date(2026, 3, 1), end=date(2026, 3, 31), state=PeriodState.OPEN)
    contents: list[tuple[type[Event], UUID, dict[str, object]]] = [
        (BooksMapping.PutInForce, mapping_id("NORTH"), {"books": BOOKS}),
        (PartyAccount.Registered, PARTY, {"entity": "NORTH", "code": "ACME", "kind": PartyKind.PAYER}),
        (PartyAccount.Linked, PARTY, {"erp": "netsuite", "erp_code": "C-7", "erp_id": "41"}),
        (PartyAccount.LinkRefused, PARTY, {"erp": "netsuite", "reason": "ErpRejected: the subsidiary is closed"}),
        (PartyAccount.MergedInto, PARTY, {"into": "MEDICARE", "reason": "the payers became one"}),
        (PeriodCalendar.Told, calendar_id("NORTH"), {"entity": "NORTH", "erp": "tryton", "periods": (march,)}),
        (
            SubledgerPosting.Drafted,
            posting,
            {
                "group_kind": GroupKind.CHARGES,
                "group_id": charge_batches_id("NORTH", DAY),
                "item_id": encounter_id(),
                "entity": "NORTH",
                "effective_date": DAY,
                "cash": Money(0),
                "payer_class": "commercial",
                "encounter_id": encounter_id(),
                "patient_id": PATIENT,
                "lines": (
                    line,
                    line.model_copy(
                        update={"account": AccountRole.GROSS_REVENUE, "amount": money("-100.00"), "party": ""}
                    ),
                ),
                "rules_version": "2026.1-test",
                "source_event_id": derive("e"),
                "content_hash": "00ff",
            },
        ),
        (
            RemittanceManifest.Expected,
            manifest_id(REMITTANCE),
            {
                "remittance_id": REMITTANCE,
                "entity": "NORTH",
                "payer": "ACME",
                "effective_date": DAY,
                "claim_count": 2,
                "total_paid": money("60.00"),
                "payment": money("60.00"),
                "content_hash": "00ff",
            },
        ),
        (RemittanceManifest.Met, manifest_id(REMITTANCE), {"remittance_id": REMITTANCE, "journal_id": ENTRY}),
        (
            RemittanceManifest.Differed,
            manifest_id(REMITTANCE),
            {"remittance_id": REMITTANCE, "residual": money("0.01")},
        ),
        (
            RemittanceManifest.Reopened,
            manifest_id(REMITTANCE),
            {"remittance_id": REMITTANCE, "reason": "the missing cent was posted"},
        ),
        (
            ChargeBatches.Closed,
            charge_batches_id("NORTH", DAY),
            {
                "ordinal": 1,
                "entity": "NORTH",
                "effective_date": DAY,
                "journal_id": ENTRY,
                "posting_ids": (posting,),
            },
        ),
        (
            JournalEntry.Intended,
            ENTRY,
            {
                "head": HEAD,
                "lines": LINES,
                "group_kind": GroupKind.REMITTANCE,
                "group_id": REMITTANCE,
                "posting_count": 1,
                "posting_digest": digest_of([posting]),
            },
        ),
        (JournalEntry.Probed, ENTRY, {"erp": "fake"}),
        (JournalEntry.Posted, ENTRY, {"erp": "fake", "erp_document": "FAKE-1"}),
        (JournalEntry.BecameUncertain, ENTRY, {"reason": "no answer in time"}),
        (JournalEntry.Rejected, ENTRY, {"code": "ErpRejected", "reason": "refused"}),
        (JournalEntry.HeldForPeriod, ENTRY, {"reason": "March is closed", "refused_day": DAY}),
        (JournalEntry.Confirmed, ENTRY, {"head": HEAD, "lines": LINES, "erp": "fake", "erp_document": "FAKE-1"}),
        (JournalEntry.Differed, ENTRY, {"differences": ("eft-clearing: ours 6000, at the ERP 5999",)}),
        (JournalEntry.Resumed, ENTRY, {"state": JournalState.INTENDED, "reason": "the period was opened"}),
    ]
    return [kind.model_validate(stamp(identity) | fields) for kind, identity, fields in contents]
