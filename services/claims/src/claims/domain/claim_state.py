"""The states of a claim and the moves between them that are legal."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from chassis.domain import Refusal


class ClaimState(StrEnum):
    """`rejected` is a refusal before adjudication; `denied` means that every decision that stands is a denial.

    `reversed`: the payer took every decision back; `corrected`: it took one back, and another stands. `crossed-over`: the
    payer passed the claim on; `secondary-billed`: we sent the next payer's claim; `closed`: the next payer has decided.
    `voided`: its charges were voided before any payer had it, so that it never leaves.
    """

    DRAFTED = "drafted"
    HELD = "held"
    READY = "ready"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ADJUDICATED = "adjudicated"
    DENIED = "denied"
    REVERSED = "reversed"
    CORRECTED = "corrected"
    CROSSED_OVER = "crossed-over"
    SECONDARY_BILLED = "secondary-billed"
    CLOSED = "closed"
    VOIDED = "voided"


class NextClaimStage(StrEnum):
    """How far the claim to the next payer has got, as the claim before it knows."""

    NONE = "none"
    BILLED = "billed"
    DECIDED = "decided"


class IllegalMove(Refusal):
    """A claim in this state cannot do that; the message names both states."""


DECIDED = frozenset(
    {
        ClaimState.ADJUDICATED,
        ClaimState.DENIED,
        ClaimState.REVERSED,
        ClaimState.CORRECTED,
        ClaimState.CROSSED_OVER,
        ClaimState.SECONDARY_BILLED,
        ClaimState.CLOSED,
    }
)
_EDITED = frozenset({ClaimState.HELD, ClaimState.READY})

LEGAL_MOVES: dict[ClaimState, frozenset[ClaimState]] = {
    ClaimState.DRAFTED: _EDITED | {ClaimState.VOIDED},
    # A claim that was rejected, edited again and not yet sent again may still be paid for its first submission.
    ClaimState.HELD: _EDITED | DECIDED | {ClaimState.VOIDED},
    ClaimState.READY: DECIDED | {ClaimState.HELD, ClaimState.SUBMITTED, ClaimState.VOIDED},
    # A remittance may overtake the 277CA, and money is a fact whatever an acknowledgement said.
    ClaimState.SUBMITTED: DECIDED | {ClaimState.ACCEPTED, ClaimState.REJECTED},
    ClaimState.ACCEPTED: DECIDED | {ClaimState.REJECTED},
    ClaimState.REJECTED: DECIDED | _EDITED | {ClaimState.VOIDED},
    ClaimState.VOIDED: DECIDED,
    **dict.fromkeys(sorted(DECIDED), DECIDED),
}
RESUBMITTED_FROM = DECIDED | {ClaimState.ACCEPTED}
AWAITING_ANSWER = frozenset({ClaimState.SUBMITTED, ClaimState.ACCEPTED})
NOT_YET_SENT = frozenset({ClaimState.DRAFTED, ClaimState.HELD, ClaimState.READY})
NOT_AT_THE_PAYER = NOT_YET_SENT | {ClaimState.REJECTED}


def refuse_illegal_move(before: ClaimState, after: ClaimState) -> None:
    """Raises IllegalMove unless the table has it."""
    if after not in LEGAL_MOVES[before]:
        raise IllegalMove(f"a claim that is {before} cannot become {after}")


def state_by_decisions(
    undecided: ClaimState, denials: Sequence[bool], *, taken_back: bool, crossed_over: bool, next_claim: NextClaimStage
) -> ClaimState:
    """The state that the decisions leave a claim in, whatever their order.

    `undecided` is how far it had got without them, `denials` says of each decision that stands whether it is a denial.
    """
    if not denials:
        return ClaimState.REVERSED if taken_back else undecided
    if all(denials):
        return ClaimState.DENIED
    if next_claim is NextClaimStage.DECIDED:
        return ClaimState.CLOSED
    if next_claim is NextClaimStage.BILLED:
        return ClaimState.SECONDARY_BILLED
    if crossed_over:
        return ClaimState.CROSSED_OVER
    return ClaimState.CORRECTED if taken_back else ClaimState.ADJUDICATED
