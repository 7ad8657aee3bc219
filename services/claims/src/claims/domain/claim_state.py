"""The states of a claim and the moves between them that are legal."""

from __future__ import annotations

from enum import StrEnum

from chassis.domain import Refusal


class ClaimState(StrEnum):
    """`rejected` is a refusal before adjudication; `denied` means that every adjudication so far was a denial."""

    DRAFTED = "drafted"
    HELD = "held"
    READY = "ready"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ADJUDICATED = "adjudicated"
    DENIED = "denied"


class IllegalMove(Refusal):
    """A claim in this state cannot do that; the message names both states."""


_DECIDED = frozenset({ClaimState.ADJUDICATED, ClaimState.DENIED})
_EDITED = frozenset({ClaimState.HELD, ClaimState.READY})

LEGAL_MOVES: dict[ClaimState, frozenset[ClaimState]] = {
    ClaimState.DRAFTED: _EDITED,
    # A claim that was rejected, edited again and not yet sent again may still be paid for its first submission.
    ClaimState.HELD: _EDITED | _DECIDED,
    ClaimState.READY: _DECIDED | {ClaimState.HELD, ClaimState.SUBMITTED},
    # A remittance may overtake the 277CA, and money is a fact whatever an acknowledgement said.
    ClaimState.SUBMITTED: _DECIDED | {ClaimState.ACCEPTED, ClaimState.REJECTED},
    ClaimState.ACCEPTED: _DECIDED | {ClaimState.REJECTED},
    ClaimState.REJECTED: _DECIDED | _EDITED,
    ClaimState.ADJUDICATED: frozenset({ClaimState.ADJUDICATED}),
    ClaimState.DENIED: _DECIDED,
}


def refuse_illegal_move(before: ClaimState, after: ClaimState) -> None:
    """Raises IllegalMove unless the table has it."""
    if after not in LEGAL_MOVES[before]:
        raise IllegalMove(f"a claim that is {before} cannot become {after}")
