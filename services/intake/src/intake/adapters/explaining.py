"""Says in words what some content is and what would become of it. Nothing is kept; who it is about is masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from canonical.money import Money
from chassis.domain import Event
from chassis.file_formats import HEAD_BYTES, Format, recognise

from intake.adapters.charge_batches.reading import deliveries_of
from intake.adapters.charge_batches.rows import read_batch
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import SiteProfiles, read_message
from intake.adapters.hl7v2.batch_files import split_batch
from intake.application.deliveries import InboundDelivery, Outcome
from intake.application.telling_events import told
from intake.domain.encounter import Encounter
from intake.domain.facts import ChargeSeen, ChargeVoided, CoverageSeen, EncounterSeen, Fact, PatientSeen

ACTOR = "service:intake"
MESSAGES_MAX = 1000
SHOWN_MAX = 200
KINDS = {
    "PatientSeen": "patient",
    "EncounterSeen": "visit",
    "CoverageSeen": "coverage",
    "ChargeSeen": "charge",
    "ChargeVoided": "credit",
    "PatientPaymentSeen": "payment of the patient",
    "AdjustmentSeen": "adjustment",
    "DiagnosisSeen": "diagnosis",
    "ProcedureSeen": "procedure",
    "PatientsMerged": "merge of patients",
    "PatientsUnmerged": "parting of patients",
    "EncounterCancelled": "cancelled visit",
    "EncounterReopened": "reopened visit",
}
Rehearse = Callable[[Sequence[InboundDelivery]], tuple[list[Outcome], list[Event]]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found. `unmapped` are codes that master data does not know; `effects` the events that would be recorded."""

    format: str = ""
    messages: int = 0
    accepted: int = 0
    sentences: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """The messages of some content, a sentence on each, and what is wrong with the whole."""

    deliveries: Sequence[InboundDelivery]
    sentences: Sequence[str]
    faults: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Explaining:
    """Reads as the doors do."""

    profiles: SiteProfiles
    names: FhirNames
    rehearse: Rehearse

    def explain(self, content: bytes) -> Explanation:
        """The explanation of a file's content."""
        kind = recognise(content[:HEAD_BYTES])
        readers = {
            Format.HL7: self._hl7,
            Format.FHIR: self._fhir,
            Format.NDJSON: self._ndjson,
            Format.CHARGE_BATCH: self._charge_batch,
        }
        if kind not in readers:
            return Explanation(sentences=("This is no format that is explained here.",))
        read = readers[kind](content)
        if len(read.deliveries) > MESSAGES_MAX:
            return Explanation(kind.value, len(read.deliveries), sentences=(f"More than {MESSAGES_MAX} messages.",))
        outcomes, events = self.rehearse(read.deliveries)
        return _explained(kind, read, outcomes, events)

    def _hl7(self, content: bytes) -> _Read:
        batch = split_batch(content)
        if batch.fault:
            return _Read((), (), (f"file: hl7-batch-{batch.fault}: nothing of it would be taken",))
        readings = [read_message(raw, actor=ACTOR, profiles=self.profiles) for raw in batch.messages]
        sentences = []
        for reading in readings:
            header = reading.header
            sender = " at ".join(filter(None, header.sender)) or "nobody"
            profile = f", read by profile {header.profile}" if header.profile else ""
            name = "^".join(filter(None, header.kind)) or "no message type"
            sentences.append(f"HL7 v{header.version or '?'} {name} from {sender}{profile}")
        return _Read([reading.delivery for reading in readings], sentences)

    def _fhir(self, content: bytes, key: str = "") -> _Read:
        submission = read_submission(content, self.names, Sender(ACTOR, key=key))
        order = sorted(range(len(submission.deliveries)), key=submission.ranks.__getitem__)
        deliveries = [submission.deliveries[number] for number in order]
        sentences = [_fhir_sentence(each, submission.kind) for each in deliveries]
        return _Read(deliveries, sentences)

    def _ndjson(self, content: bytes) -> _Read:
        lines = [self._fhir(line, f"line {number}") for number, line in enumerate(content.splitlines()) if line.strip()]
        return _Read(
            [each for line in lines for each in line.deliveries], [each for line in lines for each in line.sentences]
        )

    def _charge_batch(self, content: bytes) -> _Read:
        batch = read_batch(content, needs_control=True)
        if batch.faults:
            return _Read((), (), [f"{fault}; nothing would be taken" for fault in batch.faults])
        deliveries = list(deliveries_of(batch, ACTOR))
        return _Read(
            deliveries, [f"rows of one visit from {each.source} for {each.entity or '?'}" for each in deliveries]
        )


def _fhir_sentence(delivery: InboundDelivery, kind: str) -> str:
    counts = Counter(seen.kind for seen in delivery.resources)
    held = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing that is taken"
    return f"FHIR R4 {kind or 'content of no usable kind'} from {delivery.source}, with {held}"


def _explained(kind: Format, read: _Read, outcomes: Sequence[Outcome], events: Sequence[Event]) -> Explanation:
    sentences = []
    for number, (said, delivery, outcome) in enumerate(zip(read.sentences, read.deliveries, outcomes, strict=True), 1):
        verdict = "would be accepted" if outcome.accepted else "would be refused"
        if outcome.repeated:
            verdict = f"came before, and was {'accepted' if outcome.accepted else 'refused'}"
        sentences.append(f"{number}. {said}: {verdict}.")
        sentences += [f"   It tells of {each}." for each in _contents(delivery.facts)]
        sentences += [f"   Note: {note}." for note in outcome.notes]
    findings = [*read.faults, *_findings(outcomes)]
    reasons = [str(reason) for event in events if isinstance(event, Encounter.Held) for reason in event.reasons]
    unmapped = dict.fromkeys(reason for reason in reasons if ": unknown-" in reason)
    effects = [told(event) for event in events if event.TOPIC.startswith("intake.")]
    return Explanation(
        kind.value,
        len(read.deliveries),
        sum(outcome.accepted for outcome in outcomes),
        tuple(sentences),
        tuple(findings),
        tuple(unmapped),
        tuple(effects[:SHOWN_MAX]),
    )


def _findings(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What is wrong; of which message, where there are several."""
    for number, outcome in enumerate(outcomes, 1):
        place = f"{number}. " if len(outcomes) > 1 else ""
        yield from (f"{place}{finding}" for finding in outcome.findings)


def _contents(facts: Sequence[Fact]) -> Iterator[str]:
    """What the facts are of; of people only how much is known."""
    counts = Counter(KINDS[type(fact).__name__] for fact in facts if type(fact).__name__ in KINDS)
    if counts:
        yield ", ".join(
            f"{count} {name}{'s' if count > 1 and ' ' not in name else ''}" for name, count in counts.items()
        )
    for fact in facts:
        match fact:
            case PatientSeen():
                yield f"a patient whose name (****) and birth date (****) are given, with {len(fact.identifiers)} identifiers"
            case EncounterSeen():
                yield f"a visit with {len(fact.diagnosis_codes)} diagnoses at {fact.location or 'no location'}"
            case CoverageSeen():
                payer = fact.payer.code or ("a payer named elsewhere" if fact.payer.reference else "self-pay")
                yield f"coverage {fact.rank}: {payer}"
            case ChargeSeen():
                amount = fact.amount.decimal_text if fact.amount else "the charge master's price"
                code = "-".join((fact.procedure_code or fact.revenue_code, *fact.modifiers))
                yield f"charge {code}, {fact.units.normalize():f} unit(s), {amount}, on {fact.service_date}"
            case ChargeVoided():
                yield f"a credit of {fact.amount.decimal_text if fact.amount else 'a whole charge'}"
    totals: Counter[str] = Counter()
    for fact in facts:
        if isinstance(fact, ChargeSeen) and fact.amount:
            totals[fact.amount.currency] += fact.amount.minor
    for currency, minor in totals.items():
        yield f"charges of {Money(minor, currency).decimal_text} {currency} in all"
