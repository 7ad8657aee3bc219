"""One instance of every stored event, for the golden files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from canonical.codes import ClaimFrequency
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Event, Meta
from chassis.exceptions import ExceptionCase
from chassis.exceptions.case import CaseState
from claims.application.adjudicating import decision_of
from claims.application.reactions import content_of
from claims.domain.adjudication import shares_of
from claims.domain.claim import Claim
from claims.domain.claim_state import ClaimState
from claims.domain.control_numbers import CONTROL_NUMBERS_ID, ControlNumbers, interchange_id_of
from claims.domain.interchange import Interchange, InterchangeState
from claims.domain.interchange_order import order_of, parties_of
from claims.domain.rules.edit_history import Stage
from claims.domain.unknown_payment import UnknownClaimPayment, Why, unknown_payment_id_of

from .money_examples import money_examples, payment_examples
from .sending_examples import sending_examples
from .work_examples import FINDINGS, HELD, edit_run, work_examples
from .world import MASTER_DATA, charged, chunk, claim_id, paid, person

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CAUSE = derive("test-cause")
META = Meta(correlation_id=CAUSE, causation_id=CAUSE, actor="service:claims", source_system="ehr-north")
CONTENT = content_of(charged())
FIRST_DETAILS = {"patient", "coverage", "diagnosis_codes", "account_number"}
DETAILS = CONTENT.details.model_copy(
    update={"ciphertext": person().model_dump_json(include=FIRST_DETAILS, exclude={"coverage": {"plan"}}).encode()}
)
CONTENT = CONTENT.model_copy(update={"details": DETAILS})
PAYMENT = paid()
DECISION = decision_of(chunk(PAYMENT), PAYMENT)
INTERCHANGE_ID = interchange_id_of("000000001")
ORDER = order_of([CONTENT], [parties_of(CONTENT, MASTER_DATA)], "000000001", NOW, production=False)
TOTAL = Money.of("250.00")


def _of(identity: UUID, kind: type[Event], **fields: Any) -> Event:
    return kind(originator_id=identity, originator_version=1, timestamp=NOW, meta=META, **fields)


def examples() -> Iterator[Event]:
    claim = claim_id()
    yield _of(claim, Claim.Drafted, content=CONTENT)
    yield _of(claim, Claim.Held, number=1, reasons=(HELD,), edit_run=edit_run(1, Stage.DRAFT, FINDINGS))
    yield _of(claim, Claim.MadeReady, edit_run=edit_run(2, Stage.RELEASE))
    again = {"frequency": ClaimFrequency.REPLACEMENT, "payer_control_number": "ICN1", "reason": "wrong modifier"}
    yield _of(claim, Claim.ResubmissionIntended, **again)
    left = {"interchange_id": INTERCHANGE_ID, "entity": "NORTH", "payer": "ACME", "total": TOTAL}
    yield _of(claim, Claim.Submitted, **left, edit_run=edit_run(3, Stage.SUBMISSION))
    yield _of(claim, Claim.Accepted, payer_control_number="ICN1")
    yield _of(claim, Claim.PayerNumberLearned, payer_control_number="ICN1")
    yield _of(claim, Claim.Rejected, codes=("A3:21",))
    yield _of(claim, Claim.ResubmissionRejected, codes=("A7:464",))
    yield _of(claim, Claim.StatusAsked, trace="000000002-1", control_number="000000002", way="files")
    yield _of(
        claim,
        Claim.Adjudicated,
        decision=DECISION,
        shares=shares_of(DECISION.adjustments, {"45"}),
        first=True,
        denied=False,
        state=ClaimState.ADJUDICATED,
        encounter_id=CONTENT.encounter_id,
        posting=1,
        patient_id=CONTENT.patient_id,
        entity="NORTH",
        payer="ACME",
        payer_class=CONTENT.payer_class,
        service_from=CONTENT.service_from,
    )
    yield _of(
        claim,
        Claim.DenialWrittenOff,
        write_off=1,
        encounter_id=CONTENT.encounter_id,
        posting=1,
        patient_id=CONTENT.patient_id,
        entity="NORTH",
        payer="ACME",
        payer_class=CONTENT.payer_class,
        amount=Money.of("12.00"),
        reason="the filing limit had passed",
        approved_by="user:lead",
        effective_date=CONTENT.service_from,
    )
    whose = {name: getattr(CONTENT, name) for name in ("encounter_id", "posting", "patient_id", "entity", "payer")}
    yield _of(
        claim,
        Claim.RevisionTaken,
        **whose,
        payer_class=CONTENT.payer_class,
        revision=1,
        sequence=1,
        content=CONTENT.model_copy(update={"revision": 1}),
        total=CONTENT.total,
        previous_total=Money.of("300.00"),
        decided=True,
        reason="correction",
        effective_date=CONTENT.service_from,
    )
    yield _of(claim, Claim.Withdrawn)
    for kind, fields in money_examples(CONTENT, DECISION):
        yield _of(claim, kind, **fields)
    yield from _interchange_examples()
    for identity, kind, fields in sending_examples():
        yield _of(identity, kind, **fields)
    yield _of(CONTROL_NUMBERS_ID, ControlNumbers.Issued, number=1)
    yield _of(
        unknown_payment_id_of(DECISION.remittance_id, 0),
        UnknownClaimPayment.Recorded,
        why=Why.UNKNOWN_CONTROL_NUMBER,
        patient_control_number="TNOBODYSENTTHIS01",
        entity="NORTH",
        payer="ACME",
        decision=DECISION,
    )
    yield from work_examples(_of)
    for kind, fields in payment_examples(DECISION, CONTENT):
        yield _of(unknown_payment_id_of(DECISION.remittance_id, 0), kind, **fields)
    yield from _case_examples()


def _interchange_examples() -> Iterator[Event]:
    yield _of(INTERCHANGE_ID, Interchange.Intended, order=ORDER, claim_ids=(claim_id(),), total=TOTAL, digest="0" * 64)
    yield _of(INTERCHANGE_ID, Interchange.BecameUncertain, why="no reply")
    yield _of(
        INTERCHANGE_ID,
        Interchange.Sent,
        proof="sent",
        control_number="000000001",
        entity="NORTH",
        payer="ACME",
        claim_count=1,
        total=TOTAL,
    )
    yield _of(INTERCHANGE_ID, Interchange.Acknowledged, code="A")
    yield _of(
        INTERCHANGE_ID,
        Interchange.Decided,
        state=InterchangeState.REJECTED,
        acknowledgement="999",
        code="R",
        notes=("IK3 NM1 8",),
    )


def _case_examples() -> Iterator[Event]:
    case = derive("test-case")
    yield _of(
        case,
        ExceptionCase.Raised,
        code="ClaimHeld",
        summary="MissingMemberId: the member id",
        subject="claim T1",
        subject_id=claim_id(),
        entity="NORTH",
        amount=TOTAL,
    )
    yield _of(case, ExceptionCase.Assigned, owner="user:billing")
    yield _of(case, ExceptionCase.Ended, how=CaseState.CORRECTED, reason="the EHR has it now")
