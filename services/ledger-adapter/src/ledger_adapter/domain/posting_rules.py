"""Which accounts each financial fact moves: the posting rules as versioned data, and the pairs of lines that they book."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from canonical.codes import AccountRole, AdjustmentGroup
from canonical.journal import LedgerLine, residual
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from chassis.domain import Refusal


class UnmappedAdjustment(Refusal):
    """No posting rule covers this adjustment; its remittance waits until there is one."""


class UnmappedProviderAdjustment(Refusal):
    """No posting rule covers this provider-level adjustment; its remittance waits until there is one."""


AdjustmentCode = tuple[AdjustmentGroup, str]
"""Group and reason of an adjustment, CAS01 and CARC."""


class Fact(StrEnum):
    """What happened, in the accountant's words."""

    CHARGE_TO_PAYER = "charge billed to a payer"
    CHARGE_TO_PATIENT = "charge billed to the patient"
    CONTRACTUAL_EXPECTED = "contractual allowance expected at charge"
    EXPECTATION_RELEASED = "expected contractual allowance released at the first adjudication"
    CLAIM_PAID = "claim paid by the payer"
    MATCHED_CLAIM_PAID = "payment that was unapplied, matched with its claim"
    CONTRACTUAL_TAKEN = "contractual allowance taken by the payer"
    SEQUESTRATION_TAKEN = "sequestration taken by the payer"
    PATIENT_SHARE = "deductible, coinsurance or copay left to the patient"
    NEXT_PAYER_SHARE = "deductible, coinsurance or copay owed by the next payer"
    PRIOR_PAYER_IMPACT = "what an earlier payer paid or took off, told by a later one"
    DENIED = "amount denied by the payer, to be worked"
    DENIAL_RELEASED = "denied amount that a later decision covers, open again"
    DENIAL_WRITTEN_OFF = "denied amount given up after approval"
    DEPOSIT_MATCHED = "deposit matched with its remittance"
    DEPOSIT_UNIDENTIFIED = "deposit that nothing explains"
    UNIDENTIFIED_MATCHED = "deposit that nothing explained, matched with its remittance"
    PATIENT_PAID = "patient payment applied to the patient's balance"
    PATIENT_PAID_UNAPPLIED = "patient payment that nothing could be applied to"
    PAID_AT_FRONT_DESK = "payment at the front desk applied to the patient's balance"
    PAID_AT_FRONT_DESK_UNAPPLIED = "payment at the front desk that nothing could be applied to"
    UNAPPLIED_APPLIED = "unapplied patient cash applied later"
    PAYOUT_RECEIVED = "payout of the gateway, what reached the bank"
    PAYOUT_FEES = "payout of the gateway, fees kept by it"
    REFUND_APPROVED = "refund owed to the patient"
    REFUND_PAID = "refund paid by the gateway"
    REFUND_PAID_AT_FRONT_DESK = "refund paid at the front desk"
    DISPUTE_WITHDRAWN = "disputed payment that the gateway took back"
    DISPUTE_FEE = "fee that the gateway took for a dispute"
    DISPUTE_LOST = "dispute lost, out of the patient's cash"
    PAYMENT_RETURNED = "payment that the payer's bank took back"
    CHARITY_GIVEN = "patient's balance given up as charity"
    BAD_DEBT_GIVEN_UP = "patient's balance given up as bad debt"
    SMALL_BALANCE_GIVEN_UP = "small balance of a patient given up"
    PRICE_CONCESSION_EXPECTED = "share of a patient that is not expected to be paid"
    PRICE_CONCESSION_GIVEN = "patient's balance given up as a price concession"
    PATIENT_CASH_TRANSFERRED = "unapplied cash of a patient moved to another patient"
    PATIENT_SHARE_TRANSFERRED = "what a patient owes moved to another patient"
    OVERPAYMENT_IDENTIFIED = "overpayment of a payer, owed back to it"
    OVERPAYMENT_RETURNED = "overpayment returned to the payer"
    OVERPAYMENT_RECOUPED = "overpayment that the payer took out of another payment"
    PAYER_CREDIT_PRESENTED = "credit balance of a payer, shown as owed at the end of a period"
    PATIENT_CREDIT_PRESENTED = "credit balance of a patient, shown as owed at the end of a period"
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
    Fact.MATCHED_CLAIM_PAID: PostingRule("J04", AccountRole.UNAPPLIED_PAYER, AccountRole.AR_PAYER),
    Fact.EXPECTATION_RELEASED: PostingRule("J05", AccountRole.AR_ALLOWANCE, AccountRole.CONTRACTUAL_ALLOWANCE),
    Fact.CONTRACTUAL_TAKEN: PostingRule("J05", AccountRole.CONTRACTUAL_ALLOWANCE, AccountRole.AR_PAYER),
    Fact.SEQUESTRATION_TAKEN: PostingRule("J06", AccountRole.SEQUESTRATION, AccountRole.AR_PAYER),
    Fact.PATIENT_SHARE: PostingRule("J07", AccountRole.AR_PATIENT, AccountRole.AR_PAYER),
    Fact.NEXT_PAYER_SHARE: PostingRule("J07", AccountRole.AR_PAYER, AccountRole.AR_PAYER),
    Fact.DENIED: PostingRule("J09", AccountRole.AR_PAYER_DENIED, AccountRole.AR_PAYER),
    Fact.DENIAL_RELEASED: PostingRule("J09", AccountRole.AR_PAYER, AccountRole.AR_PAYER_DENIED),
    Fact.DENIAL_WRITTEN_OFF: PostingRule("J10", AccountRole.DENIAL_WRITE_OFF, AccountRole.AR_PAYER_DENIED),
    Fact.DEPOSIT_MATCHED: PostingRule("J14", AccountRole.CASH, AccountRole.EFT_CLEARING),
    Fact.DEPOSIT_UNIDENTIFIED: PostingRule("J27", AccountRole.CASH, AccountRole.UNIDENTIFIED_RECEIPTS),
    Fact.UNIDENTIFIED_MATCHED: PostingRule("J27", AccountRole.UNIDENTIFIED_RECEIPTS, AccountRole.EFT_CLEARING),
    Fact.PATIENT_PAID: PostingRule("J15", AccountRole.GATEWAY_CLEARING, AccountRole.AR_PATIENT),
    Fact.PATIENT_PAID_UNAPPLIED: PostingRule("J15", AccountRole.GATEWAY_CLEARING, AccountRole.UNAPPLIED_PATIENT),
    Fact.PAID_AT_FRONT_DESK: PostingRule("J15", AccountRole.FRONT_DESK_CLEARING, AccountRole.AR_PATIENT),
    Fact.PAID_AT_FRONT_DESK_UNAPPLIED: PostingRule(
        "J15", AccountRole.FRONT_DESK_CLEARING, AccountRole.UNAPPLIED_PATIENT
    ),
    Fact.UNAPPLIED_APPLIED: PostingRule("J16", AccountRole.UNAPPLIED_PATIENT, AccountRole.AR_PATIENT),
    Fact.PAYOUT_RECEIVED: PostingRule("J17", AccountRole.CASH, AccountRole.GATEWAY_CLEARING),
    Fact.PAYOUT_FEES: PostingRule("J17", AccountRole.PROCESSING_FEES, AccountRole.GATEWAY_CLEARING),
    Fact.REFUND_APPROVED: PostingRule("J18", AccountRole.UNAPPLIED_PATIENT, AccountRole.REFUNDS_PAYABLE),
    Fact.REFUND_PAID: PostingRule("J18", AccountRole.REFUNDS_PAYABLE, AccountRole.GATEWAY_CLEARING),
    Fact.REFUND_PAID_AT_FRONT_DESK: PostingRule("J18", AccountRole.REFUNDS_PAYABLE, AccountRole.FRONT_DESK_CLEARING),
    Fact.DISPUTE_WITHDRAWN: PostingRule("J19", AccountRole.DISPUTES_RECEIVABLE, AccountRole.GATEWAY_CLEARING),
    Fact.DISPUTE_FEE: PostingRule("J19", AccountRole.DISPUTE_FEES, AccountRole.GATEWAY_CLEARING),
    Fact.DISPUTE_LOST: PostingRule("J19", AccountRole.UNAPPLIED_PATIENT, AccountRole.DISPUTES_RECEIVABLE),
    Fact.PAYMENT_RETURNED: PostingRule("J19", AccountRole.UNAPPLIED_PATIENT, AccountRole.GATEWAY_CLEARING),
    Fact.CHARITY_GIVEN: PostingRule("J21", AccountRole.CHARITY_CARE, AccountRole.AR_PATIENT),
    Fact.PRICE_CONCESSION_EXPECTED: PostingRule("J22", AccountRole.PRICE_CONCESSION, AccountRole.CONCESSION_ALLOWANCE),
    Fact.PRICE_CONCESSION_GIVEN: PostingRule("J22", AccountRole.PRICE_CONCESSION, AccountRole.AR_PATIENT),
    Fact.BAD_DEBT_GIVEN_UP: PostingRule("J23", AccountRole.BAD_DEBT, AccountRole.AR_PATIENT),
    Fact.SMALL_BALANCE_GIVEN_UP: PostingRule("J24", AccountRole.SMALL_BALANCE, AccountRole.AR_PATIENT),
    Fact.PATIENT_CASH_TRANSFERRED: PostingRule("J16", AccountRole.UNAPPLIED_PATIENT, AccountRole.UNAPPLIED_PATIENT),
    Fact.PATIENT_SHARE_TRANSFERRED: PostingRule("J07", AccountRole.AR_PATIENT, AccountRole.AR_PATIENT),
    Fact.OVERPAYMENT_IDENTIFIED: PostingRule("J20", AccountRole.AR_PAYER, AccountRole.REFUNDS_PAYABLE_PAYER),
    Fact.OVERPAYMENT_RETURNED: PostingRule("J20", AccountRole.REFUNDS_PAYABLE_PAYER, AccountRole.CASH),
    Fact.OVERPAYMENT_RECOUPED: PostingRule("J20", AccountRole.REFUNDS_PAYABLE_PAYER, AccountRole.DUE_TO_PAYER),
    Fact.PAYER_CREDIT_PRESENTED: PostingRule("J25", AccountRole.AR_PAYER, AccountRole.CREDIT_BALANCES),
    Fact.PATIENT_CREDIT_PRESENTED: PostingRule("J25", AccountRole.AR_PATIENT, AccountRole.CREDIT_BALANCES),
    Fact.UNKNOWN_CLAIM_PAID: PostingRule("J26", AccountRole.EFT_CLEARING, AccountRole.UNAPPLIED_PAYER),
}

MEMOS: Mapping[Fact, str] = {Fact.PRIOR_PAYER_IMPACT: "J08"}
"""Facts that are told and move no account."""

REVERSAL_CODE = "J11"
"""The rule that the lines of a reversal name; they are the mirror of what J04 to J09 booked for its decision."""

REVISED_CODE = "J02"
"""The rule that the mirror of charges names, which were corrected or voided."""

TAKEN_CODE, GIVEN_CODE = "J12", "J13"
"""A provider-level adjustment that lowered the payment, and one that raised it."""

PROVIDER_ADJUSTMENT_ROLES: Mapping[str, AccountRole] = {
    **dict.fromkeys(("72", "AP", "FB", "WO"), AccountRole.DUE_TO_PAYER),
    "L6": AccountRole.INTEREST_INCOME,
    **dict.fromkeys(("IR", "LE"), AccountRole.LEVIES_WITHHELD),
    "E3": AccountRole.PAYER_WITHHOLDS,
    **dict.fromkeys(
        (
            *("50", "51", "90", "AH", "AM", "B2", "B3", "BD", "BN", "C5", "CR", "CS", "CT", "CV", "CW", "DM", "FC"),
            *("GO", "HM", "IP", "IS", "J1", "L3", "LS", "OA", "OB", "PI", "PL", "RA", "RE", "SL", "TL", "WU"),
        ),
        AccountRole.PROVIDER_ADJUSTMENTS,
    ),
}
"""By PLB03-1 (X12 005010X221A1), the account on the other side of EFT clearing."""

PATIENT_SHARE_REASONS = ("1", "2", "3")
SEQUESTRATION_REASON = "253"
PRIOR_PAYER_REASON = "23"
PAYER_ACCOUNTS = frozenset({AccountRole.AR_PAYER, AccountRole.AR_PAYER_DENIED})
PATIENT_ACCOUNTS = frozenset({AccountRole.AR_PATIENT})


def _fingerprint() -> str:
    content = {
        "rules": {fact.value: [rule.code, rule.debit, rule.credit] for fact, rule in RULES.items()},
        "memos": {fact.value: code for fact, code in MEMOS.items()},
        "reversal": REVERSAL_CODE,
        "revised": REVISED_CODE,
        "provider_adjustments": {code: role.value for code, role in PROVIDER_ADJUSTMENT_ROLES.items()},
        "provider_adjustment_codes": [TAKEN_CODE, GIVEN_CODE],
        "patient_share_reasons": PATIENT_SHARE_REASONS,
        "sequestration_reason": SEQUESTRATION_REASON,
        "prior_payer_reason": PRIOR_PAYER_REASON,
        "payer_accounts": sorted(PAYER_ACCOUNTS),
        "patient_accounts": sorted(PATIENT_ACCOUNTS),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


RULES_VERSION = f"2026.6-{_fingerprint()[:12]}"
"""The rules' edition and the start of their SHA-256: two builds with the same version book the same lines."""


def patient_party(entity: str) -> str:
    """The one party under which all patients of an entity owe."""
    return f"PATIENTS-{entity}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the entity something was earned; empty where that is not known or not one place."""

    department: str = ""
    cost_center: str = ""
    location: str = ""


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Dimensions:
    """What the lines of one fact have in common."""

    entity: str
    payer: str = ""
    payer_class: str = ""
    place: Place = NOWHERE
    claim_id: UUID | None = None
    encounter_id: UUID | None = None
    patient_id: UUID | None = None


def booked(
    fact: Fact, amount: Money, dimensions: Dimensions, *, code: str = "", debited: Dimensions | None = None
) -> tuple[LedgerLine, ...]:
    """The debit and the credit of one fact; nothing for a zero amount or a memo.

    `code` names another rule than the fact's own, and `debited` is given where the debit is of somebody else.
    """
    if not amount or fact in MEMOS:
        return ()
    rule = RULES[fact]
    return pair(replace(rule, code=code) if code else rule, amount, dimensions, debited)


def pair(
    rule: PostingRule, amount: Money, dimensions: Dimensions, debited: Dimensions | None = None
) -> tuple[LedgerLine, ...]:
    """The two lines of a rule; a negative amount is the mirror."""
    return (
        _line(rule, rule.debit, amount, debited or dimensions),
        _line(rule, rule.credit, -amount, dimensions),
    )


def _line(rule: PostingRule, account: AccountRole, amount: Money, dimensions: Dimensions) -> LedgerLine:
    return LedgerLine.trusted(
        account=account,
        amount=amount,
        party=party_of(account, dimensions),
        payer_class=dimensions.payer_class,
        department=dimensions.place.department,
        cost_center=dimensions.place.cost_center,
        location=dimensions.place.location,
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


def fact_of_adjustment(
    adjustment: ClaimAdjustment, contractual_reasons: Collection[str], site_rules: Mapping[AdjustmentCode, Fact]
) -> Fact:
    """What the sum of a payer's adjustments of one group and reason means to the ledger.

    CO-253 is sequestration; CO on the payer's allow-list is contractual; any other CO, and every PI, is a denial to
    work, never a write-off; PR-1, 2 and 3 are the patient's; OA-23 is a memo, never a write-off. What raises a payment
    denies nothing: less than zero, CO and PI are contractual, for the payer paid above the charge (CO-94). What these
    rules leave open is for `site_rules` to say.

    Raises:
        UnmappedAdjustment: other PR, OA and CR codes have no rule.

    Source: X12 005010X221A1, segment CAS.
    """
    match adjustment.group, adjustment.reason:
        case AdjustmentGroup.CONTRACTUAL, reason if reason == SEQUESTRATION_REASON:
            return Fact.SEQUESTRATION_TAKEN
        case AdjustmentGroup.CONTRACTUAL, reason if reason in contractual_reasons:
            return Fact.CONTRACTUAL_TAKEN
        case ((AdjustmentGroup.CONTRACTUAL | AdjustmentGroup.PAYER_INITIATED), _):
            return Fact.DENIED if adjustment.amount.minor > 0 else Fact.CONTRACTUAL_TAKEN
        case AdjustmentGroup.PATIENT, reason if reason in PATIENT_SHARE_REASONS:
            return Fact.PATIENT_SHARE
        case AdjustmentGroup.OTHER, reason if reason == PRIOR_PAYER_REASON:
            return Fact.PRIOR_PAYER_IMPACT
        case code if (fact := site_rules.get(code)) is not None:
            return fact
    raise UnmappedAdjustment(
        f"{adjustment.group.value}-{adjustment.reason} of {adjustment.amount}: no posting rule; add one for this code"
    )


def rule_of_provider_adjustment(reason: str, amount: Money) -> PostingRule:
    """J12 for what lowered a payment, J13 for what raised it: EFT clearing against the account of the PLB code.

    Raises:
        UnmappedProviderAdjustment: nobody has said what this code means.

    Source: X12 005010X221A1, segment PLB.
    """
    role = PROVIDER_ADJUSTMENT_ROLES.get(reason)
    if role is None:
        raise UnmappedProviderAdjustment(f"PLB {reason} of {amount}: no posting rule; add one for this code")
    return PostingRule(TAKEN_CODE if amount.minor > 0 else GIVEN_CODE, role, AccountRole.EFT_CLEARING)


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
