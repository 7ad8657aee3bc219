"""Whether an encounter's charges can be billed, by the master data of the day of service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from canonical.codes import ClaimType, PayerClass
from canonical.encounter import DIAGNOSES_PER_CLAIM_MAX, DIAGNOSES_PER_STAY_MAX, NextPayer
from canonical.master_data import Dated, MasterData, Payer, UnknownMasterData

from intake.domain.encounter_content import BillingTerms, CapturedCharge, EncounterFacts, HoldReason
from intake.domain.next_coverage import NextCoverage
from intake.domain.unmapped_code import SourceCode

PLACE_OF_SERVICE_UNKNOWN = "11"
DIAGNOSES_MAX = {
    ClaimType.PROFESSIONAL: DIAGNOSES_PER_CLAIM_MAX,
    ClaimType.INSTITUTIONAL: DIAGNOSES_PER_STAY_MAX,
    ClaimType.DENTAL: 4,
}
_Row = TypeVar("_Row", bound=Dated)


def billing_terms(
    facts: EncounterFacts,
    payer: str | None,
    charges: Sequence[CapturedCharge],
    diagnosis_count: int,
    master_data: MasterData,
    next_coverages: Sequence[NextCoverage] = (),
    *,
    claim_type: ClaimType = ClaimType.PROFESSIONAL,
) -> BillingTerms | tuple[HoldReason, ...]:
    """The terms of charges of one kind, or every reason to hold. `payer` is the source's code, empty for self-pay, None where nobody said.

    Codes of the source are translated by its crosswalk, and looked up on the first day of service, departments on
    the day of their charge. A missing member id is the claim's matter, not a reason here.
    """
    return _Reading(facts, charges, master_data, claim_type).terms(payer, diagnosis_count, next_coverages)


class _Reading:
    """One pass over the fields; what cannot be read becomes a reason."""

    def __init__(
        self,
        facts: EncounterFacts,
        charges: Sequence[CapturedCharge],
        master_data: MasterData,
        claim_type: ClaimType,
    ) -> None:
        self._claim_type = claim_type
        self._facts = facts
        self._charges = charges
        self._master_data = master_data
        self._day = min(charge.line.service_date for charge in charges)
        self._entity = ""
        self._reasons: list[HoldReason] = []

    def terms(
        self, payer: str | None, diagnosis_count: int, next_coverages: Sequence[NextCoverage]
    ) -> BillingTerms | tuple[HoldReason, ...]:
        day, data = self._day, self._master_data
        entity = self._row("entity", "entity", self._facts.entity, day, data.entity)
        self._entity = entity.code if entity else ""
        payer_row = self._payer(payer)
        next_payers = self._next_payers(next_coverages) if payer else ()
        provider = self._provider()
        location, place_of_service = self._location()
        departments = {
            charge.line.department: self._department(charge.line.department, charge.line.service_date)
            for charge in self._charges
            if charge.line.department
        }
        most = DIAGNOSES_MAX[self._claim_type]
        if diagnosis_count > most:
            self._hold("diagnoses", "too-many-diagnoses", f"{diagnosis_count}, a claim takes {most}")
        if payer and not diagnosis_count and self._claim_type is ClaimType.PROFESSIONAL:
            self._hold("diagnoses", "required", "a professional claim names what was treated")
        if payer:
            self._check_lines()
        if self._reasons:
            return tuple(self._reasons)
        return BillingTerms(
            entity=self._entity,
            payer=payer_row.code if payer_row else "",
            payer_class=payer_row.payer_class if payer_row else PayerClass.SELF_PAY,
            location=location,
            place_of_service=place_of_service,
            rendering_provider=provider,
            departments=departments,
            next_payers=next_payers,
            claim_type=self._claim_type,
        )

    def _check_lines(self) -> None:
        """A line of a facility stands under its revenue code, any other under its procedure."""
        lines = [charge.line for charge in self._charges]
        if self._claim_type is ClaimType.INSTITUTIONAL:
            lacking = sum(not line.revenue_code for line in lines)
            what = "revenue-code"
        else:
            lacking = sum(not line.procedure_code for line in lines)
            what = "procedure-code"
        if lacking:
            self._hold(what, "required", f"{lacking} of {len(lines)} charges of the {self._claim_type} bill have none")

    def _hold(self, field: str, rule: str, note: str) -> None:
        self._reasons.append(HoldReason(field=field, rule=rule, note=note))

    def _row(self, field: str, kind: str, code: str, day: date, look_up: Callable[[str, date], _Row]) -> _Row | None:
        """What the source's code means on that day; None, with a reason, where master data does not know it."""
        try:
            return look_up(self._master_data.translate(self._facts.source, kind, code, day), day)
        except UnknownMasterData as unknown:
            unmapped = SourceCode(source=self._facts.source, kind=kind, code=code, day=day)
            reason = HoldReason(field=field, rule=f"unknown-{kind}", note=str(unknown), unmapped=unmapped)
            self._reasons.append(reason)
            return None

    def _payer(self, payer: str | None) -> Payer | None:
        if payer is None:
            self._hold("payer", "payer-not-stated", "neither a coverage nor self-pay came with the encounter")
            return None
        return self._payer_called(payer) if payer else None

    def _next_payers(self, coverages: Sequence[NextCoverage]) -> tuple[NextPayer, ...]:
        """The payers after the first; one that master data does not know holds the encounter like the first."""
        rows = [(coverage, self._payer_called(coverage.payer)) for coverage in coverages]
        return tuple(
            NextPayer(payer=row.code, payer_class=row.payer_class, has_member_id=coverage.has_member_id)
            for coverage, row in rows
            if row is not None
        )

    def _payer_called(self, payer: str) -> Payer | None:
        return self._row("payer", "payer", payer, self._day, self._master_data.payer)

    def _provider(self) -> str:
        named = {charge.performer or self._facts.rendering_provider for charge in self._charges}
        if self._claim_type is ClaimType.INSTITUTIONAL and self._facts.rendering_provider:
            named = {self._facts.rendering_provider}  # who attends; who did what else is not on a facility's bill
        if len(named) > 1:
            self._hold("rendering-provider", "several-providers", "a posting has one rendering provider")
            return ""
        found = self._row("rendering-provider", "provider", named.pop(), self._day, self._master_data.provider)
        return found.code if found else ""

    def _location(self) -> tuple[str, str]:
        if not self._facts.location:
            return "", PLACE_OF_SERVICE_UNKNOWN
        found = self._row("location", "location", self._facts.location, self._day, self._master_data.location)
        if found is None:
            return "", ""
        if self._entity and found.entity != self._entity:
            self._hold("location", "location-of-another-entity", f"{found.code!r} belongs to {found.entity!r}")
        return found.code, found.place_of_service

    def _department(self, code: str, day: date) -> str:
        found = self._row("department", "department", code, day, self._master_data.department)
        if found is None:
            return ""
        if self._entity and found.entity != self._entity:
            self._hold("department", "department-of-another-entity", f"{found.code!r} belongs to {found.entity!r}")
        return found.code
