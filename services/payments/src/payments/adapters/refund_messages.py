"""Refunds, disputes and candidates of payments as messages of the proto."""

from __future__ import annotations

from billing.payments.v1 import patient_payments_pb2 as pb
from chassis.eventstore import Row

from payments.adapters.grpc_messages import minor_sent, text_of
from payments.domain.payment_matching import Candidate


def refund_sent(row: Row) -> pb.Refund:
    return pb.Refund(
        refund_id=text_of(row["refund_id"]),
        payment_id=text_of(row["payment_id"]),
        entity=text_of(row["entity"]),
        state=text_of(row["state"]),
        amount=minor_sent(row["amount_minor"]),
        reason=text_of(row["reason"]),
        requested_by=text_of(row["requested_by"]),
        gateway_id=text_of(row["gateway_id"]),
    )


def dispute_sent(row: Row) -> pb.Dispute:
    return pb.Dispute(
        dispute_id=text_of(row["dispute_id"]),
        payment_id=text_of(row["payment_id"]),
        entity=text_of(row["entity"]),
        gateway_id=text_of(row["gateway_id"]),
        amount=minor_sent(row["amount_minor"]),
        fee=minor_sent(row["fee_minor"]),
        step=text_of(row["step"]),
        outcome=text_of(row["outcome"]),
        respond_by=text_of(row["respond_by"]),
    )


def candidate_sent(candidate: Candidate) -> pb.Candidate:
    return pb.Candidate(
        account_id=str(candidate.account_id),
        entity=candidate.entity,
        score=candidate.score,
        reasons=candidate.reasons,
    )
