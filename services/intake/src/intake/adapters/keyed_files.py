"""A keyed remittance as the 835 that its payer would have sent, for the same reader, rules and raw bytes as every other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from canonical.codes import AdjustmentGroup
from canonical.master_data import Entity, MasterData, Payer, UnknownMasterData
from canonical.remittance import ClaimAdjustment, ClaimPayment, ProviderAdjustment, ServicePayment
from x12.errors import UnwritableValue
from x12.policy import PolicyOf
from x12.segment_writer import CONTROL_NUMBER_MAX, SegmentWriter
from x12.submission_envelope import SubmissionEnvelope
from x12.writable import day, signed_amount

from intake.adapters.x12_files import X12File
from intake.application.ports import MasterDataSource, PayerFile
from intake.domain.keyed_remittance import KeyedContent, KeyedFaulty

GUIDE = "005010X221A1"
SOURCE, SENDER, RECEIVER = "keyed", "KEYED", "INTAKE"
TRIPLETS_PER_CAS = PAIRS_PER_PLB = 6
NOTHING_PAID = "NON"


@dataclass(frozen=True, slots=True)
class KeyedFiles:
    """Writes the file of a keyed remittance; the same content is the same bytes."""

    master_data: MasterDataSource
    policies_today: Callable[[], PolicyOf]

    def __call__(self, keyed_id: UUID, content: KeyedContent) -> PayerFile:
        """
        Raises:
            KeyedFaulty: payer or entity are not known, or a value cannot stand in an 835.
        """
        payer, entity = _parties(content, self.master_data())
        try:
            raw = written(keyed_id, content, payer, entity)
        except UnwritableValue as refused:
            raise KeyedFaulty(str(refused)) from None
        return X12File(f"keyed-{keyed_id}", raw, source=SOURCE, policies=self.policies_today())


def _parties(content: KeyedContent, master_data: MasterData) -> tuple[Payer, Entity]:
    try:
        return (
            master_data.payer(content.payer, content.effective_date),
            master_data.entity(content.entity, content.effective_date),
        )
    except UnknownMasterData as unknown:
        raise KeyedFaulty(str(unknown)) from None


def written(keyed_id: UUID, content: KeyedContent, payer: Payer, entity: Entity) -> bytes:
    """One interchange with one 835.

    Raises:
        UnwritableValue: a value is too long, or has characters that X12 cannot hold.
    """
    number = keyed_id.int % CONTROL_NUMBER_MAX + 1
    at = datetime.combine(content.effective_date, datetime.min.time())
    writer = SegmentWriter(SubmissionEnvelope(SENDER, RECEIVER, number, number, at, str(number)))
    writer.open_group("HP", GUIDE)
    writer.open_set("835", GUIDE)
    _head(writer, content, payer, entity)
    if content.claims:
        writer.add("LX", "1")
    for claim in content.claims:
        _claim(writer, claim, payer)
    _provider_adjustments(writer, content.provider_adjustments)
    writer.close_set()
    return writer.close()


def _head(writer: SegmentWriter, content: KeyedContent, payer: Payer, entity: Entity) -> None:
    company = writer.text("payer_identifier", content.payer_identifier or f"1{payer.x12_identifier}", 10)
    method = writer.one_of(
        "payment_method", content.payment_method, frozenset({"ACH", "CHK", "FWT", "BOP", NOTHING_PAID})
    )
    handling = "I" if content.payment else "H"
    on = day(content.effective_date)
    writer.add("BPR", handling, signed_amount("payment", content.payment), "C", method, *[""] * 11, on)
    writer.add("TRN", "1", writer.text("trace_number", content.trace_number, 50), company)
    writer.add("DTM", "405", on)
    writer.add("N1", "PR", writer.text("payer", payer.name, 60), "XV", payer.x12_identifier)
    writer.add("N3", "NOT GIVEN")
    writer.add("N4", entity.address.city.upper(), entity.address.state, entity.address.postal_code)
    writer.add("PER", "BL", "KEYED FROM PAPER")
    writer.add("N1", "PE", writer.text("entity", entity.name, 60), "XX", entity.npi)


def _claim(writer: SegmentWriter, claim: ClaimPayment, payer: Payer) -> None:
    owed = claim.patient_responsibility
    writer.add(
        "CLP",
        writer.text("patient_control_number", claim.patient_control_number, 38),
        writer.text("status", claim.status, 2),
        signed_amount("charge", claim.charge),
        signed_amount("paid", claim.paid),
        signed_amount("patient_responsibility", owed) if owed else "",
        payer.claim_filing_indicator,
        writer.optional("payer_control_number", claim.payer_control_number, 50) or "NOTGIVEN",
    )
    _adjustments(writer, claim.adjustments)
    writer.add("NM1", "QC", "1", "NOT GIVEN")
    for line in claim.services:
        _line(writer, line)


def _line(writer: SegmentWriter, line: ServicePayment) -> None:
    procedure = writer.composite("HC", writer.text("procedure_code", line.procedure_code, 48), *line.modifiers)
    writer.add("SVC", procedure, signed_amount("charge", line.charge), signed_amount("paid", line.paid))
    _adjustments(writer, line.adjustments)
    if line.line_control_number:
        writer.add("REF", "6R", writer.text("line_control_number", line.line_control_number, 50))
    for code in line.remark_codes:
        writer.add("LQ", "HE", writer.text("remark_code", code, 30))


def _adjustments(writer: SegmentWriter, adjustments: Iterable[ClaimAdjustment]) -> None:
    """One CAS per group, at most six reasons in each."""
    given = list(adjustments)
    for group in AdjustmentGroup:
        own = [each for each in given if each.group is group]
        for start in range(0, len(own), TRIPLETS_PER_CAS):
            triplets: list[str] = []
            for each in own[start : start + TRIPLETS_PER_CAS]:
                triplets += [writer.text("reason", each.reason, 5), signed_amount("adjustment", each.amount), ""]
            writer.add("CAS", group.value, *triplets)


def _provider_adjustments(writer: SegmentWriter, adjustments: Sequence[ProviderAdjustment]) -> None:
    """A PLB of up to six pairs for each provider and fiscal year."""
    places = dict.fromkeys((each.provider, each.fiscal_date) for each in adjustments)
    for provider, fiscal_date in places:
        own = [each for each in adjustments if (each.provider, each.fiscal_date) == (provider, fiscal_date)]
        for start in range(0, len(own), PAIRS_PER_PLB):
            pairs: list[str] = []
            for each in own[start : start + PAIRS_PER_PLB]:
                reference = writer.optional("reference", each.reference, 50)
                pairs += [writer.composite(each.reason, reference), signed_amount("adjustment", each.amount)]
            writer.add("PLB", writer.text("provider", provider, 50), day(fiscal_date), *pairs)
