"""One claim: drafted from charges, held or ready by the edits, submitted, answered, and adjudicated."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.codes import PayerClass
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal

from claims.domain.adjudication import PayerDecision, Shares, is_denial, shares_of
from claims.domain.claim_content import ClaimContent, HoldReason
from claims.domain.claim_state import ClaimState, refuse_illegal_move


class ChangedClaim(Conflict):
    """The same posting of the same encounter came again with other charges."""


class ChangedAdjudication(Conflict):
    """The same place of the same remittance came again with another decision."""


class NeverSubmitted(Refusal):
    """A payer answered for a claim that never left."""


class Claim(Aggregate):
    """Its id follows from its patient control number. Adjudications are many, by remittance and position.

    `payer_control_number` is what a 277CA told; a decision keeps its own, for a payer may split a claim.
    """

    content: ClaimContent

    def start(self) -> None:
        self.state = ClaimState.DRAFTED
        self.hold_reasons: tuple[HoldReason, ...] = ()
        self.holds = 0
        self.interchange_id: UUID | None = None
        self.payer_control_number = ""
        self.rejection_codes: tuple[str, ...] = ()
        self.decisions: dict[tuple[UUID, int], PayerDecision] = {}
        self.write_offs = 0
        self.written_off = Money.zero()

    class Drafted(Event):
        TOPIC = "claims.claim.drafted"
        content: ClaimContent

        def apply(self, claim: Claim) -> None:
            claim.content = self.content

    class Held(Event):
        """`number` counts the holds of one claim from 1."""

        TOPIC = "claims.claim.held"
        number: int
        reasons: tuple[HoldReason, ...]

        def apply(self, claim: Claim) -> None:
            claim.state = ClaimState.HELD
            claim.holds = self.number
            claim.hold_reasons = self.reasons

    class MadeReady(Event):
        TOPIC = "claims.claim.made-ready"

        def apply(self, claim: Claim) -> None:
            claim.state = ClaimState.READY
            claim.hold_reasons = ()
            claim.rejection_codes = ()

    class Submitted(Event):
        """Committed to an interchange, which is sent until it is known to have arrived."""

        TOPIC = "claims.claim.submitted"
        interchange_id: UUID
        entity: Public[str]
        payer: Public[str]
        total: Money

        def apply(self, claim: Claim) -> None:
            claim.state = ClaimState.SUBMITTED
            claim.interchange_id = self.interchange_id

    class Accepted(Event):
        TOPIC = "claims.claim.accepted"
        payer_control_number: Financial[str]

        def apply(self, claim: Claim) -> None:
            claim.state = ClaimState.ACCEPTED
            claim.payer_control_number = self.payer_control_number or claim.payer_control_number

    class PayerNumberLearned(Event):
        """A status that changed nothing else, because the claim had got further already."""

        TOPIC = "claims.claim.payer-number-learned"
        payer_control_number: Financial[str]

        def apply(self, claim: Claim) -> None:
            claim.payer_control_number = self.payer_control_number

    class Rejected(Event):
        """Refused before adjudication, by 999 or 277CA."""

        TOPIC = "claims.claim.rejected"
        codes: tuple[Public[str], ...]

        def apply(self, claim: Claim) -> None:
            claim.state = ClaimState.REJECTED
            claim.rejection_codes = self.codes

    class Adjudicated(Event):
        """One payer decision, with what its readers need to know of the claim."""

        TOPIC = "claims.claim.adjudicated"
        decision: PayerDecision
        shares: Shares
        first: bool
        denied: bool
        state: ClaimState
        encounter_id: UUID
        posting: int
        patient_id: UUID
        entity: Public[str]
        payer: Public[str]
        payer_class: PayerClass
        service_from: Financial[date]

        def apply(self, claim: Claim) -> None:
            claim.state = self.state
            claim.decisions[self.decision.remittance_id, self.decision.position] = self.decision

    class DenialWrittenOff(Event):
        """A denied amount was given up; a negative one was taken back, for it is denied no more. `write_off` counts them from 1."""

        TOPIC = "claims.claim.denial-written-off"
        write_off: int
        encounter_id: UUID
        posting: int
        patient_id: UUID
        entity: Public[str]
        payer: Public[str]
        payer_class: PayerClass
        amount: Money
        reason: Public[str]
        approved_by: Public[str]
        effective_date: Financial[date]

        def apply(self, claim: Claim) -> None:
            claim.write_offs = self.write_off
            claim.written_off = claim.written_off + self.amount

    def draft(self, content: ClaimContent) -> bool:
        """Whether the claim is new; the same content again changes nothing.

        Raises:
            ChangedClaim: other content for the same posting.
        """
        if self.exists:
            if not self.content.says_the_same_as(content):
                raise ChangedClaim(f"claim {self.id} was drafted from other charges")
            return False
        self.trigger_event(self.Drafted, content=content)
        return True

    def hold(self, reasons: tuple[HoldReason, ...]) -> None:
        assert reasons, "a hold needs a reason"
        refuse_illegal_move(self.state, ClaimState.HELD)
        if self.state is not ClaimState.HELD or self.hold_reasons != reasons:
            self.trigger_event(self.Held, number=self.holds + 1, reasons=reasons)

    def make_ready(self) -> None:
        """The edits passed; a claim that was rejected goes out again as an original."""
        refuse_illegal_move(self.state, ClaimState.READY)
        self.trigger_event(self.MadeReady)

    def submit(self, interchange_id: UUID) -> None:
        refuse_illegal_move(self.state, ClaimState.SUBMITTED)
        self.trigger_event(
            self.Submitted,
            interchange_id=interchange_id,
            entity=self.content.entity,
            payer=self.content.payer,
            total=self.content.total,
        )

    @property
    def was_submitted(self) -> bool:
        return self.interchange_id is not None

    def accept(self, payer_control_number: str) -> None:
        """The payer took it for adjudication; late or repeated, this tells at most the payer's own number.

        Raises:
            NeverSubmitted: it never left.
        """
        self._refuse_never_submitted()
        if self.state is ClaimState.SUBMITTED:
            self.trigger_event(self.Accepted, payer_control_number=payer_control_number)
        elif payer_control_number not in ("", self.payer_control_number):
            self.trigger_event(self.PayerNumberLearned, payer_control_number=payer_control_number)

    def reject(self, codes: tuple[str, ...]) -> None:
        """The claim was refused before adjudication. One that a payer decided on keeps the decision.

        Raises:
            NeverSubmitted: it never left.
        """
        self._refuse_never_submitted()
        if self.state in (ClaimState.SUBMITTED, ClaimState.ACCEPTED):
            self.trigger_event(self.Rejected, codes=codes)

    def adjudicate(self, decision: PayerDecision, contractual_reasons: Collection[str]) -> bool:
        """Whether the decision is new; the same one again changes nothing.

        Raises:
            NeverSubmitted: it never left.
            ChangedAdjudication: the same place of the remittance said something else before.
        """
        self._refuse_never_submitted()
        known = self.decisions.get((decision.remittance_id, decision.position))
        if known is not None:
            if not known.says_the_same_as(decision):
                where = f"remittance {decision.remittance_id}, claim {decision.position}"
                raise ChangedAdjudication(f"claim {self.id}: {where} was another decision before")
            return False
        shares = shares_of(decision.adjustments, contractual_reasons)
        denied = is_denial(decision.paid, shares)
        after = self._state_after(denied)
        refuse_illegal_move(self.state, after)
        content = self.content
        self.trigger_event(
            self.Adjudicated,
            decision=decision,
            shares=shares,
            first=not self.decisions,
            denied=denied,
            state=after,
            encounter_id=content.encounter_id,
            posting=content.posting,
            patient_id=content.patient_id,
            entity=content.entity,
            payer=content.payer,
            payer_class=content.payer_class,
            service_from=content.service_from,
        )
        return True

    def write_off_denial(self, amount: Money, reason: str, approved_by: str, effective_date: date) -> None:
        """Gives up a denied amount; its denial says how much there is to give up."""
        content = self.content
        self.trigger_event(
            self.DenialWrittenOff,
            write_off=self.write_offs + 1,
            encounter_id=content.encounter_id,
            posting=content.posting,
            patient_id=content.patient_id,
            entity=content.entity,
            payer=content.payer,
            payer_class=content.payer_class,
            amount=amount,
            reason=reason,
            approved_by=approved_by,
            effective_date=effective_date,
        )

    def _state_after(self, denied: bool) -> ClaimState:
        """Denied only while every decision is a denial, so that the order in which they arrive does not matter."""
        all_denied = denied and (not self.decisions or self.state is ClaimState.DENIED)
        return ClaimState.DENIED if all_denied else ClaimState.ADJUDICATED

    def _refuse_never_submitted(self) -> None:
        if not self.was_submitted:
            raise NeverSubmitted(f"claim {self.id} is {self.state} and never left")
