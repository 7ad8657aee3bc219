"""Stored events stay readable for ever, and the bridge announces what it should of each."""

from __future__ import annotations

from pathlib import Path

from canonical.envelope import PublicEvent
from chassis.testing import assert_golden
from chassis.testing.projections import unasked
from intake.main import SHAPE

from .examples import examples

GOLDEN = Path(__file__).parent / "golden"
ANNOUNCED = {
    "intake.payer-answer.balances-read": "platform-balance-reported",
    "intake.patient.registered": "patient-registered",
    "intake.patient.merged": "patients-merged",
    "intake.patient.unmerged": "patients-unmerged",
    "intake.encounter.charged": "encounter-charged",
    "intake.encounter.revised": "charges-revised",
    "intake.encounter.guarantor-changed": "visit-guarantor-changed",
    "intake.patient-payment.reported": "patient-payment-reported",
    "intake.remittance-receipt.read": "remittance-received",
    "intake.remittance-receipt.chunk-read": "remittance-chunk-received",
    "intake.payer-answer.acknowledgement-read": "acknowledgement-received",
    "intake.payer-answer.statuses-read": "claim-status-received",
    "intake.payer-answer.inquiry-answers-read": "claim-status-reported",
    "chassis.inbound-message.quarantined": "message-quarantined",
}


def test_every_stored_event_is_written_and_read_as_its_golden_file_says() -> None:
    own = [event for event in examples() if event.TOPIC.startswith("intake.")]
    assert_golden(SHAPE.registry(), GOLDEN, own)


def test_each_stored_event_announces_exactly_what_it_should() -> None:
    announced: dict[str, list[PublicEvent]] = {event.TOPIC: list(SHAPE.publishing(event)) for event in examples()}
    assert {topic: found[0].TYPE for topic, found in announced.items() if found} == ANNOUNCED


def test_what_is_announced_can_be_read_back() -> None:
    for event in examples():
        for public in SHAPE.publishing(event):
            assert type(public).model_validate_json(public.model_dump_json()) == public


def test_each_projection_makes_rows_of_the_events_that_it_is_asked_about_alone() -> None:
    assert unasked(SHAPE.all_projections, examples()) == []
