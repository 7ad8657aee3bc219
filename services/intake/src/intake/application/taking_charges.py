"""Takes what a source says of charges: their corrections, their credits, and the encounters they stand in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work
from chassis.exceptions import end_case, raise_case

from intake.application.charge_places import ChargePlaces
from intake.application.held_payers import OTHER_COVERAGE
from intake.domain.charge_rules import (
    CHARGES_PER_ENCOUNTER_MAX,
    CREDITS_PER_CHARGE_MAX,
    CREDITS_WITHOUT_CHARGE_MAX,
)
from intake.domain.charge_words import ChargeCredit, is_older
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import CapturedCharge, EncounterState
from intake.domain.facts import ChargesWithdrawn, ChargeVoided, Link
from intake.domain.refusals import ChargeMoved, Finding, InvalidMessage

OLDER_WORD = "older-word: a newer word on this charge is known, and stands"
CREDIT_WITHOUT_CHARGE = "CreditWithoutCharge"
CREDIT_ABOVE_CHARGE = "CreditAboveCharge"
CHARGED_AGAIN = "ChargedAgainAfterCredit"
CANCELLED_CHARGES = "ChargesOfCancelledEncounter"


class ChargeTaking:
    """What one message says of charges; what it says too late becomes a note.

    `left` are the encounters that a charge was moved or taken out of, whether the message names them or not.
    """

    def __init__(self, work: Work, message_id: UUID, places: ChargePlaces) -> None:
        self._work = work
        self._message_id = message_id
        self._places = places
        self.notes: list[str] = []
        self.left: dict[UUID, None] = {}

    def capture(self, encounter: Encounter, charge: CapturedCharge, place: str, *, corrects: bool) -> None:
        """Takes a word on a charge; a correction that names another encounter moves the charge there.

        Raises:
            ChargeChanged: its id is known with other content.
            ChargeMoved: it stands in another encounter, and this is no correction.
            InvalidMessage: it is one charge too many.
        """
        known = encounter.said_of(charge)
        others = self._places.elsewhere(charge.line.charge_id, encounter)
        is_late = any(is_older(charge.said_at, word.said_at) for word in _words_on(charge.line.charge_id, others))
        if is_late or (known.charge is not None and is_older(charge.said_at, known.charge.said_at)):
            self._note_if_older(False, place)
            return
        newer_credits = self._move_out(others, charge, corrects=corrects)
        encounter.capture(charge, corrects=corrects, comes_back=newer_credits is not None)
        self._places.note(charge.line.charge_id, encounter.id)
        for credit in newer_credits or ():
            encounter.credit(charge.line.charge_id, credit)
        if known.is_credited_before(charge) and encounter.said_of(charge) is known:
            summary = "a charge came again, unchanged, after a credit for it; the credit stands until a person decides"
            self._raise(derive("charged-again", charge.line.charge_id), CHARGED_AGAIN, summary, encounter)
        if len(encounter.words) > CHARGES_PER_ENCOUNTER_MAX:
            note = f"at most {CHARGES_PER_ENCOUNTER_MAX} in an encounter"
            raise InvalidMessage([Finding(place, "too-many-charges", note)])
        charge_id = charge.line.charge_id
        if encounter.words[charge_id].credits:
            end_case(self._work, _without_charge(charge_id), CREDIT_WITHOUT_CHARGE, "the charge has come")
            self._tell_of_excess(encounter, charge_id)
        self.tell_of_cancelled(encounter)

    def _move_out(
        self, others: list[Encounter], charge: CapturedCharge, *, corrects: bool
    ) -> tuple[ChargeCredit, ...] | None:
        """Voids the charge where it stands elsewhere; the credits there that are newer than this word, None for no move."""
        charge_id = charge.line.charge_id
        standing = [other for other in others if charge_id in other.charges]
        if not standing:
            return None
        if not corrects and any(other.state is not EncounterState.CANCELLED for other in standing):
            raise ChargeMoved(f"charge {charge_id} stands in another encounter, and this is no correction of it")
        newer: list[ChargeCredit] = []
        for other in standing:
            newer += [each for each in other.words[charge_id].credits if is_older(charge.said_at, each.said_at)]
            other.credit(charge_id, ChargeCredit(amount=None, said_at=charge.said_at, message_id=self._message_id))
            self.left[other.id] = None
        return tuple(newer)

    def tell_of_cancelled(self, encounter: Encounter) -> None:
        """Tells a person, once, where a source speaks of an encounter that it cancelled, and there are charges."""
        if encounter.state is EncounterState.CANCELLED and encounter.charges:
            summary = "the source cancelled the encounter and speaks of it again; its charges are not billed"
            self._raise(_of_cancelled(encounter), CANCELLED_CHARGES, summary, encounter)

    def tell_of_other_coverage(self, encounter: Encounter, fingerprint: str) -> None:
        """Tells a person where the source names another coverage of what was billed, which stays as it was billed."""
        billed = next(encounter.open_postings, None)
        if billed is not None:
            summary = f"{billed.payer or 'the patient'} was billed, and the source names another coverage now"
            cause = derive("coverage-after-billing", encounter.id, fingerprint)
            self._raise(cause, OTHER_COVERAGE, summary, encounter, billed.total)

    def reopen(self, encounter: Encounter, said_at: datetime | None) -> None:
        encounter.reopen(said_at)
        end_case(self._work, _of_cancelled(encounter), CANCELLED_CHARGES, "the encounter goes on")

    def void(self, encounter: Encounter, fact: ChargeVoided) -> None:
        """Takes a credit.

        Raises:
            ChargeMoved: its charge was moved out of the encounter before.
            InvalidMessage: it is one credit too many, of its charge or of those whose charges have not come.
        """
        if self._is_credited_late(encounter, fact):
            self._note_if_older(False, fact.place)
            return
        credit = ChargeCredit(
            amount=fact.amount,
            said_at=fact.said_at,
            message_id=self._message_id,
            credit_id=fact.credit_id or derive("credit", self._message_id, fact.place),
        )
        self._note_if_older(encounter.credit(fact.charge_id, credit), fact.place)
        _refuse_too_many_credits(encounter, fact)
        if encounter.words[fact.charge_id].charge is None:
            summary = "a credit came for a charge that has not come; it is credited when it comes"
            self._raise(_without_charge(fact.charge_id), CREDIT_WITHOUT_CHARGE, summary, encounter, fact.amount)
        self._tell_of_excess(encounter, fact.charge_id)

    def withdraw(self, fact: ChargesWithdrawn) -> None:
        """Takes back those of the charges that stand, wherever they do."""
        for charge_id, encounter in self._places.standing(fact.charge_ids):
            self.void(encounter, ChargeVoided(fact.place, charge_id, Link(id=encounter.id), said_at=fact.said_at))
            self.left[encounter.id] = None

    def _is_credited_late(self, encounter: Encounter, fact: ChargeVoided) -> bool:
        others = self._places.elsewhere(fact.charge_id, encounter)
        if any(is_older(fact.said_at, word.said_at) for word in _words_on(fact.charge_id, others)):
            return True
        words = encounter.words.get(fact.charge_id)
        was_here = words is not None and words.charge is not None and words.standing is None
        if was_here and any(fact.charge_id in other.charges for other in others):
            raise ChargeMoved(f"charge {fact.charge_id} is credited in an encounter that it was moved out of")
        return False

    def _note_if_older(self, is_taken: bool, place: str) -> None:
        if not is_taken:
            self.notes.append(f"{place}: {OLDER_WORD}")

    def _tell_of_excess(self, encounter: Encounter, charge_id: UUID) -> None:
        excess = encounter.words[charge_id].credited_above
        if excess:
            summary = f"credits are {excess} above their charge, which is void; the rest is nobody's"
            cause = derive("credit-above-charge", charge_id, excess)
            self._raise(cause, CREDIT_ABOVE_CHARGE, summary, encounter, excess)

    def _raise(self, cause: UUID, code: str, summary: str, encounter: Encounter, amount: Money | None = None) -> None:
        assert encounter.facts is not None
        raise_case(
            self._work,
            cause,
            code=code,
            summary=summary,
            subject="encounter",
            subject_id=encounter.id,
            entity=encounter.facts.entity,
            amount=amount,
        )


def _words_on(charge_id: UUID, encounters: list[Encounter]) -> list[CapturedCharge]:
    """The newest word on the charge in each."""
    return [word for each in encounters if (word := each.words[charge_id].charge)]


def _refuse_too_many_credits(encounter: Encounter, fact: ChargeVoided) -> None:
    words = encounter.words[fact.charge_id]
    if len(words.credits) + len(words.past) > CREDITS_PER_CHARGE_MAX:
        raise InvalidMessage([Finding(fact.place, "too-many-credits", f"at most {CREDITS_PER_CHARGE_MAX} of a charge")])
    if (
        words.charge is None
        and sum(each.charge is None for each in encounter.words.values()) > CREDITS_WITHOUT_CHARGE_MAX
    ):
        note = f"at most {CREDITS_WITHOUT_CHARGE_MAX} charges of an encounter may be credited before they come"
        raise InvalidMessage([Finding(fact.place, "credits-without-charge", note)])


def _of_cancelled(encounter: Encounter) -> UUID:
    return derive("cancelled-charges", encounter.id)


def _without_charge(charge_id: UUID) -> UUID:
    return derive("credit-without-charge", charge_id)
