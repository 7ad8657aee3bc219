"""One instance of every stored event of questions to payers and hints of clearinghouses, for the golden files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Event
from claims.domain.answer_hint import AnswerHint, answer_hint_id_of
from claims.domain.coverage import (
    Active,
    CoverageAnswer,
    CoverageProof,
    CoverageSubject,
    CoverageVerification,
    coverage_verification_id_of,
)
from claims.domain.status_inquiry import StatusInquiry, status_inquiry_id_of

from .world import claim_id

SUBJECT = CoverageSubject(patient_id=derive("test-patient", 1), payer="ACME", service_date=date(2026, 3, 2))
ANSWER = CoverageAnswer(
    active=Active.YES,
    plan="GOLD 1500",
    deductible=Money.of("1500.00"),
    deductible_left=Money.of("620.50"),
    copay=Money.of("25.00"),
    coinsurance_percent=Decimal(20),
    rejections=("72",),
)
PROOF = CoverageProof(
    asked_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    trace="000000003-1",
    clearinghouse="swift",
    question_digest="0" * 64,
    answer_digest="1" * 64,
)


def sending_examples() -> Iterator[tuple[UUID, type[Event], dict[str, Any]]]:
    inquiry = status_inquiry_id_of("000000002")
    names = {"control_number": "000000002", "entity": "NORTH", "payer": "ACME", "way": "files"}
    yield inquiry, StatusInquiry.Asked, names | {"claim_ids": (claim_id(),), "digest": "0" * 64}
    yield inquiry, StatusInquiry.Refused, {"acknowledgement": "999", "code": "R"}
    coverage = {"subject": SUBJECT, "answer": ANSWER, "proof": PROOF}
    yield coverage_verification_id_of(SUBJECT), CoverageVerification.Answered, coverage
    yield answer_hint_id_of("swift", "hint-1"), AnswerHint.Heard, {"clearinghouse": "swift", "hint": "hint-1"}
