"""Bills a complete encounter, or holds it with reasons and a case for a person."""

from __future__ import annotations

from collections.abc import Sequence

from canonical.encounter import EncounterPhi, NextPayer
from canonical.master_data import MasterData
from canonical.money import Money
from canonical.party import CoverageDetails, PatientDetails
from canonical.sealed import Sealed
from chassis.eventstore import Work
from chassis.exceptions import end_case, raise_case

from intake.application.envelopes import Envelopes
from intake.application.held_codes import codes_in, meet_codes
from intake.application.held_payers import covered, expect_no_coverage
from intake.application.stay_codes import veiled
from intake.domain.billing_plan import plan_billing
from intake.domain.bills import Bill, bills_of, diagnoses_elsewhere, seen_by_payer
from intake.domain.clinical import ClinicalDetails
from intake.domain.encounter import ENCOUNTER_KIND, Encounter
from intake.domain.encounter_content import BillingTerms, CapturedCharge, EncounterState, HoldReason
from intake.domain.next_coverage import in_order
from intake.domain.patient import Patient
from intake.domain.postings import PostingSaid


def bill(
    work: Work,
    encounter: Encounter,
    envelopes: Envelopes,
    master_data: MasterData,
    *,
    release_reason: str = "later facts cleared it",
) -> list[str]:
    """Announces charges that wait and postings that changed, if the encounter is complete; the reasons where it is held.

    What nothing is left of is void at once, whatever holds the rest; of a cancelled encounter that is everything. Who
    answers for what is billed is told by itself where no posting has to be said again: no payer sees it.
    """
    notes = _bill(work, encounter, envelopes, master_data, release_reason)
    encounter.tell_guarantor()
    return notes


def _bill(
    work: Work, encounter: Encounter, envelopes: Envelopes, master_data: MasterData, release_reason: str
) -> list[str]:
    if encounter.state is EncounterState.CANCELLED:
        for said in tuple(encounter.open_postings):
            encounter.void(said)
        return []
    if not encounter.is_complete:
        return []
    if not encounter.waiting and not encounter.stale_postings:
        release(work, encounter, "nothing is left to bill")
        return []
    billing = _Billing(work, encounter, envelopes, master_data)
    plan = plan_billing(encounter, billing.bills_of)
    for said in plan.voids:
        encounter.void(said)
    if plan.reasons:
        _hold(work, encounter, tuple(plan.reasons))
        return [str(reason) for reason in plan.reasons]
    release(work, encounter, release_reason)
    for said, revised in plan.revisions:
        billing.revise(said, revised)
    for each in plan.bills:
        billing.announce(each)
    return []


def release(work: Work, encounter: Encounter, why: str) -> None:
    """Ends the hold of an encounter and its case, where it is held."""
    if encounter.state is EncounterState.HELD:
        _end_case(work, encounter, why)
        encounter.release(why)


class _Billing:
    """One encounter with what its bills need: whose it is, who pays, and what is known of it."""

    def __init__(self, work: Work, encounter: Encounter, envelopes: Envelopes, master_data: MasterData) -> None:
        assert encounter.facts is not None
        assert encounter.clinical is not None
        self._encounter = encounter
        self._facts = encounter.facts
        self._envelopes = envelopes
        self._master_data = master_data
        self._patient = work.require(Patient, encounter.facts.patient_id)
        self._clinical = envelopes.open(encounter.clinical, ClinicalDetails)
        owner = covered(work, self._patient.id) if encounter.payer is None else encounter
        self._payer = owner.payer
        self._coverage = owner.coverage
        self._following = in_order(owner.next_coverages)

    def bills_of(self, charges: Sequence[CapturedCharge]) -> tuple[tuple[Bill, ...], tuple[HoldReason, ...]]:
        bills, reasons = bills_of(self._facts, self._payer, charges, self._clinical, self._master_data, self._following)
        return bills, veiled(reasons, self._envelopes.code_hashes)

    def announce(self, bill: Bill) -> None:
        phi = self._phi(bill)
        plans = [coverage.plan for coverage in phi.other_coverages]
        next_payers = tuple(
            payer.model_copy(update={"plan": plan}) for payer, plan in zip(bill.terms.next_payers, plans, strict=True)
        )
        self._encounter.charge(
            bill.terms.model_copy(update={"next_payers": next_payers}),
            bill.charges,
            self._seal(phi),
            has_member_id=bool(phi.coverage and phi.coverage.member_id),
            plan=phi.coverage.plan if phi.coverage else "",
        )

    def revise(self, said: PostingSaid, bill: Bill) -> None:
        """With the details of the coverage that it was billed to, whatever is known by now."""
        known = self._envelopes.open(said.details, EncounterPhi)
        phi = self._phi_of_revised(bill, said, known)
        own = {charge.line.charge_id for charge in bill.charges}
        elsewhere = diagnoses_elsewhere(self._clinical, own, self._encounter.charges.values())
        before, now = (seen_by_payer(each, said.claim_type, elsewhere) for each in (known, phi))
        self._encounter.revise(said, bill.terms, bill.charges, self._seal(phi), is_clinical=before != now)

    def _phi_of_revised(self, bill: Bill, said: PostingSaid, known: EncounterPhi) -> EncounterPhi:
        if _payers_of(bill.terms) == _payers_of(said):
            return self._phi(bill)
        now = {
            "diagnosis_codes": self._clinical.billed_diagnoses,
            "account_number": self._clinical.account_number,
            "stay": bill.stay,
            "guarantor": self._clinical.guarantor,
            **dict(self._clinical.circumstances),
        }
        return known.model_copy(update=now)

    def _phi(self, bill: Bill) -> EncounterPhi:
        assert self._patient.details is not None
        opened, following = self._envelopes.open, self._following if bill.terms.next_payers else ()
        return EncounterPhi(
            patient=opened(self._patient.details, PatientDetails),
            coverage=opened(self._coverage, CoverageDetails) if self._coverage else None,
            other_coverages=tuple(opened(each.coverage, CoverageDetails) for each in following),
            diagnosis_codes=self._clinical.billed_diagnoses,
            account_number=self._clinical.account_number,
            stay=bill.stay,
            guarantor=self._clinical.guarantor,
            **dict(self._clinical.circumstances),
        )

    def _seal(self, phi: EncounterPhi) -> Sealed:
        return self._envelopes.seal(phi, self._patient.id, ENCOUNTER_KIND, self._encounter.id)


def _payers_of(bill: BillingTerms | PostingSaid) -> tuple[str, ...]:
    following: tuple[NextPayer, ...] = bill.next_payers
    return (bill.payer, *(each.payer for each in following))


def _hold(work: Work, encounter: Encounter, reasons: tuple[HoldReason, ...]) -> None:
    assert encounter.facts is not None
    if encounter.state is EncounterState.HELD and encounter.reasons != reasons:
        _end_case(work, encounter, "held for other reasons now")
    if not encounter.hold(reasons):
        return
    if encounter.payer is None:
        expect_no_coverage(work, encounter.facts.patient_id)
    meet_codes(work, encounter, codes_in(reasons))
    own = _own(reasons)
    if not own:
        return
    raise_case(
        work,
        encounter.hold_cause,
        code=case_code(own),
        summary="; ".join(map(str, own))[:500],
        subject="encounter",
        subject_id=encounter.id,
        entity=encounter.facts.entity,
        amount=Money.total(charge.line.amount for charge in encounter.waiting),
    )


def _own(reasons: tuple[HoldReason, ...]) -> tuple[HoldReason, ...]:
    """The reasons that a case of the encounter tells; those for a code hang on the code's work item."""
    return tuple(reason for reason in reasons if reason.unmapped is None)


def _end_case(work: Work, encounter: Encounter, why: str) -> None:
    own = _own(encounter.reasons)
    if own:
        end_case(work, encounter.hold_cause, case_code(own), why)


def case_code(reasons: tuple[HoldReason, ...]) -> str:
    """The code of a hold's case, named for its first reason: `unknown-payer` gives `UnknownPayer`."""
    return "".join(word.capitalize() for word in reasons[0].rule.split("-"))
