"""What payers say of coverage: asked in real time, kept with where it is from, and never with PHI."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from canonical.money import Money
from chassis.eventstore.work import UnknownAggregate
from chassis.testing import context
from claims.application.ports import NotAnAnswer, TransportUnavailable
from claims.application.remaking import DetailsGone
from claims.application.verifying_coverage import (
    CoverageChecks,
    NoRealTimeWay,
    NotVerified,
    UnwritableQuestion,
    Verified,
)
from claims.domain.coverage import Active, CoverageVerification

from .inquiry_world import SWIFT, AskingClaims, acme
from .world import charged, claim_id, person

MEMBER = "M000001"


@pytest.fixture
def asking() -> AskingClaims:
    asking = AskingClaims(acme(transport=SWIFT), members=(MEMBER,))
    asking.service.receive(charged(1), charged(2), charged(3, payer="BLUEOAK"))
    return asking


def checks(asking: AskingClaims) -> CoverageChecks:
    return CoverageChecks(asking.questions(), max_age=timedelta(hours=24))


def verify(asking: AskingClaims, number: int = 1, *, refresh: bool = False) -> Verified:
    return checks(asking).verify(context(), claim_id(number), refresh=refresh)


def kept(asking: AskingClaims) -> list[CoverageVerification.Answered]:
    events = (entry.event for entry in asking.service.store.log(0, 10_000))
    return [event for event in events if isinstance(event, CoverageVerification.Answered)]


def test_a_known_member_is_active_with_what_is_left_to_pay(asking: AskingClaims) -> None:
    answer = verify(asking).answer

    assert (answer.active, answer.plan, answer.rejections) == (Active.YES, "GOLD 1500", ())
    assert (answer.deductible, answer.deductible_left) == (Money.of("1500.00"), Money.of("620.50"))
    assert (answer.copay, str(answer.coinsurance_percent)) == (Money.of("25.00"), "20")


def test_a_member_that_nobody_knows_is_neither_active_nor_inactive(asking: AskingClaims) -> None:
    answer = verify(asking, 2).answer

    assert (answer.active, answer.rejections, answer.deductible) == (Active.UNKNOWN, ("75",), None)


def test_an_answer_is_kept_with_where_it_is_from_and_given_again(asking: AskingClaims) -> None:
    first, second = verify(asking), verify(asking)

    assert (first.is_fresh, second.is_fresh, len(asking.exchange.desk.asked)) == (True, False, 1)
    assert (second.answer, second.proof) == (first.answer, first.proof)
    (question,) = asking.exchange.desk.asked
    assert first.proof.question_digest == hashlib.sha256(question).hexdigest()
    assert first.proof.trace.encode() in question
    assert (first.proof.clearinghouse, first.proof.asked_at) == (SWIFT, asking.service.clock.now)


def test_what_is_too_old_or_wanted_anew_is_asked_again_and_both_answers_stay(asking: AskingClaims) -> None:
    verify(asking)
    asking.service.clock.advance(hours=23)
    assert not verify(asking).is_fresh
    assert verify(asking, refresh=True).is_fresh
    asking.service.clock.advance(hours=25)
    assert verify(asking).is_fresh
    assert len({event.proof.trace for event in kept(asking)}) == 3


def test_nothing_that_is_kept_tells_who_it_is(asking: AskingClaims) -> None:
    verify(asking)

    (event,) = kept(asking)
    stored = event.model_dump_json()
    for secret in (MEMBER, "Sample", "Robin", "1980"):
        assert secret not in stored
        assert secret.upper().encode() in asking.exchange.desk.asked[0].upper()


def test_a_dependent_is_asked_about_under_its_subscriber(asking: AskingClaims) -> None:
    child = person(1)
    assert child.coverage is not None
    coverage = child.coverage.model_copy(update={"relationship": "19", "subscriber_given_name": "Parent"})
    asking.service.receive(charged(4, phi=child.model_copy(update={"coverage": coverage})))

    assert verify(asking, 4).answer.active is Active.YES
    assert b"HL*4*3*23*0~" in asking.exchange.desk.asked[0]


def test_a_payer_without_a_real_time_way_is_a_refusal(asking: AskingClaims) -> None:
    with pytest.raises(NoRealTimeWay, match="BLUEOAK is reached by 'files'"):
        verify(asking, 3)


def test_when_the_clearinghouse_is_away_nothing_is_kept(asking: AskingClaims) -> None:
    asking.exchange.is_away = True
    with pytest.raises(TransportUnavailable):
        verify(asking)
    assert kept(asking) == []


@pytest.mark.parametrize("number", [1, 2])
def test_an_answer_to_another_question_is_none(asking: AskingClaims, number: int) -> None:
    verify(asking)
    other = asking.exchange.desk.answer(asking.exchange.desk.asked[0])
    for wrong in (other, b"nonsense", other.replace(b"ST*271", b"ST*835")):
        asking.exchange.mixes_up = wrong
        with pytest.raises(NotAnAnswer):
            verify(asking, number, refresh=True)
    assert len(kept(asking)) == 1


def test_a_payer_that_cannot_answer_at_all_says_so_without_a_trace(asking: AskingClaims) -> None:
    verify(asking)
    whole = asking.exchange.desk.answer(asking.exchange.desk.asked[0])
    start, end = whole.index(b"HL*2*1*21"), whole.index(b"SE*")
    asking.exchange.mixes_up = whole[:start] + b"AAA*Y**42*R~SE*6*0001~" + whole[whole.index(b"GE*", end) :]

    answer = verify(asking, refresh=True).answer

    assert (answer.active, answer.rejections) == (Active.UNKNOWN, ("42",))


def test_what_makes_no_question_is_not_asked(asking: AskingClaims) -> None:
    odd = person(5)
    odd = odd.model_copy(update={"patient": odd.patient.model_copy(update={"family_name": "Müller*"})})
    asking.service.receive(charged(5, phi=odd))
    with pytest.raises(UnwritableQuestion, match="last_name"):
        verify(asking, 5)
    asking.service.vault.erased.add(charged(1).patient_id)
    with pytest.raises(DetailsGone):
        verify(asking)
    with pytest.raises(UnknownAggregate):
        verify(asking, 9)
    assert asking.exchange.desk.asked == []


def test_of_many_each_has_its_own_answer_and_nobody_is_asked_once_one_was_away(asking: AskingClaims) -> None:
    ids = [claim_id(number) for number in (1, 3, 2)]
    found = checks(asking).verify_many(context(), ids)
    assert [each.claim_id for each in found] == ids
    assert [each.code if isinstance(each, NotVerified) else "" for each in found] == ["", "NoRealTimeWay", ""]

    asking.service.clock.advance(hours=30)
    asking.exchange.is_away = True
    codes = [each.code for each in checks(asking).verify_many(context(), ids) if isinstance(each, NotVerified)]
    assert codes == ["TransportUnavailable"] * 3


def test_when_asking_about_many_takes_long_the_rest_is_told_to_come_again(asking: AskingClaims) -> None:
    answers = asking.exchange.desk.answer

    def slowly(question: bytes) -> bytes:
        asking.service.clock.advance(seconds=10)
        return answers(question)

    asking.exchange.ask = slowly  # type: ignore[method-assign]
    asking.service.receive(charged(4))
    found = checks(asking).verify_many(context(), [claim_id(number) for number in (1, 2, 4)])
    assert [each.code if isinstance(each, NotVerified) else "" for each in found] == ["", "", "OutOfTime"]
