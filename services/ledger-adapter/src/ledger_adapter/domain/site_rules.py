"""Posting rules that a site adds for adjustment codes that the shipped rules leave open: an edition, each rule by date."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Self

from canonical.classes import CanonicalModel, Public
from canonical.codes import AccountRole, AdjustmentGroup
from pydantic import Field, model_validator

from ledger_adapter.domain.posting_rules import (
    PATIENT_SHARE_REASONS,
    PRIOR_PAYER_REASON,
    RULES_VERSION,
    AdjustmentCode,
    Fact,
)

MEANINGS: Mapping[tuple[AdjustmentGroup, AccountRole], Fact] = {
    (AdjustmentGroup.PATIENT, AccountRole.AR_PATIENT): Fact.PATIENT_SHARE,
    (AdjustmentGroup.OTHER, AccountRole.CONTRACTUAL_ALLOWANCE): Fact.CONTRACTUAL_TAKEN,
    (AdjustmentGroup.CORRECTION, AccountRole.CONTRACTUAL_ALLOWANCE): Fact.CONTRACTUAL_TAKEN,
}
"""What a site may say. The other services count PR as the patient's and OA and CR as taken off, and the books must agree.

CO and PI are whole already: their reasons are contractual by master data of the payer, or a denial.
"""
SHIPPED = frozenset(
    {(AdjustmentGroup.OTHER, PRIOR_PAYER_REASON), *((AdjustmentGroup.PATIENT, each) for each in PATIENT_SHARE_REASONS)}
)


class AdjustmentRule(CanonicalModel, extra="forbid"):
    """The account that adjustments of one code are booked to, for services from `valid_from` until `valid_until`."""

    group: AdjustmentGroup
    reason: Public[str] = Field(pattern="^[A-Z0-9]{1,5}$")
    account: AccountRole
    valid_from: Public[date] = date(2000, 1, 1)
    valid_until: Public[date] | None = None

    @property
    def code(self) -> AdjustmentCode:
        return (self.group, self.reason)

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def overlaps(self, other: AdjustmentRule) -> bool:
        """Whether both say something of one code on one day."""
        return self.code == other.code and (self.holds_on(other.valid_from) or other.holds_on(self.valid_from))

    def __str__(self) -> str:
        until = self.valid_until or "on"
        return f"{self.group.value}-{self.reason} to {self.account.value}, {self.valid_from} {until}"


class SiteRules(CanonicalModel, extra="forbid"):
    """One edition of a site's rules. What is wrong with one names it."""

    edition: Public[str] = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,30}$")
    adjustments: tuple[AdjustmentRule, ...]

    @model_validator(mode="after")
    def _one_allowed_meaning_a_day(self) -> Self:
        for index, rule in enumerate(self.adjustments):
            place = f"rule {index + 1} ({rule})"
            if rule.code in SHIPPED:
                raise ValueError(f"{place}: the shipped rules say already what this code means")
            if (rule.group, rule.account) not in MEANINGS:
                allowed = ", ".join(account.value for group, account in MEANINGS if group is rule.group)
                raise ValueError(f"{place}: {rule.group.value} may go to {allowed or 'no account by a site rule'}")
            if rule.valid_until is not None and rule.valid_until < rule.valid_from:
                raise ValueError(f"{place}: it ends before it begins")
            for earlier in self.adjustments[:index]:
                if rule.overlaps(earlier):
                    raise ValueError(f"{place}: another rule says something of the same code and days ({earlier})")
        return self

    def on(self, day: date) -> Mapping[AdjustmentCode, Fact]:
        """What codes mean for a service of this day."""
        return {rule.code: MEANINGS[rule.group, rule.account] for rule in self.adjustments if rule.holds_on(day)}

    @property
    def version(self) -> str:
        """The shipped rules' version, this edition, and the start of its SHA-256; every posting by these names it."""
        if not self.adjustments:
            return RULES_VERSION
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()
        return f"{RULES_VERSION}+{self.edition}-{digest[:12]}"


NO_SITE_RULES = SiteRules.trusted(edition="", adjustments=())
"""The shipped rules alone."""
