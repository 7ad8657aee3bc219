"""With simulated payers at the other end: what we send is accepted, and what they pay is what the claims say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from io import BytesIO

from canonical.codes import AdjustmentGroup
from canonical.envelope import PublicEvent
from canonical.events.intake import ClaimStatusLine
from canonical.ids import derive
from canonical.remittance import ClaimAdjustment
from canonical.remittance import ClaimPayment as CanonicalPayment
from claims.application.queries import subledger_balances
from sandbox.world.misbehaviour import Misbehaviour
from sandbox.world.payer import Answer, AnswerKind, Payers
from x12.acknowledgement import ClaimAcknowledgement, GroupAcknowledgement, Outcome
from x12.reading import read
from x12.remittance import ClaimPayment

from .world import ClaimsUnderTest, acknowledged, charged, chunk


def payment_of(claim: ClaimPayment) -> CanonicalPayment:
    every = [*claim.adjustments, *(each for line in claim.lines for each in line.adjustments)]
    return CanonicalPayment(
        position=claim.index,
        patient_control_number=claim.patient_control_number,
        status=claim.status,
        charge=claim.charge,
        paid=claim.paid,
        patient_responsibility=claim.patient_responsibility,
        payer_control_number=claim.payer_control_number,
        adjustments=tuple(
            ClaimAdjustment(group=AdjustmentGroup(each.group), reason=each.reason, amount=each.amount) for each in every
        ),
    )


def events_in(answer: Answer) -> Iterable[PublicEvent]:
    """What intake would announce of an answer."""
    for event in read(BytesIO(answer.content)):
        if isinstance(event, GroupAcknowledgement):
            code = "A" if event.outcome is Outcome.ACCEPTED else "R"
            yield acknowledged("999", code, int(event.control_number))
        elif isinstance(event, ClaimAcknowledgement):
            yield ClaimStatusLine(
                message_id=derive("test-message", answer.name),
                patient_control_number=event.patient_control_number,
                accepted=event.outcome is Outcome.ACCEPTED,
                payer_control_number=event.payer_control_number,
                charge=charged().total,
            )


def test_payers_accept_what_is_sent_and_their_payments_add_up() -> None:
    service = ClaimsUnderTest().submitted(*range(1, 41))
    payers = Payers(5, misbehaviour=Misbehaviour())
    (content,) = service.transport.files.values()

    answers = payers.receive(content, service.clock())
    for answer in answers:
        if events := list(events_in(answer)):
            service.receive(*events)
    assert {answer.kind for answer in answers} == {AnswerKind.TA1, AnswerKind.IMPLEMENTATION, AnswerKind.CLAIM_STATUS}
    accepted = [number for number in range(1, 41) if service.claim(number)["state"] == "accepted"]
    assert len(accepted) > 30

    (remittance,) = payers.settle(date(2026, 3, 20))
    paid = [payment_of(each) for each in read(BytesIO(remittance.content)) if isinstance(each, ClaimPayment)]
    service.receive(chunk(*paid))

    assert len(paid) == len(accepted)
    (balance,) = subledger_balances(service.store, "NORTH").by_payer
    assert balance.shares.paid == remittance.amount
    assert balance.unknown_paid.minor == 0
    decided = [service.claim(number) for number in accepted]
    assert {row["state"] for row in decided} <= {"adjudicated", "denied"}
    assert balance.shares.open.minor == 25_000 * (40 - len(accepted))
