"""What earlier payers decided, as later payers are shown it: changed before a claim left, after it, and as it leaves again."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest
from canonical.codes import ClaimFrequency
from canonical.events.payments import RemittanceChunkAccepted
from canonical.money import Money
from canonical.remittance import ClaimPayment
from chassis.eventstore import Work, transact
from chassis.testing.contexts import context
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.prior_payers import PriorPayerUndecided
from claims.application.remaking import remake
from claims.application.resubmitting import resubmit_claim
from claims.application.use_cases import release_claim
from claims.domain.claim import Claim
from claims.domain.claim_content import claim_id_of, control_number_of_posting
from claims.domain.interchange import Interchange
from x12.validation import validate

from .money_world import CO, OA, PR, THIRD, insured_twice, paid_by_line, reversal_of
from .world import EDITS, ClaimsUnderTest, adjustment, charged, chunk, paid, status

DECISION = paid_by_line()
CORRECTION = paid(amount="160.00", adjustments=(adjustment(CO, "45", "70.00"), adjustment(PR, "3", "20.00")))
REVERSED, CORRECTED = chunk(reversal_of(DECISION), remittance=2), chunk(CORRECTION, remittance=3)


def number_of(sequence: int) -> str:
    return control_number_of_posting(charged().encounter_id, 1, sequence)


def claim_to(service: ClaimsUnderTest, sequence: int) -> Claim:
    return Work(service.store, context()).require(Claim, claim_id_of(number_of(sequence)))


def shown_to(service: ClaimsUnderTest, sequence: int) -> list[int]:
    """What each earlier payer paid, in cents, by what the claim to this payer says."""
    return [prior.paid.minor for prior in claim_to(service, sequence).content.prior]


def of_second(left: str = "10.00") -> ClaimPayment:
    """The second payer pays 20.00 of what the first one left."""
    others = Money.of("230.00") - Money.of(left)
    taken = (adjustment(OA, "23", others.decimal_text), adjustment(PR, "2", left))
    payment = paid(amount="20.00", adjustments=taken, status="2", patient_responsibility=Money.of(left))
    return payment.model_copy(update={"patient_control_number": number_of(2), "payer_control_number": "ICN-B"})


SECOND_DECIDED = chunk(of_second(), payer="BLUEOAK", remittance=4)


def told(service: ClaimsUnderTest, *events: RemittanceChunkAccepted) -> None:
    for event in events:
        service.receive(event)
        service.sweep()


def billed_to_two() -> ClaimsUnderTest:
    """The first payer has decided, and the second one was sent its claim, and may be asked for a third."""
    service = insured_twice(THIRD)
    told(service, chunk(DECISION))
    return service


def resubmit(service: ClaimsUnderTest, frequency: ClaimFrequency) -> None:
    identity = claim_id_of(number_of(2))
    transact(service.store, context(), lambda work: resubmit_claim(work, identity, frequency, "what ACME paid changed"))


def made_again(service: ClaimsUnderTest, interchange_id: UUID) -> bytes:
    work = Work(service.store, context())
    return remake(work, work.require(Interchange, interchange_id), X12ClaimFormat(), service.vault)


def test_a_third_payer_is_shown_the_first_ones_correction_though_the_second_was_billed_before_it() -> None:
    service = billed_to_two()
    told(service, REVERSED, CORRECTED, SECOND_DECIDED)

    assert (shown_to(service, 2), shown_to(service, 3)) == ([15_000], [16_000, 2_000])


def test_a_third_payers_claim_that_waits_is_renewed_by_a_correction_of_the_first_payer() -> None:
    service = billed_to_two()
    service.receive(SECOND_DECIDED)
    assert shown_to(service, 3) == [15_000, 2_000]

    service.receive(REVERSED)
    assert (claim_to(service, 3).state, shown_to(service, 3)) == ("held", [2_000])
    service.receive(CORRECTED)

    assert (claim_to(service, 3).state, shown_to(service, 3)) == ("ready", [16_000, 2_000])


def test_a_third_payer_that_was_billed_is_told_to_a_person_like_the_second() -> None:
    service = billed_to_two()
    told(service, SECOND_DECIDED, REVERSED)

    assert shown_to(service, 3) == [15_000, 2_000]
    about = {case["subject_id"] for case in service.cases(code="PrimaryChanged")}
    assert about == {claim_to(service, 2).id, claim_to(service, 3).id}


def test_a_third_payer_is_not_billed_while_the_first_ones_decision_is_taken_back() -> None:
    service = billed_to_two()
    told(service, REVERSED, SECOND_DECIDED)
    assert Work(service.store, context()).get(Claim, claim_id_of(number_of(3))) is None

    told(service, CORRECTED)

    assert shown_to(service, 3) == [16_000, 2_000]


@pytest.mark.parametrize("order", list(permutations((REVERSED, CORRECTED, SECOND_DECIDED))))
def test_a_third_payer_is_shown_the_same_in_any_order(order: tuple[RemittanceChunkAccepted, ...]) -> None:
    service = billed_to_two()
    for event in order:
        service.receive(event)
    service.sweep()

    assert (claim_to(service, 3).state, shown_to(service, 3)) == ("submitted", [16_000, 2_000])


def test_a_replacement_shows_what_the_first_payer_decided_by_then_and_the_bytes_say_so() -> None:
    service = billed_to_two()
    told(service, SECOND_DECIDED, REVERSED, CORRECTED)
    first = claim_to(service, 2).interchange_id
    assert first is not None

    resubmit(service, ClaimFrequency.REPLACEMENT)
    service.sweep()

    claim = claim_to(service, 2)
    assert (shown_to(service, 2), claim.state) == ([16_000], "submitted")
    raw = service.transport.files[f"{len(service.transport.files):09d}.x12"]
    assert validate(raw) == []
    assert (b"AMT*D*160~" in raw, b"REF*F8*ICN-B~" in raw) == (True, True)
    assert claim.interchange_id is not None
    assert made_again(service, claim.interchange_id) == raw


def test_what_was_sent_before_a_replacement_is_made_again_as_it_was() -> None:
    service = billed_to_two()
    told(service, SECOND_DECIDED, REVERSED, CORRECTED)
    first = claim_to(service, 2).interchange_id
    assert first is not None

    resubmit(service, ClaimFrequency.REPLACEMENT)
    service.sweep()

    raw = made_again(service, first)
    assert raw == service.transport.files["000000002.x12"]
    assert b"AMT*D*150~" in raw


def test_a_replacement_that_waits_follows_the_first_payer_until_it_leaves() -> None:
    service = billed_to_two()
    told(service, SECOND_DECIDED)
    resubmit(service, ClaimFrequency.REPLACEMENT)

    service.receive(REVERSED)
    assert claim_to(service, 2).state == "held"
    service.receive(CORRECTED)

    assert (claim_to(service, 2).state, shown_to(service, 2)) == ("ready", [16_000])
    service.sweep()
    assert claim_to(service, 2).state == "submitted"


def test_nothing_is_replaced_while_a_payer_before_is_undecided_but_it_may_be_voided() -> None:
    service = billed_to_two()
    told(service, SECOND_DECIDED, REVERSED)

    with pytest.raises(PriorPayerUndecided, match="0 of 1"):
        resubmit(service, ClaimFrequency.REPLACEMENT)
    resubmit(service, ClaimFrequency.VOID)
    service.sweep()

    assert (claim_to(service, 2).frequency, shown_to(service, 2)) == (ClaimFrequency.VOID, [15_000])


def test_a_rejected_claim_leaves_again_with_what_the_first_payer_decided_meanwhile() -> None:
    service = billed_to_two()
    service.receive(status(accepted=False, patient_control_number=number_of(2)))
    told(service, REVERSED)
    identity = claim_id_of(number_of(2))

    transact(service.store, context(), lambda work: release_claim(work, identity, EDITS, "the number is right now"))
    assert claim_to(service, 2).state == "held"
    told(service, CORRECTED)

    assert (claim_to(service, 2).state, shown_to(service, 2)) == ("submitted", [16_000])
    assert [case["code"] for case in service.cases(state="open")] == []
