"""Questions answered while somebody waits: coverage, and where claims stand."""

from __future__ import annotations

from datetime import date

import pytest
from sandbox.world.oracle import claim_of
from sandbox.world.payer import PAYER_SEED, Payers
from sandbox.world.real_time import AnswerDesk, answers_to
from sandbox.world.scenario import Scenario
from sandbox.world.x12_claims import Unreadable
from sandbox.world.x12_writing import Route, TransactionSet, interchange, segment

from .claim_files import NOW, claim_file, rows

CLAIM = claim_of(Scenario.small(date(2026, 11, 20)).billable[-1])
ROUTE = Route("TLNORTH", "ACMEEDI", 7, NOW)
PAYER = segment("NM1", "PR", "2", "ACME HEALTH PLAN", "", "", "", "", "PI", "900100001")


def coverage_question(member_id: str) -> bytes:
    body = [
        segment("BHT", "0022", "13", "B7", "20261120", "0830"),
        segment("HL", "1", "", "20", "1"),
        PAYER,
        segment("HL", "2", "1", "21", "1"),
        segment("NM1", "1P", "2", "CLINIC", "", "", "", "", "XX", "1900100003"),
        segment("HL", "3", "2", "22", "0"),
        segment("TRN", "1", "T-1", "1990010001"),
        segment("NM1", "IL", "1", "SAMPLE", "ROBIN", "", "", "", "MI", member_id),
        segment("DMG", "D8", "19800102", "F"),
        segment("DTP", "291", "D8", "20261120"),
        segment("EQ", "30"),
    ]
    return interchange(ROUTE, "HS", "005010X279A1", [TransactionSet("270", "005010X279A1", body)])


def status_question(*control_numbers: str) -> bytes:
    body = [
        segment("BHT", "0010", "13", "B8", "20261120", "0830"),
        segment("HL", "1", "", "20", "1"),
        PAYER,
        segment("HL", "2", "1", "21", "1"),
        segment("NM1", "41", "2", "CLINIC", "", "", "", "", "46", "TLNORTH"),
        segment("HL", "3", "2", "19", "1"),
        segment("NM1", "1P", "2", "CLINIC", "", "", "", "", "XX", "1900100003"),
        segment("HL", "4", "3", "22", "0"),
        segment("DMG", "D8", "19800102", "F"),
        segment("NM1", "IL", "1", "SAMPLE", "ROBIN", "", "", "", "MI", CLAIM.member_id),
    ]
    for place, number in enumerate(control_numbers, 1):
        body += [segment("TRN", "1", f"T-{place}"), segment("REF", "EJ", number), segment("AMT", "T3", "250")]
        body.append(segment("DTP", "472", "D8", "20261101"))
    return interchange(ROUTE, "HR", "005010X212", [TransactionSet("276", "005010X212", body)])


def statuses(content: bytes) -> list[str]:
    return [row[1] for row in rows(content, "STC")]


@pytest.fixture
def payers() -> Payers:
    return Payers(PAYER_SEED)


@pytest.fixture
def desk(payers: Payers) -> AnswerDesk:
    return AnswerDesk(payers, lambda: NOW, ["M1"])


@pytest.mark.parametrize(("member_id", "is_known"), [("M1", True), ("M2", False)])
def test_known_members_are_active_and_others_are_not_found(desk: AnswerDesk, member_id: str, is_known: bool) -> None:
    answer = desk.answer(coverage_question(member_id))

    assert rows(answer, "TRN") == [["TRN", "2", "T-1", "1990010001"]]
    assert bool(rows(answer, "EB")) is is_known
    assert [row[3] for row in rows(answer, "AAA")] == ([] if is_known else ["75"])


def test_whoever_a_payer_holds_a_claim_of_is_a_member(payers: Payers, desk: AnswerDesk) -> None:
    assert not rows(desk.answer(coverage_question(CLAIM.member_id)), "EB")
    payers.receive(claim_file([CLAIM]), NOW)
    assert rows(desk.answer(coverage_question(CLAIM.member_id)), "EB")


def test_a_claim_is_not_found_then_pending_and_then_paid(payers: Payers, desk: AnswerDesk) -> None:
    question = status_question(CLAIM.patient_control_number, "NEVERSENT")
    assert statuses(desk.answer(question)) == ["A4:35", "A4:35"]

    payers.receive(claim_file([CLAIM]), NOW)
    pending = desk.answer(question)
    assert statuses(pending) == ["P1:20", "A4:35"]

    payers.settle(NOW.date())
    decided = desk.answer(question)
    assert statuses(decided)[0] in ("F1:65", "F2:1")
    assert [row[2] for row in rows(decided, "TRN")] == ["T-1", "T-2"]
    assert [row[2] for row in rows(decided, "REF") if row[1] == "EJ"] == [CLAIM.patient_control_number, "NEVERSENT"]


def test_a_file_of_questions_is_answered_by_the_desk_and_one_of_claims_by_the_payers(
    payers: Payers, desk: AnswerDesk
) -> None:
    (answer,) = answers_to(status_question("NEVERSENT"), payers, desk, NOW)
    assert (answer.kind, answer.name) == ("277", "answer-900000001.277")
    assert "999" in [each.kind for each in answers_to(claim_file([CLAIM]), payers, desk, NOW)]


@pytest.mark.parametrize("content", [b"", b"ISA", claim_file([CLAIM]), status_question()])
def test_what_asks_nothing_is_unreadable(desk: AnswerDesk, content: bytes) -> None:
    with pytest.raises(Unreadable):
        desk.answer(content)
