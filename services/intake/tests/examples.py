"""One example of each stored event, always the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from canonical.codes import AdjustmentGroup, PayerClass, RevisionReason
from canonical.encounter import ChargeLine
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import (
    ClaimAdjustment,
    ClaimPayment,
    ProviderAdjustment,
    RemittanceSummary,
    ServicePayment,
)
from canonical.sealed import Sealed
from chassis.domain import Event
from chassis.exceptions.case import CaseState, ExceptionCase
from chassis.inbound import Fact, InboundMessage, MessageState
from chassis.testing import context
from intake.domain.access import Disclosure
from intake.domain.bulk_import import BulkImport, ImportFile, ImportState, RefusedLine
from intake.domain.charge_words import ChargeCredit
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import CapturedCharge, EncounterFacts, HoldReason
from intake.domain.likeness import likeness_of
from intake.domain.master_data_change import MasterDataBook, MasterDataChange, RowChange
from intake.domain.match_keys import MatchKeys
from intake.domain.next_coverage import NextCoverage
from intake.domain.partner_answer import AnswerKind, AnswerNumbers, PartnerAnswer
from intake.domain.patient import Patient
from intake.domain.patient_match import MatchKind, MatchState, PatientMatch
from intake.domain.payer_answer import Acknowledgement, ClaimStatus, InquiryAnswer, PayerAnswer, ReportedBalance
from intake.domain.received_interchange import ReceivedInterchange, Sighting
from intake.domain.remittance_receipt import RemittanceReceipt
from intake.domain.reported_money import ReportedAdjustment, ReportedPayment
from intake.domain.source_reference import SourceReference
from intake.domain.unmapped_code import SourceCode, UnmappedCode

from .keyed_examples import of_keying

PATIENT, MESSAGE, OTHER = derive("example", 1), derive("example", 2), derive("example", 3)
SEALED = Sealed(key_id=PATIENT, kind="patient.v1", fact=PATIENT, ciphertext=b"nonce, tag and body")
MATCH_KEYS = MatchKeys(
    source="ehr-north",
    family="a1",
    family_sound="a2",
    given="a3",
    given_sound="a4",
    birth_date="a5",
    birth_parts=("a6", "a7", "a8", "a9"),
    sex="b1",
    postal_code="b2",
    street="b3",
    blocks=("b4", "b5", "b6"),
    identifiers=("b7",),
)
BALANCE = ReportedBalance(
    platform="northstar", patient_control_number="PCN1", balance=Money.of("30.00"), as_of=date(2026, 3, 31)
)
INQUIRY_ANSWER = InquiryAnswer(
    patient_control_number="TPCN1",
    inquiry_reference="TRACE9",
    category_codes=("F1",),
    status_codes=("65",),
    payer_control_number="ICN1",
    charge=Money.of("124.00"),
    paid=Money.of("86.80"),
    status_date=date(2026, 2, 27),
)
NEXT_COVERAGE = NextCoverage(payer="STATEAID", has_member_id=True, coverage=SEALED, fingerprint="f5")
FACTS = EncounterFacts(
    patient_id=PATIENT, source="ehr-north", entity="NORTH", location="N-MAIN", rendering_provider="PRV01"
)
LINE = ChargeLine(
    charge_id=OTHER,
    procedure_code="99213",
    modifiers=("25",),
    units=Decimal("1.5"),
    amount=Money.of("124.00"),
    service_date=date(2026, 2, 6),
    diagnosis_pointers=(1, 2),
    department="N-FM",
)
REASON = HoldReason(field="payer", rule="unknown-payer", note="no payer 'X' on 2026-02-06")
SOURCE_CODE = SourceCode(source="ehr-north", kind="payer", code="X", day=date(2026, 2, 6))
UNMAPPED = REASON.model_copy(update={"unmapped": SOURCE_CODE})
CO45 = ClaimAdjustment(group=AdjustmentGroup.CONTRACTUAL, reason="45", amount=Money.of("37.20"))
CLAIM = ClaimPayment(
    position=0,
    patient_control_number="TPCN1",
    status="1",
    charge=Money.of("124.00"),
    paid=Money.of("86.80"),
    patient_responsibility=Money(0),
    payer_control_number="ICN1",
    services=(
        ServicePayment(
            procedure_code="99213",
            modifiers=("25",),
            charge=Money.of("124.00"),
            paid=Money.of("86.80"),
            line_control_number="1",
            adjustments=(CO45,),
        ),
    ),
    span_start=512,
    span_length=128,
)
SUMMARY = RemittanceSummary(
    remittance_id=OTHER,
    receipt_id=MESSAGE,
    entity="NORTH",
    payer_id="ACME",
    payer_identifier="1900100001",
    trace_number="TRACE1",
    payment=Money.of("76.80"),
    payment_method="ACH",
    effective_date=date(2026, 2, 27),
    claim_count=1,
    chunk_count=1,
    total_charge=Money.of("124.00"),
    total_paid=Money.of("86.80"),
    total_provider_adjustments=Money.of("10.00"),
    content_hash="a" * 64,
    provider_adjustments=(
        ProviderAdjustment(
            provider="1900100003", fiscal_date=date(2026, 12, 31), reason="WO", reference="R1", amount=Money.of("10.00")
        ),
    ),
    message_id=MESSAGE,
)
ACKNOWLEDGEMENT = Acknowledgement(
    kind="999", group_control_number="101", code="R", rejected_sets=("0001",), notes=("set 0001 IK502 5",)
)
STATUS = ClaimStatus(
    patient_control_number="TPCN1",
    accepted=True,
    payer_control_number="ICN1",
    category_codes=("A2",),
    charge=Money.of("124.00"),
)


def examples() -> Iterator[Event]:
    """One of each."""
    for kind, fields in (*_charging(), *_paying(), *of_keying(), *_knowing(), *_of_the_chassis()):
        yield kind(originator_id=PATIENT, originator_version=1, timestamp=context().now, meta=context().meta, **fields)


def _charging() -> Iterator[tuple[type[Event], dict[str, Any]]]:
    yield Patient.Registered, {"details": SEALED, "fingerprint": "f1", "match_keys": MATCH_KEYS}
    yield Patient.DetailsChanged, {"details": SEALED, "fingerprint": "f2", "match_keys": MATCH_KEYS}
    yield Patient.IdentifierLinked, {"linked_id": OTHER}
    yield from _merging()
    yield Patient.CoverageNamed, {"payer": "ACME", "coverage": SEALED, "fingerprint": "f3"}
    yield Patient.NextCoverageNamed, {"rank": 2, "coverage": NEXT_COVERAGE}
    yield Encounter.NextCoverageAttached, {"rank": 2, "coverage": NEXT_COVERAGE}
    yield (
        ReceivedInterchange.Seen,
        {
            "message_id": MESSAGE,
            "ordinal": 0,
            "sender": "ACMEPAY",
            "control_number": "000000101",
            "content": "ab12",
            "sighting": Sighting.FIRST,
        },
    )
    yield SourceReference.Named, {"target_id": PATIENT, "code": ""}
    yield (
        SourceReference.Versioned,
        {
            "kind": "Patient",
            "target_id": PATIENT,
            "code": "",
            "content": "c1",
            "delivery": "d1",
            "message_id": MESSAGE,
            "entry": 2,
        },
    )
    seen = {"facts": FACTS, "clinical": SEALED, "diagnosis_count": 2, "fingerprint": "f4"}
    yield Encounter.Opened, seen
    yield Encounter.DetailsChanged, seen
    covered = {"payer": "ACME", "has_member_id": True, "coverage": SEALED, "fingerprint": "f5"}
    yield Encounter.CoverageAttached, covered
    yield (
        Encounter.ChargeCaptured,
        {"charge": CapturedCharge(line=LINE, performer="PRV01", message_id=MESSAGE)},
    )
    said_at = datetime(2026, 2, 7, 9, 30, tzinfo=UTC)
    yield Encounter.Finished, {"said_at": said_at}
    yield Encounter.StateSaidAgain, {"said_at": said_at}
    yield Encounter.EndNoted, {"said_at": said_at}
    yield Encounter.Held, {"reasons": (UNMAPPED,), "amount": Money.of("124.00"), "cleared": (SOURCE_CODE,)}
    yield Encounter.Released, {"reason": "payer added", "cleared": (SOURCE_CODE,)}
    yield Encounter.Charged, CHARGED
    yield Encounter.GuarantorChanged, {"entity": "NORTH", "patient_id": PATIENT, "guarantor_id": OTHER}
    yield from _revising()


def _revising() -> Iterator[tuple[type[Event], dict[str, Any]]]:
    said_at = datetime(2026, 2, 8, 9, 30, tzinfo=UTC)
    charge = CapturedCharge(line=LINE, performer="PRV01", message_id=MESSAGE, said_at=said_at, is_priced=False)
    credit = ChargeCredit(amount=Money.of("24.00"), message_id=MESSAGE, said_at=said_at, credit_id=OTHER)
    yield Encounter.ChargeCorrected, {"charge": charge, "change": Money.of("-10.00"), "count_change": 0}
    yield (
        Encounter.ChargeVoided,
        {"charge_id": LINE.charge_id, "credit": credit, "change": Money.of("-24.00"), "count_change": 0},
    )
    yield (
        Encounter.Revised,
        {
            **CHARGED,
            "revision": 1,
            "previous_charges": (LINE,),
            "previous_total": Money.of("100.00"),
            "reason": RevisionReason.LATE_CHARGE,
            "revised_on": date(2026, 2, 8),
        },
    )
    yield Encounter.Cancelled, {"cleared": (SOURCE_CODE,), "said_at": said_at}
    yield Encounter.Reopened, {"cleared": (SOURCE_CODE,), "said_at": said_at}
    told = {"encounter_id": OTHER, "amount": Money.of("30.00"), "message_id": MESSAGE}
    yield (
        ReportedPayment.Reported,
        {**told, "entity": "NORTH", "patient_id": PATIENT, "method": "CASH", "received_on": date(2026, 2, 6)},
    )
    adjusted = {**told, "patient_id": PATIENT, "code": "SMALL", "adjusted_on": date(2026, 2, 6)}
    yield ReportedAdjustment.Reported, adjusted


def _merging() -> Iterator[tuple[type[Event], dict[str, Any]]]:
    said_at = datetime(2026, 2, 7, 9, 30, tzinfo=UTC)
    pair = {"first_id": PATIENT, "second_id": OTHER}
    likeness = likeness_of(MATCH_KEYS, MATCH_KEYS)
    yield Patient.Merged, {"into": OTHER, "reason": "same passport", "said_at": said_at}
    yield Patient.Absorbed, {"retired_id": OTHER}
    yield (
        Patient.Unmerged,
        {"parted_from": OTHER, "was_merged": True, "reason": "two passports", "said_at": said_at},
    )
    yield PatientMatch.Suggested, {**pair, "kind": MatchKind.PROBABLE, "likeness": likeness}
    yield PatientMatch.Settled, {"state": MatchState.UNLIKELY, "likeness": likeness}
    yield PatientMatch.Merged, {"reason": "same passport"}
    yield PatientMatch.Distinguished, {**pair, "reason": "twins"}


CHARGED = {
    "posting": 1,
    "patient_id": PATIENT,
    "entity": "NORTH",
    "payer": "ACME",
    "payer_class": PayerClass.COMMERCIAL,
    "location": "N-MAIN",
    "place_of_service": "11",
    "rendering_provider": "PRV01",
    "service_from": date(2026, 2, 6),
    "service_to": date(2026, 2, 6),
    "charges": (LINE,),
    "total": Money.of("124.00"),
    "diagnosis_count": 2,
    "has_member_id": True,
    "details": SEALED,
    "message_ids": (MESSAGE,),
}


def _paying() -> Iterator[tuple[type[Event], dict[str, Any]]]:
    yield RemittanceReceipt.Read, {"summary": SUMMARY}
    yield (
        RemittanceReceipt.ChunkRead,
        {"remittance_id": OTHER, "chunk": 0, "claims": (CLAIM,), "total_paid": Money.of("86.80")},
    )
    yield PayerAnswer.AcknowledgementRead, {"message_id": MESSAGE, "acknowledgement": ACKNOWLEDGEMENT}
    yield PayerAnswer.StatusesRead, {"message_id": MESSAGE, "statuses": (STATUS,)}
    yield PayerAnswer.InquiryAnswersRead, {"message_id": MESSAGE, "statuses": (INQUIRY_ANSWER,)}
    yield PayerAnswer.BalancesRead, {"message_id": MESSAGE, "statuses": (BALANCE,)}
    yield AnswerNumbers.Issued, {"number": 7}
    yield (
        PartnerAnswer.Owed,
        {
            "message_id": MESSAGE,
            "kind": AnswerKind.INTERCHANGE,
            "receiver": "ACMEPAY",
            "name": "ACMEPAY-000000007.ta1",
            "content": "ISA*00*",
        },
    )
    yield PartnerAnswer.Written, {}
    yield PartnerAnswer.AskedAgain, {}
    file = ImportFile(kind="Patient", name="patients-1.ndjson", size_bytes=2048, modified_ns=1_700_000_000_000_000_000)
    yield BulkImport.Started, {"source": "ehr-north", "actor": "service:ehr", "files": (file,)}
    refused = (RefusedLine(line=3, findings=("Patient.birthDate: required: the day of birth",)),)
    told = {"file": 0, "name": "patients-1.ndjson", "offset": 1024, "line": 3, "accepted": 2, "refused": refused}
    yield BulkImport.Advanced, told
    yield BulkImport.NextFileBegun, {"file": 1}
    yield BulkImport.Ended, {"state": ImportState.FAILED, "reason": "file-changed: patients-1.ndjson"}
    yield Disclosure.Given, {"what": "raw-span", "subject_id": MESSAGE, "start": 512, "length": 128}


def _knowing() -> Iterator[tuple[type[Event], dict[str, Any]]]:
    yield UnmappedCode.Met, {"code": SOURCE_CODE}
    yield UnmappedCode.Settled, {"reason": "nothing waits for it any more"}
    proposed = {"base_version": 1, "lists": ("crosswalks",), "row_count": 1, "needs_another": True}
    yield MasterDataChange.Proposed, {"reason": "a new payer code", **proposed}
    row = RowChange(list_name="crosswalks", key='["ehr-north", "payer", "X", "2000-01-01"]', code="X", row="{}")
    yield MasterDataChange.RowsGiven, {"rows": (row,)}
    yield MasterDataChange.Approved, {"version": 2}
    yield MasterDataChange.Rejected, {"reason": "the payer is another"}
    yield MasterDataBook.Released, {"version": 2, "change_id": OTHER, "content_hash": "ab12"}


def _of_the_chassis() -> Iterator[tuple[type[Event], dict[str, Any]]]:
    fact = Fact(name="format", value="x12")
    wrong = {"findings": ("FT1[1]-11: required: the amount",), "finding_count": 1, "facts": (fact,)}
    yield (
        InboundMessage.Received,
        {
            "source_system": "ehr-north",
            "delivery_key": "K1",
            "source_reference": "K1",
            "format": "fhir-r4",
            "entity": "NORTH",
            "size_bytes": 100,
            "content_address": "b" * 64,
            "span_count": 1,
            "span_digest": "c" * 64,
        },
    )
    yield InboundMessage.Accepted, {"facts": (fact,)}
    yield InboundMessage.Refused, wrong
    yield InboundMessage.Quarantined, wrong | {"residual": Money(1)}
    again = {"verdict": MessageState.ACCEPTED, "reason": "the payer was added", "findings": (), "finding_count": 0}
    yield InboundMessage.Reprocessed, again
    yield (
        ExceptionCase.Raised,
        {"code": "UnknownPayer", "summary": str(REASON), "subject": "encounter", "subject_id": PATIENT},
    )
    yield ExceptionCase.Assigned, {"owner": "user:ada"}
    yield ExceptionCase.Ended, {"how": CaseState.CORRECTED, "reason": "payer added"}
