"""Says of any file what is in it: interchanges, transaction sets, sums, verdicts and findings, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import BinaryIO, TypedDict

from canonical.money import Money
from pydantic import BaseModel, ConfigDict

from x12.acknowledgement import ClaimAcknowledgement, GroupAcknowledgement, InterchangeAcknowledgement
from x12.acknowledgement_reader import interchange_acknowledgement
from x12.claim_payment_parser import STATUSES
from x12.envelope import (
    Interchange,
    InterchangeAcknowledged,
    InterchangeEnded,
    InterchangeStarted,
    OutsideBytes,
    SetEnded,
    TransactionSet,
)
from x12.errors import X12Refused
from x12.findings import Finding, Verdict, worst
from x12.policy import PolicyOf, strict
from x12.reading import Event, read
from x12.remittance import ClaimPayment, ProviderAdjustment, RemittanceHeader, RemittanceTotals, RemittanceTrailer
from x12.segments import DEFAULT_LIMITS, Limits
from x12.splitter import Source
from x12.submitted_claim import SubmissionTrailer

_READ_BYTES = 262_144
_NAME_CHARACTERS_MAX = 80
OTHER_STATUS = "other"
_Trailer = RemittanceTrailer | SubmissionTrailer | int


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True)


class PaymentInspection(_Report):
    """Who pays whom, and how, in an 835. `trace_number` is TRN02."""

    payer: str
    payee: str
    trace_number: str
    method: str
    effective_date: date | None
    debits_the_payee: bool


class SetInspection(_Report):
    """One transaction set. `sums` has CLP03, CLP04, CLP05, PLB and BPR02 of an 835, CLM02 of an 837; `claims` counts a 277's too.

    `first_segment` is the place of ST, counted from ISA = 1. `residual` is the largest amount that is out at any level; None where
    nothing is balanced. `residuals` locate it. Of an 835, `statuses` counts its claims by CLP02 (`other` where it is no status), and
    `provider_adjustments` has its PLB amounts by code; of a 277, `statuses` counts its claims and of a 999 its sets by outcome.
    """

    type: str
    version: str
    control_number: str
    group_control_number: str
    verdict: Verdict
    offset: int
    length: int
    segments: int
    first_segment: int
    claims: int = 0
    lines: int = 0
    sums: dict[str, Money] = {}
    payment: PaymentInspection | None = None
    statuses: dict[str, int] = {}
    provider_adjustments: dict[str, Money] = {}
    residual: Money | None = None
    residuals: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()
    findings_omitted: int = 0

    @property
    def located(self) -> list[Finding]:
        """The findings in file order; of what does not add up only the finest ones, so that each amount is named once."""
        plain = [finding for finding in self.findings if finding.residual is None]
        return sorted([*plain, *self.residuals], key=lambda finding: finding.position)


class InterchangeInspection(_Report):
    """One interchange; `findings` are those of its envelope and of its groups', `acknowledgements` its TA1 segments.

    `first_segment` is the place of ISA in the file, from 1.
    """

    control_number: str
    sender: str
    receiver: str
    date: str
    version: str
    usage: str
    offset: int
    length: int
    first_segment: int
    verdict: Verdict
    transaction_sets: tuple[SetInspection, ...]
    acknowledgements: tuple[InterchangeAcknowledgement, ...] = ()
    findings: tuple[Finding, ...]


class Refusal(_Report):
    """Why reading stopped, and at which byte."""

    code: str
    message: str
    offset: int


class Inspection(_Report):
    """A whole file. `outside_bytes` belong to no interchange; a refusal ends the reading, what was read before it stays."""

    verdict: Verdict
    bytes: int
    interchanges: tuple[InterchangeInspection, ...]
    outside_bytes: int = 0
    refusal: Refusal | None = None


def inspect(source: Source, limits: Limits = DEFAULT_LIMITS, policies: PolicyOf = strict) -> Inspection:
    """Read all of `source`. Nothing is raised for what stands in it: a refusal is part of the answer."""
    counted = _Counted(source)
    builder = _Builder()
    refusal = None
    try:
        for event in read(iter(counted), limits, policies):
            builder.take(event)
    except X12Refused as refused:
        refusal = Refusal(code=refused.code, message=refused.message, offset=refused.offset)
        builder.stop()
    for _ in counted:
        pass
    verdicts = [interchange.verdict for interchange in builder.interchanges]
    if refusal:
        verdicts.append(Verdict.REFUSED)
    if builder.outside_bytes:
        verdicts.append(Verdict.QUARANTINED)
    return Inspection(
        verdict=worst(verdicts),
        bytes=counted.bytes,
        interchanges=tuple(builder.interchanges),
        outside_bytes=builder.outside_bytes,
        refusal=refusal,
    )


class _Counted:
    """Chunks of a source, and how many bytes have gone by."""

    def __init__(self, source: Source) -> None:
        self._chunks = _chunks_of(source)
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.bytes += len(chunk)
            yield chunk


def _chunks_of(source: bytes | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(source, bytes):
        return iter((source,))
    if hasattr(source, "read"):
        return iter(lambda: source.read(_READ_BYTES), b"")
    return iter(source)


class _Builder:
    def __init__(self) -> None:
        self.interchanges: list[InterchangeInspection] = []
        self.outside_bytes = 0
        self._interchange: Interchange | None = None
        self._trailer: RemittanceTrailer | SubmissionTrailer | None = None
        self._claims = 0
        self._statuses: Counter[str] = Counter()
        self._acknowledgements: list[InterchangeAcknowledgement] = []
        self._sets: list[tuple[TransactionSet, _Trailer, dict[str, int]]] = []

    def take(self, event: Event) -> None:
        match event:
            case ClaimPayment():
                self._statuses[event.status if event.status in STATUSES else OTHER_STATUS] += 1
            case InterchangeStarted(interchange):
                self._interchange, self._sets, self._acknowledgements = interchange, [], []
            case InterchangeAcknowledged(_, segment):
                self._acknowledgements.append(interchange_acknowledgement(segment))
            case ClaimAcknowledgement():
                self._claims += 1
                self._statuses[event.outcome] += 1
            case GroupAcknowledgement(sets=sets):
                self._statuses.update(each.outcome for each in sets)
            case RemittanceTrailer() | SubmissionTrailer():
                self._trailer = event
            case SetEnded(transaction_set):
                self._sets.append((transaction_set, self._trailer or self._claims, dict(self._statuses)))
                self._trailer, self._claims = None, 0
                self._statuses.clear()
            case InterchangeEnded(interchange):
                self._close(interchange)
            case OutsideBytes(_, length):
                self.outside_bytes += length

    def stop(self) -> None:
        """Keep the interchange that a refusal cut off."""
        if self._interchange:
            self._interchange.findings.refuse(
                "stopped", "", self._interchange.ordinal, "reading stopped inside this interchange"
            )
            self._close(self._interchange)

    def _close(self, interchange: Interchange) -> None:
        sets = tuple(_set_inspection(*each) for each in self._sets)
        groups = {id(each.group): each.group for each, _, _ in self._sets}.values()
        logs = [interchange.findings, *(group.findings for group in groups)]
        self._interchange = None
        self.interchanges.append(
            InterchangeInspection(
                control_number=interchange.control_number,
                sender=interchange.sender,
                receiver=interchange.receiver,
                date=interchange.date,
                version=interchange.version,
                usage=interchange.usage,
                offset=interchange.offset,
                length=interchange.length,
                first_segment=interchange.ordinal,
                verdict=worst([log.verdict for log in logs] + [each.verdict for each in sets]),
                transaction_sets=sets,
                acknowledgements=tuple(self._acknowledgements),
                findings=tuple(finding for log in logs for finding in log.kept),
            )
        )


def _set_inspection(transaction_set: TransactionSet, trailer: _Trailer, statuses: dict[str, int]) -> SetInspection:
    findings = tuple(transaction_set.findings.kept)
    return SetInspection(
        type=transaction_set.type,
        version=transaction_set.version,
        control_number=transaction_set.control_number,
        group_control_number=transaction_set.group.control_number,
        verdict=transaction_set.verdict,
        offset=transaction_set.offset,
        length=transaction_set.length,
        segments=transaction_set.segments,
        first_segment=transaction_set.ordinal - transaction_set.group.interchange.ordinal + 1,
        statuses=statuses,
        findings=findings,
        findings_omitted=transaction_set.findings.omitted,
        **_content(trailer, findings),
    )


class _Content(TypedDict, total=False):
    claims: int
    lines: int
    sums: dict[str, Money]
    payment: PaymentInspection
    provider_adjustments: dict[str, Money]
    residual: Money
    residuals: tuple[Finding, ...]


def _content(trailer: _Trailer, findings: tuple[Finding, ...]) -> _Content:
    """What the type of a set adds to what every set has."""
    match trailer:
        case RemittanceTrailer(header, totals):
            return {
                "claims": totals.claims,
                "lines": totals.lines,
                "sums": _remittance_sums(header, totals),
                "payment": _payment(header),
                "provider_adjustments": _by_code(trailer.provider_adjustments),
                "residual": Money(trailer.residual_minor),
                "residuals": tuple(trailer.residuals),
            }
        case SubmissionTrailer():
            residuals = tuple(finding for finding in findings if finding.residual)
            amounts = (finding.residual for finding in residuals if finding.residual)
            return {
                "claims": trailer.claims,
                "lines": trailer.lines,
                "sums": {"CLM02": trailer.charge},
                "residual": max(amounts, key=abs, default=Money(0)),
                "residuals": residuals,
            }
        case int(claims):
            return {"claims": claims}


def _remittance_sums(header: RemittanceHeader, totals: RemittanceTotals) -> dict[str, Money]:
    return {
        "CLP03": Money(totals.charge_minor),
        "CLP04": Money(totals.paid_minor),
        "CLP05": Money(totals.patient_responsibility_minor),
        "PLB": Money(totals.provider_adjustment_minor),
        "BPR02": header.payment,
    }


def _payment(header: RemittanceHeader) -> PaymentInspection:
    return PaymentInspection(
        payer=header.payer.name[:_NAME_CHARACTERS_MAX],
        payee=header.payee.name[:_NAME_CHARACTERS_MAX],
        trace_number=header.trace_number[:_NAME_CHARACTERS_MAX],
        method=header.payment_method[:_NAME_CHARACTERS_MAX],
        effective_date=header.effective_date,
        debits_the_payee=header.is_debit,
    )


def _by_code(adjustments: Iterable[ProviderAdjustment]) -> dict[str, Money]:
    cents: Counter[str] = Counter()
    for adjustment in adjustments:
        cents[adjustment.reason] += adjustment.amount_minor
    return {code: Money(minor) for code, minor in cents.items()}
