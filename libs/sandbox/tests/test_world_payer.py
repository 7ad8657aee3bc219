"""The payers: they read 837s strictly, answer in valid X12, and pay remittances that balance to the cent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest
from canonical.codes import AdjustmentGroup, ClaimType
from canonical.money import Money, parse_x12_amount
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox.world.adjudication import PayerRules, adjudicate
from sandbox.world.bulk import generate_remittance
from sandbox.world.desk import UNKNOWN_PATIENT_CONTROL_NUMBER
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.oracle import claim_of, expected_outcomes, expected_totals
from sandbox.world.payer import (
    PAYER_SEED,
    Answer,
    Payers,
    remittance_answer,
)
from sandbox.world.received_claims import ReceivedClaim
from sandbox.world.remittances import Remittance, corrupted, in_other_layout
from sandbox.world.scenario import Scenario

from .claim_files import NOW, claim_file, is_valid, rows

TODAY = date(2026, 11, 20)
DEMO = Scenario.demo(TODAY)
CLAIMS = [claim_of(encounter) for encounter in DEMO.billable]
NO_CHANCE = PayerRules(rejected_percent=0)


def kinds(answers: Iterable[Answer]) -> list[str]:
    return [answer.kind.value for answer in answers]


def is_balanced(content: bytes) -> bool:
    """The three levels, from the bytes alone."""
    paid = charged = Money(0)
    claims: list[list[Money]] = []
    for row in (each.split("*") for each in content.decode().split("~")):
        if row[0] == "CLP":
            claims.append([parse_x12_amount(row[3]), parse_x12_amount(row[4]), Money(0)])
            line = None
        elif row[0] == "SVC":
            line = [parse_x12_amount(row[2]), parse_x12_amount(row[3])]
            charged, paid = charged + line[0], paid + line[1]
        elif row[0] == "CAS":
            taken = Money.total(parse_x12_amount(amount) for amount in row[3::3])
            claims[-1][2] += taken
    total = parse_x12_amount(rows(content, "BPR")[0][2])
    whole = all(charge - taken == paid_amount for charge, paid_amount, taken in claims)
    return whole and total == Money.total(claim[1] for claim in claims) and lines_balance(content)


def lines_balance(content: bytes) -> bool:
    left: Money | None = None
    for row in (each.split("*") for each in content.decode().split("~")):
        if row[0] in ("SVC", "CLP", "SE"):
            if left:
                return False
            left = parse_x12_amount(row[2]) - parse_x12_amount(row[3]) if row[0] == "SVC" else None
        elif row[0] == "CAS" and left is not None:
            left -= Money.total(parse_x12_amount(amount) for amount in row[3::3])
    return True


def settled(misbehaviour: Misbehaviour | None = None, claims: list[ReceivedClaim] | None = None) -> list[Remittance]:
    payers = Payers(PAYER_SEED, misbehaviour=misbehaviour, rules=NO_CHANCE)
    payers.receive(claim_file(claims or CLAIMS), NOW)
    return payers.settle(TODAY)


def test_a_good_interchange_is_answered_by_ta1_999_and_277ca() -> None:
    answers = Payers(PAYER_SEED).receive(claim_file(CLAIMS[:5]), NOW)
    assert kinds(answers) == ["ta1", "999", "277ca"]
    assert rows(answers[0].content, "TA1") == [["TA1", "000000001", "261120", "0830", "A", "000"]]
    assert rows(answers[1].content, "AK9") == [["AK9", "A", "1", "1", "1"]]


def test_every_answer_is_valid_x12_for_pyx12() -> None:
    payers = Payers(PAYER_SEED, rules=PayerRules(rejected_percent=20))
    answers = payers.receive(claim_file(CLAIMS[:40]), NOW)
    remittances = [remittance_answer(each) for each in payers.settle(TODAY)]
    assert len(remittances) == 8
    for answer in answers[1:] + remittances:
        assert is_valid(answer.content), answer.name


def test_the_277ca_names_every_claim_once_with_its_payer_control_number() -> None:
    content = Payers(PAYER_SEED, rules=NO_CHANCE).receive(claim_file(CLAIMS[:10]), NOW)[2].content
    named = [row[2] for row in rows(content, "TRN") if row[1] == "2"][1:]
    assert sorted(named) == [claim.patient_control_number for claim in CLAIMS[:10]]
    assert len({row[2] for row in rows(content, "REF")}) == 10
    assert rows(content, "QTY") == [["QTY", "90", "10"], ["QTY", "QA", "4"], ["QTY", "QA", "6"]]


def test_some_claims_are_rejected_at_the_door_by_rule_and_never_paid() -> None:
    payers = Payers(PAYER_SEED, rules=PayerRules(rejected_percent=30))
    payers.receive(claim_file(CLAIMS[:60]), NOW)
    rejected = {verdict.claim.patient_control_number for verdict in payers.verdicts if not verdict.accepted}
    payers.settle(TODAY)
    assert 5 < len(rejected) < 40
    assert rejected.isdisjoint(payers.decisions)
    assert len(payers.decisions) == 60 - len(rejected)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("900100001", "123456789", "A3:116"),
        ("1900100003", "1999999999", "A7:562:85"),
        ("*MI*{}", "", "A7:164:IL"),
        ("CLM*V2026000001*", "CLM*V2026000001*9", "A7:178"),
    ],
)
def test_a_faulty_claim_is_rejected_with_the_status_of_its_fault(old: str, new: str, status: str) -> None:
    claim = next(each for each in CLAIMS if each.payer_identifier == "900100001" and each.billing_npi == "1900100003")
    content = claim_file([claim]).decode().replace("CLM*" + claim.patient_control_number, "CLM*V2026000001")
    content = content.replace(old.format(claim.member_id), new)
    answers = Payers(PAYER_SEED, rules=NO_CHANCE).receive(content.encode(), NOW)
    assert [row[1] for row in rows(answers[2].content, "STC")][-1] == status


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("~SE*", "~SE*1", [["IK5", "R", "4"]]),
        ("GE*1*1", "GE*1*2", [["IK5", "R", "3"]]),
    ],
)
def test_wrong_counts_reject_the_set_and_no_claim_is_taken(old: str, new: str, expected: list[list[str]]) -> None:
    payers = Payers(PAYER_SEED)
    answers = payers.receive(claim_file(CLAIMS[:3]).decode().replace(old, new).encode(), NOW)
    assert kinds(answers) == ["ta1", "999"]
    assert rows(answers[1].content, "IK5") == expected
    assert payers.settle(TODAY) == []


def test_wrong_trailer_number_rejects_the_interchange() -> None:
    content = claim_file(CLAIMS[:1]).replace(b"IEA*1*000000001", b"IEA*1*000000002")
    answers = Payers(PAYER_SEED).receive(content, NOW)
    assert [row[4:] for row in rows(answers[0].content, "TA1")] == [["R", "001"]]


def test_the_same_interchange_twice_is_taken_once() -> None:
    payers = Payers(PAYER_SEED, rules=NO_CHANCE)
    payers.receive(claim_file(CLAIMS[:3]), NOW)
    answers = payers.receive(claim_file(CLAIMS[:3]), NOW)
    assert [row[4:] for row in rows(answers[0].content, "TA1")] == [["R", "025"]]
    payers.settle(TODAY)
    assert len(payers.decisions) == 3


def test_a_claim_sent_again_in_another_interchange_is_rejected_as_duplicate() -> None:
    payers = Payers(PAYER_SEED, rules=NO_CHANCE)
    payers.receive(claim_file(CLAIMS[:1]), NOW)
    answers = payers.receive(claim_file(CLAIMS[:1], control_number=2), NOW)
    assert rows(answers[2].content, "STC")[-1][1] == "A3:54"


@pytest.mark.parametrize(("target", "expected"), [("ta1", ["ta1"]), ("999", ["ta1", "999"])])
def test_an_interchange_or_set_is_rejected_when_told_to(target: str, expected: list[str]) -> None:
    faults = Misbehaviour()
    faults.request(Fault.REJECT, target=target)
    assert kinds(Payers(PAYER_SEED, misbehaviour=faults).receive(claim_file(CLAIMS[:1]), NOW)) == expected
    assert faults.open_requests == ()


def test_bytes_without_a_header_are_kept_and_not_answered() -> None:
    payers = Payers(PAYER_SEED)
    assert payers.receive(b"hello", NOW) == []
    assert payers.unreadable == [b"hello"]


def test_remittances_are_per_payer_and_entity_and_balance_at_three_levels() -> None:
    remittances = settled()
    assert len({(each.payer.code, each.entity.code) for each in remittances}) == 8
    assert len({each.trace_number for each in remittances}) == len(remittances)
    assert all(is_balanced(each.content) for each in remittances)
    assert all(each.trace_company == rows(each.content, "TRN")[0][3] for each in remittances)


def test_a_remittance_echoes_our_claim_and_line_numbers() -> None:
    sent = {claim.patient_control_number: claim for claim in CLAIMS}
    for remittance in settled():
        by_case = {paid.decision.claim.patient_control_number for paid in remittance.claims if not paid.decision.lines}
        assert all(sent[number].is_inpatient for number in by_case)
        numbers = [row[1] for row in rows(remittance.content, "CLP") if row[1] not in by_case]
        lines = [line.control_number for number in numbers for line in sent[number].lines]
        assert [row[2] for row in rows(remittance.content, "REF")[1:]] == lines


def test_stays_are_paid_by_the_case_or_by_line_and_rooms_under_their_revenue_code() -> None:
    remittances = settled(claims=[claim for claim in CLAIMS if claim.is_inpatient])
    by_case = {not paid.decision.lines for remittance in remittances for paid in remittance.claims}
    assert by_case == {True, False}
    services = [row for remittance in remittances for row in rows(remittance.content, "SVC")]
    assert {row[1] for row in services if row[1].startswith("NU")} == {"NU:0120", "NU:0250"}
    assert {(row[1], row[4]) for row in services if row[1].startswith("HC")} == {
        ("HC:80053", "0301"),
        ("HC:70450", "0351"),
    }
    stays = [row for remittance in remittances for row in rows(remittance.content, "CLP")]
    assert {(row[8], row[11]) for row in stays} <= {("11", drg) for drg in ("343", "322", "195")}
    assert sum(len(rows(each.content, "MIA")) for each in remittances) == len(stays) >= 5


def test_dental_lines_are_paid_under_their_own_code_set() -> None:
    remittances = settled(claims=[claim for claim in CLAIMS if claim.claim_type is ClaimType.DENTAL])
    services = [row[1] for remittance in remittances for row in rows(remittance.content, "SVC")]
    assert services
    assert all(each.startswith("AD:D") for each in services)


def test_the_demo_sees_full_payments_denials_and_all_three_patient_shares() -> None:
    payers = Payers(PAYER_SEED)
    payers.receive(claim_file(CLAIMS), NOW)
    payers.settle(TODAY)
    decisions = list(payers.decisions.values())
    reasons = {adjustment.reason for decision in decisions for adjustment in decision.adjustments}
    assert reasons == {"45", "50", "197", "1", "2", "3"}
    assert any(decision.paid == decision.claim.charge for decision in decisions)
    assert any(decision.claim_adjustments for decision in decisions)
    assert {decision.status for decision in decisions} == {"1", "4"}


def test_the_small_story_sees_one_denial_one_full_payment_and_every_patient_share() -> None:
    decisions = [each.decision for each in expected_outcomes(Scenario.small(TODAY), PAYER_SEED)]
    assert sum(decision.denied for decision in decisions) == 1
    assert sum(decision.paid == decision.claim.charge for decision in decisions) == 1
    assert {"1", "2", "3"} <= {each.reason for decision in decisions for each in decision.adjustments}


def test_the_oracle_foretells_what_the_payers_then_pay() -> None:
    payers = Payers(PAYER_SEED)
    payers.receive(claim_file(CLAIMS), NOW)
    paid: dict[tuple[str, str], Money] = {}
    for remittance in payers.settle(TODAY):
        key = (remittance.entity.code, remittance.payer.code)
        paid[key] = paid.get(key, Money(0)) + remittance.amount
    totals = expected_totals(expected_outcomes(DEMO, PAYER_SEED))
    assert paid == {key: each.paid for key, each in totals.items()}
    for each in totals.values():
        assert (
            each.charge == each.rejected + each.paid + each.contractual + each.patient + each.denied + each.sequestered
        )


def test_decisions_do_not_depend_on_order_or_on_the_numbers_of_the_biller() -> None:
    claim = CLAIMS[0]
    first, second = Payers(PAYER_SEED, rules=NO_CHANCE), Payers(PAYER_SEED, rules=NO_CHANCE)
    first.receive(claim_file(CLAIMS[:20]), NOW)
    second.receive(claim_file(reversed(CLAIMS[:20])), NOW)
    first.settle(TODAY)
    second.settle(TODAY)
    assert first.decisions == second.decisions
    assert first.decisions[claim.patient_control_number].paid == second.decisions[claim.patient_control_number].paid


@settings(max_examples=60)
@given(st.integers(0, 1_000_000), st.sampled_from(CLAIMS), st.sampled_from(sandbox_master_data().payers))
def test_every_decision_adds_up_by_line_and_claim(seed: int, claim: ReceivedClaim, payer: object) -> None:
    decision = adjudicate(claim, payer, seed, PayerRules(claim_level_percent=50))  # type: ignore[arg-type]
    for line in decision.lines:
        assert line.line.charge - Money.total(each.amount for each in line.adjustments) == line.paid
        assert line.paid >= Money(0)
    assert decision.paid >= Money(0)
    assert (
        decision.taken_off(AdjustmentGroup.CONTRACTUAL) + decision.patient_responsibility + decision.paid
        == claim.charge
    )


def test_one_cent_corrupts_a_line_or_an_adjustment_and_keeps_the_faithful_bytes() -> None:
    faults = Misbehaviour()
    faults.request(Fault.CORRUPT_ONE_CENT, target="ACME")
    remittances = settled(faults)
    bad = [each for each in remittances if each.content != each.faithful_content]
    assert [each.payer.code for each in bad] == ["ACME"]
    assert not is_balanced(bad[0].content)
    assert is_balanced(bad[0].faithful_content)
    assert not is_balanced(corrupted(remittances[-1], "CAS", 2).content)


def test_another_layout_is_other_bytes_and_the_same_segments() -> None:
    content = settled()[0].content
    assert in_other_layout(content) != content
    assert in_other_layout(content).replace(b"\r\n", b"") == content


def test_an_unknown_claim_is_added_to_a_remittance_that_still_balances() -> None:
    faults = Misbehaviour()
    faults.request(Fault.UNKNOWN_CLAIM, target="MEDICARE")
    with_unknown = [each for each in settled(faults) if UNKNOWN_PATIENT_CONTROL_NUMBER.encode() in each.content]
    assert [each.payer.code for each in with_unknown] == ["MEDICARE"]
    assert is_balanced(with_unknown[0].content)


def test_a_remittance_of_denials_only_is_a_notification_without_payment() -> None:
    payers = Payers(PAYER_SEED, rules=PayerRules(rejected_percent=0, denied_percent=100))
    payers.receive(claim_file(CLAIMS[:1]), NOW)
    remittance = payers.settle(TODAY)[0]
    assert rows(remittance.content, "BPR")[0][:5] == ["BPR", "H", "0", "C", "NON"]
    assert remittance.amount == Money(0)


def test_many_claims_are_split_over_remittances_of_the_size_asked_for() -> None:
    payers = Payers(PAYER_SEED, rules=NO_CHANCE, claims_per_remittance=10)
    payers.receive(claim_file(CLAIMS), NOW)
    sizes = [len(each.claims) for each in payers.settle(TODAY)]
    assert max(sizes) == 10
    assert sum(sizes) == len(CLAIMS)


def test_a_generated_remittance_has_as_many_claims_as_asked_and_balances() -> None:
    numbers = [f"PCN{number}" for number in range(500)]
    remittance = generate_remittance(500, TODAY, control_numbers=numbers)
    assert [row[1] for row in rows(remittance.content, "CLP")] == numbers
    assert is_balanced(remittance.content)
    assert generate_remittance(500, TODAY, control_numbers=numbers).content == remittance.content
