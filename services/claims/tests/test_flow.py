"""Claims end to end inside the service: charged, submitted, answered, adjudicated."""

from canonical.events.claims import ClaimSubmitted, InterchangeSent

from .world import ClaimsUnderTest, charged, control_number


def test_a_charged_encounter_becomes_a_claim_that_is_sent() -> None:
    service = ClaimsUnderTest().submitted(1)

    assert service.claim()["state"] == "submitted"
    assert list(service.transport.files) == ["000000001.x12"]
    assert service.vault.links == {control_number(): charged().patient_id}
    announced = [type(event) for event in service.public_events()]
    assert ClaimSubmitted in announced
    assert InterchangeSent in announced
