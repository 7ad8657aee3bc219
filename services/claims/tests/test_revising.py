"""Charges that are revised after their claim was drafted: redrafted, replaced or voided, as soon as that can be."""

from __future__ import annotations

from datetime import date

import pytest
from canonical.codes import RevisionReason
from canonical.envelope import PublicEvent
from canonical.events.claims import ClaimAdjudicated, ClaimRevised
from canonical.events.intake import ChargesRevised, EncounterCharged
from canonical.money import Money
from chassis.eventstore import Work
from chassis.testing.contexts import context
from claims.application.read_models import CLAIMS
from claims.domain.claim import Claim
from claims.domain.claim_content import claim_id_of, control_number_of_posting

from .money_world import CO, SECOND, charged_to, insured_twice, reversal_of
from .world import COPAY, ClaimsUnderTest, acknowledged, adjustment, charged, chunk, claim_id, paid, person, status

FIRST = charged()
SECOND_FILE = "000000002.x12"


def revised(
    amounts: tuple[str, ...] = ("150.00",), number: int = 1, *, before: EncounterCharged = FIRST, total: str = "250.00"
) -> ChargesRevised:
    """The posting with its first charges at these amounts; none of them, and it is void. It came to `total` before."""
    charges = tuple(
        line.model_copy(update={"amount": Money.of(amount)})
        for line, amount in zip(before.charges, amounts, strict=False)
    )
    return ChargesRevised(
        **{**dict(before), "charges": charges, "total": Money.total(line.amount for line in charges)},
        revision=number,
        previous_charges=before.charges,
        previous_total=Money.of(total),
        reason=RevisionReason.CORRECTION if charges else RevisionReason.VOID,
        revised_on=date(2026, 3, 9),
    )


VOID = revised(())
REDUCED = revised()
REPLACED = paid(
    amount="100.00", position=1, adjustments=(adjustment(CO, "45", "50.00"),), charge=Money.of("150.00")
).model_copy(update={"patient_responsibility": Money.zero()})

REPRICED = paid(amount="140.00", position=1, adjustments=(adjustment(CO, "45", "80.00"), COPAY))
AGAIN = revised(("120.00",), 2, total="150.00")
THIRD_FILE = "000000003.x12"


def claim_in(service: ClaimsUnderTest, sequence: int = 1) -> Claim:
    number = control_number_of_posting(FIRST.encounter_id, 1, sequence)
    return Work(service.store, context()).require(Claim, claim_id_of(number))


def told(service: ClaimsUnderTest) -> list[ClaimRevised]:
    return [event for event in service.public_events() if isinstance(event, ClaimRevised)]


def test_a_claim_that_was_not_sent_is_redrafted_and_leaves_with_what_holds_now() -> None:
    service = ClaimsUnderTest()
    service.receive(FIRST, REDUCED)
    row = service.claim()
    assert (row["state"], row["charge_minor"], row["owed_minor"]) == ("ready", 15000, 15000)
    service.sweep()
    (sent,) = service.transport.files.values()
    assert b"*150*" in sent.replace(b"150.00", b"150")
    assert b"*250*" not in sent


def test_a_claim_of_which_nothing_is_left_before_it_was_sent_never_leaves() -> None:
    service = ClaimsUnderTest()
    service.receive(FIRST, VOID)
    service.sweep()
    assert (service.claim()["state"], service.claim()["owed_minor"]) == ("voided", 0)
    assert service.transport.files == {}
    assert service.cases(state="open") == []


def test_a_hold_ends_with_what_it_held() -> None:
    service = ClaimsUnderTest()
    unheld = charged(payer="NOBODY")
    service.receive(unheld)
    assert service.claim()["state"] == "held"
    service.receive(revised((), before=unheld))
    assert (service.claim()["state"], service.cases(state="open")) == ("voided", [])


@pytest.mark.parametrize(("revision", "frequency"), [(REDUCED, "7"), (VOID, "8")])
def test_a_claim_in_flight_is_replaced_or_voided_when_the_payer_answers(
    revision: ChargesRevised, frequency: str
) -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(revision)
    service.sweep()
    assert list(service.transport.files) == ["000000001.x12"]
    service.receive(status(1, payer_control_number="ICN5"))
    service.sweep()
    raw = service.transport.files[SECOND_FILE]
    assert f"*11:B:{frequency}*".encode() in raw
    assert b"REF*F8*ICN5~" in raw


def test_a_claim_that_is_refused_meanwhile_is_redrafted_for_the_person_who_mends_it() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(REDUCED)
    service.receive(status(1, accepted=False))
    assert (service.claim()["state"], service.claim()["charge_minor"]) == ("rejected", 15000)


@pytest.mark.parametrize("answer", [status(1, accepted=False), acknowledged("999", "R")])
def test_a_claim_that_is_refused_and_void_is_nobodys_work(answer: object) -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(VOID)
    service.receive(answer)  # type: ignore[arg-type]
    assert service.claim()["state"] == "voided"


def test_a_decided_claim_is_replaced_and_ends_with_the_new_decision() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    service.receive(REDUCED)
    service.sweep()
    raw = service.transport.files[SECOND_FILE]
    assert b"*11:B:7*" in raw
    assert b"REF*F8*ICN1~" in raw
    service.receive(chunk(reversal_of(paid()), REPLACED, remittance=2))
    row = service.claim()
    assert (row["state"], row["paid_minor"], row["contractual_minor"]) == ("corrected", 10000, 5000)
    assert [event.charges_revision for event in service.public_events() if isinstance(event, ClaimAdjudicated)] == [
        0,
        1,
        1,
    ]
    assert [(event.revision, event.decided) for event in told(service)] == [(1, True)]


def test_a_decided_claim_of_which_nothing_is_left_is_voided() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    service.receive(VOID)
    service.sweep()
    assert b"*11:B:8*" in service.transport.files[SECOND_FILE]
    service.receive(chunk(reversal_of(paid()), remittance=2))
    assert (service.claim()["state"], service.claim()["paid_minor"]) == ("reversed", 0)


def test_without_the_payers_number_it_waits_and_says_so() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(status(1, payer_control_number=""))
    service.receive(REDUCED)
    assert [row["code"] for row in service.cases(state="open")] == ["RevisionWaitsForPayerNumber"]
    service.receive(chunk(paid()))
    assert service.cases(state="open") == []
    service.sweep()
    assert b"REF*F8*ICN1~" in service.transport.files[SECOND_FILE]


def test_a_replacement_that_has_not_left_becomes_a_void() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    service.receive(REDUCED, revised((), 2, total="150.00"))
    service.sweep()
    assert b"*250***11:B:8*" in service.transport.files[SECOND_FILE], "a void of what the payer has"


def test_the_first_decision_after_a_revision_names_it() -> None:
    service = ClaimsUnderTest()
    service.receive(FIRST, REDUCED)
    service.sweep()
    service.receive(chunk(REPLACED))
    (decision,) = [event for event in service.public_events() if isinstance(event, ClaimAdjudicated)]
    assert (decision.first, decision.charges_revision) == (True, 1)
    assert [event.decided for event in told(service)] == [False]


def test_revisions_and_charges_in_any_order_and_number_end_the_same() -> None:
    service = ClaimsUnderTest()
    again = revised(("150.00", "90.00"), 2, total="150.00")
    for event in (REDUCED, again, FIRST, REDUCED, again, FIRST):
        handled = service.receive(event)
        service.core.consumers["intake"].release(handled.touched)
    assert (service.claim()["charge_minor"], service.claim()["owed_minor"]) == (24000, 24000)
    assert [event.revision for event in told(service)] == [1, 2]
    assert service.cases(state="open") == []


def test_a_revision_waits_for_the_one_before_it_so_that_the_payer_owes_what_all_of_them_say() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(revised(("120.00",), 2, total="150.00"))
    assert (service.claim()["owed_minor"], told(service)) == (250_00, [])
    service.core.consumers["intake"].release(service.receive(REDUCED).touched)
    assert service.claim()["owed_minor"] == 120_00
    assert [event.revision for event in told(service)] == [1, 2]


def test_a_revision_of_what_the_patient_pays_makes_no_claim() -> None:
    service = ClaimsUnderTest()
    own = charged(payer="")
    service.receive(own, revised(before=own))
    assert service.store.rows(CLAIMS, {}) == []


def test_a_second_payers_claim_follows_once_the_first_payer_has_decided_again() -> None:
    service = insured_twice()
    both = charged_to(SECOND)
    service.receive(chunk(paid()))
    assert claim_in(service, 2).content.total == Money.of("250.00")
    service.receive(revised(before=both))
    following = claim_in(service, 2)
    assert (following.content.total, following.state.value) == (Money.of("150.00"), "held")
    service.sweep()
    owing = paid(
        amount="100.00",
        position=1,
        charge=Money.of("150.00"),
        adjustments=(adjustment(CO, "45", "20.00"), adjustment(paid().adjustments[1].group, "3", "30.00")),
    )
    service.receive(chunk(reversal_of(paid()), owing, remittance=2))
    following = claim_in(service, 2)
    assert (following.state.value, [prior.paid for prior in following.content.prior]) == ("ready", [Money.of("100.00")])


def test_a_void_after_the_first_payer_passed_the_claim_on_voids_the_first_one_and_tells_a_person() -> None:
    service = insured_twice()
    service.receive(chunk(paid().model_copy(update={"status": "19"})))
    assert claim_in(service, 2).state.value == "submitted"
    service.receive(revised((), before=charged_to(SECOND)))
    assert (claim_in(service).frequency.value, claim_in(service).state.value) == ("8", "ready")
    assert claim_in(service, 2).is_void
    assert [case["code"] for case in service.cases()] == ["RevisionOfPassedOnClaim"]
    assert [event.revision for event in told(service)] == [1]


def test_a_second_payers_claim_that_was_not_sent_ends_with_the_first_ones() -> None:
    service = insured_twice()
    service.receive(chunk(paid()))
    service.receive(revised((), before=charged_to(SECOND)))
    assert claim_in(service, 2).state.value == "voided"


def test_the_claim_keeps_what_each_submission_was_sent_with() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    service.receive(REDUCED)
    service.sweep()
    totals = [content.total for content in claim_in(service).submissions.values()]
    assert totals == [Money.of("250.00"), Money.of("150.00")]
    assert claim_in(service).id == claim_id()


def test_what_replaces_a_replacement_names_the_number_that_the_payer_gave_that_one() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    service.receive(REDUCED)
    service.sweep()
    service.receive(status(1, payer_control_number="ICN9"))
    service.receive(revised((), 2, total="150.00"))
    service.sweep()
    assert b"REF*F8*ICN9~" in service.transport.files["000000003.x12"]


def corrected_while_replaced() -> ClaimsUnderTest:
    """A replacement is in flight when the payer takes the old version back and decides it anew; one more revision waits."""
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    service.receive(REDUCED)
    service.sweep()
    service.receive(chunk(reversal_of(paid()), REPRICED, remittance=2))
    service.receive(AGAIN)
    service.sweep()
    return service


def test_what_a_payer_changes_of_the_old_version_is_no_answer_to_its_replacement() -> None:
    service = corrected_while_replaced()
    assert THIRD_FILE not in service.transport.files
    service.receive(status(1, payer_control_number="ICN9"))
    service.sweep()
    assert b"REF*F8*ICN9~" in service.transport.files[THIRD_FILE]


def test_what_a_payer_changes_of_a_version_before_the_last_one_is_no_answer_either() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    service.receive(REDUCED)
    service.sweep()
    service.receive(status(1, payer_control_number="ICN9"))
    service.receive(AGAIN)
    service.sweep()
    service.receive(chunk(reversal_of(paid()), REPRICED, remittance=2))
    service.receive(revised(("110.00",), 3, total="120.00"))
    service.sweep()
    assert len(service.transport.files) == 3
    service.receive(status(1, payer_control_number="ICN10"))
    service.sweep()
    assert b"REF*F8*ICN10~" in service.transport.files["000000004.x12"]


def test_a_decision_under_a_new_number_answers_a_replacement_without_any_277ca() -> None:
    service = corrected_while_replaced()
    decided = REPLACED.model_copy(update={"payer_control_number": "ICN9"})
    service.receive(chunk(reversal_of(REPRICED), decided, remittance=3))
    service.sweep()
    assert b"REF*F8*ICN9~" in service.transport.files[THIRD_FILE]


def test_a_277ca_without_a_number_answers_a_replacement_of_what_was_decided_meanwhile() -> None:
    service = corrected_while_replaced()
    service.receive(status(1, payer_control_number=""))
    service.sweep()
    assert b"REF*F8*ICN1~" in service.transport.files[THIRD_FILE]


@pytest.mark.parametrize("answer", [status(1, accepted=False), acknowledged("999", "R", 2)])
def test_a_replacement_that_is_refused_while_the_payers_decision_stands_is_made_again(answer: PublicEvent) -> None:
    service = corrected_while_replaced()
    service.receive(answer)
    service.sweep()
    raw = service.transport.files[THIRD_FILE]
    assert b"*120***11:B:7*" in raw
    assert b"REF*F8*ICN1~" in raw
    assert "ClaimRejected" not in [case["code"] for case in service.cases(state="open")]


def test_what_a_payer_corrected_under_another_number_is_replaced_under_that() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    corrected = REPRICED.model_copy(update={"payer_control_number": "ICN2"})
    service.receive(chunk(reversal_of(paid()), corrected, remittance=2))
    service.receive(REDUCED)
    service.sweep()
    assert b"REF*F8*ICN2~" in service.transport.files[SECOND_FILE]


def told_otherwise() -> ChargesRevised:
    """The charges as they were, under another diagnosis and from another location."""
    phi = person(1).model_copy(update={"diagnosis_codes": ("J45.909", "E11.9")})
    now = charged(1, phi=phi, location="N-EAST")
    changes = {"reason": RevisionReason.CLINICAL, "location": now.location, "details": now.details}
    return revised(("150.00", "100.00")).model_copy(update=changes)


def test_what_is_told_otherwise_of_a_visit_before_its_claim_left_only_redrafts_it() -> None:
    service = ClaimsUnderTest()
    service.receive(FIRST, told_otherwise())
    service.sweep()
    (sent,) = service.transport.files.values()
    assert b"*11:B:1*" in sent
    assert b"ABK:J45909*ABF:E119~" in sent
    assert [(event.revision, event.decided) for event in told(service)] == [(1, False)]


def test_what_is_told_otherwise_of_a_visit_that_was_decided_on_replaces_its_claim_and_owes_the_same() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))
    owed = service.claim()["owed_minor"]
    service.receive(told_otherwise())
    service.sweep()
    raw = service.transport.files[SECOND_FILE]
    assert b"*250***11:B:7*" in raw
    assert b"REF*F8*ICN1~" in raw
    assert b"ABK:J45909*ABF:E119~" in raw
    assert service.claim()["owed_minor"] == owed
    assert [event.total for event in told(service)] == [FIRST.total]
