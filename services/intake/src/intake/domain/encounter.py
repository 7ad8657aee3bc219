"""The encounter: what was done for a patient, charge by charge, until it can be billed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.codes import ClaimType, PayerClass
from canonical.encounter import LINES_PER_CLAIM_MAX, LINES_PER_STAY_MAX, ChargeLine, NextPayer
from canonical.ids import derive
from canonical.money import Money
from canonical.sealed import Sealed
from chassis.domain import Aggregate, Event

from intake.domain.next_coverage import NextCoverage
from intake.domain.refusals import ChargeChanged, EncounterMoved, NothingHeld

CLINICAL_KIND = "clinical.v1"
ENCOUNTER_KIND = "encounter.v1"


class EncounterState(StrEnum):
    OPEN = "open"
    FINISHED = "finished"
    HELD = "held"


class HoldReason(CanonicalModel):
    """Why an encounter cannot be billed: the field, the rule, and what is missing. No PHI."""

    field: Public[str]
    rule: Public[str]
    note: Public[str]

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}: {self.note}"


class EncounterFacts(CanonicalModel):
    """What the source says of the encounter as a whole, in the source's codes."""

    patient_id: UUID
    source: Public[str]
    entity: Public[str]
    location: Public[str] = ""
    rendering_provider: Public[str] = ""


class CapturedCharge(CanonicalModel):
    """One charge in the source's codes, and the message that brought it."""

    line: ChargeLine
    performer: Public[str]
    message_id: UUID


class BillingTerms(CanonicalModel):
    """An encounter's charges as master data reads them: our codes, and whom to bill. `payer` is empty for self-pay.

    `covered_days` are covered by the bill beside the days of its charges.
    """

    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    location: Public[str]
    place_of_service: Public[str]
    rendering_provider: Public[str]
    departments: dict[Public[str], Public[str]]
    next_payers: tuple[NextPayer, ...] = ()
    claim_type: ClaimType = ClaimType.PROFESSIONAL
    covered_days: tuple[Financial[date], ...] = ()


class Encounter(Aggregate):
    """Id: source system and visit number. Each posting announces charges once; a charge is in one posting at most."""

    def start(self) -> None:
        self.state = EncounterState.OPEN
        self.facts: EncounterFacts | None = None
        self.clinical: Sealed | None = None
        self.diagnosis_count = 0
        self.fingerprint = ""
        self.payer: str | None = None
        self.has_member_id = False
        self.coverage: Sealed | None = None
        self.coverage_fingerprint = ""
        self.next_coverages: dict[int, NextCoverage] = {}
        self.charges: dict[UUID, CapturedCharge] = {}
        self.unposted: dict[UUID, None] = {}
        self.reasons: tuple[HoldReason, ...] = ()
        self.holds = 0
        self.postings = 0

    class Opened(Event):
        TOPIC = "intake.encounter.opened"
        facts: EncounterFacts
        clinical: Sealed
        diagnosis_count: int
        fingerprint: Public[str]

        def apply(self, encounter: Encounter) -> None:
            encounter.facts = self.facts
            encounter.clinical = self.clinical
            encounter.diagnosis_count = self.diagnosis_count
            encounter.fingerprint = self.fingerprint

    class DetailsChanged(Event):
        TOPIC = "intake.encounter.details-changed"
        facts: EncounterFacts
        clinical: Sealed
        diagnosis_count: int
        fingerprint: Public[str]

        def apply(self, encounter: Encounter) -> None:
            encounter.facts = self.facts
            encounter.clinical = self.clinical
            encounter.diagnosis_count = self.diagnosis_count
            encounter.fingerprint = self.fingerprint

    class CoverageAttached(Event):
        """Whom to bill, in the source's code; an empty payer is self-pay."""

        TOPIC = "intake.encounter.coverage-attached"
        payer: Public[str]
        has_member_id: bool
        coverage: Sealed | None
        fingerprint: Public[str]

        def apply(self, encounter: Encounter) -> None:
            encounter.payer = self.payer
            encounter.has_member_id = self.has_member_id
            encounter.coverage = self.coverage
            encounter.coverage_fingerprint = self.fingerprint

    class NextCoverageAttached(Event):
        """Who pays after the payers of lower rank; the secondary payer has rank 2."""

        TOPIC = "intake.encounter.next-coverage-attached"
        rank: int
        coverage: NextCoverage

        def apply(self, encounter: Encounter) -> None:
            encounter.next_coverages[self.rank] = self.coverage

    class ChargeCaptured(Event):
        TOPIC = "intake.encounter.charge-captured"
        charge: CapturedCharge

        def apply(self, encounter: Encounter) -> None:
            encounter.charges[self.charge.line.charge_id] = self.charge
            encounter.unposted[self.charge.line.charge_id] = None

    class Finished(Event):
        TOPIC = "intake.encounter.finished"

        def apply(self, encounter: Encounter) -> None:
            encounter.state = EncounterState.FINISHED

    class Held(Event):
        TOPIC = "intake.encounter.held"
        reasons: tuple[HoldReason, ...]
        amount: Money

        def apply(self, encounter: Encounter) -> None:
            encounter.state = EncounterState.HELD
            encounter.reasons = self.reasons
            encounter.holds += 1

    class Released(Event):
        TOPIC = "intake.encounter.released"
        reason: Public[str]

        def apply(self, encounter: Encounter) -> None:
            encounter.state = EncounterState.FINISHED
            encounter.reasons = ()

    class Charged(Event):
        """One posting: at most as many charges as a claim has lines. `details` is of kind `encounter.v1`."""

        TOPIC = "intake.encounter.charged"
        posting: int
        patient_id: UUID
        entity: Public[str]
        payer: Public[str]
        payer_class: PayerClass
        location: Public[str]
        place_of_service: Public[str]
        rendering_provider: Public[str]
        service_from: Financial[date]
        service_to: Financial[date]
        charges: tuple[ChargeLine, ...]
        total: Money
        diagnosis_count: int
        has_member_id: bool
        details: Sealed
        message_ids: tuple[UUID, ...]
        next_payers: tuple[NextPayer, ...] = ()
        claim_type: ClaimType = ClaimType.PROFESSIONAL
        plan: Public[str] = ""

        def apply(self, encounter: Encounter) -> None:
            encounter.postings = self.posting
            for charge in self.charges:
                encounter.unposted.pop(charge.charge_id, None)

    @property
    def is_complete(self) -> bool:
        """Whether charges that are here may be billed, if nothing holds them."""
        return self.state is not EncounterState.OPEN

    @property
    def waiting(self) -> tuple[CapturedCharge, ...]:
        """Charges that no posting has announced, in the order they came."""
        return tuple(self.charges[charge_id] for charge_id in self.unposted)

    @property
    def hold_cause(self) -> UUID:
        """What the case of the present hold follows from."""
        return derive("encounter-hold", self.id, self.holds)

    def see(self, facts: EncounterFacts, clinical: Sealed, diagnosis_count: int, fingerprint: str) -> None:
        """Opens the encounter, or takes changed details; the same again changes nothing.

        Raises:
            EncounterMoved: it was another patient's or another entity's.
        """
        content = {
            "facts": facts,
            "clinical": clinical,
            "diagnosis_count": diagnosis_count,
            "fingerprint": fingerprint,
        }
        if self.facts is None:
            self.trigger_event(self.Opened, **content)
            return
        if (facts.patient_id, facts.entity) != (self.facts.patient_id, self.facts.entity):
            raise EncounterMoved(f"encounter {self.id} came again for another patient or entity")
        if fingerprint != self.fingerprint:
            self.trigger_event(self.DetailsChanged, **content)

    def attach_coverage(self, payer: str, has_member_id: bool, coverage: Sealed | None, fingerprint: str) -> None:
        if (payer, fingerprint) != (self.payer, self.coverage_fingerprint):
            self.trigger_event(
                self.CoverageAttached,
                payer=payer,
                has_member_id=has_member_id,
                coverage=coverage,
                fingerprint=fingerprint,
            )

    def attach_next_coverage(self, rank: int, coverage: NextCoverage) -> None:
        """Takes a coverage of rank 2 or more; the same again changes nothing."""
        if not coverage.says_the_same_as(self.next_coverages.get(rank)):
            self.trigger_event(self.NextCoverageAttached, rank=rank, coverage=coverage)

    def capture(self, line: ChargeLine, performer: str, message_id: UUID) -> None:
        """Takes one charge; the same charge again changes nothing.

        Raises:
            ChargeChanged: the id is known with other content.
        """
        known = self.charges.get(line.charge_id)
        if known is None:
            charge = CapturedCharge(line=line, performer=performer, message_id=message_id)
            self.trigger_event(self.ChargeCaptured, charge=charge)
        elif (known.line, known.performer) != (line, performer):
            fields = ", ".join(changed_fields(known.line, line)) or "performer"
            raise ChargeChanged(f"charge {line.charge_id} came again with other content in: {fields}")

    def finish(self) -> None:
        if self.state is EncounterState.OPEN:
            self.trigger_event(self.Finished)

    def hold(self, reasons: Sequence[HoldReason]) -> bool:
        """Holds it for these reasons; whether that is new."""
        if self.state is EncounterState.HELD and self.reasons == tuple(reasons):
            return False
        amount = Money.total(charge.line.amount for charge in self.waiting)
        self.trigger_event(self.Held, reasons=tuple(reasons), amount=amount)
        return True

    def release(self, reason: str) -> None:
        """Takes the hold off.

        Raises:
            NothingHeld: it is not held.
        """
        if self.state is not EncounterState.HELD:
            raise NothingHeld(f"encounter {self.id} is {self.state}")
        self.trigger_event(self.Released, reason=reason)

    def charge(
        self,
        terms: BillingTerms,
        charges: Sequence[CapturedCharge],
        details: Sealed,
        *,
        has_member_id: bool,
        plan: str = "",
    ) -> None:
        """Announces charges that wait, one posting for each portion that fits a claim."""
        assert self.facts is not None
        assert self.state is EncounterState.FINISHED
        assert all(charge.line.charge_id in self.unposted for charge in charges)
        lines_max = LINES_PER_STAY_MAX if terms.claim_type is ClaimType.INSTITUTIONAL else LINES_PER_CLAIM_MAX
        for start in range(0, len(charges), lines_max):
            portion = charges[start : start + lines_max]
            lines = tuple(_in_our_codes(charge.line, terms) for charge in portion)
            days = (*(line.service_date for line in lines), *terms.covered_days)
            self.trigger_event(
                self.Charged,
                posting=self.postings + 1,
                patient_id=self.facts.patient_id,
                entity=terms.entity,
                payer=terms.payer,
                payer_class=terms.payer_class,
                location=terms.location,
                place_of_service=terms.place_of_service,
                rendering_provider=terms.rendering_provider,
                service_from=min(days),
                service_to=max(days),
                charges=lines,
                total=Money.total(line.amount for line in lines),
                diagnosis_count=self.diagnosis_count,
                has_member_id=has_member_id,
                details=details,
                message_ids=tuple(dict.fromkeys(charge.message_id for charge in portion)),
                next_payers=terms.next_payers,
                claim_type=terms.claim_type,
                plan=plan,
            )


def changed_fields(before: ChargeLine, after: ChargeLine) -> list[str]:
    """The names of the fields in which two versions of a charge differ."""
    return [name for name in ChargeLine.model_fields if getattr(before, name) != getattr(after, name)]


def _in_our_codes(line: ChargeLine, terms: BillingTerms) -> ChargeLine:
    return line.model_copy(update={"department": terms.departments.get(line.department, line.department)})
