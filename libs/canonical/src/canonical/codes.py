"""Code sets of the standards, as far as a decision hangs on them."""

from __future__ import annotations

from enum import StrEnum


class AdjustmentGroup(StrEnum):
    """CAS01 claim adjustment group code (X12 005010X221A1). CR is of 4010, and of payers that kept it."""

    CONTRACTUAL = "CO"
    CORRECTION = "CR"
    OTHER = "OA"
    PAYER_INITIATED = "PI"
    PATIENT = "PR"


class ClaimPaymentStatus(StrEnum):
    """CLP02 claim status code. 'Processed' does not mean paid: a denial is read from the adjustments."""

    PRIMARY = "1"
    SECONDARY = "2"
    TERTIARY = "3"
    DENIED = "4"
    PRIMARY_FORWARDED = "19"
    SECONDARY_FORWARDED = "20"
    TERTIARY_FORWARDED = "21"
    REVERSAL = "22"
    NOT_OURS_FORWARDED = "23"
    PREDETERMINATION = "25"


class PayerClass(StrEnum):
    """How finance groups payers."""

    COMMERCIAL = "commercial"
    MEDICARE = "medicare"
    MEDICAID = "medicaid"
    SELF_PAY = "self-pay"


class ClaimType(StrEnum):
    """Which implementation guide a claim follows: 837P (X222A1), 837I (X223A2) or 837D (X224A2)."""

    PROFESSIONAL = "professional"
    INSTITUTIONAL = "institutional"
    DENTAL = "dental"


class ClaimFrequency(StrEnum):
    """CLM05-3 claim frequency type code (NUBC)."""

    ORIGINAL = "1"
    REPLACEMENT = "7"
    VOID = "8"


class RevisionReason(StrEnum):
    """Why a posting of charges changed; a revision that does several of them is named for the first of these.

    `clinical`: diagnoses, provider, place or days changed, and no charge.
    """

    VOID = "void"
    LATE_CHARGE = "late-charge"
    CORRECTION = "correction"
    CLINICAL = "clinical"


class AccountRole(StrEnum):
    """What an account is for; which account that is at an ERP is the entity's chart mapping."""

    CASH = "cash"
    EFT_CLEARING = "eft-clearing"
    GATEWAY_CLEARING = "gateway-clearing"
    FRONT_DESK_CLEARING = "front-desk-clearing"
    AR_PAYER = "ar-payer"
    AR_PAYER_DENIED = "ar-payer-denied"
    AR_PATIENT = "ar-patient"
    AR_ALLOWANCE = "ar-allowance"
    UNAPPLIED_PATIENT = "unapplied-patient"
    UNAPPLIED_PAYER = "unapplied-payer"
    UNIDENTIFIED_RECEIPTS = "unidentified-receipts"
    GROSS_REVENUE = "gross-revenue"
    CONTRACTUAL_ALLOWANCE = "contractual-allowance"
    PROCESSING_FEES = "processing-fees"
    SEQUESTRATION = "sequestration"
    DENIAL_WRITE_OFF = "denial-write-off"
    DUE_TO_PAYER = "due-to-payer"
    INTEREST_INCOME = "interest-income"
    LEVIES_WITHHELD = "levies-withheld"
    PAYER_WITHHOLDS = "payer-withholds"
    PROVIDER_ADJUSTMENTS = "provider-adjustments"
    REFUNDS_PAYABLE = "refunds-payable"
    REFUNDS_PAYABLE_PAYER = "refunds-payable-payer"
    DISPUTES_RECEIVABLE = "disputes-receivable"
    DISPUTE_FEES = "dispute-fees"
    CHARITY_CARE = "charity-care"
    SMALL_BALANCE = "small-balance"
    BAD_DEBT = "bad-debt"
    PRICE_CONCESSION = "price-concession"
    CONCESSION_ALLOWANCE = "concession-allowance"
    CREDIT_BALANCES = "credit-balances"

    @property
    def is_of_income(self) -> bool:
        """Whether it stands in the income statement, where departments and payer classes are told apart."""
        return self in _INCOME_STATEMENT


_INCOME_STATEMENT = frozenset(
    {
        AccountRole.GROSS_REVENUE,
        AccountRole.CONTRACTUAL_ALLOWANCE,
        AccountRole.PROCESSING_FEES,
        AccountRole.SEQUESTRATION,
        AccountRole.DENIAL_WRITE_OFF,
        AccountRole.INTEREST_INCOME,
        AccountRole.PROVIDER_ADJUSTMENTS,
        AccountRole.DISPUTE_FEES,
        AccountRole.CHARITY_CARE,
        AccountRole.SMALL_BALANCE,
        AccountRole.BAD_DEBT,
        AccountRole.PRICE_CONCESSION,
    }
)


class Dimension(StrEnum):
    """What a line of the income statement is told apart by, beside its account."""

    PAYER_CLASS = "payer_class"
    DEPARTMENT = "department"
    COST_CENTER = "cost_center"
    LOCATION = "location"
