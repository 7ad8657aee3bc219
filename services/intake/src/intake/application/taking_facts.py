"""Takes the facts of one message in order, and bills the encounters they complete."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from canonical.encounter import ChargeLine
from canonical.master_data import MasterData
from canonical.money import Money
from canonical.party import CoverageDetails
from canonical.sealed import Sealed
from chassis.eventstore import Work

from intake.application.billing import bill, release
from intake.application.charge_places import ChargePlaces
from intake.application.envelopes import Envelopes
from intake.application.held_payers import waiting_for_coverage
from intake.application.merging import are_one
from intake.application.taking_charges import ChargeTaking
from intake.application.taking_money import Whose, of_encounter, take_adjustment, take_payment
from intake.application.taking_people import take_merge, take_patient
from intake.domain.clinical import ClinicalDetails, SeenStay, merged_stay, pointers_to
from intake.domain.diagnoses import diagnosed, diagnosed_alone, diagnosed_by_charge
from intake.domain.encounter import CLINICAL_KIND, Encounter
from intake.domain.encounter_content import CapturedCharge, EncounterFacts, EncounterState
from intake.domain.facts import (
    AdjustmentSeen,
    ChargesComplete,
    ChargeSeen,
    ChargesWithdrawn,
    ChargeVoided,
    CoverageSeen,
    DiagnosisSeen,
    EncounterCancelled,
    EncounterReopened,
    EncounterSeen,
    Fact,
    Link,
    PatientPaymentSeen,
    PatientSeen,
    PatientsMerged,
    PatientsUnmerged,
    ProcedureSeen,
    VisitFact,
)
from intake.domain.identities import reference_id_of
from intake.domain.next_coverage import FIRST_RANK, NextCoverage
from intake.domain.patient import COVERAGE_KIND, Patient
from intake.domain.refusals import Finding, InvalidMessage, UnknownReference
from intake.domain.source_reference import SourceReference

NOTHING_ADJUSTED = "nothing-adjusted: an adjustment of nothing is left out"
OLDER_STATE = "older-word: a newer word on whether the encounter goes on is known, and stands"


class FactTaking:
    """The facts of one message. Refusals pass on to the caller, who rolls back what the message did.

    Raises:
        UnknownReference: a link leads to nothing that has come in.
        ChargeChanged, ChargeMoved, ReportedOtherwise, EncounterMoved: an id came again with other content.
        SelfMerge, CircularMerge, MergedElsewhere, UnclearUnmerge: patients cannot be merged or parted so.
    """

    def __init__(
        self,
        work: Work,
        envelopes: Envelopes,
        master_data: MasterData,
        source: str,
        message_id: UUID,
        places: ChargePlaces | None = None,
    ) -> None:
        self._work = work
        self._envelopes = envelopes
        self._master_data = master_data
        self._source = source
        self._message_id = message_id
        self._touched: dict[UUID, None] = {}
        self._notes: list[str] = []
        self._charges = ChargeTaking(work, message_id, places or ChargePlaces(work))

    def take(self, facts: tuple[Fact, ...]) -> list[str]:
        """Takes them all; gives notes on the encounters that are held."""
        for fact in facts:
            match fact:
                case PatientSeen():
                    take_patient(self._work, self._envelopes, self._source, fact)
                case PatientsMerged() | PatientsUnmerged():
                    self._take_merge(fact)
                case CoverageSeen():
                    self._take_coverage(fact)
                case ChargeSeen() | ChargeVoided():
                    self._take_word_on_charge(fact)
                case ChargesWithdrawn():
                    self._charges.withdraw(fact)
                case PatientPaymentSeen():
                    take_payment(self._work, fact, self._whose(fact), self._master_data, self._message_id)
                case AdjustmentSeen():
                    if not take_adjustment(self._work, fact, self._whose(fact), self._message_id):
                        self._notes.append(f"{fact.place}: {NOTHING_ADJUSTED}")
                case _:
                    self._take_visit(fact)
        notes = self._notes + self._charges.notes
        for encounter_id in self.encounters:
            encounter = self._work.require(Encounter, encounter_id)
            notes += bill(self._work, encounter, self._envelopes, self._master_data)
        return notes

    @property
    def encounters(self) -> tuple[UUID, ...]:
        """Those that the message brought something to, or took something out of."""
        return tuple(self._touched | self._charges.left)

    def _take_merge(self, fact: PatientsMerged | PatientsUnmerged) -> None:
        survivor = self._patient_id if isinstance(fact, PatientsMerged) else self._id
        pair = survivor(fact.survivor, fact.place), self._id(fact.retired, fact.place)
        self._touched |= dict.fromkeys(take_merge(self._work, fact, *pair))

    def _take_visit(self, fact: VisitFact) -> None:
        match fact:
            case EncounterSeen():
                self._take_encounter(fact)
            case DiagnosisSeen():
                self._take_diagnosis(fact)
            case ProcedureSeen():
                self._take_procedure(fact)
            case EncounterCancelled() | EncounterReopened() | ChargesComplete():
                self._take_state(fact)

    def _take_state(self, fact: EncounterCancelled | EncounterReopened | ChargesComplete) -> None:
        """Whether the encounter goes on, in the newest word on it."""
        encounter = self._encounter(fact.encounter, fact.place)
        if encounter.is_outdated(fact.said_at):
            self._notes.append(f"{fact.place}: {OLDER_STATE}")
        elif isinstance(fact, EncounterCancelled):
            release(self._work, encounter, "the source cancelled the encounter")
            encounter.cancel(fact.said_at)
        elif isinstance(fact, EncounterReopened):
            release(self._work, encounter, "the encounter goes on")
            self._charges.reopen(encounter, fact.said_at)
        else:
            self._complete_charges(encounter, fact.said_at)

    def _take_encounter(self, fact: EncounterSeen) -> None:
        encounter = self._work.get_or_new(Encounter, fact.encounter_id)
        self._touched[encounter.id] = None
        before, known = encounter.facts, self._clinical(encounter)
        guarantor = fact.guarantor or known.guarantor
        facts = EncounterFacts(
            patient_id=self._patient_of(encounter, self._patient_id(fact.patient, fact.place)),
            source=self._source,
            entity=self._code(fact.entity, fact.place) or (before.entity if before else ""),
            location=fact.location or self._code(fact.location_link, fact.place) or (before.location if before else ""),
            rendering_provider=self._code(fact.rendering_provider, fact.place)
            or (before.rendering_provider if before else ""),
            guarantor_id=guarantor.guarantor_id if guarantor else None,
        )
        changes = {
            "account_number": fact.account_number or known.account_number,
            "stay": merged_stay(known.stay, fact.stay),
            "starts_on": fact.starts_on or known.starts_on,
            "ends_on": fact.ends_on or known.ends_on,
            "guarantor": guarantor,
            "circumstances": known.circumstances if fact.circumstances is None else fact.circumstances,
        }
        self._see(encounter, facts, diagnosed(known, encounter.charges.values(), fact).model_copy(update=changes))
        is_outdated = encounter.is_outdated(fact.said_at)
        if encounter.state is EncounterState.CANCELLED:
            if fact.stands and not is_outdated:
                self._charges.reopen(encounter, fact.said_at)
            else:
                self._charges.tell_of_cancelled(encounter)
        if fact.finished and is_outdated:
            self._notes.append(f"{fact.place}: {OLDER_STATE}")
        elif fact.finished:
            encounter.finish(fact.said_at)

    def _take_diagnosis(self, fact: DiagnosisSeen) -> None:
        """Adds a diagnosis to the encounter, or takes it back; what never came needs no taking back."""
        try:
            encounter = self._encounter(fact.encounter, fact.place)
        except UnknownReference:
            if fact.withdrawn:
                return
            raise
        assert encounter.facts is not None
        self._see(encounter, encounter.facts, diagnosed_alone(self._clinical(encounter), fact))

    def _take_procedure(self, fact: ProcedureSeen) -> None:
        """Adds a procedure to the stay; the same one again changes nothing."""
        encounter = self._encounter(fact.encounter, fact.place)
        assert encounter.facts is not None
        known = self._clinical(encounter)
        stay = known.stay or SeenStay()
        procedures = tuple(dict.fromkeys((*stay.procedures, fact.procedure)))
        stay = stay.model_copy(update={"procedures": procedures})
        self._see(encounter, encounter.facts, known.model_copy(update={"stay": stay}))

    def _complete_charges(self, encounter: Encounter, said_at: datetime | None) -> None:
        """Charges of a patient who is still in wait for the discharge: a stay is one bill."""
        stay = self._clinical(encounter).stay
        if encounter.state is EncounterState.OPEN and (stay is None or not stay.is_open):
            encounter.finish(said_at)

    def _see(self, encounter: Encounter, facts: EncounterFacts, clinical: ClinicalDetails) -> None:
        fingerprint = self._envelopes.fingerprint(facts, clinical)
        sealed = encounter.clinical
        if sealed is None or fingerprint != encounter.fingerprint:
            sealed = self._envelopes.seal(clinical, facts.patient_id, CLINICAL_KIND, encounter.id)
        encounter.see(facts, sealed, len(clinical.billed_diagnoses), fingerprint)

    def _clinical(self, encounter: Encounter) -> ClinicalDetails:
        if encounter.clinical is None:
            return ClinicalDetails()
        return self._envelopes.open(encounter.clinical, ClinicalDetails)

    def _take_coverage(self, fact: CoverageSeen) -> None:
        if fact.rank > FIRST_RANK:
            self._take_next_coverage(fact)
            return
        payer = self._code(fact.payer, fact.place)
        fingerprint = self._envelopes.fingerprint(fact.details)
        if fact.encounter.is_empty:
            patient = self._work.require(Patient, self._patient_id(fact.patient, fact.place))
            sealed = self._seal_coverage(fact.details, patient.id, patient.id)
            patient.name_coverage(payer, sealed, fingerprint)
            self._touched |= dict.fromkeys(waiting_for_coverage(self._work, patient.id))
            return
        encounter = self._encounter(fact.encounter, fact.place)
        assert encounter.facts is not None
        if (payer, fingerprint) == (encounter.payer, encounter.coverage_fingerprint):
            return
        sealed = self._seal_coverage(fact.details, encounter.facts.patient_id, encounter.id)
        has_member_id = bool(fact.details and fact.details.member_id)
        encounter.attach_coverage(payer, has_member_id, sealed, fingerprint)
        self._charges.tell_of_other_coverage(encounter, fingerprint)

    def _take_next_coverage(self, fact: CoverageSeen) -> None:
        """Raises InvalidMessage where self-pay is said to pay after a payer: what is left is the patient's anyhow."""
        if fact.details is None:
            raise InvalidMessage([Finding(fact.place, "coverage-order", "self-pay follows every payer by itself")])
        owner: Patient | Encounter
        if fact.encounter.is_empty:
            owner = self._work.require(Patient, self._patient_id(fact.patient, fact.place))
            key_id, attach = owner.id, owner.name_next_coverage
        else:
            owner = self._encounter(fact.encounter, fact.place)
            assert owner.facts is not None
            key_id, attach = owner.facts.patient_id, owner.attach_next_coverage
        coverage = NextCoverage(
            payer=self._code(fact.payer, fact.place),
            has_member_id=bool(fact.details.member_id),
            coverage=self._envelopes.seal(fact.details, key_id, COVERAGE_KIND, owner.id),
            fingerprint=self._envelopes.fingerprint(fact.details),
        )
        attach(fact.rank, coverage)

    def _seal_coverage(self, details: CoverageDetails | None, key_id: UUID, fact: UUID) -> Sealed | None:
        return self._envelopes.seal(details, key_id, COVERAGE_KIND, fact) if details else None

    def _take_word_on_charge(self, fact: ChargeSeen | ChargeVoided) -> None:
        encounter = self._encounter(fact.encounter, fact.place)
        if isinstance(fact, ChargeSeen):
            self._take_charge(fact, encounter)
        else:
            self._charges.void(encounter, fact)

    def _whose(self, fact: PatientPaymentSeen | AdjustmentSeen) -> Whose:
        named = None if fact.patient.is_empty else self._patient_id(fact.patient, fact.place)
        if not fact.encounter.is_empty:
            return of_encounter(self._encounter(fact.encounter, fact.place), named)
        if named is None:
            raise InvalidMessage([Finding(fact.place, "required", "the encounter or the patient whose money it is")])
        return Whose(self._source, self._code(fact.entity, fact.place), named)

    def _take_charge(self, fact: ChargeSeen, encounter: Encounter) -> None:
        assert encounter.facts is not None
        known = self._clinical(encounter)
        clinical = diagnosed_by_charge(known, encounter.charges.get(fact.charge_id), fact)
        if clinical != known:
            self._see(encounter, encounter.facts, clinical)
        line = ChargeLine(
            charge_id=fact.charge_id,
            procedure_code=fact.procedure_code,
            modifiers=fact.modifiers,
            units=fact.units,
            amount=fact.amount or Money.zero(),
            service_date=fact.service_date,
            diagnosis_pointers=pointers_to(clinical.diagnosis_codes, fact.diagnosis_codes),
            department=fact.department,
            revenue_code=fact.revenue_code,
            dental=fact.dental,
            drug=fact.drug,
        )
        charge = CapturedCharge(
            line=line,
            performer=self._code(fact.performer, fact.place),
            message_id=self._message_id,
            said_at=fact.said_at,
            is_priced=fact.amount is not None,
        )
        self._charges.capture(encounter, charge, fact.place, corrects=fact.corrects)

    def _encounter(self, link: Link, place: str) -> Encounter:
        found = self._work.get(Encounter, self._id(link, place))
        if found is None:
            raise _unknown(place, "the encounter it belongs to has not come in")
        self._touched[found.id] = None
        return found

    def _patient_id(self, link: Link, place: str) -> UUID:
        identity = self._id(link, place)
        if not self._work.get_or_new(Patient, identity).is_registered:
            raise _unknown(place, "the patient it names has not come in")
        return identity

    def _patient_of(self, encounter: Encounter, named_id: UUID) -> UUID:
        """The patient named, or the encounter's own where the two are merged: what was a patient's stays so."""
        own = encounter.facts.patient_id if encounter.facts else named_id
        return own if are_one(self._work, own, named_id) else named_id

    def _id(self, link: Link, place: str) -> UUID:
        if link.id is not None:
            return link.id
        target = self._referred(link, place).target_id
        if target is None:
            raise _unknown(place, "the reference stands for something else")
        return target

    def _code(self, link: Link, place: str) -> str:
        return link.code if not link.reference else self._referred(link, place).code

    def _referred(self, link: Link, place: str) -> SourceReference:
        found = self._work.get(SourceReference, reference_id_of(self._source, link.reference))
        if found is None:
            raise _unknown(place, "send the resource it refers to first, or in the same bundle")
        return found


def _unknown(place: str, note: str) -> UnknownReference:
    return UnknownReference([Finding(place, "unknown-reference", note)])
