"""The life of one claim: given events, when a command, then events or a refusal."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from canonical.codes import PayerClass
from canonical.ids import derive
from canonical.money import Money
from chassis.testing import Happened, given, happened
from claims.application.adjudicating import decision_of
from claims.application.reactions import content_of
from claims.domain.adjudicated_claim import ChangedAdjudication, NeverSubmitted
from claims.domain.adjudication import PayerDecision
from claims.domain.claim import ChangedClaim, Claim
from claims.domain.claim_content import HoldReason
from claims.domain.claim_state import DECIDED, LEGAL_MOVES, ClaimState, IllegalMove

from .work_examples import edit_run
from .world import CONTRACTUAL, DAY, DENIAL, charged, chunk, paid

INTERCHANGE = derive("test-interchange")
CONTENT = content_of(charged())
NO_MEMBER_ID = (HoldReason(code="MissingMemberId", needs="the member id"),)
LISTED = frozenset({"45"})

DRAFTED = happened(Claim.Drafted, content=CONTENT)
RUN = edit_run()
HELD = happened(Claim.Held, number=1, reasons=NO_MEMBER_ID)
READY = happened(Claim.MadeReady, edit_run=RUN)
SUBMITTED = happened(
    Claim.Submitted,
    interchange_id=INTERCHANGE,
    entity="NORTH",
    payer="ACME",
    total=Money.of("250.00"),
    edit_run=RUN,
)
ACCEPTED = happened(Claim.Accepted, payer_control_number="ICN1")
REJECTED = happened(Claim.Rejected, codes=("A3:21",))
SENT = (DRAFTED, READY, SUBMITTED)


def decision(position: int = 0, remittance: object = 1, **changes: Any) -> PayerDecision:
    payment = paid(position=position, **changes)
    return decision_of(chunk(payment, remittance=remittance), payment)


PAYMENT = decision()
DENIED = decision(amount="0.00", adjustments=(DENIAL,))


def adjudicated(what: PayerDecision, state: ClaimState, *, first: bool = True, denied: bool = False) -> Happened:
    claim = given(Claim, SENT).aggregate
    claim.adjudicate(what, LISTED)
    (event,) = claim.pending
    assert isinstance(event, Claim.Adjudicated)
    return happened(
        Claim.Adjudicated,
        decision=what,
        shares=event.shares,
        first=first,
        denied=denied,
        state=state,
        encounter_id=CONTENT.encounter_id,
        posting=1,
        patient_id=CONTENT.patient_id,
        entity="NORTH",
        payer="ACME",
        payer_class=PayerClass.COMMERCIAL,
        service_from=DAY,
    )


def test_a_claim_is_drafted_once() -> None:
    given(Claim).when(lambda claim: claim.draft(CONTENT)).then(DRAFTED)
    given(Claim, [DRAFTED]).when(lambda claim: claim.draft(CONTENT)).then()


def test_the_same_posting_sealed_again_is_the_same_claim() -> None:
    sealed_again = CONTENT.details.model_copy(update={"ciphertext": b"other"})
    again = CONTENT.model_copy(update={"details": sealed_again})

    given(Claim, [DRAFTED]).when(lambda claim: claim.draft(again)).then()


def test_the_same_posting_with_other_charges_is_a_conflict() -> None:
    other = CONTENT.model_copy(update={"total": Money.of("250.01")})

    given(Claim, [DRAFTED]).when(lambda claim: claim.draft(other)).then_refused(ChangedClaim)


def test_holding_for_the_same_reasons_again_changes_nothing() -> None:
    given(Claim, [DRAFTED]).when(lambda claim: claim.hold(NO_MEMBER_ID)).then(HELD)
    given(Claim, [DRAFTED, HELD]).when(lambda claim: claim.hold(NO_MEMBER_ID)).then()


def test_a_run_of_the_edits_is_kept_whatever_it_leads_to() -> None:
    again = happened(Claim.EditsRan, edit_run=RUN)

    given(Claim, [DRAFTED]).when(lambda claim: claim.hold(NO_MEMBER_ID, RUN)).then(
        happened(Claim.Held, number=1, reasons=NO_MEMBER_ID, edit_run=RUN)
    )
    given(Claim, [DRAFTED, HELD]).when(lambda claim: claim.hold(NO_MEMBER_ID, RUN)).then(again)
    given(Claim, [DRAFTED, READY]).when(lambda claim: claim.keep_run(RUN)).then(again)


def test_a_held_claim_that_passes_is_ready_and_its_reasons_are_gone() -> None:
    outcome = given(Claim, [DRAFTED, HELD])

    outcome.when(lambda claim: claim.make_ready(RUN)).then(READY)

    assert outcome.aggregate.hold_reasons == ()


def test_only_a_ready_claim_is_submitted() -> None:
    given(Claim, [DRAFTED, READY]).when(lambda claim: claim.submit(INTERCHANGE, RUN)).then(SUBMITTED)
    for history in ([DRAFTED], [DRAFTED, HELD], [*SENT], [*SENT, ACCEPTED], [*SENT, REJECTED]):
        given(Claim, history).when(lambda claim: claim.submit(INTERCHANGE, RUN)).then_refused(IllegalMove, "submitted")


def test_a_277ca_accepts_once() -> None:
    given(Claim, SENT).when(lambda claim: claim.accept("ICN1")).then(ACCEPTED)
    given(Claim, [*SENT, ACCEPTED]).when(lambda claim: claim.accept("ICN1")).then()


def test_a_277ca_overtaken_by_the_remittance_tells_only_the_payers_number() -> None:
    history = [*SENT, adjudicated(PAYMENT, ClaimState.ADJUDICATED)]

    outcome = given(Claim, history)

    outcome.when(lambda claim: claim.accept("ICN1")).then(
        happened(Claim.PayerNumberLearned, payer_control_number="ICN1")
    )
    assert outcome.aggregate.state is ClaimState.ADJUDICATED


def test_a_payer_may_reject_what_a_clearinghouse_accepted() -> None:
    given(Claim, [*SENT, ACCEPTED]).when(lambda claim: claim.reject(("A3:21",))).then(REJECTED)


def test_a_rejection_counts_whichever_277ca_comes_first() -> None:
    outcome = given(Claim, [*SENT, REJECTED])

    outcome.when(lambda claim: claim.accept("")).then()

    assert outcome.aggregate.state is ClaimState.REJECTED


def test_a_rejection_that_comes_after_the_decision_changes_nothing() -> None:
    history = [*SENT, adjudicated(PAYMENT, ClaimState.ADJUDICATED)]

    given(Claim, history).when(lambda claim: claim.reject(("A3:21",))).then()


def test_nobody_answers_for_a_claim_that_never_left() -> None:
    for command in (lambda c: c.accept("X"), lambda c: c.reject(("A3",)), lambda c: c.adjudicate(PAYMENT, LISTED)):
        given(Claim, [DRAFTED, READY]).when(command).then_refused(NeverSubmitted)


def test_a_remittance_may_overtake_the_277ca() -> None:
    given(Claim, SENT).when(lambda claim: claim.adjudicate(PAYMENT, LISTED)).then(
        adjudicated(PAYMENT, ClaimState.ADJUDICATED)
    )


def test_money_is_booked_even_for_a_claim_that_was_rejected_and_edited_again() -> None:
    for history in ([*SENT, REJECTED], [*SENT, REJECTED, READY], [*SENT, REJECTED, HELD]):
        outcome = given(Claim, history)
        outcome.when(lambda claim: claim.adjudicate(PAYMENT, LISTED)).then(adjudicated(PAYMENT, ClaimState.ADJUDICATED))
        with pytest.raises(IllegalMove):
            outcome.aggregate.make_ready(RUN)


def test_the_same_decision_twice_changes_nothing() -> None:
    history = [*SENT, adjudicated(PAYMENT, ClaimState.ADJUDICATED)]
    in_another_layout = decision(span_start=9_000, span_length=280)

    given(Claim, history).when(lambda claim: claim.adjudicate(PAYMENT, LISTED)).then()
    given(Claim, history).when(lambda claim: claim.adjudicate(in_another_layout, LISTED)).then()


def test_another_decision_at_the_same_place_is_a_conflict() -> None:
    history = [*SENT, adjudicated(PAYMENT, ClaimState.ADJUDICATED)]
    other = decision(amount="150.01")

    given(Claim, history).when(lambda claim: claim.adjudicate(other, LISTED)).then_refused(ChangedAdjudication)


def test_a_denial_is_a_state_of_its_own() -> None:
    given(Claim, SENT).when(lambda claim: claim.adjudicate(DENIED, LISTED)).then(
        adjudicated(DENIED, ClaimState.DENIED, denied=True)
    )


def test_the_order_of_many_decisions_does_not_matter_to_the_state() -> None:
    decisions = [
        decision(0, amount="0.00", adjustments=(DENIAL,)),
        decision(1),
        decision(0, remittance=2, amount="0.00", adjustments=(DENIAL,)),
    ]
    for order in permutations(decisions):
        claim = given(Claim, SENT).aggregate
        for each in order:
            claim.adjudicate(each, LISTED)
        assert claim.state is ClaimState.ADJUDICATED
        assert [event.first for event in claim.pending if isinstance(event, Claim.Adjudicated)] == [True, False, False]


def test_two_denials_leave_the_claim_denied() -> None:
    claim = given(Claim, SENT).aggregate
    for position in (0, 1):
        claim.adjudicate(decision(position, amount="0.00", adjustments=(DENIAL,)), LISTED)
    assert claim.state is ClaimState.DENIED


def test_the_payers_list_decides_what_is_contractual() -> None:
    listed, unlisted = given(Claim, SENT).aggregate, given(Claim, SENT).aggregate
    contractual_only = decision(amount="180.00", adjustments=(CONTRACTUAL,))

    listed.adjudicate(contractual_only, {"45"})
    unlisted.adjudicate(contractual_only, {"253"})

    amounts = [claim.pending[-1].shares.contractual for claim in (listed, unlisted)]  # type: ignore[attr-defined]
    assert amounts == [Money.of("70.00"), Money.of("0.00")]


def test_every_state_has_its_legal_moves_and_nothing_leads_back_to_a_draft() -> None:
    assert set(LEGAL_MOVES) == set(ClaimState)
    assert all(ClaimState.DRAFTED not in moves for moves in LEGAL_MOVES.values())
    assert all(LEGAL_MOVES[state] == DECIDED for state in DECIDED)
