"""Rows and values of people's work as messages of `billing.claims.v1`."""

from __future__ import annotations

from datetime import datetime

from billing.claims.v1 import claim_work_pb2 as pb
from chassis.eventstore import Row

from claims.adapters.messages import money_message, text_of
from claims.application.packet import Answer, FilingPacket, Submission
from claims.application.queries import whole
from claims.application.work_queries import Happening
from claims.domain.rules.edits import EditFinding, EditRun

DRY_RUN = "dry-run"


def edit_run_message(row: Row) -> pb.EditRun:
    return pb.EditRun(
        number=whole(row["number"]),
        stage=text_of(row["stage"]),
        rules_version=text_of(row["rules_version"]),
        rules_digest=text_of(row["rules_digest"]),
        rules_run=whole(row["rules_run"]),
        findings=map(_kept_finding, text_of(row["findings"]).splitlines()),
        ran_at=text_of(row["ran_at"]),
    )


def _kept_finding(line: str) -> pb.EditFinding:
    rule, version, owner, reason = line.split(" ", 3)
    return pb.EditFinding(rule=rule, rule_version=int(version), owner=owner, reason=reason)


def dry_run_message(run: EditRun, now: datetime) -> pb.EditRun:
    return pb.EditRun(
        stage=DRY_RUN,
        rules_version=run.rules_version,
        rules_digest=run.rules_digest,
        rules_run=run.rules_run,
        findings=map(_finding, run.findings),
        ran_at=text_of(now),
    )


def _finding(found: EditFinding) -> pb.EditFinding:
    return pb.EditFinding(rule=found.rule, rule_version=found.rule_version, owner=found.owner, reason=str(found.reason))


def denial_message(row: Row) -> pb.Denial:
    return pb.Denial(
        denial_id=text_of(row["denial_id"]),
        claim_id=text_of(row["claim_id"]),
        patient_control_number=text_of(row["patient_control_number"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        remittance_id=text_of(row["remittance_id"]),
        position=whole(row["position"]),
        reasons=text_of(row["reasons"]).splitlines(),
        remark_codes=text_of(row["remark_codes"]).splitlines(),
        category=text_of(row["category"]),
        queue=text_of(row["queue"]),
        owner=text_of(row["owner"]),
        state=text_of(row["state"]),
        outcome=text_of(row["outcome"]),
        amount=money_message(whole(row["amount_minor"])),
        at_risk=money_message(whole(row["at_risk_minor"])),
        recovered=money_message(whole(row["recovered_minor"])),
        written_off=money_message(whole(row["written_off_minor"])),
        requested=money_message(whole(row["requested_minor"])),
        requested_by=text_of(row["requested_by"]),
        denied_on=text_of(row["denied_on"]),
        appeal_by=text_of(row["appeal_by"]),
        file_by=text_of(row["file_by"]),
    )


def happening_message(happening: Happening) -> pb.DenialEvent:
    return pb.DenialEvent(at=text_of(happening.at), actor=happening.actor, what=happening.what)


def underpayment_message(row: Row) -> pb.Underpayment:
    return pb.Underpayment(
        claim_id=text_of(row["claim_id"]),
        number=whole(row["number"]),
        state=text_of(row["state"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        expected=money_message(whole(row["expected_minor"])),
        allowed=money_message(whole(row["allowed_minor"])),
        denied=money_message(whole(row["denied_minor"])),
        shortfall=money_message(whole(row["shortfall_minor"])),
        found_at=text_of(row["found_at"]),
        resolved_at=text_of(row["resolved_at"]),
    )


def packet_message(packet: FilingPacket) -> pb.GetFilingPacketResponse:
    return pb.GetFilingPacketResponse(
        claim_id=str(packet.claim_id),
        patient_control_number=packet.patient_control_number,
        payer=packet.payer,
        payer_control_number=packet.payer_control_number,
        submissions=map(_submission, packet.submissions),
    )


def _submission(submission: Submission) -> pb.Submission:
    return pb.Submission(
        interchange_id=str(submission.interchange_id),
        control_number=submission.control_number,
        file_name=submission.file_name,
        digest=submission.digest,
        state=submission.state,
        claim_count=submission.claim_count,
        intended_at=text_of(submission.intended_at),
        sent_at=text_of(submission.sent_at),
        proof=submission.proof,
        size_bytes=submission.size_bytes,
        parts=[pb.FilePart(start=part.start, content=part.content) for part in submission.parts],
        missing=submission.missing,
        answers=map(_answer, submission.answers),
    )


def _answer(answer: Answer) -> pb.SubmissionAnswer:
    return pb.SubmissionAnswer(
        kind=answer.kind,
        word=answer.word,
        notes=answer.notes,
        message_id=str(answer.message_id),
        received_at=text_of(answer.received_at),
    )
