"""Replacements and voids: what the payer has is named by its own number, and the bytes say so."""

from __future__ import annotations

import pytest
from canonical.codes import ClaimFrequency
from chassis.domain import Refusal
from chassis.eventstore import transact
from chassis.testing import context
from claims.application.resubmitting import resubmit_claim
from claims.domain.claim import NoPayerControlNumber, NotAtThePayer
from x12.validation import validate

from .money_world import part
from .world import ClaimsUnderTest, chunk, claim_id, paid, status


def resubmit(service: ClaimsUnderTest, frequency: ClaimFrequency) -> None:
    transact(service.store, context(), lambda work: resubmit_claim(work, claim_id(), frequency, "wrong modifier"))


def decided() -> ClaimsUnderTest:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    return service


@pytest.mark.parametrize("frequency", [ClaimFrequency.REPLACEMENT, ClaimFrequency.VOID])
def test_a_decided_claim_goes_out_again_and_names_the_payers_latest_number(frequency: ClaimFrequency) -> None:
    service = decided()
    resubmit(service, frequency)
    assert service.claim()["state"] == "ready"
    service.sweep()
    raw = service.transport.files["000000002.x12"]
    assert validate(raw) == []
    assert f"*11:B:{frequency.value}*".encode() in raw
    assert b"REF*F8*" + paid().payer_control_number.encode() + b"~" in raw
    assert service.claim()["state"] == "submitted"


def test_a_claim_that_only_a_277ca_numbered_is_replaced_under_that_number() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(status(1, payer_control_number="ICN5"))
    resubmit(service, ClaimFrequency.REPLACEMENT)
    service.sweep()
    assert b"REF*F8*ICN5~" in service.transport.files["000000002.x12"]


def test_what_no_payer_has_is_not_replaced() -> None:
    service = ClaimsUnderTest().submitted(1)
    with pytest.raises(NotAtThePayer):
        resubmit(service, ClaimFrequency.REPLACEMENT)


def test_without_the_payers_number_nothing_is_replaced() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid().model_copy(update={"payer_control_number": ""})))
    with pytest.raises(NoPayerControlNumber):
        resubmit(service, ClaimFrequency.VOID)


def test_what_is_voided_is_neither_replaced_nor_voided_again() -> None:
    service = decided()
    resubmit(service, ClaimFrequency.VOID)
    service.sweep()
    service.receive(status(1, payer_control_number="ICN5"))
    for frequency in (ClaimFrequency.REPLACEMENT, ClaimFrequency.VOID):
        with pytest.raises(Refusal):
            resubmit(service, frequency)


def test_a_replacement_is_the_same_bytes_when_they_are_made_again_after_a_lost_reply() -> None:
    service = decided()
    resubmit(service, ClaimFrequency.REPLACEMENT)
    service.transport.loses_file = True
    for sweep in service.core.sweeps:
        sweep.run()
    service.transport.loses_file = False
    service.clock.advance(hours=3)
    service.sweep()
    assert list(service.transport.files) == ["000000001.x12", "000000002.x12"]
    assert service.cases() == []


@pytest.mark.parametrize("frequency", [ClaimFrequency.REPLACEMENT, ClaimFrequency.VOID])
def test_what_is_decided_meanwhile_does_not_keep_it_from_leaving(frequency: ClaimFrequency) -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(part(1)))
    resubmit(service, frequency)
    service.receive(chunk(part(2), remittance=2))
    assert service.claim()["state"] == "ready"
    service.sweep()
    assert list(service.transport.files) == ["000000001.x12", "000000002.x12"]
    assert (service.claim()["state"], service.claim()["adjudications"]) == ("submitted", 2)
