"""Rows of the read models as messages of `billing.claims.v1`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

from billing.claims.v1 import claims_pb2 as pb
from billing.common.v1 import common_pb2
from canonical.money import USD
from chassis.eventstore import Row

from claims.application.platform_read_models import PlatformBalances
from claims.application.queries import ChargeShares, whole
from claims.domain.adjudication import DecidedLine
from claims.domain.claim import Claim
from claims.domain.decisions import NO_DECISIONS, Decisions


def money_message(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency=USD)


def amounts_message(shares: ChargeShares) -> pb.Amounts:
    return pb.Amounts(
        charge=money_message(shares.charge.minor),
        paid=money_message(shares.paid.minor),
        contractual=money_message(shares.contractual.minor),
        denied=money_message(shares.denied.minor),
        patient=money_message(shares.patient.minor),
        other=money_message(shares.other.minor),
        written_off=money_message(shares.written_off.minor),
    )


def platform_balances_message(found: PlatformBalances) -> pb.PlatformBalances:
    return pb.PlatformBalances(
        platform=found.platform,
        claims=found.claims,
        ours=money_message(found.ours.minor),
        theirs=money_message(found.theirs.minor),
        differing=found.differing,
        waiting=found.waiting,
    )


def platform_balance_message(row: Row) -> pb.PlatformBalance:
    return pb.PlatformBalance(
        claim_id=text_of(row["claim_id"]),
        entity=text_of(row["entity"]),
        platform=text_of(row["platform"]),
        state=text_of(row["state"]),
        reported=money_message(whole(row["reported_minor"])),
        as_of=text_of(row["as_of"]),
        message_id=text_of(row["message_id"]),
        reported_at=text_of(row["reported_at"]),
        ours=money_message(whole(row["ours_minor"])),
        theirs=money_message(whole(row["theirs_minor"])),
    )


def claim_message(row: Row) -> pb.Claim:
    shares = ChargeShares.of_row(row)
    return pb.Claim(
        claim_id=text_of(row["claim_id"]),
        patient_control_number=text_of(row["patient_control_number"]),
        state=text_of(row["state"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        payer_class=text_of(row["payer_class"]),
        encounter_id=text_of(row["encounter_id"]),
        posting=whole(row["posting"]),
        patient_id=text_of(row["patient_id"]),
        service_from=text_of(row["service_from"]),
        interchange_id=text_of(row["interchange_id"]),
        payer_control_number=text_of(row["payer_control_number"]),
        hold_reasons=text_of(row["hold_reasons"]).splitlines(),
        rejection_codes=text_of(row["rejection_codes"]).splitlines(),
        amounts=amounts_message(shares),
        adjudications=whole(row["adjudications"]),
        sequence=whole(row["sequence"]),
        open=money_message(shares.open.minor),
        next_payer=text_of(row["next_payer"]),
        next_claim_id=text_of(row["next_claim_id"]),
        left_to_next_payer=money_message(whole(row["next_payer_minor"])),
        last_answer=text_of(row["last_answer"]),
        reported_status=text_of(row["reported_status"]),
        worked_by=text_of(row["worked_by"]),
        reported_on=text_of(row["reported_on"]),
    )


def line_messages(claim: Claim) -> Iterator[pb.ClaimLine]:
    submitted = claim.content.lines
    for number, (line, decided) in enumerate(zip(submitted, claim.decisions.by_line(len(submitted)), strict=True), 1):
        yield pb.ClaimLine(
            line=number,
            charge=money_message(line.amount.minor),
            decided=money_message(decided.charge.minor),
            paid=money_message(decided.paid.minor),
        )


def adjudication_message(row: Row, decisions: Decisions = NO_DECISIONS) -> pb.Adjudication:
    """With the lines of the decision, and all that it takes back, where it is among `decisions`."""
    remittance_id, position = row["remittance_id"], whole(row["position"])
    assert isinstance(remittance_id, UUID)
    booked = decisions.booked.get((remittance_id, position))
    return pb.Adjudication(
        remittance_id=text_of(remittance_id),
        position=position,
        lines=map(_line_message, booked.decision.lines if booked else ()),
        reverses_also=[
            pb.DecisionPlace(remittance_id=str(remittance), position=ordinal)
            for remittance, ordinal in (booked.reverses[1:] if booked else ())
        ],
        partial=booked is not None and booked.partial,
        kind=text_of(row["kind"]),
        reverses_remittance_id=text_of(row["reverses_remittance_id"]),
        reverses_position=whole(row["reverses_position"]),
        match=whole(row["match"]),
        sequence=whole(row["sequence"]),
        next_payer=text_of(row["next_payer"]),
        claim_id=text_of(row["claim_id"]),
        encounter_id=text_of(row["encounter_id"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        effective_date=text_of(row["effective_date"]),
        payer_status=text_of(row["payer_status"]),
        payer_control_number=text_of(row["payer_control_number"]),
        first=bool(row["first"]),
        denied=bool(row["denied"]),
        amounts=amounts_message(ChargeShares.of_row(row)),
        span_start=whole(row["span_start"]),
        span_length=whole(row["span_length"]),
    )


def _line_message(line: DecidedLine) -> pb.DecidedLine:
    return pb.DecidedLine(
        line=line.line,
        confidence=line.confidence.value,
        charge=money_message(line.charge.minor),
        paid=money_message(line.paid.minor),
        remark_codes=line.remark_codes,
    )


def unknown_payment_message(row: Row) -> pb.UnknownPayment:
    return pb.UnknownPayment(
        remittance_id=text_of(row["remittance_id"]),
        position=whole(row["position"]),
        patient_control_number=text_of(row["patient_control_number"]),
        why=text_of(row["why"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        effective_date=text_of(row["effective_date"]),
        claim_id=text_of(row["claim_id"]),
        match=whole(row["match"]),
        paid=money_message(whole(row["paid_minor"])),
        unapplied=money_message(whole(row["unapplied_minor"])),
        span_start=whole(row["span_start"]),
        span_length=whole(row["span_length"]),
    )


def interchange_message(row: Row) -> pb.Interchange:
    return pb.Interchange(
        interchange_id=text_of(row["interchange_id"]),
        control_number=text_of(row["control_number"]),
        file_name=text_of(row["file_name"]),
        state=text_of(row["state"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        claim_count=whole(row["claim_count"]),
        total=money_message(whole(row["total_minor"])),
        digest=text_of(row["digest"]),
        answer=text_of(row["answer"]),
        intended_at=text_of(row["intended_at"]),
        sent_at=text_of(row["sent_at"]),
    )


def text_of(value: object) -> str:
    """Ids, dates, instants and codes as text; nothing is empty."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
