"""Sending: intent, probe, send, confirm. A crash anywhere never sends two files for one intent."""

from __future__ import annotations

import pytest
from canonical.events.claims import InterchangeSent
from chassis.domain import Unavailable
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application import sending
from claims.application.read_models import INTERCHANGES
from claims.main import assemble

from .world import MASTER_DATA, ClaimsUnderTest, MemoryTransport, acknowledged, charged


class Crash(BaseException):
    """The process dies here."""


def row(service: ClaimsUnderTest) -> dict[str, object]:
    (found,) = service.store.rows(INTERCHANGES, {})
    return found


@pytest.mark.parametrize("nth", range(1, 4))
@pytest.mark.parametrize("wanted", ["before-commit", "after-commit", "before-send", "after-send"])
def test_a_crash_at_any_step_ends_in_one_file_and_one_sent_interchange(wanted: str, nth: int) -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1), charged(2))
    left = nth

    def crash_point(step: str) -> None:
        nonlocal left
        left -= step == wanted
        if step == wanted and left == 0:
            raise Crash

    dying = assemble(
        service.store,
        service.clock,
        MASTER_DATA,
        X12ClaimFormat(),
        service.vault,
        {"files": service.transport},
        crash_point=crash_point,
    )
    try:
        for sweep in (*dying.sweeps, *dying.sweeps):
            sweep.run()
    except Crash:
        service.clock.advance(hours=3)
    service.sweep()

    assert list(service.transport.files) == ["000000001.x12"]
    assert row(service)["state"] == "sent"
    assert [type(event) for event in service.public_events()].count(InterchangeSent) == 1
    assert (left <= 0) is (nth == 1 or (nth == 2 and "commit" in wanted)), "the fault struck where it could"


def test_the_bytes_made_again_after_hours_are_the_intended_ones() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1))
    service.core.sweeps[0].run()
    service.clock.advance(hours=30)
    renamed = tuple(entity.model_copy(update={"name": "Renamed LLC"}) for entity in MASTER_DATA.entities)
    later = ClaimsUnderTest(MASTER_DATA.model_copy(update={"entities": renamed}), service.store)
    later.clock.now = service.clock.now

    later.sweep()

    assert row(later)["state"] == "sent"
    assert later.cases() == []


def test_an_unknown_outcome_is_settled_by_a_probe_and_not_by_sending_again() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1))
    service.transport.swallows_reply = True
    for sweep in service.core.sweeps:
        sweep.run()
    assert row(service)["state"] == "uncertain"

    service.transport.swallows_reply = False
    service.sweep()

    assert (row(service)["state"], service.transport.sendings) == ("sent", 1)


def test_a_file_that_was_lost_on_the_way_is_sent_again() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1))
    service.transport.loses_file = True
    for sweep in service.core.sweeps:
        sweep.run()
    assert (row(service)["state"], service.transport.files) == ("uncertain", {})

    service.transport.loses_file = False
    service.sweep()

    assert (row(service)["state"], len(service.transport.files)) == ("sent", 1)


def test_an_exchange_that_is_down_loses_nothing() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1))
    service.transport.is_down = True
    service.core.sweeps[0].run()
    with pytest.raises(Unavailable):
        service.core.sweeps[1].run()
    assert row(service)["state"] == "intended"

    service.transport.is_down = False
    service.sweep()

    assert row(service)["state"] == "sent"


def test_other_bytes_under_our_name_go_to_a_person_and_nothing_is_sent() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1))
    service.transport.files["000000001.x12"] = b"somebody else's"

    service.sweep()
    service.sweep()

    assert (row(service)["state"], service.transport.sendings) == ("intended", 0)
    (case,) = service.cases()
    assert case["code"] == "InterchangeNotSent"
    assert str(case["summary"]).startswith("OtherBytesSent: 000000001.x12")


def test_details_erased_before_the_sending_go_to_a_person() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1))
    service.core.sweeps[0].run()
    service.vault.erased.add(charged(1).patient_id)

    service.sweep()

    assert service.transport.files == {}
    assert [case["code"] for case in service.cases()] == ["InterchangeNotSent"]


def test_an_acknowledgement_that_overtakes_our_own_confirmation_proves_the_sending() -> None:
    service = ClaimsUnderTest()
    service.receive(charged(1))
    service.core.sweeps[0].run()

    service.receive(acknowledged("TA1", "A"))
    service.sweep()

    assert (row(service)["state"], service.transport.sendings) == ("acknowledged", 0)
    assert [type(event) for event in service.public_events()].count(InterchangeSent) == 1


def test_interchanges_that_cannot_leave_keep_no_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TRIED_PER_RUN_MAX", 1)
    elsewhere = tuple(
        payer.model_copy(update={"transport": "nowhere"}) if payer.code == "ACME" else payer
        for payer in MASTER_DATA.payers
    )
    service = ClaimsUnderTest(MASTER_DATA.model_copy(update={"payers": elsewhere}))
    service.receive(charged(1))
    service.sweep()
    other = next(payer for payer in MASTER_DATA.payers if payer.code != "ACME")
    service.receive(charged(2, payer=other.code, payer_class=other.payer_class))
    for _ in range(4):
        for sweep in service.core.sweeps:
            sweep.run()
    assert list(service.transport.files) == ["000000002.x12"]
    (case,) = service.cases()
    assert (case["code"], "UnknownTransport" in str(case["summary"])) == ("InterchangeNotSent", True)


def test_a_receiver_that_is_away_keeps_no_other_waiting() -> None:
    away, here = MemoryTransport(), MemoryTransport()
    away.is_down = True
    routed = tuple(
        payer.model_copy(update={"transport": "away" if payer.code == "ACME" else "here"})
        for payer in MASTER_DATA.payers
    )
    service = ClaimsUnderTest(
        MASTER_DATA.model_copy(update={"payers": routed}), transports={"away": away, "here": here}
    )
    other = next(payer for payer in MASTER_DATA.payers if payer.code != "ACME")
    service.receive(charged(1), charged(2, payer=other.code, payer_class=other.payer_class))
    submit, send = service.core.sweeps[:2]
    submit.run()
    with pytest.raises(Unavailable):
        send.run()
    assert (len(away.files), len(here.files)) == (0, 1)
