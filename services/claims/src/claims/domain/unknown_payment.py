"""A payment for a claim that is not ours to adjudicate: its cash stays visible until a person finds the claim."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ServicePayment
from chassis.domain import Aggregate, Conflict, Event, Refusal

from claims.domain.adjudication import PayerDecision


class Why(StrEnum):
    """Why the payment could not go to a claim."""

    UNKNOWN_CONTROL_NUMBER = "unknown-control-number"
    NEVER_SUBMITTED = "never-submitted"
    OTHER_ENTITY = "other-entity"
    OTHER_PAYER = "other-payer"
    STATUS_MOVES_NO_MONEY = "status-moves-no-money"
    REVERSAL_UNKNOWN_ORIGINAL = "reversal-unknown-original"
    REVERSAL_WRONG_SIGN = "reversal-wrong-sign"
    REVERSAL_WRONG_GROUP = "reversal-wrong-group"
    REVERSAL_MISSING_ADJUSTMENTS = "reversal-missing-adjustments"
    REVERSAL_STYLE_4010 = "reversal-4010-style"
    REVERSAL_PARTIAL = "reversal-partial"
    REVERSAL_DIFFERS = "reversal-differs"


class ChangedUnknownPayment(Conflict):
    """The same place of the same remittance came again with another payment."""


class MatchedElsewhere(Refusal):
    """The payment is matched to another claim; unmatch it first."""


class NotMatched(Refusal):
    """The payment is matched to no claim, so there is nothing to take back."""


class NothingToMatch(Refusal):
    """What was only noted moves no money."""


class MatchMoved(Event):
    """The payment is given to a claim, or taken off it."""

    match: int
    claim_id: UUID
    remittance_id: UUID
    position: int
    paid: Money


class UnknownClaimPayment(Aggregate):
    """Its id follows from remittance and position. `match` counts its moves: odd where it is matched, even where not."""

    decision: PayerDecision
    entity: str
    payer: str

    def start(self) -> None:
        self.services: tuple[ServicePayment, ...] = ()
        self.is_noted = False
        self.match = 0
        self.claim_id: UUID | None = None

    class Recorded(Event):
        TOPIC = "claims.unknown-claim-payment.recorded"
        why: Why
        patient_control_number: Public[str]
        entity: Public[str]
        payer: Public[str]
        decision: PayerDecision
        services: tuple[ServicePayment, ...] = ()

        def apply(self, payment: UnknownClaimPayment) -> None:
            payment.decision = self.decision
            payment.entity = self.entity
            payment.payer = self.payer
            payment.services = self.services

    class Noted(Event):
        """It moves no account: a predetermination, or a claim that was only passed on. `why` says which."""

        TOPIC = "claims.unknown-claim-payment.noted"
        why: Public[str]
        entity: Public[str]
        payer: Public[str]
        decision: PayerDecision

        def apply(self, payment: UnknownClaimPayment) -> None:
            payment.decision = self.decision
            payment.entity = self.entity
            payment.payer = self.payer
            payment.is_noted = True

    class Matched(MatchMoved):
        """Given to a claim: by a person, or because the original of a reversal came."""

        TOPIC = "claims.unknown-claim-payment.matched"

        def apply(self, payment: UnknownClaimPayment) -> None:
            payment.match = self.match
            payment.claim_id = self.claim_id

    class Unmatched(MatchMoved):
        """Taken off the claim again by a person."""

        TOPIC = "claims.unknown-claim-payment.unmatched"

        def apply(self, payment: UnknownClaimPayment) -> None:
            payment.match = self.match
            payment.claim_id = None

    def record(
        self,
        why: Why,
        control_number: str,
        entity: str,
        payer: str,
        decision: PayerDecision,
        services: tuple[ServicePayment, ...] = (),
    ) -> bool:
        """Whether it is new; the same again changes nothing.

        Raises:
            ChangedUnknownPayment: the same place said something else before.
        """
        if self._is_repeated(decision):
            return False
        self.trigger_event(
            self.Recorded,
            why=why,
            patient_control_number=control_number,
            entity=entity,
            payer=payer,
            decision=decision,
            services=services,
        )
        return True

    def note(self, why: str, entity: str, payer: str, decision: PayerDecision) -> None:
        """Keeps what moves no account; the same again changes nothing.

        Raises:
            ChangedUnknownPayment: the same place said something else before.
        """
        if not self._is_repeated(decision):
            self.trigger_event(self.Noted, why=why, entity=entity, payer=payer, decision=decision)

    def match_to(self, claim_id: UUID) -> int:
        """The number of the match, or 0 where it is matched to this claim already.

        Raises:
            MatchedElsewhere: to another claim.
            NothingToMatch: it moves no money.
        """
        if self.is_noted:
            raise NothingToMatch(f"payment {self.id} moves no money")
        if self.claim_id is not None:
            if self.claim_id != claim_id:
                raise MatchedElsewhere(f"payment {self.id} is matched to claim {self.claim_id}")
            return 0
        self._move(self.Matched, claim_id)
        return self.match

    def unmatch(self) -> tuple[UUID, int]:
        """The claim that held it, and the number of this move.

        Raises:
            NotMatched: no claim holds it.
        """
        if self.claim_id is None:
            raise NotMatched(f"payment {self.id} is matched to no claim")
        claim_id = self.claim_id
        self._move(self.Unmatched, claim_id)
        return claim_id, self.match

    def _move(self, kind: type[MatchMoved], claim_id: UUID) -> None:
        remittance_id, position = self.decision.place
        self.trigger_event(
            kind,
            match=self.match + 1,
            claim_id=claim_id,
            remittance_id=remittance_id,
            position=position,
            paid=self.decision.paid,
        )

    def _is_repeated(self, decision: PayerDecision) -> bool:
        if self.exists and not self.decision.says_the_same_as(decision):
            where = f"remittance {decision.remittance_id}, claim {decision.position}"
            raise ChangedUnknownPayment(f"{where} was another payment before")
        return self.exists


def unknown_payment_id_of(remittance_id: UUID, position: int) -> UUID:
    return derive("unknown-claim-payment", remittance_id, position)
