"""The adjudicated side of a claim: what remittances and persons say of it becomes decisions, or is told apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from canonical.codes import ClaimPaymentStatus
from chassis.domain import Conflict, Refusal

from claims.domain.adjudication import (
    NOTED,
    DecisionKind,
    PayerDecision,
    Place,
    Shares,
    is_denial,
    negated,
    shares_of,
    together,
)
from claims.domain.decided_claim import DecidedClaim
from claims.domain.decisions import Booked
from claims.domain.reversals import ReversalProof, originals_for_person, parts_taken_of, prove_reversal
from claims.domain.unknown_payment import Why


class ChangedAdjudication(Conflict):
    """The same place of the same remittance came again with another decision."""


class NeverSubmitted(Refusal):
    """A payer answered for a claim that never left."""


class ReversalNotProved(Refusal):
    """A reversal takes back no decision of this claim: neither charge and payment of any, nor a part that it has."""


class ReversedMeanwhile(Refusal):
    """The payer took the decision back itself; the reversal must be unmatched first."""


class AdjudicatedClaim(DecidedClaim):
    """What cannot be booked is kept by its place: `awaiting` and `noted`."""

    @property
    def was_submitted(self) -> bool:
        """Whether a payer has it: we sent it, or the payer before passed it on."""
        return self.interchange_id is not None or self.crossed_over_from is not None

    def adjudicate(self, decision: PayerDecision, contractual_reasons: Collection[str]) -> Why | None:
        """Books or notes what a remittance says; the same again changes nothing. Why it cannot be booked, if so.

        Raises:
            NeverSubmitted: it never left.
            ChangedAdjudication: the same place of the remittance said something else before.
        """
        self._refuse_never_submitted()
        if self._holds(decision):
            awaited = self.awaiting.get(decision.place)
            return Why(awaited.verdict.value) if awaited else None
        if decision.payer_status in NOTED:
            return self._note(decision)
        if decision.payer_status == ClaimPaymentStatus.REVERSAL.value:
            return self._reverse(decision)
        self._decide(decision, shares_of(decision.adjustments, contractual_reasons), match=0)
        return None

    def take_match(self, decision: PayerDecision, contractual_reasons: Collection[str], match: int) -> None:
        """Books a payment that could not be booked when it came.

        A reversal takes back the decisions whose charge and payment it negates, under their own reasons: the payer's may
        be the very thing that is wrong with it. One that negates less takes a part of one decision back, or of several
        together, as it says itself.

        Raises:
            NeverSubmitted, ReversalNotProved: see there.
            ChangedAdjudication: the claim holds another decision from the same place.
        """
        self._refuse_never_submitted()
        if decision.place not in self.awaiting and self._holds(decision):
            return
        if decision.payer_status != ClaimPaymentStatus.REVERSAL.value:
            self._decide(decision, shares_of(decision.adjustments, contractual_reasons), match=match)
            return
        proof, left = self._proof_of(decision), self.decisions.left_standing
        if proof.is_proved:
            self._take_back(decision, proof.originals, match=match)
        elif originals := originals_for_person(decision, left):
            self._take_back(together(originals).taken_back_by(decision), originals, match=match)
        elif originals := parts_taken_of(decision, left):
            self._take_part_back(decision, self._heads_of(originals), contractual_reasons, match=match)
        else:
            raise ReversalNotProved(
                f"claim {self.id}: {decision.charge} charged, {decision.paid} paid: {proof.verdict}"
            )

    def release_match(self, place: Place, match: int) -> None:
        """Takes a matched payment off again.

        Raises:
            ReversedMeanwhile: the payer took it back itself.
        """
        held = self.decisions.booked[place]
        if reversal := self.decisions.reversal_of(place):
            raise ReversedMeanwhile(f"claim {self.id}: remittance {reversal[0]}, claim {reversal[1]} took it back")
        shares = held.shares.negated()
        change = Booked(held.decision.negated(), shares, DecisionKind.UNMATCHED, denied=False, match=match)
        self._book(change)

    def is_proved_by_now(self, awaited: Place) -> bool:
        """Whether an awaited reversal takes back something that the claim holds by now."""
        return self._proof_of(self.awaiting[awaited].decision).is_proved

    def looks_like(self, reversal: PayerDecision) -> tuple[Place, ...]:
        """The decisions that a reversal, which is not proved, may take back or take a part of."""
        return tuple(each.place for each in self._proof_of(reversal).originals)

    def _holds(self, decision: PayerDecision) -> bool:
        """Raises ChangedAdjudication where the same place said something else."""
        place = decision.place
        booked, awaited = self.decisions.booked.get(place), self.awaiting.get(place)
        known = booked.decision if booked and not booked.match else self.noted.get(place)
        known = awaited.decision if awaited else known
        if known is not None and not known.says_the_same_as(decision):
            where = f"remittance {decision.remittance_id}, claim {decision.position}"
            raise ChangedAdjudication(f"claim {self.id}: {where} was another decision before")
        return known is not None or booked is not None

    def _proof_of(self, reversal: PayerDecision) -> ReversalProof:
        return prove_reversal(reversal, self.decisions.left_standing)

    def _note(self, decision: PayerDecision) -> Why | None:
        if decision.paid:
            return Why.STATUS_MOVES_NO_MONEY
        content, why = self.content, NOTED[decision.payer_status]
        self.trigger_event(self.PaymentNoted, decision=decision, entity=content.entity, payer=content.payer, why=why)
        return None

    def _reverse(self, decision: PayerDecision) -> Why | None:
        proof = self._proof_of(decision)
        if not proof.is_proved:
            self.trigger_event(self.ReversalAwaited, decision=decision, verdict=proof.verdict)
            return Why(proof.verdict.value)
        self._take_back(decision, proof.originals, match=0)
        return None

    def _take_back(self, decision: PayerDecision, originals: Sequence[PayerDecision], *, match: int) -> None:
        """The shares of the originals, not today's: the payer's list of contractual reasons may have changed since."""
        held = [each for original in originals for each in self.decisions.unit_of(original.place)]
        charge = together(originals).charge
        self._book(
            Booked(
                decision,
                Shares.total(each.shares for each in held).negated(),
                DecisionKind.REVERSAL,
                denied=False,
                match=match,
                reverses=tuple(each.decision.place for each in held),
                pair=self.decisions.early_correction_of(originals[0].place, charge),
            )
        )

    def _take_part_back(
        self, decision: PayerDecision, originals: tuple[Place, ...], contractual_reasons: Collection[str], *, match: int
    ) -> None:
        """By the amounts that it says itself: there is no telling from the originals how they divide."""
        shares = shares_of(negated(decision.adjustments), contractual_reasons).negated()
        self._book(
            Booked(
                decision.model_copy(update={"patient_responsibility": shares.patient}),
                shares,
                DecisionKind.REVERSAL,
                denied=False,
                match=match,
                reverses=originals,
                pair=self.decisions.early_correction_of(originals[0], -decision.charge),
                partial=True,
            )
        )

    def _heads_of(self, originals: Sequence[PayerDecision]) -> tuple[Place, ...]:
        """Where those decisions stand, without the parts that were taken of them before."""
        units = [self.decisions.unit_of(original.place) for original in originals]
        return tuple(each.decision.place for unit in units for each in unit if not each.partial)

    def _decide(self, decision: PayerDecision, shares: Shares, *, match: int) -> None:
        pair = self.decisions.uncorrected()
        corrects = not self._is_awaited(decision) and (pair is not None or bool(self.awaiting))
        kind = DecisionKind.CORRECTION if corrects else DecisionKind.DECISION
        denied = is_denial(decision.paid, shares)
        self._book(Booked(decision, shares, kind, denied, match, pair=pair if corrects else None))

    def _is_awaited(self, decision: PayerDecision) -> bool:
        """Whether a reversal that came before is proved by it."""
        if not self.awaiting:
            return False
        standing = (*self.decisions.left_standing, decision)
        proofs = (prove_reversal(each.decision, standing) for each in self.awaiting.values())
        return any(proof.is_proved and decision in proof.originals for proof in proofs)

    def _refuse_never_submitted(self) -> None:
        if not self.was_submitted:
            raise NeverSubmitted(f"claim {self.id} is {self.state} and never left")
