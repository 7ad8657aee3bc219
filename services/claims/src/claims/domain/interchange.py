"""One interchange of claims to a payer: intended, sent once, and acknowledged."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from canonical.classes import Public
from canonical.master_data import CLAIMS_PER_INTERCHANGE_MAX
from canonical.money import Money
from chassis.domain import Aggregate, Event, Refusal

from claims.domain.interchange_order import InterchangeOrder

ACCEPTING_CODES = frozenset({"A", "E"})
PARTIAL_CODE = "P"


class InterchangeState(StrEnum):
    """`uncertain`: the sending was tried and nobody knows its outcome yet."""

    INTENDED = "intended"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    PARTIALLY = "partially"
    REJECTED = "rejected"


_FINAL = frozenset({InterchangeState.ACCEPTED, InterchangeState.PARTIALLY, InterchangeState.REJECTED})
LEGAL_MOVES: dict[InterchangeState, frozenset[InterchangeState]] = {
    InterchangeState.INTENDED: frozenset({InterchangeState.SENT, InterchangeState.UNCERTAIN}),
    InterchangeState.UNCERTAIN: frozenset({InterchangeState.SENT}),
    InterchangeState.SENT: _FINAL | {InterchangeState.ACKNOWLEDGED},
    InterchangeState.ACKNOWLEDGED: _FINAL,
    InterchangeState.ACCEPTED: frozenset(),
    InterchangeState.PARTIALLY: frozenset(),
    InterchangeState.REJECTED: frozenset(),
}


class IllegalInterchangeMove(Refusal):
    """An interchange in this state cannot do that; the message names both states."""


class UnknownInterchange(Refusal):
    """An acknowledgement names a control number that we never gave."""


class ContradictingAcknowledgement(Refusal):
    """One acknowledgement rejects what another accepted, or the other way round."""


class OtherBytesSent(Refusal):
    """Under this interchange's name stands a file with other content than was intended."""


class Interchange(Aggregate):
    """Its id follows from its control number. `digest` is SHA-256 of its bytes, in hex."""

    order: InterchangeOrder

    def start(self) -> None:
        self.state = InterchangeState.INTENDED
        self.claim_ids: tuple[UUID, ...] = ()
        self.digest = ""
        self.total = Money.zero()

    class Intended(Event):
        TOPIC = "claims.interchange.intended"
        order: InterchangeOrder
        claim_ids: tuple[UUID, ...]
        total: Money
        digest: Public[str]

        def apply(self, interchange: Interchange) -> None:
            interchange.order = self.order
            interchange.claim_ids = self.claim_ids
            interchange.total = self.total
            interchange.digest = self.digest

    class BecameUncertain(Event):
        TOPIC = "claims.interchange.became-uncertain"
        why: Public[str]

        def apply(self, interchange: Interchange) -> None:
            interchange.state = InterchangeState.UNCERTAIN

    class Sent(Event):
        """`proof` is how we know: `sent` by us just now, `found` by a probe, or `acknowledged` by the receiver."""

        TOPIC = "claims.interchange.sent"
        proof: Public[str]
        control_number: Public[str]
        entity: Public[str]
        payer: Public[str]
        claim_count: int
        total: Money

        def apply(self, interchange: Interchange) -> None:
            interchange.state = InterchangeState.SENT

    class Acknowledged(Event):
        """The envelope was taken (TA1)."""

        TOPIC = "claims.interchange.acknowledged"
        code: Public[str]

        def apply(self, interchange: Interchange) -> None:
            interchange.state = InterchangeState.ACKNOWLEDGED

    class Decided(Event):
        """The receiver's final word on the interchange as a whole; `acknowledgement` is TA1 or 999."""

        TOPIC = "claims.interchange.decided"
        state: InterchangeState
        acknowledgement: Public[str]
        code: Public[str]
        notes: tuple[Public[str], ...] = ()

        def apply(self, interchange: Interchange) -> None:
            interchange.state = self.state

    def intend(self, order: InterchangeOrder, claim_ids: tuple[UUID, ...], total: Money, digest: str) -> None:
        assert not self.exists, "a control number is given once"
        assert 1 <= len(claim_ids) <= CLAIMS_PER_INTERCHANGE_MAX, "an interchange holds 1 to 500 claims"
        self.trigger_event(self.Intended, order=order, claim_ids=claim_ids, total=total, digest=digest)

    @property
    def is_open(self) -> bool:
        """Whether it is not known to have been sent."""
        return self.exists and self.state in (InterchangeState.INTENDED, InterchangeState.UNCERTAIN)

    def doubt(self, why: str) -> None:
        """The sending was tried and its outcome is unknown; a probe must settle it.

        Whoever knows meanwhile that it was sent, by a probe of another replica or from its answer, knows better.
        """
        if self.state is InterchangeState.INTENDED:
            self.trigger_event(self.BecameUncertain, why=why)

    def confirm_sent(self, proof: str) -> None:
        """It has arrived; knowing it twice changes nothing."""
        if not self.is_open:
            return
        self.trigger_event(
            self.Sent,
            proof=proof,
            control_number=self.order.control_number,
            entity=self.order.entity,
            payer=self.order.payer,
            claim_count=len(self.claim_ids),
            total=self.total,
        )

    def acknowledge_envelope(self, code: str) -> None:
        """A TA1 took the envelope; after the 999 it tells nothing new."""
        self.confirm_sent("acknowledged")
        if self.state is InterchangeState.SENT:
            self.trigger_event(self.Acknowledged, code=code)

    def decide(self, state: InterchangeState, acknowledgement: str, code: str, notes: tuple[str, ...] = ()) -> bool:
        """Whether the receiver's final word is new; the same word again changes nothing.

        Raises:
            ContradictingAcknowledgement: it had said otherwise.
        """
        self.confirm_sent("acknowledged")
        if self.state is state:
            return False
        if self.state in _FINAL:
            number = self.order.control_number
            raise ContradictingAcknowledgement(
                f"interchange {number} is {self.state}, and {acknowledgement} {code} says {state}"
            )
        self._refuse_illegal(state)
        self.trigger_event(self.Decided, state=state, acknowledgement=acknowledgement, code=code, notes=notes)
        return True

    def refuse_other_bytes(self, digest: str) -> None:
        """Raises OtherBytesSent unless the digest is that of the intended bytes."""
        if digest != self.digest:
            name = self.order.file_name
            raise OtherBytesSent(
                f"{name}: intended {self.digest[:12]}, there is {digest[:12]}; neither is sent or taken"
            )

    def _refuse_illegal(self, after: InterchangeState) -> None:
        if after not in LEGAL_MOVES[self.state]:
            raise IllegalInterchangeMove(f"an interchange that is {self.state} cannot become {after}")


def word_of(code: str, rejected_sets: tuple[str, ...]) -> InterchangeState:
    """What AK901 says of an interchange that holds one transaction set: `P` without a rejected set is partial.

    Source: X12 005010X231A1, element AK901.
    """
    if rejected_sets:
        return InterchangeState.REJECTED
    if code in ACCEPTING_CODES:
        return InterchangeState.ACCEPTED
    return InterchangeState.PARTIALLY if code == PARTIAL_CODE else InterchangeState.REJECTED
