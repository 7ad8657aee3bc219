"""The charges of an encounter: captured, corrected, credited, and announced in postings that are revised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.codes import RevisionReason
from canonical.encounter import ChargeLine
from canonical.money import Money
from canonical.sealed import Sealed
from chassis.domain import Aggregate, Event

from intake.domain.charge_words import ChargeCredit, ChargeWords, is_older
from intake.domain.encounter_content import BillingTerms, CapturedCharge, EncounterFacts, changed_fields
from intake.domain.postings import OF_CHARGES, OF_VISIT, OF_WHOM, PostingSaid, lines_max
from intake.domain.refusals import ChargeChanged


class KeptCharges(Aggregate):
    """`charges` are those that stand, `unposted` those of them that no posting announces.

    `posted` has the newest word on each posting; one without charges is void for good. `billed` is what each posted
    charge was when it was announced, `told_with` the `fingerprint` of the encounter's details when each posting was.
    """

    fingerprint: str

    def start(self) -> None:
        self.facts: EncounterFacts | None = None
        self.diagnosis_count = 0
        self.words: dict[UUID, ChargeWords] = {}
        self.charges: dict[UUID, CapturedCharge] = {}
        self.unposted: dict[UUID, None] = {}
        self.billed: dict[UUID, CapturedCharge] = {}
        self.posted: dict[int, PostingSaid] = {}
        self.told_with: dict[int, str] = {}
        self.revisions: dict[int, int] = {}
        self.postings = 0
        self.guarantor_told: UUID | None = None

    class ChargeCaptured(Event):
        """The first word on a charge. `change` is what it adds, where credits came before it."""

        TOPIC = "intake.encounter.charge-captured"
        charge: CapturedCharge
        change: Money | None = None
        count_change: int = 1

        def apply(self, encounter: KeptCharges) -> None:
            encounter.stand(self.charge.line.charge_id, encounter.said_of(self.charge).charged(self.charge))

    class ChargeCorrected(Event):
        """The source says something else of a charge, in full. `change` is by how much what stands changes."""

        TOPIC = "intake.encounter.charge-corrected"
        charge: CapturedCharge
        change: Money
        count_change: int

        def apply(self, encounter: KeptCharges) -> None:
            encounter.stand(self.charge.line.charge_id, encounter.said_of(self.charge).charged(self.charge))

    class ChargeVoided(Event):
        """The source takes a charge back, or so much of it as the credit says."""

        TOPIC = "intake.encounter.charge-voided"
        charge_id: UUID
        credit: ChargeCredit
        change: Money
        count_change: int

        def apply(self, encounter: KeptCharges) -> None:
            known = encounter.words.get(self.charge_id, ChargeWords())
            encounter.stand(self.charge_id, known.credited(self.credit))

    class Charged(PostingSaid):
        """One posting: at most as many charges as a claim has lines."""

        TOPIC = "intake.encounter.charged"

        def apply(self, encounter: KeptCharges) -> None:
            encounter.postings = self.posting
            encounter.keep_posting(self)

    class Revised(PostingSaid):
        """A posting as it is now, whole, after its charges changed; without charges it is void."""

        TOPIC = "intake.encounter.revised"
        revision: int
        previous_charges: tuple[ChargeLine, ...]
        previous_total: Money
        reason: RevisionReason
        revised_on: Financial[date]

        def apply(self, encounter: KeptCharges) -> None:
            encounter.revisions[self.posting] = self.revision
            encounter.keep_posting(self)

    class GuarantorChanged(Event):
        """Another answers for what payers leave of the visit than was told with its postings; `entity` is our code."""

        TOPIC = "intake.encounter.guarantor-changed"
        entity: Public[str]
        patient_id: UUID
        guarantor_id: UUID

        def apply(self, encounter: KeptCharges) -> None:
            encounter.guarantor_told = self.guarantor_id

    @property
    def waiting(self) -> tuple[CapturedCharge, ...]:
        """Charges that no posting announces, in the order they came."""
        return tuple(self.charges[charge_id] for charge_id in self.unposted)

    @property
    def open_postings(self) -> Iterator[PostingSaid]:
        """Those that are not void, the newest first."""
        return (said for _, said in sorted(self.posted.items(), reverse=True) if said.charges)

    @property
    def stale_postings(self) -> tuple[PostingSaid, ...]:
        """Postings of which a charge was corrected or voided since they were announced, or of whose visit more is known.

        That is a payer's matter: what was done stays as it is to a patient who pays for it.
        """
        return tuple(
            said
            for said in self.open_postings
            if (said.payer and self.told_with[said.posting] != self.fingerprint)
            or any(self._is_changed(charge_id) for charge_id in said.charge_ids)
        )

    def standing_in(self, said: PostingSaid) -> tuple[CapturedCharge, ...]:
        """The charges of a posting that still stand, as they are now."""
        return tuple(self.charges[each] for each in said.charge_ids if each in self.charges)

    def capture(self, charge: CapturedCharge, *, corrects: bool = False, comes_back: bool = False) -> bool:
        """Takes a word on one charge; whether it was taken: an older one than is known is not, and changes nothing.

        One that `comes_back` was captured elsewhere meanwhile: it stands here again, even if it says what it said.

        Raises:
            ChargeChanged: the id is known with other content, and this is no correction.
        """
        words = self.said_of(charge)
        known = words.charge
        if known is None:
            change = _change(words, words.charged(charge)) if words.credits else {}
            self.trigger_event(self.ChargeCaptured, charge=charge, **change)
            return True
        if is_older(charge.said_at, known.said_at):
            return False
        is_new = not charge.says_the_same_as(known)
        if comes_back or (corrects and (is_new or is_older(known.said_at, charge.said_at))):
            self.trigger_event(self.ChargeCorrected, charge=charge, **_change(words, words.charged(charge)))
        elif is_new:
            fields = ", ".join(changed_fields(known.line, charge.line)) or "performer"
            raise ChargeChanged(f"charge {charge.line.charge_id} came again with other content in: {fields}")
        return True

    def credit(self, charge_id: UUID, credit: ChargeCredit) -> bool:
        """Takes a credit, once; whether it was taken: one that is older than the newest word on its charge is not.

        Raises:
            ChargeChanged: the credit came before, with another amount.
        """
        known = self.words.get(charge_id, ChargeWords())
        if known.charge is not None and is_older(credit.said_at, known.charge.said_at):
            return False
        before = known.same_credit(credit)
        if before is not None and before.amount != credit.amount:
            raise ChargeChanged(f"a credit of charge {charge_id} came again with another amount")
        if before is None:
            change = _change(known, known.credited(credit))
            self.trigger_event(self.ChargeVoided, charge_id=charge_id, credit=credit, **change)
        return True

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
        assert all(charge.line.charge_id in self.unposted for charge in charges)
        for start in range(0, len(charges), lines_max(terms.claim_type)):
            portion = charges[start : start + lines_max(terms.claim_type)]
            self.trigger_event(
                self.Charged,
                posting=self.postings + 1,
                has_member_id=has_member_id,
                details=details,
                plan=plan,
                payer=terms.payer,
                payer_class=terms.payer_class,
                next_payers=terms.next_payers,
                **self._billed(terms, portion),
            )

    def revise(
        self,
        said: PostingSaid,
        terms: BillingTerms,
        charges: Sequence[CapturedCharge],
        details: Sealed,
        *,
        is_clinical: bool = False,
    ) -> bool:
        """Says a posting again with these charges; whether that says anything new. Whom to bill stays as it was.

        `is_clinical` tells that the sealed details say something else of what was done.
        """
        assert charges
        content = self._billed(terms, charges)
        is_late = any(charge.line.charge_id not in said.charge_ids for charge in charges)
        if said.charges != content["charges"]:
            reason = RevisionReason.LATE_CHARGE if is_late else RevisionReason.CORRECTION
        elif said.payer and (is_clinical or any(getattr(said, name) != content[name] for name in OF_VISIT)):
            reason = RevisionReason.CLINICAL
        else:
            return False
        self._revise(said, reason, **content, details=details)
        return True

    def tell_guarantor(self) -> None:
        """Tells who answers for what was billed, where the source names another by now than was told last."""
        newest = next(self.open_postings, None)
        named = self.facts.guarantor_id if self.facts else None
        if newest and named and named != self.guarantor_told:
            self.trigger_event(
                self.GuarantorChanged, entity=newest.entity, patient_id=newest.patient_id, guarantor_id=named
            )

    def void(self, said: PostingSaid) -> None:
        """Says that nothing of a posting is left."""
        content = {name: getattr(said, name) for name in OF_CHARGES}
        content |= {"charges": (), "total": Money.zero(), "details": said.details}
        self._revise(said, RevisionReason.VOID, **content)

    def _revise(self, said: PostingSaid, reason: RevisionReason, **content: object) -> None:
        self.trigger_event(
            self.Revised,
            posting=said.posting,
            **{name: getattr(said, name) for name in OF_WHOM},
            **content,
            revision=self.revisions.get(said.posting, 0) + 1,
            previous_charges=said.charges,
            previous_total=said.total,
            reason=reason,
            revised_on=self.context.now.date(),
        )

    def _billed(self, terms: BillingTerms, charges: Sequence[CapturedCharge]) -> dict[str, object]:
        """What a posting says of its charges, in our codes."""
        assert self.facts is not None
        lines = tuple(_in_our_codes(charge.line, terms) for charge in charges)
        days = (*(line.service_date for line in lines), *terms.covered_days)
        return {
            "patient_id": self.facts.patient_id,
            "entity": terms.entity,
            "location": terms.location,
            "place_of_service": terms.place_of_service,
            "rendering_provider": terms.rendering_provider,
            "service_from": min(days),
            "service_to": max(days),
            "charges": lines,
            "total": Money.total(line.amount for line in lines),
            "diagnosis_count": self.diagnosis_count,
            "message_ids": tuple(dict.fromkeys(charge.message_id for charge in charges)),
            "claim_type": terms.claim_type,
            "guarantor_id": self.facts.guarantor_id,
        }

    def said_of(self, charge: CapturedCharge) -> ChargeWords:
        return self.words.get(charge.line.charge_id, ChargeWords())

    def stand(self, charge_id: UUID, words: ChargeWords) -> None:
        """Assigns what the source said of a charge, and what holds by it."""
        self.words[charge_id] = words
        standing = words.standing
        if standing is None:
            self.charges.pop(charge_id, None)
            self.unposted.pop(charge_id, None)
            return
        self.charges[charge_id] = standing
        if charge_id not in self.billed:
            self.unposted[charge_id] = None

    def keep_posting(self, said: PostingSaid) -> None:
        """Assigns the newest word on a posting; what it no longer holds waits again, if it stands."""
        before = self.posted.get(said.posting)
        self.guarantor_told = said.guarantor_id or self.guarantor_told
        self.posted[said.posting] = said
        self.told_with[said.posting] = self.fingerprint
        announced = {charge_id for other in self.posted.values() for charge_id in other.charge_ids}
        for charge_id in before.charge_ids if before else ():
            # Where postings swap charges, another one may announce it already.
            if charge_id not in announced:
                del self.billed[charge_id]
                if charge_id in self.charges:
                    self.unposted[charge_id] = None
        for charge_id in said.charge_ids:
            self.billed[charge_id] = self.charges[charge_id]
            self.unposted.pop(charge_id, None)

    def _is_changed(self, charge_id: UUID) -> bool:
        now = self.charges.get(charge_id)
        return now is None or not now.says_the_same_as(self.billed[charge_id])


def _change(before: ChargeWords, after: ChargeWords) -> dict[str, object]:
    """By how much, and by how many charges, what stands changes."""
    standing = [(words.standing.line.amount, 1) if words.standing else (Money.zero(), 0) for words in (before, after)]
    (amount_before, count_before), (amount_after, count_after) = standing
    return {"change": amount_after - amount_before, "count_change": count_after - count_before}


def _in_our_codes(line: ChargeLine, terms: BillingTerms) -> ChargeLine:
    return line.model_copy(update={"department": terms.departments.get(line.department, line.department)})
