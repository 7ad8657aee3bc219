"""277CA and 277: which submission an answer means, who gives it, and what of it moves the claim."""

from __future__ import annotations

from datetime import date

from canonical.events.intake import ClaimStatusReported
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work
from chassis.testing.contexts import context
from claims.application.use_cases import release_claim

from .money_world import claim_of
from .world import EDITS, ClaimsUnderTest, chunk, claim_id, control_number, paid, status

FIRST, SECOND = "000000001", "000000002"


def sent_twice() -> ClaimsUnderTest:
    """Rejected, put right, and sent again."""
    service = ClaimsUnderTest().submitted(1)
    service.receive(status(accepted=False, submission_reference=FIRST))
    work = Work(service.store, context())
    release_claim(work, claim_id(), EDITS, "the member id was wrong")
    work.commit()
    service.sweep()
    assert len(service.transport.files) == 2
    return service


def test_a_late_rejection_of_the_first_submission_does_not_hit_the_second() -> None:
    service = sent_twice()

    service.receive(status(accepted=False, submission_reference=FIRST, category_codes=("A7:21",), reporter="payer"))

    assert service.claim()["state"] == "submitted"
    assert service.claim()["last_answer"] == "payer rejected A7:21"
    assert [case["state"] for case in service.cases()] == ["corrected"]


def test_a_rejection_of_the_latest_submission_rejects_it_with_a_case_of_its_own() -> None:
    service = sent_twice()

    service.receive(status(accepted=False, submission_reference="2"))

    assert service.claim()["state"] == "rejected"
    assert sorted(case["state"] for case in service.cases()) == ["corrected", "open"]


def test_an_answer_to_a_submission_that_was_never_the_claims_goes_to_a_person() -> None:
    service = sent_twice()

    handled = service.receive(status(accepted=False, submission_reference="000000777"))

    assert (handled.refused, service.claim()["state"]) == (1, "submitted")
    assert "UnknownSubmission" in [case["code"] for case in service.cases()]


def test_a_clearinghouse_that_takes_a_claim_is_not_the_payer() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(status(reporter="clearinghouse", payer_control_number="", category_codes=("A1:19",)))
    assert (service.claim()["state"], service.claim()["last_answer"]) == ("submitted", "clearinghouse accepted A1:19")
    service.receive(status(reporter="payer", submission_reference=FIRST))

    assert service.claim()["state"] == "accepted"
    assert len(claim_of(service).answers) == 1


def test_a_clearinghouse_that_refuses_a_claim_rejects_it() -> None:
    service = ClaimsUnderTest().submitted(1)

    service.receive(status(accepted=False, reporter="clearinghouse"))

    assert service.claim()["state"] == "rejected"
    assert service.cases()[0]["summary"].startswith("clearinghouse rejected the claim with A3:21")


def test_a_claim_keeps_what_the_payer_reports_of_it_and_stays_where_it_is() -> None:
    service = ClaimsUnderTest().submitted(1)
    reported = ClaimStatusReported(
        message_id=derive("test-277", "answer"),
        patient_control_number=control_number(),
        inquiry_reference="000000009",
        category_codes=("F1",),
        status_codes=("65",),
        payer_control_number="ICN1",
        charge=Money.of("250.00"),
        paid=Money.of("150.00"),
        status_date=date(2026, 4, 2),
    )

    service.receive(reported)
    version = claim_of(service).version
    service.receive(reported.model_copy(update={"message_id": derive("test-277", "again")}))

    row = service.claim()
    assert (row["state"], row["reported_status"], row["reported_on"]) == ("submitted", "F1 65", date(2026, 4, 2))
    assert claim_of(service).version == version


def test_a_status_of_a_claim_that_is_not_ours_or_never_left_goes_to_a_person() -> None:
    service = ClaimsUnderTest()
    nobody = ClaimStatusReported(
        message_id=derive("test-277", "nobody"), patient_control_number="TNOBODYSENTTHIS01", category_codes=("D0",)
    )

    assert service.receive(nobody).refused == 1


def test_a_payer_that_accepts_after_it_paid_leaves_the_decision() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(chunk(paid()))

    service.receive(status(submission_reference=FIRST, reporter="payer"))

    assert service.claim()["state"] == "adjudicated"
    assert service.claim()["payer_control_number"] == "ICN1"
