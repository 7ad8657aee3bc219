"""The life of one interchange, and the numbers it goes by."""

from __future__ import annotations

from typing import Any

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.testing import FixedClock, given, happened
from claims.application.reactions import content_of
from claims.domain.control_numbers import (
    CONTROL_NUMBER_MAX,
    ControlNumbers,
    ControlNumbersExhausted,
    interchange_id_of,
)
from claims.domain.interchange import (
    ContradictingAcknowledgement,
    Interchange,
    InterchangeState,
    OtherBytesSent,
    word_of,
)
from claims.domain.interchange_order import going_together, order_of, parties_of

from .world import MASTER_DATA, charged

CONTENT = content_of(charged())
PARTIES = parties_of(CONTENT, MASTER_DATA)
ORDER = order_of([CONTENT], [PARTIES], "000000007", FixedClock().now, production=False)
CLAIM_IDS = (derive("test-claim", 1), derive("test-claim", 2))
TOTAL = Money.of("500.00")
INTENDED = happened(Interchange.Intended, order=ORDER, claim_ids=CLAIM_IDS, total=TOTAL, digest="d1")
UNCERTAIN = happened(Interchange.BecameUncertain, why="no reply")


def sent(proof: str) -> Any:
    return happened(
        Interchange.Sent,
        proof=proof,
        control_number="000000007",
        entity="NORTH",
        payer="ACME",
        claim_count=2,
        total=TOTAL,
    )


def decided(state: InterchangeState, kind: str = "999", code: str = "A") -> Any:
    return happened(Interchange.Decided, state=state, acknowledgement=kind, code=code)


ACCEPTED = decided(InterchangeState.ACCEPTED)
TAKEN = happened(Interchange.Acknowledged, code="A")


def accept(interchange: Interchange) -> object:
    return interchange.decide(InterchangeState.ACCEPTED, "999", "A")


def test_an_interchange_is_intended_and_then_sent_once() -> None:
    given(Interchange).when(lambda i: i.intend(ORDER, CLAIM_IDS, TOTAL, "d1")).then(INTENDED)
    given(Interchange, [INTENDED]).when(lambda i: i.confirm_sent("sent")).then(sent("sent"))
    given(Interchange, [INTENDED, sent("sent")]).when(lambda i: i.confirm_sent("found")).then()


def test_an_unknown_outcome_is_a_state_that_a_probe_ends() -> None:
    given(Interchange, [INTENDED]).when(lambda i: i.doubt("no reply")).then(UNCERTAIN)
    given(Interchange, [INTENDED, UNCERTAIN]).when(lambda i: i.doubt("no reply")).then()
    given(Interchange, [INTENDED, sent("found")]).when(lambda i: i.doubt("no reply")).then()
    given(Interchange, [INTENDED, UNCERTAIN]).when(lambda i: i.confirm_sent("found")).then(sent("found"))


def test_an_acknowledgement_proves_the_sending() -> None:
    given(Interchange, [INTENDED]).when(lambda i: i.acknowledge_envelope("A")).then(sent("acknowledged"), TAKEN)
    given(Interchange, [INTENDED, UNCERTAIN]).when(accept).then(sent("acknowledged"), ACCEPTED)


def test_a_ta1_after_the_999_tells_nothing_new() -> None:
    given(Interchange, [INTENDED, sent("sent"), ACCEPTED]).when(lambda i: i.acknowledge_envelope("A")).then()


def test_the_same_word_again_changes_nothing() -> None:
    given(Interchange, [INTENDED, sent("sent"), ACCEPTED]).when(accept).then()
    given(Interchange, [INTENDED, sent("sent"), TAKEN]).when(lambda i: i.acknowledge_envelope("A")).then()


def test_an_acknowledgement_against_an_earlier_one_is_refused() -> None:
    rejected = decided(InterchangeState.REJECTED, "TA1", "R")

    given(Interchange, [INTENDED, sent("sent"), rejected]).when(accept).then_refused(ContradictingAcknowledgement)


def test_other_bytes_under_the_name_are_refused() -> None:
    given(Interchange, [INTENDED]).when(lambda i: i.refuse_other_bytes("d2")).then_refused(OtherBytesSent)
    given(Interchange, [INTENDED]).when(lambda i: i.refuse_other_bytes("d1")).then()


@pytest.mark.parametrize(
    ("code", "rejected_sets", "word"),
    [
        ("A", (), InterchangeState.ACCEPTED),
        ("E", (), InterchangeState.ACCEPTED),
        ("P", (), InterchangeState.PARTIALLY),
        ("P", ("0001",), InterchangeState.REJECTED),
        ("R", (), InterchangeState.REJECTED),
        ("M", (), InterchangeState.REJECTED),
        ("X", (), InterchangeState.REJECTED),
    ],
)
def test_what_a_999_says_of_our_single_set(code: str, rejected_sets: tuple[str, ...], word: InterchangeState) -> None:
    assert word_of(code, rejected_sets) is word


def test_control_numbers_have_nine_digits_and_are_given_once() -> None:
    numbers = given(ControlNumbers).aggregate

    assert [numbers.issue() for _ in range(3)] == ["000000001", "000000002", "000000003"]


def test_looking_at_the_next_number_does_not_take_it() -> None:
    numbers = given(ControlNumbers).aggregate

    assert numbers.next_number == numbers.next_number == numbers.issue()


def test_after_the_last_number_none_is_used_again() -> None:
    history = [happened(ControlNumbers.Issued, number=CONTROL_NUMBER_MAX)]

    given(ControlNumbers, history).when(ControlNumbers.issue).then_refused(ControlNumbersExhausted)


def test_a_snapshot_of_the_numbers_loses_none() -> None:
    numbers = given(ControlNumbers, [happened(ControlNumbers.Issued, number=41)]).aggregate
    restored = given(ControlNumbers).aggregate

    restored.restore(numbers.snapshot().model_dump_json().encode())

    assert restored.issue() == "000000042"


def test_leading_zeros_of_an_acknowledged_number_do_not_matter() -> None:
    assert interchange_id_of("7") == interchange_id_of("000000007") != interchange_id_of("70")
    assert interchange_id_of("not a number") != interchange_id_of("")


def test_claims_whose_parties_differ_do_not_share_an_interchange() -> None:
    renamed = PARTIES.model_copy(update={"payer": PARTIES.payer.model_copy(update={"name": "ACME OLD"})})
    moved = PARTIES.model_copy(update={"provider": PARTIES.provider.model_copy(update={"taxonomy": "208D00000X"})})

    assert going_together([PARTIES, renamed, PARTIES, moved]) == [0, 2]
