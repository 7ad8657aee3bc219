"""Which accounts each financial fact moves: the posting rules as versioned data, and pure functions from facts to lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from canonical.codes import AccountRole, AdjustmentGroup, PayerClass
from canonical.events.claims import ClaimAdjudicated, ClaimPaymentUnknown
from canonical.events.intake import EncounterCharged
from canonical.events.payments import DepositMatched, PatientPaymentSucceeded, PaymentApplied, PayoutPaid
from canonical.journal import LedgerLine, residual
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from chassis.domain import Refusal


class UnmappedAdjustment(Refusal):
    """No posting rule covers this adjustment; its remittance waits until there is one."""


class FactDoesNotAddUp(Refusal):
    """The parts of a fact differ from its whole, so no set of lines could be right."""


class Fact(StrEnum):
    """What happened, in the accountant's words."""

    CHARGE_TO_PAYER = "charge billed to a payer"
    CHARGE_TO_PATIENT = "charge billed to the patient"
    CONTRACTUAL_EXPECTED = "contractual allowance expected at charge"
    EXPECTATION_RELEASED = "expected contractual allowance released at the first adjudication"
    CLAIM_PAID = "claim paid by the payer"
    CONTRACTUAL_TAKEN = "contractual allowance taken by the payer"
    PATIENT_SHARE = "deductible, coinsurance or copay left to the patient"
    DENIED = "amount denied by the payer, to be worked"
    DEPOSIT_MATCHED = "deposit matched with its remittance"
    PATIENT_PAID = "patient payment applied to the patient's balance"
    PATIENT_PAID_UNAPPLIED = "patient payment that nothing could be applied to"
    UNAPPLIED_APPLIED = "unapplied patient cash applied later"
    PAYOUT_RECEIVED = "payout of the gateway, what reached the bank"
    PAYOUT_FEES = "payout of the gateway, fees kept by it"
    UNKNOWN_CLAIM_PAID = "payer cash for a claim nobody knows"


@dataclass(frozen=True, slots=True)
class PostingRule:
    """One row of the rules; a negative amount books the mirror."""

    code: str
    debit: AccountRole
    credit: AccountRole


RULES: Mapping[Fact, PostingRule] = {
    Fact.CHARGE_TO_PAYER: PostingRule("J01", AccountRole.AR_PAYER, AccountRole.GROSS_REVENUE),
    Fact.CHARGE_TO_PATIENT: PostingRule("J01", AccountRole.AR_PATIENT, AccountRole.GROSS_REVENUE),
    Fact.CONTRACTUAL_EXPECTED: PostingRule("J03", AccountRole.CONTRACTUAL_ALLOWANCE, AccountRole.AR_ALLOWANCE),
    Fact.CLAIM_PAID: PostingRule("J04", AccountRole.EFT_CLEARING, AccountRole.AR_PAYER),
    Fact.EXPECTATION_RELEASED: PostingRule("J05", AccountRole.AR_ALLOWANCE, AccountRole.CONTRACTUAL_ALLOWANCE),
    Fact.CONTRACTUAL_TAKEN: PostingRule("J05", AccountRole.CONTRACTUAL_ALLOWANCE, AccountRole.AR_PAYER),
    Fact.PATIENT_SHARE: PostingRule("J07", AccountRole.AR_PATIENT, AccountRole.AR_PAYER),
    Fact.DENIED: PostingRule("J09", AccountRole.AR_PAYER_DENIED, AccountRole.AR_PAYER),
    Fact.DEPOSIT_MATCHED: PostingRule("J14", AccountRole.CASH, AccountRole.EFT_CLEARING),
    Fact.PATIENT_PAID: PostingRule("J15", AccountRole.GATEWAY_CLEARING, AccountRole.AR_PATIENT),
    Fact.PATIENT_PAID_UNAPPLIED: PostingRule("J15", AccountRole.GATEWAY_CLEARING, AccountRole.UNAPPLIED_PATIENT),
    Fact.UNAPPLIED_APPLIED: PostingRule("J16", AccountRole.UNAPPLIED_PATIENT, AccountRole.AR_PATIENT),
    Fact.PAYOUT_RECEIVED: PostingRule("J17", AccountRole.CASH, AccountRole.GATEWAY_CLEARING),
    Fact.PAYOUT_FEES: PostingRule("J17", AccountRole.PROCESSING_FEES, AccountRole.GATEWAY_CLEARING),
    Fact.UNKNOWN_CLAIM_PAID: PostingRule("J26", AccountRole.EFT_CLEARING, AccountRole.UNAPPLIED_PAYER),
}

PATIENT_SHARE_REASONS = ("1", "2", "3")
PAYER_ACCOUNTS = frozenset({AccountRole.AR_PAYER, AccountRole.AR_PAYER_DENIED})
PATIENT_ACCOUNTS = frozenset({AccountRole.AR_PATIENT})


def _fingerprint() -> str:
    content = {
        "rules": {fact.value: [rule.code, rule.debit, rule.credit] for fact, rule in RULES.items()},
        "patient_share_reasons": PATIENT_SHARE_REASONS,
        "payer_accounts": sorted(PAYER_ACCOUNTS),
        "patient_accounts": sorted(PATIENT_ACCOUNTS),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


RULES_VERSION = f"2026.1-{_fingerprint()[:12]}"
"""The rules' edition and the start of their SHA-256: two builds with the same version book the same lines."""


def patient_party(entity: str) -> str:
    """The one party under which all patients of an entity owe."""
    return f"PATIENTS-{entity}"


@dataclass(frozen=True, slots=True)
class Dimensions:
    """What the lines of one fact have in common."""

    entity: str
    payer: str = ""
    payer_class: str = ""
    department: str = ""
    claim_id: UUID | None = None
    encounter_id: UUID | None = None
    patient_id: UUID | None = None


def booked(fact: Fact, amount: Money, dimensions: Dimensions) -> tuple[LedgerLine, ...]:
    """The debit and the credit of one fact; nothing for a zero amount."""
    if not amount:
        return ()
    rule = RULES[fact]
    return (_line(rule, rule.debit, amount, dimensions), _line(rule, rule.credit, -amount, dimensions))


def _line(rule: PostingRule, account: AccountRole, amount: Money, dimensions: Dimensions) -> LedgerLine:
    return LedgerLine(
        account=account,
        amount=amount,
        party=party_of(account, dimensions),
        payer_class=dimensions.payer_class,
        department=dimensions.department,
        rule=rule.code,
        claim_id=dimensions.claim_id,
        encounter_id=dimensions.encounter_id,
        patient_id=dimensions.patient_id,
    )


def party_of(account: AccountRole, dimensions: Dimensions) -> str:
    """Receivables carry the party that owes them; no other account has one."""
    if account in PAYER_ACCOUNTS:
        return dimensions.payer
    if account in PATIENT_ACCOUNTS:
        return patient_party(dimensions.entity)
    return ""


def expected_contractual(total: Money, percent: int) -> Money:
    """What of a gross charge the payer's contract is expected to take off.

    The half cent goes to the even cent, so that many estimates do not drift one way; the first adjudication releases
    exactly what was booked here, so the rounding never reaches the receivable.
    """
    return total.share_half_even(percent, 100)


def lines_for_charges(event: EncounterCharged, expected_percent: int) -> tuple[LedgerLine, ...]:
    """J01 by department, and J03 on the whole for a payer. Self-pay is owed by the patient and has no estimate.

    Raises:
        FactDoesNotAddUp: the charges are not the total.
    """
    if Money.total(charge.amount for charge in event.charges) != event.total:
        raise FactDoesNotAddUp(f"encounter {event.encounter_id}: the charges do not add up to {event.total}")
    departments: dict[str, Money] = {}
    for charge in event.charges:
        departments[charge.department] = departments.get(charge.department, Money(0)) + charge.amount
    fact = Fact.CHARGE_TO_PAYER if event.payer else Fact.CHARGE_TO_PATIENT
    lines: list[LedgerLine] = []
    for department, amount in departments.items():
        lines.extend(booked(fact, amount, _dimensions_of_encounter(event, department)))
    if event.payer:
        estimate = expected_contractual(event.total, expected_percent)
        only = next(iter(departments)) if len(departments) == 1 else ""
        lines.extend(booked(Fact.CONTRACTUAL_EXPECTED, estimate, _dimensions_of_encounter(event, only)))
    return tuple(lines)


def _dimensions_of_encounter(event: EncounterCharged, department: str) -> Dimensions:
    return Dimensions(
        entity=event.entity,
        payer=event.payer,
        payer_class=event.payer_class.value if event.payer else PayerClass.SELF_PAY.value,
        department=department,
        encounter_id=event.encounter_id,
        patient_id=event.patient_id,
    )


def fact_of_adjustment(adjustment: ClaimAdjustment, contractual_reasons: Sequence[str]) -> Fact:
    """What a payer's adjustment means to the ledger.

    CO on the payer's allow-list is contractual; any other CO, and every PI, is a denial to work, never a write-off;
    PR-1, 2 and 3 are the patient's.

    Raises:
        UnmappedAdjustment: other PR and all OA codes have no rule yet.

    Source: X12 005010X221A1, segment CAS.
    """
    if adjustment.group is AdjustmentGroup.CONTRACTUAL:
        return Fact.CONTRACTUAL_TAKEN if adjustment.reason in contractual_reasons else Fact.DENIED
    if adjustment.group is AdjustmentGroup.PAYER_INITIATED:
        return Fact.DENIED
    if adjustment.group is AdjustmentGroup.PATIENT and adjustment.reason in PATIENT_SHARE_REASONS:
        return Fact.PATIENT_SHARE
    raise UnmappedAdjustment(
        f"{adjustment.group.value}-{adjustment.reason} of {adjustment.amount}: no posting rule; add one for this code"
    )


def lines_for_adjudication(
    event: ClaimAdjudicated, estimate: Money, contractual_reasons: Sequence[str], department: str = ""
) -> tuple[LedgerLine, ...]:
    """J04, J05, J07 and J09 of one payer decision; the first one also releases the claim's J03 `estimate`.

    Negative amounts book the mirror. Adjustments of one meaning are one pair of lines.

    Raises:
        UnmappedAdjustment: see `fact_of_adjustment`; a zero adjustment books nothing and needs no rule.
        FactDoesNotAddUp: charge minus adjustments is not what was paid.
    """
    if event.charge - Money.total(cas.amount for cas in event.adjustments) != event.paid:
        raise FactDoesNotAddUp(f"claim {event.claim_id}: charge minus adjustments is not the payment of {event.paid}")
    amounts: dict[Fact, Money] = {}
    if event.first:
        amounts[Fact.EXPECTATION_RELEASED] = estimate
    amounts[Fact.CLAIM_PAID] = event.paid
    for adjustment in event.adjustments:
        if adjustment.amount:
            fact = fact_of_adjustment(adjustment, contractual_reasons)
            amounts[fact] = amounts.get(fact, Money(0)) + adjustment.amount
    dimensions = Dimensions(
        entity=event.entity,
        payer=event.payer,
        payer_class=event.payer_class.value,
        department=department,
        claim_id=event.claim_id,
        encounter_id=event.encounter_id,
        patient_id=event.patient_id,
    )
    return tuple(line for fact, amount in amounts.items() for line in booked(fact, amount, dimensions))


def lines_for_unknown_claim(event: ClaimPaymentUnknown) -> tuple[LedgerLine, ...]:
    """J26: the cash stays visible as unapplied until a person finds the claim."""
    return booked(Fact.UNKNOWN_CLAIM_PAID, event.paid, Dimensions(event.entity, payer=event.payer))


def lines_for_deposit(event: DepositMatched) -> tuple[LedgerLine, ...]:
    """J14: what the remittance promised is in the bank."""
    return booked(Fact.DEPOSIT_MATCHED, event.amount, Dimensions(event.entity))


def lines_for_patient_payment(event: PatientPaymentSucceeded) -> tuple[LedgerLine, ...]:
    """J15: what could be applied pays the patient's balance, the rest stays unapplied."""
    dimensions = Dimensions(event.entity, payer_class=PayerClass.SELF_PAY.value, patient_id=event.patient_id)
    return booked(Fact.PATIENT_PAID, event.applied, dimensions) + booked(
        Fact.PATIENT_PAID_UNAPPLIED, event.unapplied, dimensions
    )


def lines_for_application(event: PaymentApplied) -> tuple[LedgerLine, ...]:
    """J16: cash that was unapplied now pays the patient's balance."""
    dimensions = Dimensions(event.entity, payer_class=PayerClass.SELF_PAY.value, patient_id=event.patient_id)
    return booked(Fact.UNAPPLIED_APPLIED, event.amount, dimensions)


def lines_for_payout(event: PayoutPaid) -> tuple[LedgerLine, ...]:
    """J17: the bank has the net, the gateway kept its fees.

    Raises:
        FactDoesNotAddUp: gross minus fees is not the net.
    """
    if event.gross - event.fees != event.net:
        raise FactDoesNotAddUp(f"payout {event.payout_id}: {event.gross} minus fees {event.fees} is not {event.net}")
    dimensions = Dimensions(event.entity)
    return booked(Fact.PAYOUT_RECEIVED, event.net, dimensions) + booked(Fact.PAYOUT_FEES, event.fees, dimensions)


class _OnAccount(Protocol):
    @property
    def account(self) -> AccountRole: ...

    @property
    def amount(self) -> Money: ...


def estimate_in(lines: Iterable[_OnAccount]) -> Money:
    """What of the receivable was expected to be taken off: the J03 part of a charge's lines."""
    return -Money.total(line.amount for line in lines if line.account is AccountRole.AR_ALLOWANCE)


def assert_balanced(lines: Iterable[LedgerLine]) -> None:
    """Our own promise: every rule books a debit and its credit."""
    left = residual(lines)
    assert not left, f"a posting rule is out of balance by {left}"
