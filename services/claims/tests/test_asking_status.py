"""Payers that stay silent are asked where claims stand: 276 in real time or as a file, once in so many days."""

from __future__ import annotations

from uuid import UUID

import pytest
from canonical.events.intake import ClaimStatusReported
from canonical.ids import derive
from chassis.eventstore import Work
from chassis.exceptions import ExceptionCase
from chassis.exceptions.case import CaseState
from chassis.testing.contexts import context
from claims.application.ports import RefusedByClearinghouse, TransportUnavailable
from claims.application.read_models import CLAIMS
from claims.domain.claim import Claim
from claims.domain.status_inquiry import StatusInquiry
from sandbox.world.x12_writing import amount_text

from .inquiry_world import SWIFT, AskingClaims, acme
from .world import (
    ClaimsUnderTest,
    MemoryTransport,
    acknowledged,
    charged,
    chunk,
    claim_id,
    control_number,
    paid,
    person,
    status,
)

DAYS = 14


def silent(*numbers: int, in_real_time: bool = False) -> AskingClaims:
    """Claims that were sent to a payer which is asked after fourteen days of silence."""
    asking = AskingClaims(acme(transport=SWIFT, status_inquiry_days=DAYS), in_real_time=in_real_time)
    asking.service.submitted(*numbers)
    return asking


def asked(asking: AskingClaims) -> list[Claim.StatusAsked]:
    events = (entry.event for entry in asking.service.store.log(0, 10_000))
    return [event for event in events if isinstance(event, Claim.StatusAsked)]


def test_nobody_is_asked_before_the_days_are_over() -> None:
    asking = silent(1)
    asking.service.clock.advance(days=DAYS, seconds=-1)
    asking.service.sweep()
    assert asking.asked_files() == []

    asking.service.clock.advance(minutes=1)
    asking.service.sweep()
    (question,) = asking.asked_files()
    assert b"REF*EJ*" + control_number(1).encode() + b"~" in question
    assert b"AMT*T3*250~" in question


def test_a_payer_without_days_is_never_asked() -> None:
    asking = AskingClaims(acme(transport=SWIFT))
    asking.service.submitted(1)
    asking.service.clock.advance(days=400)
    asking.service.sweep()
    assert asking.asked_files() == []


def test_claims_of_one_payer_are_asked_about_together_and_each_knows_its_trace() -> None:
    asking = silent(1, 2, 3)
    asking.service.clock.advance(days=DAYS)
    asking.service.sweep()

    (question,) = asking.asked_files()
    assert question.count(b"TRN*1*") == 3
    traces = {event.trace for event in asked(asking)}
    assert len(traces) == 3
    assert all(f"TRN*1*{trace}~".encode() in question for trace in traces)
    assert {event.way for event in asked(asking)} == {SWIFT}


def test_a_claim_is_asked_about_once_in_so_many_days() -> None:
    asking = silent(1)
    for _ in range(4 * DAYS):
        asking.service.clock.advance(hours=12)
        asking.service.sweep()
    assert len(asking.asked_files()) == 2
    assert len(asked(asking)) == 2


def test_an_acceptance_starts_the_days_anew_and_a_decision_ends_them() -> None:
    asking = silent(1, 2)
    asking.service.clock.advance(days=DAYS - 1)
    asking.service.receive(status(1))
    asking.service.receive(chunk(paid(2)))
    asking.service.clock.advance(days=DAYS - 1)
    asking.service.sweep()
    assert asking.asked_files() == []

    asking.service.clock.advance(days=1)
    asking.service.sweep()
    assert [event.originator_id for event in asked(asking)] == [claim_id(1)]


def test_in_real_time_each_is_asked_alone_and_the_answers_go_to_intake() -> None:
    asking = silent(1, 2, in_real_time=True)
    for content in asking.transport.files.values():
        asking.payers.receive(content, asking.service.clock.now)
    asking.service.clock.advance(days=DAYS)
    asking.service.sweep()

    assert asking.asked_files() == []
    assert [name for name, _ in asking.kept] == [SWIFT, SWIFT]
    answers = [answer.content for _, answer in asking.kept]
    assert all(b"STC*P1:20*" in content and b"ST*277*" in content for content in answers)
    assert len({answer.name for _, answer in asking.kept}) == 2
    assert all(f"*{amount_text(charged().total)}*" in content.decode() for content in answers)


def test_a_clearinghouse_that_is_away_is_asked_with_the_next_run() -> None:
    asking = silent(1, in_real_time=True)
    asking.exchange.is_away = True
    asking.service.clock.advance(days=DAYS)
    with pytest.raises(TransportUnavailable):
        asking.service.sweep()
    assert asked(asking) == []

    asking.exchange.is_away = False
    asking.service.sweep()
    assert len(asked(asking)) == 1


def test_what_may_not_have_arrived_is_asked_again_under_another_number() -> None:
    asking = silent(1)
    asking.service.clock.advance(days=DAYS)
    asking.transport.swallows_reply = True
    with pytest.raises(TransportUnavailable):
        asking.service.sweep()
    asking.transport.swallows_reply = False
    asking.service.sweep()
    assert len(asking.asked_files()) == 2
    assert len(asked(asking)) == 1


def dismiss(service: ClaimsUnderTest, case_id: UUID) -> None:
    work = Work(service.store, context(now=service.clock.now))
    work.require(ExceptionCase, case_id).end(CaseState.DISMISSED, "the payer answers by telephone")
    work.commit()


def test_a_question_that_nobody_takes_is_a_persons_matter_and_not_repeated_at_once() -> None:
    asking = silent(1, 2, in_real_time=True)

    def refuse(question: bytes) -> bytes:
        raise RefusedByClearinghouse("HTTP 404")

    asking.exchange.ask = refuse  # type: ignore[method-assign]
    asking.service.clock.advance(days=DAYS)
    asking.service.sweep()
    asking.service.sweep()

    assert [event.way for event in asked(asking)] == ["refused", "refused"]
    assert {case["code"] for case in asking.service.cases()} == {"StatusNotAsked"}
    assert len(asking.service.cases()) == 2


def test_a_claim_that_makes_no_question_keeps_no_other_from_being_asked_about() -> None:
    asking = silent(1, 2, 3)
    asking.service.vault.erased.add(charged(2).patient_id)
    asking.service.clock.advance(days=DAYS)
    asking.service.sweep()

    (question,) = asking.asked_files()
    assert question.count(b"TRN*1*") == 2
    by_claim = {event.originator_id: event for event in asked(asking)}
    assert by_claim[claim_id(2)].way == "refused"
    assert all(f"TRN*1*{by_claim[claim_id(n)].trace}~".encode() in question for n in (1, 3))
    (case,) = asking.service.cases()
    assert (case["code"], case["subject_id"]) == ("StatusNotAsked", claim_id(2))


def test_a_person_is_told_again_where_it_comes_back_after_they_closed_it_and_not_while_it_is_open() -> None:
    asking = silent(1)
    asking.service.vault.erased.add(charged(1).patient_id)
    for is_closed_before in (False, False, True, True, False):
        if is_closed_before:
            (case,) = asking.service.cases(state="open")
            dismiss(asking.service, case["case_id"])
        asking.service.clock.advance(days=DAYS)
        asking.service.sweep()
        assert len(asking.service.cases(state="open")) == 1

    assert sorted(case["state"] for case in asking.service.cases()) == ["dismissed", "dismissed", "open"]
    assert len(asked(asking)) == 5


def test_a_dependent_is_asked_about_under_its_subscriber() -> None:
    child = person(1)
    assert child.coverage is not None
    coverage = child.coverage.model_copy(update={"relationship": "19", "subscriber_given_name": "Parent"})
    asking = AskingClaims(acme(transport=SWIFT, status_inquiry_days=DAYS), in_real_time=False)
    asking.service.receive(charged(1, phi=child.model_copy(update={"coverage": coverage})))
    asking.service.sweep()
    asking.service.clock.advance(days=DAYS)
    asking.service.sweep()
    (question,) = asking.asked_files()
    assert b"NM1*QC*1*" in question


def test_a_receiver_that_cannot_read_our_questions_is_a_case_and_one_that_can_is_none() -> None:
    asking = silent(1)
    asking.service.clock.advance(days=DAYS)
    asking.service.sweep()
    asking.service.receive(acknowledged("TA1", "A", 2), acknowledged("999", "A", 2))
    assert asking.service.cases() == []

    asking.service.receive(acknowledged("999", "R", 2), acknowledged("TA1", "R", 2))
    (case,) = asking.service.cases()
    assert case["code"] == "StatusInquiryRefused"
    events = [entry.event for entry in asking.service.store.log(0, 10_000)]
    assert sum(isinstance(event, StatusInquiry.Refused) for event in events) == 1


def test_an_answer_is_kept_on_the_claim_and_ends_the_silence() -> None:
    asking = silent(1)
    asking.service.clock.advance(days=DAYS)
    asking.service.sweep()
    (event,) = asked(asking)
    reported = ClaimStatusReported(
        message_id=derive("test-277", 1),
        patient_control_number=control_number(1),
        inquiry_reference=event.trace,
        category_codes=("P1",),
        status_codes=("20",),
    )
    asking.service.clock.advance(days=DAYS - 1)
    asking.service.receive(reported)
    asking.service.clock.advance(days=DAYS - 1)
    asking.service.sweep()

    assert len(asking.asked_files()) == 1
    (row,) = asking.service.store.rows(CLAIMS, {"claim_id": claim_id(1)})
    assert row["reported_status"] == "P1 20"


def test_a_way_that_the_settings_do_not_have_is_a_persons_matter() -> None:
    asking = silent(1)
    lost = acme(transport="nowhere", status_inquiry_days=DAYS)
    service = ClaimsUnderTest(lost, asking.service.store, {"files": MemoryTransport()}, asking.inquiring)
    service.clock.advance(days=DAYS)
    service.sweep()
    assert [case["code"] for case in service.cases()] == ["StatusNotAsked"]


def test_what_is_due_is_looked_for_once_a_minute_however_often_the_sweep_is_woken() -> None:
    asking = silent(1)
    asking.service.clock.advance(days=DAYS, seconds=-30)
    asking.service.sweep()
    asking.service.clock.advance(seconds=59)
    asking.service.sweep()
    assert asking.asked_files() == []

    asking.service.clock.advance(seconds=1)
    asking.service.sweep()
    assert len(asking.asked_files()) == 1


@pytest.mark.parametrize(
    ("category", "needs_a_person"),
    [
        ("P1", False),
        ("F1", False),
        ("A1", False),
        ("A2", False),
        ("A4", True),
        ("A7", True),
        ("D0", True),
        ("R4", True),
    ],
)
def test_where_waiting_will_not_help_a_person_is_told_once(category: str, needs_a_person: bool) -> None:
    asking = silent(1)
    reported = ClaimStatusReported(
        message_id=derive("test-277", 1),
        patient_control_number=control_number(1),
        category_codes=(category,),
        status_codes=("35",),
    )
    asking.service.receive(reported)
    asking.service.receive(reported.model_copy(update={"message_id": derive("test-277", 2)}))

    assert [case["code"] for case in asking.service.cases()] == ["StatusNeedsWork"] * needs_a_person


def test_what_a_payer_has_decided_needs_nobody_for_an_older_word() -> None:
    asking = silent(1)
    asking.service.receive(chunk(paid(1)))
    asking.service.receive(
        ClaimStatusReported(
            message_id=derive("test-277", 1), patient_control_number=control_number(1), category_codes=("A4",)
        )
    )
    assert asking.service.cases() == []
