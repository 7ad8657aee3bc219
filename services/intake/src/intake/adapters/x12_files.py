"""X12 files from payers: the first pass balances and finds spans, a later one gives the claims of one remittance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from canonical.money import Money
from canonical.remittance import ClaimPayment
from chassis.inbound.giving_way import GivingWay
from chassis.telemetry.metrics import DOOR_REFUSALS
from x12.acknowledgement import ClaimAcknowledgement, GroupAcknowledgement, Outcome
from x12.acknowledgement_reader import interchange_acknowledgement
from x12.acknowledgement_writer import write_group_acknowledgements, write_interchange_acknowledgement
from x12.answer import answer_to
from x12.blocks import ZERO
from x12.envelope import (
    Interchange,
    InterchangeAcknowledged,
    InterchangeEnded,
    OutsideBytes,
    SetStarted,
    TransactionSet,
)
from x12.errors import UnwritableValue, X12Refused
from x12.findings import Finding, Verdict
from x12.policy import PolicyOf, strict
from x12.reading import read
from x12.remittance import ClaimPayment as ReadClaim
from x12.remittance import RemittanceHeader, RemittanceTotals, RemittanceTrailer
from x12.submission_envelope import SubmissionEnvelope

from intake.adapters.portions import CLAIM_WEIGHT_MAX, Portions, weight_of
from intake.adapters.x12_digest import RemittanceDigest
from intake.adapters.x12_values import (
    acknowledgement_of,
    claim_payment_of,
    inquiry_answer_of,
    provider_adjustments_of,
    status_of,
)
from intake.application.deliveries import FileOutcome
from intake.application.ports import ClaimSpan, InterchangeFound, PayerFile, RemittanceFound, Survey
from intake.domain.partner_answer import AnswerKind
from intake.domain.payer_answer import ClaimStatus, InquiryAnswer

PROVIDER_ADJUSTMENTS_MAX = 2_000
FINDINGS_SHOWN_MAX = 50
FILE_DROP = "file-drop"
STATUS_VERSION = "005010X214"
INQUIRY_ANSWER_VERSION = "005010X212"
_ANSWERS = ("999", "997", "277")


def _weight_of(claim: ReadClaim) -> int:
    return weight_of(len(claim.lines), len(claim.adjustments) + sum(len(line.adjustments) for line in claim.lines))


@dataclass(slots=True)
class _OpenSet:
    """One transaction set while the survey is in it. Its verdict is final when its interchange has ended."""

    ordinal: int
    transaction_set: TransactionSet
    portions: Portions = field(default_factory=Portions)
    digest: RemittanceDigest = field(default_factory=RemittanceDigest)
    trailer: RemittanceTrailer | None = None
    groups: list[GroupAcknowledgement] = field(default_factory=list)
    statuses: list[ClaimStatus] = field(default_factory=list)
    inquiry_answers: list[InquiryAnswer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add_claim(self, claim: ReadClaim) -> None:
        self.portions.opens_next(_weight_of(claim))
        if _weight_of(claim) > CLAIM_WEIGHT_MAX:
            self.faults.append(
                f"set {self.ordinal + 1} CLP at {claim.position}: claim-size: too many lines to announce"
            )
        self.digest.add_claim(claim)

    def add_status(self, claim: ClaimAcknowledgement) -> None:
        if self.transaction_set.version == INQUIRY_ANSWER_VERSION:
            self.inquiry_answers.append(inquiry_answer_of(claim))
        elif claim.outcome is Outcome.UNDECIDED or not claim.patient_control_number:
            place = f"set {self.ordinal + 1} TRN at {claim.position}"
            self.faults.append(f"{place}: undecided-status: neither accepted nor rejected")
        else:
            self.statuses.append(status_of(claim))


class X12File:
    """One file in memory. `delivery_key` is its name: the same name and bytes are the same message.

    `policies` says of each sender which findings are held against it; `way` is given to whoever waits meanwhile.
    """

    def __init__(
        self, name: str, raw: bytes, *, source: str, policies: PolicyOf = strict, way: GivingWay | None = None
    ) -> None:
        self._policies = policies
        self._way = way or GivingWay()
        self._ended: list[tuple[Interchange, list[TransactionSet]]] = []
        self.delivery_key = name
        self.raw = raw
        self.source = source
        self.format = "x12"

    def answer(self, interchange: int, kind: AnswerKind, number: int, now: datetime) -> bytes | None:
        asked, sets = self._ended[interchange]
        envelope = SubmissionEnvelope(
            sender_id=asked.receiver,
            sender_qualifier=asked.receiver_qualifier,
            receiver_id=asked.sender,
            receiver_qualifier=asked.sender_qualifier,
            interchange_control_number=number,
            group_control_number=number,
            created=now,
            reference=str(number),
            usage=asked.usage,
        )
        write = write_interchange_acknowledgement if kind is AnswerKind.INTERCHANGE else write_group_acknowledgements
        try:
            return write(envelope, answer_to(asked, sets))
        except UnwritableValue:
            return None

    def survey(self) -> Survey:
        """What the file holds and whether it adds up; claims are seen and let go."""
        surveying = _Surveying(self.raw)
        self._ended = surveying.ended
        try:
            for event in self._way.paced(read(self.raw, policies=self._policies)):
                surveying.take(event)
        except X12Refused as refused:
            surveying.survey.refused = f"byte {refused.offset}: {refused.code}: {refused.message}"
        surveying.close_sets(cut_short=bool(surveying.survey.refused))
        return surveying.survey

    def parts(self, ordinal: int) -> Iterator[Sequence[ClaimPayment]]:
        """The claims of transaction set `ordinal`, part by part."""
        current = -1
        portions = Portions()
        part: list[ClaimPayment] = []
        for event in self._way.paced(read(self.raw, policies=self._policies)):
            if isinstance(event, ReadClaim):
                if current == ordinal:
                    if portions.opens_next(_weight_of(event)) and part:
                        yield part
                        part = []
                    part.append(claim_payment_of(event))
            elif isinstance(event, SetStarted):
                current += 1
                if current > ordinal:
                    break
        if part:
            yield part


def take_file(
    receive: Callable[[PayerFile], FileOutcome],
    policies_today: Callable[[], PolicyOf],
    name: str,
    raw: bytes,
    *,
    way: GivingWay | None = None,
) -> bool:
    """Receives one dropped file; true where all of it went on."""
    outcome = receive(X12File(name, raw, source=FILE_DROP, policies=policies_today(), way=way))
    if outcome.quarantined:
        DOOR_REFUSALS.labels("files", "quarantined").inc()
    return not outcome.quarantined


class _Surveying:
    """Gathers the survey from the events of one pass."""

    def __init__(self, raw: bytes) -> None:
        self.survey = Survey()
        self._raw = raw
        self.ended: list[tuple[Interchange, list[TransactionSet]]] = []
        self._sets: list[_OpenSet] = []
        self._count = 0
        self._interchange_acknowledgements = 0

    def take(self, event: object) -> None:
        if isinstance(event, ReadClaim):
            self._sets[-1].add_claim(event)
            self._span(event.offset, event.length, event.patient_control_number)
        elif isinstance(event, ClaimAcknowledgement):
            self._sets[-1].add_status(event)
            self._span(event.offset, event.length, event.patient_control_number)
        elif isinstance(event, SetStarted):
            self._sets.append(_OpenSet(self._count, event.transaction_set))
            self._count += 1
        elif isinstance(event, RemittanceTrailer):
            self._sets[-1].trailer = event
        elif isinstance(event, GroupAcknowledgement):
            self._sets[-1].groups.append(event)
        elif isinstance(event, InterchangeAcknowledged):
            self._acknowledged(event)
        elif isinstance(event, InterchangeEnded):
            self._note("interchange", event.interchange.findings.kept)
            ended = event.interchange
            self.ended.append((ended, [each.transaction_set for each in self._sets]))
            self.survey.interchanges.append(_interchange(ended, self._raw))
            self.close_sets(cut_short=False)
        elif isinstance(event, OutsideBytes):
            self.survey.findings.append(f"byte {event.offset}: outside: bytes that belong to no interchange")

    def _span(self, offset: int, length: int, number: str) -> None:
        """The number names a key: a zero byte in it, which refuses the set, can be in no name."""
        name = number.replace(ZERO, "")
        if name and length:
            self.survey.spans.append(ClaimSpan(offset, length, name))

    def _acknowledged(self, event: InterchangeAcknowledged) -> None:
        self._interchange_acknowledgements += 1
        answer = acknowledgement_of(interchange_acknowledgement(event.segment))
        self.survey.acknowledgements.append((-self._interchange_acknowledgements, answer))

    def close_sets(self, *, cut_short: bool) -> None:
        """The sets of an interchange that has ended; what follows a cut is not to be trusted."""
        for each in self._sets:
            kind = each.transaction_set.type
            if kind == "835":
                interchange = -1 if cut_short else len(self.survey.interchanges) - 1
                self.survey.remittances.append(_remittance(each, interchange, cut_short))
            elif kind not in _ANSWERS or each.transaction_set.verdict is not Verdict.ACCEPTED or cut_short:
                self._unusable(each)
            elif kind == "277":
                self._statuses(each)
            else:
                found = ((each.ordinal, acknowledgement_of(group)) for group in each.groups)
                self.survey.acknowledgements.extend(found)
        self._sets = []

    def _statuses(self, each: _OpenSet) -> None:
        if each.transaction_set.version == INQUIRY_ANSWER_VERSION:
            self.survey.inquiry_answers.append((each.ordinal, tuple(each.inquiry_answers)))
            return
        if each.transaction_set.version != STATUS_VERSION:
            told = f"set {each.ordinal + 1}: unsupported_version: only 277CA (X214) and 277 (X212) are taken"
            self.survey.findings.append(told)
            return
        self.survey.statuses.append((each.ordinal, tuple(each.statuses)))
        self.survey.findings.extend(each.faults[:FINDINGS_SHOWN_MAX])

    def _unusable(self, each: _OpenSet) -> None:
        log = each.transaction_set.findings
        place = f"set {each.ordinal + 1}"
        self._note(place, log.kept)
        if log.verdict is Verdict.ACCEPTED:
            self.survey.findings.append(f"{place}: unusable: its envelope is faulty, or this type is not taken")

    def _note(self, place: str, findings: Sequence[Finding]) -> None:
        kept = [finding for finding in findings if finding.severity != "note"][:FINDINGS_SHOWN_MAX]
        self.survey.findings.extend(_shown(place, finding) for finding in kept)


def _interchange(found: Interchange, raw: bytes) -> InterchangeFound:
    """Its names, and a digest of its bytes as they would be in the usual delimiters on one line."""
    used = found.delimiters
    marks = {used.element: "*", used.component: ":", used.repetition: "^", used.terminator: "~"}
    table = bytes(ord(marks.get(chr(byte), chr(byte))) for byte in range(256))
    line_breaks = "".join(mark for mark in "\r\n" if mark != used.terminator).encode("ascii")
    written = raw[found.offset : found.offset + found.length].translate(table, line_breaks)
    is_sound = found.findings.verdict is Verdict.ACCEPTED
    return InterchangeFound(found.sender, found.receiver, found.control_number, sha256(written).digest(), is_sound)


def _remittance(each: _OpenSet, interchange: int, cut_short: bool) -> RemittanceFound:
    trailer = each.trailer or RemittanceTrailer(RemittanceHeader(each.transaction_set), RemittanceTotals(), [], [])
    header, totals = trailer.header, trailer.totals
    log = each.transaction_set.findings
    faults = [_shown(f"set {each.ordinal + 1}", finding) for finding in log.kept if finding.severity != "note"]
    faults += each.faults
    if cut_short or each.trailer is None:
        faults.append(f"set {each.ordinal + 1}: truncated: the file ends inside the remittance")
    if len(trailer.provider_adjustments) > PROVIDER_ADJUSTMENTS_MAX:
        faults.append(f"set {each.ordinal + 1}: plb-count: more than {PROVIDER_ADJUSTMENTS_MAX} provider adjustments")
    adjustments = provider_adjustments_of(trailer.provider_adjustments) if not faults else ()
    if each.transaction_set.verdict is not Verdict.ACCEPTED and not faults:
        faults.append(f"set {each.ordinal + 1}: envelope: the group or interchange around it is faulty")
    payment = Money(header.net_minor)
    return RemittanceFound(
        ordinal=each.ordinal,
        usable=not faults,
        findings=tuple(faults[:FINDINGS_SHOWN_MAX]),
        residual=_residual(trailer.residuals),
        payer_identifiers=tuple(filter(None, (header.payer_identifier, header.payer.identifier))),
        payee_npi=header.payee.npi,
        trace_number=header.trace_number,
        payment=payment,
        payment_method=header.payment_method,
        effective_date=header.effective_date,
        claim_count=totals.claims,
        chunk_count=each.portions.count,
        total_charge=Money(totals.charge_minor),
        total_paid=Money(totals.paid_minor),
        total_provider_adjustments=Money(totals.provider_adjustment_minor),
        content_hash=each.digest.finish(header.net_minor, trailer.provider_adjustments),
        provider_adjustments=adjustments,
        reversal_count=totals.reversals,
        interchange=interchange,
        interchange_sender=each.transaction_set.group.interchange.sender,
        interchange_control_number=each.transaction_set.group.interchange.control_number,
    )


def _residual(residuals: Sequence[Finding]) -> Money | None:
    amounts = [finding.residual for finding in residuals if finding.residual is not None]
    return Money.total(amounts) if amounts else None


def _shown(place: str, finding: Finding) -> str:
    where = f"{place} {finding.segment} at {finding.position}".replace("  ", " ")
    return f"{where}: {finding.code}: {finding.message}"
