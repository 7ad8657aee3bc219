"""The money side of a claim: what payers decided, took back and corrected, and where the claim stands by that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.codes import ClaimPaymentStatus, PayerClass
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal

from claims.domain.adjudication import NOTED, DecisionKind, PayerDecision, Place, Shares, is_denial, place_of, shares_of
from claims.domain.claim_content import ClaimContent
from claims.domain.claim_state import DECIDED, ClaimState, NextClaimStage, refuse_illegal_move, state_by_decisions
from claims.domain.decisions import NO_DECISIONS, Booked, Decisions
from claims.domain.reversals import ReversalProof, ReversalVerdict, negates_totals, prove_reversal
from claims.domain.unknown_payment import Why


class ChangedAdjudication(Conflict):
    """The same place of the same remittance came again with another decision."""


class NeverSubmitted(Refusal):
    """A payer answered for a claim that never left."""


class ReversalNotProved(Refusal):
    """A reversal takes back no decision of this claim: charge and payment of none are negated."""


class ReversedMeanwhile(Refusal):
    """The payer took the decision back itself; the reversal must be unmatched first."""


class MoneyMoved(Event):
    """What every announcement of money says of its claim."""

    encounter_id: UUID
    posting: int
    patient_id: UUID
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass


class AdjudicatedClaim(Aggregate):
    """Decisions are many, by remittance and position.

    `undecided` is the state that the claim would be in without them. `awaiting` holds reversals that are not proved yet,
    since what they take back may still come.
    """

    content: ClaimContent

    def start(self) -> None:
        self.state = ClaimState.DRAFTED
        self.undecided = ClaimState.DRAFTED
        self.interchange_id: UUID | None = None
        self.crossed_over_from: UUID | None = None
        self.decisions = NO_DECISIONS
        self.adjudications = 0
        self.awaiting: dict[Place, AdjudicatedClaim.ReversalAwaited] = {}
        self.noted: dict[Place, PayerDecision] = {}
        self.next_claim = NextClaimStage.NONE
        self.releases = 0
        self.released = Money.zero()

    class Adjudicated(MoneyMoved):
        """One payer decision, with what its readers need to know of the claim.

        `reverses_*` is the decision that a reversal takes back. `pair_*` is the decision that a correction takes the place
        of, or the correction that came before its reversal. `match` counts the moves of a payment that was not booked here
        at first: odd where it was matched, even where it was unmatched, with every amount negated.
        """

        TOPIC = "claims.claim.adjudicated"
        decision: PayerDecision
        shares: Shares
        first: bool
        denied: bool
        state: ClaimState
        service_from: Financial[date]
        kind: DecisionKind = DecisionKind.DECISION
        reverses_remittance_id: UUID | None = None
        reverses_position: int = -1
        pair_remittance_id: UUID | None = None
        pair_position: int = -1
        match: int = 0
        next_payer: Public[str] = ""
        next_payer_class: PayerClass | None = None
        sequence: int = 1

        def apply(self, claim: AdjudicatedClaim) -> None:
            claim.state = self.state
            claim.adjudications += 1
            claim.decisions = claim.decisions.after(self.booked)
            claim.awaiting.pop(self.decision.place, None)

        @property
        def booked(self) -> Booked:
            return Booked(
                self.decision,
                self.shares,
                self.kind,
                self.denied,
                self.match,
                place_of(self.reverses_remittance_id, self.reverses_position),
                place_of(self.pair_remittance_id, self.pair_position),
            )

    class ReversalAwaited(Event):
        """A reversal takes back nothing that we hold, or not to the cent: its original may come, or a person decides."""

        TOPIC = "claims.claim.reversal-awaited"
        decision: PayerDecision
        verdict: ReversalVerdict

        def apply(self, claim: AdjudicatedClaim) -> None:
            claim.awaiting[self.decision.place] = self

    class PaymentNoted(Event):
        """A remittance tells something of the claim that moves no account; `why` says what."""

        TOPIC = "claims.claim.payment-noted"
        decision: PayerDecision
        entity: Public[str]
        payer: Public[str]
        why: Public[str]

        def apply(self, claim: AdjudicatedClaim) -> None:
            claim.noted[self.decision.place] = self.decision

    class DenialReleased(MoneyMoved):
        """So much is denied no more (or again, below zero), because later decisions cover the same charges."""

        TOPIC = "claims.claim.denial-released"
        release: int
        amount: Money
        effective_date: Financial[date]

        def apply(self, claim: AdjudicatedClaim) -> None:
            claim.releases = self.release
            claim.released = claim.released + self.amount

    class NextClaimMoved(Event):
        """The claim to the next payer was sent, was decided, or stands undecided again."""

        TOPIC = "claims.claim.next-claim-moved"
        next_claim_id: UUID
        stage: NextClaimStage
        state: ClaimState

        def apply(self, claim: AdjudicatedClaim) -> None:
            claim.next_claim = self.stage
            claim.state = self.state

    @property
    def whose(self) -> dict[str, object]:
        """The fields of `MoneyMoved`."""
        content = self.content
        return {
            "encounter_id": content.encounter_id,
            "posting": content.posting,
            "patient_id": content.patient_id,
            "entity": content.entity,
            "payer": content.payer,
            "payer_class": content.payer_class,
        }

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

        A reversal takes back the decision whose charge and payment it negates, under that one's own reasons: the payer's
        may be the very thing that is wrong with it.

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
        proof = self._proof_of(decision)
        original = proof.original
        if original is None or not (proof.is_proved or negates_totals(decision, original)):
            raise ReversalNotProved(
                f"claim {self.id}: {decision.charge} charged, {decision.paid} paid: {proof.verdict}"
            )
        taken = decision if proof.is_proved else original.taken_back_by(decision)
        self._take_back(taken, original.place, match=match)

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

    def next_claim_moved(self, next_claim_id: UUID, stage: NextClaimStage) -> None:
        """A claim that is on its way to its payer, for the first time or again, stays on it."""
        if stage is not self.next_claim:
            state = self._state_by(self.decisions, stage) if self.state in DECIDED else self.state
            self.trigger_event(self.NextClaimMoved, next_claim_id=next_claim_id, stage=stage, state=state)

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
        return prove_reversal(reversal, self.decisions.standing_decisions)

    def _note(self, decision: PayerDecision) -> Why | None:
        if decision.paid:
            return Why.STATUS_MOVES_NO_MONEY
        content, why = self.content, NOTED[decision.payer_status]
        self.trigger_event(self.PaymentNoted, decision=decision, entity=content.entity, payer=content.payer, why=why)
        return None

    def _reverse(self, decision: PayerDecision) -> Why | None:
        proof = self._proof_of(decision)
        if proof.original is None or not proof.is_proved:
            self.trigger_event(self.ReversalAwaited, decision=decision, verdict=proof.verdict)
            return Why(proof.verdict.value)
        self._take_back(decision, proof.original.place, match=0)
        return None

    def _take_back(self, decision: PayerDecision, original: Place, *, match: int) -> None:
        """The shares of the original, not today's: the payer's list of contractual reasons may have changed since."""
        held = self.decisions.booked[original]
        pair = self.decisions.early_correction_of(held.decision)
        shares = held.shares.negated()
        self._book(Booked(decision, shares, DecisionKind.REVERSAL, False, match, reverses=original, pair=pair))

    def _decide(self, decision: PayerDecision, shares: Shares, *, match: int) -> None:
        pair = self.decisions.uncorrected()
        is_original = any(prove_reversal(each.decision, [decision]).is_proved for each in self.awaiting.values())
        corrects = not is_original and (pair is not None or bool(self.awaiting))
        kind = DecisionKind.CORRECTION if corrects else DecisionKind.DECISION
        denied = is_denial(decision.paid, shares)
        self._book(Booked(decision, shares, kind, denied, match, pair=pair if corrects else None))

    def _book(self, change: Booked) -> None:
        after = self.decisions.after(change)
        state = self._state_by(after, self.next_claim)
        content, reverses, pair = self.content, change.reverses or _NOWHERE, change.pair or _NOWHERE
        next_payer = content.next_payers[0] if content.next_payers else None
        self.trigger_event(
            self.Adjudicated,
            decision=change.decision,
            shares=change.shares,
            first=not self.adjudications,
            denied=change.denied,
            state=state,
            **self.whose,
            service_from=content.service_from,
            kind=change.kind,
            reverses_remittance_id=reverses[0],
            reverses_position=reverses[1],
            pair_remittance_id=pair[0],
            pair_position=pair[1],
            match=change.match,
            next_payer=next_payer.payer if next_payer else "",
            next_payer_class=next_payer.payer_class if next_payer else None,
            sequence=content.sequence,
        )
        self._release_denials(change.decision.effective_date)

    def _release_denials(self, effective_date: date) -> None:
        change = self.decisions.released_denials(self.content.total) - self.released
        if change:
            self.trigger_event(
                self.DenialReleased,
                release=self.releases + 1,
                **self.whose,
                amount=change,
                effective_date=effective_date,
            )

    @property
    def is_leaving_again(self) -> bool:
        """Whether a replacement or a void of it is still in our hands."""
        return False

    def _state_by(self, decisions: Decisions, next_claim: NextClaimStage) -> ClaimState:
        """Raises IllegalMove for a claim that cannot have been decided on. One that leaves again stays on its way."""
        if self.is_leaving_again:
            return self.undecided
        state = state_by_decisions(
            self.undecided,
            [each.denied for each in decisions.standing],
            taken_back=decisions.is_taken_back,
            crossed_over=decisions.is_crossed_over,
            next_claim=next_claim,
        )
        if state is not self.undecided:
            refuse_illegal_move(self.state, state)
        return state

    def _refuse_never_submitted(self) -> None:
        if not self.was_submitted:
            raise NeverSubmitted(f"claim {self.id} is {self.state} and never left")


_NOWHERE: tuple[None, int] = (None, -1)
