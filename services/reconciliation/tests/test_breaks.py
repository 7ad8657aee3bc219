"""The life of a break, and the two people that a write-off takes."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import ContextSource
from chassis.testing import given, happened
from chassis.testing.clock import START
from chassis.testing.contexts import context
from reconciliation.domain.breaks import (
    Break,
    BreakIsClosed,
    BreakState,
    NothingRequested,
    ReasonMissing,
    ResidualMoved,
    Resolution,
    SamePerson,
)
from reconciliation.domain.findings import (
    Compared,
    Control,
    ControlResult,
    Divergence,
    ExplainingItem,
    Place,
    Verdict,
    concluded,
    less_written_off,
)

PLACE = Place(
    control=Control.AR_PAYER, compared=Compared.SUBLEDGER_ERP, entity="NORTH", account="ar-payer", party="ACME"
)
RUN = derive("test-run")
DIVERGENCE = Divergence(what="claim", subject_id=derive("claim"), amount=Money(100))
MAKER = context(actor="user:maker")
OPENED = happened(Break.Opened, place=PLACE, occurrence=1, residual=Money(100), first_divergence=DIVERGENCE, run_id=RUN)
REQUESTED = happened(
    Break.WriteOffRequested, requested_by="user:maker", residual=Money(100), reason="too small to chase"
)


def found(cents: int, *items: ExplainingItem) -> ControlResult:
    return concluded(PLACE, Money(1000 + cents), Money(1000), items, [DIVERGENCE])


def break_after(*events: object) -> Break:
    one = Break(PLACE.break_id, ContextSource(context()))
    for event in events:
        one.trigger_event(event.kind, **event.fields)  # type: ignore[attr-defined]
    return one


def test_an_unexplained_residual_opens_a_break() -> None:
    given(Break).when(lambda one: one.take(found(100), RUN)).then(OPENED)


def test_agreement_opens_nothing() -> None:
    given(Break).when(lambda one: one.take(found(0), RUN)).then()


def test_a_finding_in_motion_says_nothing() -> None:
    moving = found(100).seen(START, in_motion=True)
    given(Break).when(lambda one: one.take(moving, RUN)).then()
    given(Break, [OPENED]).when(lambda one: one.take(found(0).seen(START, in_motion=True), RUN)).then()


def test_the_same_residual_again_changes_nothing() -> None:
    given(Break, [OPENED]).when(lambda one: one.take(found(100), derive("later"))).then()


def test_another_residual_moves_the_break() -> None:
    later = derive("later")
    given(Break, [OPENED]).when(lambda one: one.take(found(30), later)).then(
        happened(Break.Moved, residual=Money(30), first_divergence=DIVERGENCE, run_id=later)
    )


def test_a_break_whose_residual_vanished_is_resolved() -> None:
    given(Break, [OPENED]).when(lambda one: one.take(found(0), RUN)).then(
        happened(Break.Resolved, how=Resolution.AGREES, run_id=RUN)
    )


def test_a_residual_that_items_explain_resolves_the_break() -> None:
    item = ExplainingItem(reason="in exception: X", amount=Money(100))
    given(Break, [OPENED]).when(lambda one: one.take(found(100, item), RUN)).then(
        happened(Break.Resolved, how=Resolution.AGREES, run_id=RUN)
    )


def test_sides_that_come_apart_again_open_the_next_occurrence() -> None:
    resolved = happened(Break.Resolved, how=Resolution.AGREES, run_id=RUN)
    given(Break, [OPENED, resolved]).when(lambda one: one.take(found(5), RUN)).then(
        happened(Break.Opened, place=PLACE, occurrence=2, residual=Money(5), first_divergence=DIVERGENCE, run_id=RUN)
    )


def test_a_person_explains_a_break_and_it_stays_open() -> None:
    explained = happened(Break.Explained, reason="bank holiday")
    given(Break, [OPENED]).when(lambda one: one.explain("bank holiday")).then(explained)
    assert break_after(OPENED, explained).is_open


def test_a_person_who_corrected_the_cause_ends_the_break() -> None:
    given(Break, [OPENED]).when(lambda one: one.correct("entry booked by hand")).then(
        happened(Break.Resolved, how=Resolution.CORRECTED, reason="entry booked by hand")
    )


@pytest.mark.parametrize("judge", [Break.explain, Break.correct, Break.request_write_off, Break.write_off])
def test_every_judgement_needs_a_reason_and_an_open_break(judge: Callable[[Break, str], None]) -> None:
    given(Break, [OPENED]).when(lambda one: judge(one, " x ")).then_refused(ReasonMissing)
    given(Break).when(lambda one: judge(one, "a good reason")).then_refused(BreakIsClosed)


def test_who_asks_for_a_write_off_does_not_approve_it() -> None:
    given(Break, [OPENED, REQUESTED], at=MAKER).when(lambda one: one.write_off("I said so")).then_refused(
        SamePerson, "another person"
    )


def test_another_person_approves_a_write_off() -> None:
    given(Break, [OPENED, REQUESTED], at=context(actor="user:checker")).when(
        lambda one: one.write_off("agreed, too small")
    ).then(
        happened(
            Break.WrittenOff,
            requested_by="user:maker",
            approved_by="user:checker",
            residual=Money(100),
            reason="agreed, too small",
        )
    )


def test_a_write_off_that_nobody_asked_for_is_refused() -> None:
    given(Break, [OPENED]).when(lambda one: one.write_off("out of the blue")).then_refused(NothingRequested)


def test_a_write_off_is_for_the_residual_it_was_asked_for() -> None:
    moved = happened(Break.Moved, residual=Money(90_000), first_divergence=None, run_id=RUN)
    given(Break, [OPENED, REQUESTED, moved], at=context(actor="user:checker")).when(
        lambda one: one.write_off("agreed, too small")
    ).then_refused(ResidualMoved, "100|900.00")


def written_off() -> Break:
    return break_after(
        OPENED,
        REQUESTED,
        happened(
            Break.WrittenOff,
            requested_by="user:maker",
            approved_by="user:checker",
            residual=Money(100),
            reason="agreed, too small",
        ),
    )


def test_what_was_written_off_explains_the_same_residual_from_then_on() -> None:
    one = written_off()
    assert one.state is BreakState.WRITTEN_OFF
    judged = less_written_off(found(100), one.written_off)
    assert judged.verdict is Verdict.EXPLAINED
    one.pending.clear()
    one.take(judged, RUN)
    assert one.pending == []


def test_more_than_was_written_off_opens_the_break_for_the_rest() -> None:
    one = written_off()
    one.take(less_written_off(found(130), one.written_off), RUN)
    assert (one.state, one.residual, one.occurrence) == (BreakState.OPENED, Money(30), 2)


def test_a_write_off_lapses_when_the_sides_agree_without_it() -> None:
    one = written_off()
    one.take(less_written_off(found(0), one.written_off), RUN)
    assert one.written_off == Money(0)
    one.take(less_written_off(found(100), one.written_off), RUN)
    assert (one.state, one.residual) == (BreakState.OPENED, Money(100))


def test_a_break_has_one_id_for_each_place() -> None:
    places: set[UUID] = {
        PLACE.break_id,
        PLACE.model_copy(update={"entity": "SOUTH"}).break_id,
        PLACE.model_copy(update={"party": "UNITY"}).break_id,
        PLACE.model_copy(update={"compared": Compared.BILLING_SUBLEDGER}).break_id,
        PLACE.model_copy(update={"control": Control.TRIAL_BALANCE}).break_id,
    }
    assert len(places) == 5


def test_items_beyond_fifty_are_summed_to_the_cent() -> None:
    items = [ExplainingItem(reason=f"item {place}", amount=Money(place)) for place in range(1, 101)]
    result = concluded(PLACE, Money(5050), Money(0), items)
    assert len(result.items) == 51
    assert result.items[-1].reason == "50 smaller items"
    assert result.unexplained == Money(0)
