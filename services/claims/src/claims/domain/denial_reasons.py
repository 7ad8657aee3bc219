"""What kind of work a denial is: reason codes and remarks, read into a category and the queue that works it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from canonical.classes import CanonicalModel, Financial
from canonical.codes import AdjustmentGroup
from canonical.money import Money
from canonical.remittance import ClaimAdjustment

from claims.domain.adjudication import SEQUESTRATION_REASON


class DenialCategory(StrEnum):
    ELIGIBILITY = "eligibility"
    AUTHORIZATION = "authorization"
    TIMELY_FILING = "timely-filing"
    CODING = "coding"
    MEDICAL_NECESSITY = "medical-necessity"
    DUPLICATE = "duplicate"
    BUNDLING = "bundling"
    INFORMATION = "information"
    OTHER = "other"


class DenialReason(CanonicalModel):
    """What one group and reason took off, over the claim and its lines."""

    group: AdjustmentGroup
    reason: Financial[str]
    amount: Money

    def __str__(self) -> str:
        return f"{self.group.value}-{self.reason} {self.amount}"


CARCS: Mapping[DenialCategory, str] = {
    DenialCategory.ELIGIBILITY: "22 26 27 31 32 33 34 109 177 200 204",
    DenialCategory.AUTHORIZATION: "15 38 39 197 198 243 284 296 302",
    DenialCategory.TIMELY_FILING: "29 138",
    DenialCategory.CODING: "4 5 6 7 8 9 10 11 12 146 167 181 182 199",
    DenialCategory.MEDICAL_NECESSITY: "50 54 55 56 150 151 152 153 154",
    DenialCategory.DUPLICATE: "18",
    DenialCategory.BUNDLING: "97 231 234 236",
    DenialCategory.INFORMATION: "16 17 129 148 163 164 226 227 250 251 252",
}
"""Claim adjustment reason codes (X12 external code list 139) by what has to be worked."""

RARCS: Mapping[DenialCategory, str] = {
    DenialCategory.ELIGIBILITY: "MA27 MA61 N30 N382",
    DenialCategory.AUTHORIZATION: "M62 N54",
    DenialCategory.CODING: "M20 M50 M51 M76 M77 M78 MA63 N56 N657 N822",
    DenialCategory.MEDICAL_NECESSITY: "M25 N115 N386",
    DenialCategory.DUPLICATE: "N522",
    DenialCategory.BUNDLING: "M15 N19 N20",
}
"""Remark codes (X12 external code list 411) that say more than a reason which only asks for information."""

QUEUES: Mapping[DenialCategory, str] = {
    DenialCategory.ELIGIBILITY: "registration",
    DenialCategory.AUTHORIZATION: "authorizations",
    DenialCategory.TIMELY_FILING: "billing",
    DenialCategory.CODING: "coding",
    DenialCategory.MEDICAL_NECESSITY: "clinical-review",
    DenialCategory.DUPLICATE: "billing",
    DenialCategory.BUNDLING: "coding",
    DenialCategory.INFORMATION: "billing",
    DenialCategory.OTHER: "denials",
}
PAYER_INITIATED_QUEUE = "review"


def _by_code(table: Mapping[DenialCategory, str]) -> dict[str, DenialCategory]:
    return {code: category for category, codes in table.items() for code in codes.split()}


_CATEGORY_OF_CARC = _by_code(CARCS)
_CATEGORY_OF_RARC = _by_code(RARCS)


def denial_reasons(
    adjustments: Iterable[ClaimAdjustment], contractual_reasons: Collection[str]
) -> tuple[DenialReason, ...]:
    """What denied the claim, the greatest amount first: PI, and CO that is neither contractual nor sequestration.

    A reason that comes to less than zero raised the payment, and denied nothing.
    """
    sums: dict[tuple[AdjustmentGroup, str], int] = {}
    for each in adjustments:
        if is_denying(each, contractual_reasons):
            key = (each.group, each.reason)
            sums[key] = sums.get(key, 0) + each.amount.minor
    found = [
        DenialReason(group=group, reason=reason, amount=Money(minor))
        for (group, reason), minor in sums.items()
        if minor > 0
    ]
    return tuple(sorted(found, key=lambda each: (-each.amount.minor, each.group, each.reason)))


def is_denying(adjustment: ClaimAdjustment, contractual_reasons: Collection[str]) -> bool:
    if adjustment.group is AdjustmentGroup.PAYER_INITIATED:
        return True
    allowed = adjustment.reason in contractual_reasons or adjustment.reason == SEQUESTRATION_REASON
    return adjustment.group is AdjustmentGroup.CONTRACTUAL and not allowed


def category_of(reasons: Sequence[DenialReason], remark_codes: Iterable[str]) -> DenialCategory:
    """By the reason with the greatest amount; where that only asks for information, a remark may say for what."""
    found = _CATEGORY_OF_CARC.get(reasons[0].reason, DenialCategory.OTHER) if reasons else DenialCategory.OTHER
    if found in (DenialCategory.INFORMATION, DenialCategory.OTHER):
        told = (_CATEGORY_OF_RARC[code] for code in remark_codes if code in _CATEGORY_OF_RARC)
        return next(told, found)
    return found


def queue_of(category: DenialCategory, reasons: Sequence[DenialReason]) -> str:
    """What the payer initiated on its own is reviewed by a person first."""
    if reasons and reasons[0].group is AdjustmentGroup.PAYER_INITIATED:
        return PAYER_INITIATED_QUEUE
    return QUEUES[category]
