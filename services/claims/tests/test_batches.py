"""How many claims leave together, and when: data of each payer."""

from __future__ import annotations

from typing import Any

from canonical.codes import ClaimFrequency
from canonical.master_data import MasterData
from chassis.eventstore import transact
from chassis.testing import context
from claims.application.read_models import INTERCHANGES
from claims.application.resubmitting import resubmit_claim

from .world import MASTER_DATA, ClaimsUnderTest, charged, chunk, claim_id, paid


def with_acme(**changes: Any) -> MasterData:
    payers = tuple(payer.model_copy(update=changes) if payer.code == "ACME" else payer for payer in MASTER_DATA.payers)
    return MASTER_DATA.model_copy(update={"payers": payers})


def counts(service: ClaimsUnderTest) -> list[tuple[object, object]]:
    rows = service.store.rows(INTERCHANGES, {}, order=("control_number",))
    return [(row["payer"], row["claim_count"]) for row in rows]


def test_an_interchange_holds_as_many_claims_as_its_payer_takes() -> None:
    service = ClaimsUnderTest(with_acme(claims_per_interchange=2))
    service.receive(*(charged(number) for number in range(1, 6)), *(charged(n, payer="BLUEOAK") for n in range(6, 9)))

    service.sweep()

    assert sorted(counts(service)) == [("ACME", 1), ("ACME", 2), ("ACME", 2), ("BLUEOAK", 3)]


def test_claims_wait_for_the_window_of_their_payer_and_no_others_do() -> None:
    service = ClaimsUnderTest(with_acme(sending_window="22:00-04:00"))
    assert service.clock.now.hour < 20
    service.receive(charged(1), charged(2, payer="BLUEOAK"))

    service.sweep()
    assert counts(service) == [("BLUEOAK", 1)]

    service.clock.advance(hours=22 - service.clock.now.hour)
    service.sweep()
    assert counts(service) == [("BLUEOAK", 1), ("ACME", 1)]


def test_a_replacement_waits_for_the_window_like_an_original() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    transact(
        service.store,
        context(),
        lambda work: resubmit_claim(work, claim_id(), ClaimFrequency.REPLACEMENT, "wrong modifier"),
    )
    later = ClaimsUnderTest(with_acme(sending_window="22:00-04:00"), service.store)

    later.sweep()
    assert service.claim()["state"] == "ready"

    later.clock.advance(hours=22 - later.clock.now.hour)
    later.sweep()
    assert service.claim()["state"] == "submitted"
