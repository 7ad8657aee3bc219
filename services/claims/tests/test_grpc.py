"""The questions of `billing.claims.v1`, asked over a real connection."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from billing.claims.v1 import claims_pb2 as pb
from billing.claims.v1 import claims_pb2_grpc
from chassis.rpc import RemoteRefusal
from claims.adapters.grpc import claims_service
from claims.application.following import DecisionFollowing

from .door import Door, serving
from .money_world import insured_twice, paid_by_line
from .world import DENIAL, EDITS, MASTER_DATA, ClaimsUnderTest, charged, chunk, claim_id, control_number, paid, status

ClaimsDoor = Door[claims_pb2_grpc.ClaimsServiceStub]


@pytest.fixture
def door() -> Iterator[ClaimsDoor]:
    service = ClaimsUnderTest().submitted(1, 2, 3)
    service.receive(charged(4, has_member_id=False), charged(5, payer="BLUEOAK"))
    service.receive(status(1), status(3, accepted=False))
    stranger = paid(1, 2).model_copy(update={"patient_control_number": "TNOBODYSENTTHIS01"})
    service.receive(chunk(paid(1, 0), paid(2, 1, amount="0.00", adjustments=(DENIAL,)), stranger))
    served = claims_service(service.core, EDITS, DecisionFollowing(MASTER_DATA))
    with serving(service, served, claims_pb2_grpc.ClaimsServiceStub) as opened:
        yield opened


@pytest.fixture
def stub(door: ClaimsDoor) -> claims_pb2_grpc.ClaimsServiceStub:
    return door.calling_as("reader")


def test_a_claim_comes_with_its_decisions_and_where_they_stand(stub: claims_pb2_grpc.ClaimsServiceStub) -> None:
    answer = stub.GetClaim(pb.GetClaimRequest(claim_id=str(claim_id(1))))

    assert (answer.claim.state, answer.claim.patient_control_number) == ("adjudicated", control_number(1))
    assert answer.claim.encounter_id == str(charged(1).encounter_id)
    assert (answer.claim.amounts.paid.minor, answer.claim.amounts.patient.minor) == (15_000, 3_000)
    (decision,) = answer.adjudications
    assert (decision.position, decision.span_start, decision.first, decision.denied) == (0, 400, True, False)
    assert decision.effective_date == "2026-03-20"


def test_a_held_claim_says_why(stub: claims_pb2_grpc.ClaimsServiceStub) -> None:
    answer = stub.ListClaims(pb.ListClaimsRequest(state="held"))

    (claim,) = answer.claims
    assert claim.hold_reasons[0].startswith("MissingMemberId")


def test_pages_of_claims_cover_all_of_them_once(stub: claims_pb2_grpc.ClaimsServiceStub) -> None:
    seen: list[str] = []
    token = ""
    for _ in range(3):
        page = stub.ListClaims(pb.ListClaimsRequest(page_size=2, page_token=token))
        seen += [claim.claim_id for claim in page.claims]
        token = page.next_page_token

    assert token == ""
    assert sorted(seen) == sorted(str(claim_id(number)) for number in range(1, 6))


def test_claims_are_counted_by_state(stub: claims_pb2_grpc.ClaimsServiceStub) -> None:
    counts = stub.CountByState(pb.CountByStateRequest(entity="NORTH")).counts

    assert {count.state: (count.claims, count.charge.minor) for count in counts} == {
        "adjudicated": (1, 25_000),
        "denied": (1, 25_000),
        "held": (1, 25_000),
        "ready": (1, 25_000),
        "rejected": (1, 25_000),
    }


def test_a_claim_is_found_by_control_number_encounter_or_patient(stub: claims_pb2_grpc.ClaimsServiceStub) -> None:
    for request in (
        pb.FindClaimRequest(patient_control_number=control_number(1)),
        pb.FindClaimRequest(encounter_id=str(charged(1).encounter_id)),
        pb.FindClaimRequest(patient_id=str(charged(1).patient_id)),
    ):
        assert [claim.claim_id for claim in stub.FindClaim(request).claims] == [str(claim_id(1))]
    assert list(stub.FindClaim(pb.FindClaimRequest(patient_control_number="TNONE")).claims) == []


def test_balances_by_payer_name_the_position_they_hold_at(
    door: ClaimsDoor, stub: claims_pb2_grpc.ClaimsServiceStub
) -> None:
    answer = stub.GetSubledgerBalances(pb.GetSubledgerBalancesRequest(entity="NORTH"))

    acme, blueoak = answer.balances
    assert (acme.payer, acme.claims, acme.amounts.charge.minor) == ("ACME", 4, 100_000)
    assert (acme.amounts.paid.minor, acme.amounts.contractual.minor) == (15_000, 7_000)
    assert (acme.amounts.patient.minor, acme.amounts.denied.minor) == (3_000, 25_000)
    assert acme.open.minor == 50_000
    assert acme.unknown_paid.minor == 15_000
    assert (blueoak.payer, blueoak.open.minor) == ("BLUEOAK", 25_000)
    assert answer.log_position == answer.log_position_after == door.service.store.last_position()


def test_the_decisions_of_a_remittance_are_listed_with_the_payments_nobody_sent(
    stub: claims_pb2_grpc.ClaimsServiceStub,
) -> None:
    remittance_id = str(chunk().remittance_id)

    whole = stub.ListAdjudications(pb.ListAdjudicationsRequest(remittance_id=remittance_id))
    later = stub.ListAdjudications(pb.ListAdjudicationsRequest(remittance_id=remittance_id, position_from=1))

    assert [each.position for each in whole.adjudications] == [0, 1]
    assert [each.position for each in later.adjudications] == [1]
    assert [(each.position, each.why) for each in whole.unknown_payments] == [(2, "unknown-control-number")]


def test_interchanges_are_listed_by_state(stub: claims_pb2_grpc.ClaimsServiceStub) -> None:
    (interchange,) = stub.ListInterchanges(pb.ListInterchangesRequest(state="sent")).interchanges

    assert (interchange.control_number, interchange.claim_count) == ("000000001", 3)
    assert list(stub.ListInterchanges(pb.ListInterchangesRequest(state="rejected")).interchanges) == []


@pytest.mark.parametrize(
    ("payer", "entity", "known", "billable"),
    [
        ("ACME", "NORTH", True, True),
        ("ACME", "NOWHERE", True, False),
        ("NOSUCHPAYER", "NORTH", False, False),
    ],
)
def test_eligibility_is_what_master_data_knows(
    stub: claims_pb2_grpc.ClaimsServiceStub, payer: str, entity: str, known: bool, billable: bool
) -> None:
    request = pb.CheckEligibilityRequest(payer=payer, entity=entity, service_date="2026-03-02")

    answer = stub.CheckEligibility(request)

    assert (answer.payer_known, answer.billable, bool(answer.reasons)) == (known, billable, not billable)


def test_a_person_releases_a_rejected_claim(door: ClaimsDoor) -> None:
    request = pb.ReleaseClaimRequest(claim_id=str(claim_id(3)), reason="resubscribed at the payer")

    answer = door.calling_as("writer").ReleaseClaim(request)

    assert answer.claim.state == "ready"
    last = door.service.store.log(door.service.store.last_position() - 1, 1)[0].event
    assert last.meta.actor == "user:writer"


def test_who_may_only_read_releases_nothing(stub: claims_pb2_grpc.ClaimsServiceStub) -> None:
    with pytest.raises(grpc.RpcError, match=r"claims\.write"):
        stub.ReleaseClaim(pb.ReleaseClaimRequest(claim_id=str(claim_id(3)), reason="because I want to"))


def test_a_claim_that_went_out_cannot_be_released(door: ClaimsDoor) -> None:
    with pytest.raises(RemoteRefusal) as refusal:
        door.calling_as("writer").ReleaseClaim(
            pb.ReleaseClaimRequest(claim_id=str(claim_id(1)), reason="once more please")
        )
    assert refusal.value.code == "NotHeld"


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("GetClaim", pb.GetClaimRequest(claim_id="nonsense")),
        ("ListClaims", pb.ListClaimsRequest(state="nonsense")),
        ("ListClaims", pb.ListClaimsRequest(page_size=501)),
        ("ListClaims", pb.ListClaimsRequest(page_token="٣")),
        ("ListClaims", pb.ListClaimsRequest(page_token="99999999")),
        ("FindClaim", pb.FindClaimRequest()),
        ("FindClaim", pb.FindClaimRequest(patient_control_number="A", encounter_id=str(claim_id()))),
        ("ListAdjudications", pb.ListAdjudicationsRequest(remittance_id=str(claim_id()), position_from=-1)),
        ("ListInterchanges", pb.ListInterchangesRequest(state="nonsense")),
        ("GetSubledgerBalances", pb.GetSubledgerBalancesRequest()),
        ("CheckEligibility", pb.CheckEligibilityRequest(payer="ACME", entity="NORTH", service_date="soon")),
    ],
)
def test_a_bad_question_is_refused_by_its_field(
    stub: claims_pb2_grpc.ClaimsServiceStub, method: str, request_: object
) -> None:
    with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT"):
        getattr(stub, method)(request_)


def test_a_claim_that_is_not_there_is_not_found(stub: claims_pb2_grpc.ClaimsServiceStub) -> None:
    with pytest.raises(RemoteRefusal, match="no claim"):
        stub.GetClaim(pb.GetClaimRequest(claim_id="6b1d9c2e-50c7-5b0a-9e52-6f0a1f6b7d11"))


def test_a_person_matches_a_payment_and_takes_it_off_again(door: ClaimsDoor) -> None:
    reader, writer = door.calling_as("reader"), door.calling_as("writer")
    (waiting,) = reader.ListUnmatchedPayments(pb.ListUnmatchedPaymentsRequest(entity="NORTH")).payments
    assert (waiting.why, waiting.unapplied.minor, waiting.payer) == ("unknown-control-number", 15_000, "ACME")
    remittance_id, position = waiting.remittance_id, waiting.position
    reason = "the payer's letter says so"

    matched = writer.MatchClaimPayment(
        pb.MatchClaimPaymentRequest(
            remittance_id=remittance_id, position=position, claim_id=str(claim_id(3)), reason=reason
        )
    )

    assert (matched.claim.state, matched.claim.amounts.paid.minor) == ("adjudicated", 15_000)
    told = reader.GetClaim(pb.GetClaimRequest(claim_id=str(claim_id(3))))
    assert [(each.kind, each.match) for each in told.adjudications] == [("decision", 1)]
    assert [each.claim_id for each in told.matched_payments] == [str(claim_id(3))]
    assert list(reader.ListUnmatchedPayments(pb.ListUnmatchedPaymentsRequest()).payments) == []
    unmatched = writer.UnmatchClaimPayment(
        pb.UnmatchClaimPaymentRequest(remittance_id=remittance_id, position=position, reason="it was another patient")
    )
    assert (unmatched.claim.state, unmatched.claim.amounts.paid.minor) == ("rejected", 0)


def test_matching_needs_a_reason_and_the_right_to_write(door: ClaimsDoor) -> None:
    (waiting,) = door.calling_as("reader").ListUnmatchedPayments(pb.ListUnmatchedPaymentsRequest()).payments
    request = pb.MatchClaimPaymentRequest(
        remittance_id=waiting.remittance_id, position=waiting.position, claim_id=str(claim_id(3)), reason=""
    )

    with pytest.raises(grpc.RpcError, match="reason: at least"):
        door.calling_as("writer").MatchClaimPayment(request)
    with pytest.raises(grpc.RpcError, match="PERMISSION_DENIED"):
        door.calling_as("reader").MatchClaimPayment(request)


def test_a_decision_tells_its_lines_and_a_claim_its_other_payers() -> None:
    service = insured_twice()
    service.receive(chunk(paid_by_line(), remittance=7))
    served = claims_service(service.core, EDITS, DecisionFollowing(MASTER_DATA))
    with serving(service, served, claims_pb2_grpc.ClaimsServiceStub) as door:
        told = door.calling_as("reader").GetClaim(pb.GetClaimRequest(claim_id=str(claim_id(1))))

    (decision,) = told.adjudications
    assert [(line.line, line.confidence, line.paid.minor) for line in decision.lines] == [
        (1, "control-number", 9_000),
        (2, "control-number", 6_000),
    ]
    assert [(line.charge.minor, line.decided.minor, line.paid.minor) for line in told.lines] == [
        (15_000, 15_000, 9_000),
        (10_000, 10_000, 6_000),
    ]
    assert (told.claim.next_payer, told.claim.left_to_next_payer.minor, told.claim.open.minor) == ("BLUEOAK", 3_000, 0)
    assert [(other.payer, other.sequence, other.state) for other in told.other_payers] == [("BLUEOAK", 2, "ready")]
