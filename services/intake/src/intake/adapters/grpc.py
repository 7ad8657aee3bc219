"""The gRPC face of intake: questions answered from the read models, releases, and PHI for those who may see it."""

from __future__ import annotations

import grpc
from billing.common.v1 import common_pb2
from billing.intake.v1 import intake_pb2 as pb
from billing.intake.v1 import intake_pb2_grpc
from canonical.money import USD, Money
from chassis.domain import ContextSource
from chassis.eventstore import Row, Table, Where
from chassis.inbound import INBOUND_MESSAGES, ExpiredRaw, InboundMessage
from chassis.keys import ErasedKey, Sealer
from chassis.merged_patients import group_of
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from intake.adapters.grpc_patients import PATIENT_SCOPES, PatientAnswers
from intake.adapters.rows import limit_in, number_of, text_of
from intake.application.disclosing import RAW_BYTES_MAX, Disclosing
from intake.application.ports import MasterDataSource
from intake.application.queries import ENCOUNTERS, RECEIPTS
from intake.application.releasing import release_encounter
from intake.domain.encounter import Encounter

NAME = "billing.intake.v1.IntakeService"
READS = ("GetMessage", "ListMessages", "CountsByFormat", "GetEncounter", "ListEncounters", "ListReceipts")
SCOPES = (
    dict.fromkeys(READS, "intake.read")
    | PATIENT_SCOPES
    | {
        "ReadRawSpan": "intake.raw.read",
        "GetEncounterPatient": "phi.read",
        "ReleaseEncounter": "intake.write",
    }
)


def intake_service(core: ServiceCore, sealer: Sealer, master_data: MasterDataSource) -> GrpcService:
    """The service with the scope of each method."""
    servicer = Intake(core, sealer, master_data)
    return GrpcService(
        NAME, lambda server: intake_pb2_grpc.add_IntakeServiceServicer_to_server(servicer, server), SCOPES
    )


class Intake(PatientAnswers, intake_pb2_grpc.IntakeServiceServicer):
    """Answers from the store alone."""

    def __init__(self, core: ServiceCore, sealer: Sealer, master_data: MasterDataSource) -> None:
        self._core = core
        self._store = core.store
        self._sealer = sealer
        self._disclosing = Disclosing(core.store, sealer)
        self._master_data = master_data

    def ReadRawSpan(self, request: pb.ReadRawSpanRequest, context: grpc.ServicerContext) -> pb.ReadRawSpanResponse:
        if request.start < 0 or not 0 <= request.length <= RAW_BYTES_MAX:
            raise BadArgument(f"start, length: not below 0, and at most {RAW_BYTES_MAX} bytes")
        message_id = uuid_in(request.message_id, "message_id")
        cause = call_context(self._core.clock())
        try:
            content, size = self._disclosing.raw_span(cause, message_id, request.start, request.length)
        except ErasedKey:
            raise NotThere("these bytes have been erased") from None
        except ExpiredRaw as expired:
            raise NotThere(str(expired)) from None
        return pb.ReadRawSpanResponse(content=content, size_bytes=size)

    def GetMessage(self, request: pb.GetMessageRequest, context: grpc.ServicerContext) -> pb.GetMessageResponse:
        message_id = uuid_in(request.message_id, "message_id")
        rows = self._store.rows(INBOUND_MESSAGES, {"message_id": message_id})
        history = self._store.load([message_id]).get(message_id)
        if not rows or history is None:
            raise NotThere("no message has this id")
        source = ContextSource(call_context(self._core.clock()))
        message = InboundMessage.rebuilt(message_id, history.events, source)
        return pb.GetMessageResponse(message=_message(rows[0]), findings=message.findings)

    def ListMessages(self, request: pb.ListMessagesRequest, context: grpc.ServicerContext) -> pb.ListMessagesResponse:
        where = _where(state=request.state, format=request.format, source_system=request.source_system)
        rows = self._listed(INBOUND_MESSAGES, where, "-received_at", request.limit)
        return pb.ListMessagesResponse(messages=map(_message, rows))

    def CountsByFormat(
        self, request: pb.CountsByFormatRequest, context: grpc.ServicerContext
    ) -> pb.CountsByFormatResponse:
        rows = self._store.sums(INBOUND_MESSAGES, (), ("format", "state"), {})
        counts = [
            pb.FormatCount(format=text_of(row["format"]), state=text_of(row["state"]), count=number_of(row["count"]))
            for row in rows
        ]
        return pb.CountsByFormatResponse(counts=counts)

    def GetEncounter(self, request: pb.GetEncounterRequest, context: grpc.ServicerContext) -> pb.GetEncounterResponse:
        encounter_id = uuid_in(request.encounter_id, "encounter_id")
        rows = self._store.rows(ENCOUNTERS, {"encounter_id": encounter_id})
        history = self._store.load([encounter_id]).get(encounter_id)
        if not rows or history is None:
            raise NotThere("no encounter has this id")
        source = ContextSource(call_context(self._core.clock()))
        encounter = Encounter.rebuilt(encounter_id, history.events, source)
        postings = [_posting(event) for event in history.events if isinstance(event, Encounter.Charged)]
        return pb.GetEncounterResponse(encounter=_encounter(rows[0]), charges=_charges(encounter), postings=postings)

    def ListEncounters(
        self, request: pb.ListEncountersRequest, context: grpc.ServicerContext
    ) -> pb.ListEncountersResponse:
        where = _where(state=request.state, entity=request.entity)
        if request.patient_id:
            where["patient_id"] = group_of(self._store, uuid_in(request.patient_id, "patient_id"))
        rows = self._listed(ENCOUNTERS, where, "-opened_at", request.limit)
        return pb.ListEncountersResponse(encounters=map(_encounter, rows))

    def GetEncounterPatient(
        self, request: pb.GetEncounterPatientRequest, context: grpc.ServicerContext
    ) -> pb.GetEncounterPatientResponse:
        encounter_id = uuid_in(request.encounter_id, "encounter_id")
        cause = call_context(self._core.clock())
        try:
            patient_id, details, clinical = self._disclosing.encounter_patient(cause, encounter_id)
        except ErasedKey:
            raise NotThere("this patient has been erased") from None
        return pb.GetEncounterPatientResponse(
            patient_id=str(patient_id),
            family_name=details.family_name,
            given_name=details.given_name,
            birth_date=details.birth_date.isoformat(),
            diagnosis_codes=clinical.diagnosis_codes,
            account_number=clinical.account_number,
        )

    def ReleaseEncounter(
        self, request: pb.ReleaseEncounterRequest, context: grpc.ServicerContext
    ) -> pb.ReleaseEncounterResponse:
        encounter_id = uuid_in(request.encounter_id, "encounter_id")
        if not request.reason.strip():
            raise BadArgument("reason: say what was done about the hold")
        cause = call_context(self._core.clock())
        posting = release_encounter(
            self._store, cause, self._sealer, self._master_data(), encounter_id, reason=request.reason
        )
        return pb.ReleaseEncounterResponse(posting=posting)

    def ListReceipts(self, request: pb.ListReceiptsRequest, context: grpc.ServicerContext) -> pb.ListReceiptsResponse:
        where: dict[str, object] = {}
        for name in ("remittance_id", "message_id"):
            if getattr(request, name):
                where[name] = uuid_in(getattr(request, name), name)
        rows = self._listed(RECEIPTS, where, "-received_at", request.limit)
        return pb.ListReceiptsResponse(receipts=map(_receipt, rows))

    def _listed(self, table: Table, where: Where, newest: str, limit: int) -> list[Row]:
        return self._store.rows(table, where, order=(newest, *table.key), limit=limit_in(limit))


def _where(**columns: str) -> dict[str, object]:
    return {name: value for name, value in columns.items() if value}


def _minor(value: object) -> common_pb2.Money:
    return common_pb2.Money(minor=number_of(value), currency=USD)


def _money(amount: Money) -> common_pb2.Money:
    return common_pb2.Money(minor=amount.minor, currency=amount.currency)


def _message(row: Row) -> pb.Message:
    return pb.Message(
        message_id=text_of(row["message_id"]),
        source_system=text_of(row["source_system"]),
        delivery_key=text_of(row["delivery_key"]),
        format=text_of(row["format"]),
        entity=text_of(row["entity"]),
        state=text_of(row["state"]),
        size_bytes=number_of(row["size_bytes"]),
        finding_count=number_of(row["finding_count"]),
        first_finding=text_of(row["first_finding"]),
        residual=None if row["residual_minor"] is None else _minor(row["residual_minor"]),
        received_at=text_of(row["received_at"]),
    )


def _encounter(row: Row) -> pb.Encounter:
    return pb.Encounter(
        encounter_id=text_of(row["encounter_id"]),
        patient_id=text_of(row["patient_id"]),
        source_system=text_of(row["source"]),
        entity=text_of(row["entity"]),
        state=text_of(row["state"]),
        charge_count=number_of(row["charge_count"]),
        charged=_minor(row["charged_minor"]),
        posting_count=number_of(row["posting_count"]),
        posted=_minor(row["posted_minor"]),
        hold_reasons=text_of(row["hold_reasons"]),
    )


def _charges(encounter: Encounter) -> list[pb.Charge]:
    return [
        pb.Charge(
            charge_id=str(charge_id),
            procedure_code=charge.line.procedure_code,
            amount=_money(charge.line.amount),
            service_date=charge.line.service_date.isoformat(),
            department=charge.line.department,
            message_id=str(charge.message_id),
            posted=charge_id not in encounter.unposted,
        )
        for charge_id, charge in encounter.charges.items()
    ]


def _posting(event: Encounter.Charged) -> pb.Posting:
    return pb.Posting(
        posting=event.posting,
        payer=event.payer,
        total=_money(event.total),
        service_from=event.service_from.isoformat(),
        charge_ids=[str(charge.charge_id) for charge in event.charges],
        message_ids=map(str, event.message_ids),
    )


def _receipt(row: Row) -> pb.Receipt:
    return pb.Receipt(
        receipt_id=text_of(row["receipt_id"]),
        remittance_id=text_of(row["remittance_id"]),
        message_id=text_of(row["message_id"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        trace_number=text_of(row["trace_number"]),
        payment=_minor(row["payment_minor"]),
        effective_date=text_of(row["effective_date"]),
        claim_count=number_of(row["claim_count"]),
        claims_read=number_of(row["claims_read"]),
    )
