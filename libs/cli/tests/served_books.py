"""The small books behind real gRPC calls, as the services would answer them."""

from __future__ import annotations

import json
from collections.abc import Callable

import grpc
from billing.claims.v1 import claims_pb2
from billing.common.v1 import common_pb2
from billing.intake.v1 import intake_pb2
from billing.ledger.v1 import ledger_pb2
from billing.operations.v1 import operations_pb2
from billing.payments.v1 import payments_pb2
from canonical.money import Money
from google.protobuf.message import Message
from throughline.connection import service_named
from throughline.tracing.records import Decision, Line

from .small_books import SmallBooks

PAGE = 3
Answers = dict[str, tuple[type[Message], Callable[..., Message]]]


def sent(amount: Money) -> common_pb2.Money:
    return common_pb2.Money(minor=amount.minor, currency=amount.currency)


def line_sent(line: Line) -> ledger_pb2.Line:
    return ledger_pb2.Line(account=line.account, party=line.party, amount=sent(line.amount))


class ServedBooks:
    """Answers calls from small books, three parts a page."""

    def __init__(self, books: SmallBooks) -> None:
        self.books = books

    def answers(self) -> Answers:
        return {
            "billing.ledger.v1.LedgerService/GetJournalEntry": (ledger_pb2.GetJournalEntryRequest, self.journal),
            "billing.ledger.v1.LedgerService/ListJournals": (ledger_pb2.ListJournalsRequest, self.journals),
            "billing.ledger.v1.LedgerService/ReadErpDocuments": (ledger_pb2.ReadErpDocumentsRequest, self.documents),
            "billing.claims.v1.ClaimsService/GetClaim": (claims_pb2.GetClaimRequest, self.claim),
            "billing.claims.v1.ClaimsService/FindClaim": (claims_pb2.FindClaimRequest, self.claims),
            "billing.claims.v1.ClaimsService/ListAdjudications": (claims_pb2.ListAdjudicationsRequest, self.decisions),
            "billing.payments.v1.PaymentsService/GetRemittance": (payments_pb2.GetRemittanceRequest, self.remittance),
            "billing.intake.v1.IntakeService/GetMessage": (intake_pb2.GetMessageRequest, self.message),
            "billing.intake.v1.IntakeService/GetEncounter": (intake_pb2.GetEncounterRequest, self.encounter),
            "billing.intake.v1.IntakeService/ReadRawSpan": (intake_pb2.ReadRawSpanRequest, self.raw),
            "billing.operations.v1.OperationsService/GetHistory": (operations_pb2.GetHistoryRequest, self.history),
        }

    def journal(
        self, request: ledger_pb2.GetJournalEntryRequest, context: grpc.ServicerContext
    ) -> ledger_pb2.GetJournalEntryResponse:
        found = self.books.journal(request.journal)
        if found is None:
            raise _absent(context)
        start = int(request.page_token or 0)
        parts = [
            ledger_pb2.Part(
                posting_id=part.posting_id,
                source_event_id=part.event_id,
                line=line_sent(part.line),
                rules=part.rules,
                item_id=part.item_id,
                remittance_position=part.position,
                claim_id=part.claim_id,
                encounter_id=part.encounter_id,
            )
            for part in found.parts[start : start + PAGE]
        ]
        journal = ledger_pb2.Journal(
            journal_id=found.journal_id,
            external_number=found.external_number,
            entity=found.entity,
            kind=found.kind,
            state=found.state,
            erp=found.erp,
            erp_document=found.erp_document,
            effective_date=found.effective_date,
            lines=map(line_sent, found.lines),
        )
        token = str(start + PAGE) if len(found.parts) > start + PAGE else ""
        return ledger_pb2.GetJournalEntryResponse(journal=journal, parts=parts, next_page_token=token)

    def journals(
        self, request: ledger_pb2.ListJournalsRequest, context: grpc.ServicerContext
    ) -> ledger_pb2.ListJournalsResponse:
        known = [
            ledger_pb2.Journal(journal_id=each.journal_id, erp_document=each.erp_document)
            for each in self.books.journals
        ]
        return ledger_pb2.ListJournalsResponse(journals=known)

    def documents(
        self, request: ledger_pb2.ReadErpDocumentsRequest, context: grpc.ServicerContext
    ) -> ledger_pb2.ReadErpDocumentsResponse:
        documents = []
        for number in request.external_numbers:
            journal = self.books.journal(number)
            lines = self.books.erp_lines.get(journal.journal_id, ()) if journal else ()
            if lines:
                documents.append(
                    ledger_pb2.ErpDocument(
                        external_number=number, document_id="M-17", lines=[line_sent(line) for line in lines]
                    )
                )
        return ledger_pb2.ReadErpDocumentsResponse(erp="tryton", documents=documents)

    def claim(self, request: claims_pb2.GetClaimRequest, context: grpc.ServicerContext) -> claims_pb2.GetClaimResponse:
        found = self.books.claim(request.claim_id)
        if found is None:
            raise _absent(context)
        claim, decisions = found
        told = claims_pb2.Claim(
            claim_id=claim.claim_id,
            patient_control_number=claim.control_number,
            state=claim.state,
            entity=claim.entity,
            payer=claim.payer,
            encounter_id=claim.encounter_id,
            posting=claim.posting,
            amounts=claims_pb2.Amounts(charge=sent(claim.charge)),
        )
        return claims_pb2.GetClaimResponse(claim=told, adjudications=map(_adjudication, decisions))

    def claims(
        self, request: claims_pb2.FindClaimRequest, context: grpc.ServicerContext
    ) -> claims_pb2.FindClaimResponse:
        found = self.books.claims_numbered(request.patient_control_number)
        return claims_pb2.FindClaimResponse(claims=[claims_pb2.Claim(claim_id=each.claim_id) for each in found])

    def decisions(
        self, request: claims_pb2.ListAdjudicationsRequest, context: grpc.ServicerContext
    ) -> claims_pb2.ListAdjudicationsResponse:
        ours = [each for each in self.books.decisions if each.claim_id and each.position >= request.position_from]
        unknown = [
            claims_pb2.UnknownPayment(
                remittance_id=each.remittance_id,
                position=each.position,
                patient_control_number=each.control_number,
                paid=sent(each.paid),
                span_start=each.span_start,
                span_length=each.span_length,
            )
            for each in self.books.decisions
            if not each.claim_id
        ]
        return claims_pb2.ListAdjudicationsResponse(
            adjudications=[_adjudication(each) for each in ours[: request.limit]], unknown_payments=unknown
        )

    def remittance(
        self, request: payments_pb2.GetRemittanceRequest, context: grpc.ServicerContext
    ) -> payments_pb2.GetRemittanceResponse:
        found = self.books.remittance(request.remittance_id)
        if found is None:
            raise _absent(context)
        told = payments_pb2.Remittance(
            remittance_id=found.remittance_id,
            entity=found.entity,
            payer=found.payer,
            trace_number=found.trace_number,
            payment=sent(found.payment),
            claim_count=found.claim_count,
            deposit_id=found.deposit_id,
            message_id=found.message_id,
        )
        return payments_pb2.GetRemittanceResponse(remittance=told)

    def message(
        self, request: intake_pb2.GetMessageRequest, context: grpc.ServicerContext
    ) -> intake_pb2.GetMessageResponse:
        found = self.books.message("intake", request.message_id)
        if found is None:
            raise _absent(context)
        told = intake_pb2.Message(
            message_id=found.message_id,
            source_system=found.source_system,
            delivery_key=found.delivery_key,
            format=found.format,
            size_bytes=found.size_bytes,
        )
        return intake_pb2.GetMessageResponse(message=told)

    def encounter(
        self, request: intake_pb2.GetEncounterRequest, context: grpc.ServicerContext
    ) -> intake_pb2.GetEncounterResponse:
        found = self.books.encounter(request.encounter_id)
        if found is None:
            raise _absent(context)
        return intake_pb2.GetEncounterResponse(
            encounter=intake_pb2.Encounter(encounter_id=found.encounter_id, entity=found.entity),
            charges=[
                intake_pb2.Charge(charge_id=each.charge_id, amount=sent(each.amount), message_id=each.message_id)
                for each in found.charges
            ],
            postings=[
                intake_pb2.Posting(
                    posting=each.number,
                    payer=each.payer,
                    total=sent(each.total),
                    charge_ids=each.charge_ids,
                    message_ids=each.message_ids,
                )
                for each in found.postings
            ],
        )

    def raw(
        self, request: intake_pb2.ReadRawSpanRequest, context: grpc.ServicerContext
    ) -> intake_pb2.ReadRawSpanResponse:
        if not self.books.may_read_raw:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "the scope intake.raw.read is missing")
        return intake_pb2.ReadRawSpanResponse(content=self.books.bytes, size_bytes=2000)

    def history(
        self, request: operations_pb2.GetHistoryRequest, context: grpc.ServicerContext
    ) -> operations_pb2.GetHistoryResponse:
        metadata = dict(context.invocation_metadata())
        service = service_named(str(metadata["x-throughline-service"]))
        events = self.books.history.get((service, request.aggregate_id))
        if not events:
            raise _absent(context)
        return operations_pb2.GetHistoryResponse(
            events=[operations_pb2.HistoryEvent(topic=topic, state_json=json.dumps(state)) for topic, state in events]
        )


def _adjudication(decision: Decision) -> claims_pb2.Adjudication:
    return claims_pb2.Adjudication(
        remittance_id=decision.remittance_id,
        position=decision.position,
        claim_id=decision.claim_id,
        first=decision.first,
        amounts=claims_pb2.Amounts(
            charge=sent(decision.charge),
            paid=sent(decision.paid),
            contractual=sent(decision.contractual),
            patient=sent(decision.patient),
        ),
        span_start=decision.span_start,
        span_length=decision.span_length,
    )


def _absent(context: grpc.ServicerContext) -> AssertionError:
    context.abort(grpc.StatusCode.NOT_FOUND, "nothing here has this id")
    return AssertionError("abort raises")
