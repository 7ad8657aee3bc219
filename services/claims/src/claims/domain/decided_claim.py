"""Where a claim stands by what its payers decided: the decisions that it holds, its state, and what follows from them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.codes import ClaimFrequency, PayerClass
from canonical.money import Money
from canonical.remittance import DecisionPlace
from chassis.domain import Aggregate, Event

from claims.domain.adjudication import DecisionKind, PayerDecision, Place, Shares, place_of
from claims.domain.claim_content import ClaimContent
from claims.domain.claim_state import DECIDED, ClaimState, NextClaimStage, refuse_illegal_move, state_by_decisions
from claims.domain.decisions import NO_DECISIONS, Booked, Decisions
from claims.domain.reversals import ReversalVerdict


class MoneyMoved(Event):
    """What every announcement of money says of its claim."""

    encounter_id: UUID
    posting: int
    patient_id: UUID
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass


class DecidedClaim(Aggregate):
    """Decisions are many, by remittance and position.

    `undecided` is the state that the claim would be in without them. `awaiting` holds reversals that are not proved yet,
    since what they take back may still come. `sent_as` is what the latest submission is to what the payer had before,
    `numbers_before` are the numbers that the payer had given by then, and `is_answered` says whether the payer is known to
    have that submission, or to have refused it.
    """

    content: ClaimContent

    def start(self) -> None:
        self.state = ClaimState.DRAFTED
        self.undecided = ClaimState.DRAFTED
        self.interchange_id: UUID | None = None
        self.crossed_over_from: UUID | None = None
        self.decisions = NO_DECISIONS
        self.adjudications = 0
        self.revision = 0
        self.is_answered = False
        self.sent_as = ClaimFrequency.ORIGINAL
        self.numbers_before: frozenset[str] = frozenset()
        self.awaiting: dict[Place, DecidedClaim.ReversalAwaited] = {}
        self.noted: dict[Place, PayerDecision] = {}
        self.next_claim = NextClaimStage.NONE
        self.releases = 0
        self.released = Money.zero()

    class Adjudicated(MoneyMoved):
        """One payer decision, with what its readers need to know of the claim.

        `reverses_*` is the decision that a reversal takes back, `reverses_also` those that it takes back with it; of a
        `partial` reversal they are the decisions that a part is taken of. `pair_*` is the decision that a correction takes the
        place of, or the correction that came before its reversal. `match` counts the moves of a payment that was not booked
        here at first: odd where it was matched, even where it was unmatched, with every amount negated. `overpaid` is what the payer
        has paid twice for, after it.
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
        charges_revision: int = 0
        reverses_match: int = 0
        reverses_also: tuple[DecisionPlace, ...] = ()
        partial: bool = False
        overpaid: Money = Money(0)

        def apply(self, claim: DecidedClaim) -> None:
            claim.state = self.state
            claim.adjudications += 1
            claim.is_answered |= claim.is_answer(self.decision, self.kind)
            claim.decisions = claim.decisions.after(self.booked)
            claim.awaiting.pop(self.decision.place, None)

        @property
        def booked(self) -> Booked:
            reverses = place_of(self.reverses_remittance_id, self.reverses_position)
            also = tuple((each.remittance_id, each.position) for each in self.reverses_also)
            return Booked(
                self.decision,
                self.shares,
                self.kind,
                self.denied,
                self.match,
                (reverses, *also) if reverses else (),
                place_of(self.pair_remittance_id, self.pair_position),
                self.partial,
            )

    class ReversalAwaited(Event):
        """A reversal takes back nothing that we hold, or not to the cent: its original may come, or a person decides."""

        TOPIC = "claims.claim.reversal-awaited"
        decision: PayerDecision
        verdict: ReversalVerdict

        def apply(self, claim: DecidedClaim) -> None:
            claim.awaiting[self.decision.place] = self

    class PaymentNoted(Event):
        """A remittance tells something of the claim that moves no account; `why` says what."""

        TOPIC = "claims.claim.payment-noted"
        decision: PayerDecision
        entity: Public[str]
        payer: Public[str]
        why: Public[str]

        def apply(self, claim: DecidedClaim) -> None:
            claim.noted[self.decision.place] = self.decision

    class DenialReleased(MoneyMoved):
        """So much is denied no more (or again, below zero), because later decisions cover the same charges."""

        TOPIC = "claims.claim.denial-released"
        release: int
        amount: Money
        effective_date: Financial[date]

        def apply(self, claim: DecidedClaim) -> None:
            claim.releases = self.release
            claim.released = claim.released + self.amount

    class NextClaimMoved(Event):
        """The claim to the next payer was sent, was decided, or stands undecided again."""

        TOPIC = "claims.claim.next-claim-moved"
        next_claim_id: UUID
        stage: NextClaimStage
        state: ClaimState

        def apply(self, claim: DecidedClaim) -> None:
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

    def next_claim_moved(self, next_claim_id: UUID, stage: NextClaimStage) -> None:
        """A claim that is on its way to its payer, for the first time or again, stays on it."""
        if stage is not self.next_claim:
            state = self._state_by(self.decisions, stage) if self.state in DECIDED else self.state
            self.trigger_event(self.NextClaimMoved, next_claim_id=next_claim_id, stage=stage, state=state)

    def is_answer(self, decision: PayerDecision, kind: DecisionKind) -> bool:
        """Whether it tells that the payer has what was sent last.

        A payer may still take back or correct what is being replaced, and what that has replaced, under their numbers.
        """
        if self.sent_as is ClaimFrequency.REPLACEMENT:
            return kind in _DECIDES and decision.payer_control_number not in self.numbers_before
        return self.sent_as is ClaimFrequency.ORIGINAL or kind is DecisionKind.REVERSAL

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
            [each.denied for each in decisions.standing if not each.partial],
            taken_back=decisions.is_taken_back,
            crossed_over=decisions.is_crossed_over,
            next_claim=next_claim,
        )
        if state is not self.undecided:
            refuse_illegal_move(self.state, state)
        return state

    def _book(self, change: Booked) -> None:
        after = self.decisions.after(change)
        state = self._state_by(after, self.next_claim)
        content, pair = self.content, change.pair or _NOWHERE
        places = tuple(self._decision_place(place) for place in change.reverses)
        reverses = places[0] if places else None
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
            reverses_remittance_id=reverses.remittance_id if reverses else None,
            reverses_position=reverses.position if reverses else -1,
            reverses_match=reverses.match if reverses else 0,
            reverses_also=places[1:],
            partial=change.partial,
            pair_remittance_id=pair[0],
            pair_position=pair[1],
            match=change.match,
            next_payer=next_payer.payer if next_payer else "",
            next_payer_class=next_payer.payer_class if next_payer else None,
            sequence=content.sequence,
            charges_revision=self.revision,
            overpaid=after.overpaid(content.total),
        )
        self._release_denials(change.decision.effective_date)

    def _decision_place(self, place: Place) -> DecisionPlace:
        remittance_id, position = place
        match = self.decisions.booked[place].match
        return DecisionPlace.trusted(remittance_id=remittance_id, position=position, match=match)

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


_NOWHERE: tuple[None, int] = (None, -1)

_DECIDES = frozenset({DecisionKind.DECISION, DecisionKind.CORRECTION})
