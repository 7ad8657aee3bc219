"""What has to hold of the HL7 v2 reader, its answers and its batch files for any bytes at all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from canonical.ids import derive
from chassis.file_formats import HEAD_BYTES, Format, recognise
from intake.adapters.hl7v2 import acknowledgements, read_message, read_profiles
from intake.adapters.hl7v2.batch_files import split_batch
from intake.adapters.hl7v2.reading import Hl7Reading
from intake.adapters.hl7v2.segments import parse
from intake.adapters.hl7v2.site_profiles import Validation
from intake.application.deliveries import Outcome
from intake.domain.charge_rules import broken_rules
from intake.domain.facts import AdjustmentSeen, ChargeSeen, ChargeVoided, PatientPaymentSeen

SEEDS = Path(__file__).parent / "seeds"
SECRET = "Quuxington"
"""The family name in every seed: it may stand in no finding, no note, no key and no answer."""
NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)
TODAY = date(2026, 3, 1)
PROFILES = read_profiles(Path(__file__).parents[1] / "site_profiles.toml")
assert PROFILES.profiles[-1].validation is Validation.WHAT_IS_READ


def kept_seeds() -> list[bytes]:
    """The messages that fuzzing starts from, and every input that once broke something."""
    return [path.read_bytes() for path in sorted(SEEDS.iterdir())]


def examine(raw: bytes) -> str:
    """Reads the bytes as a frame and as a file; `accepted`, `refused` or `rejected`.

    Raises:
        AssertionError: a promise is broken; any other exception is a defect as well.
    """
    reading = read_message(raw, actor="fuzz", profiles=PROFILES)
    _assert_delivery(reading, raw)
    findings = [*reading.delivery.findings, *broken_rules(reading.delivery.facts, TODAY)]
    told = tuple(map(str, findings))
    _assert_answers(reading, told)
    _assert_lossless(raw)
    return "rejected" if reading.rejected else "refused" if findings else "accepted"


def _assert_delivery(reading: Hl7Reading, raw: bytes) -> None:
    delivery = reading.delivery
    assert not (delivery.findings and delivery.facts), "facts of a message that is refused"
    assert delivery.findings or delivery.facts, "a message that says nothing is accepted"
    assert (delivery.source + delivery.delivery_key + delivery.entity).isprintable(), "a key that no index takes"
    assert SECRET not in delivery.delivery_key or SECRET.encode() in raw.split(b"PID")[0], "a name in a key"
    for fact in delivery.facts:
        if (
            isinstance(fact, ChargeSeen | ChargeVoided | PatientPaymentSeen | AdjustmentSeen)
            and fact.amount is not None
        ):
            assert isinstance(fact.amount.minor, int), "an amount that is no whole cents"
    end = 0
    for start, length, _ in sorted(delivery.patient_spans):
        assert end <= start < start + length <= len(raw), "spans that overlap, or leave the message"
        end = start + length


def _assert_answers(reading: Hl7Reading, findings: tuple[str, ...]) -> None:
    outcome = Outcome(derive("fuzz"), accepted=not findings, findings=findings, notes=reading.delivery.notes)
    said = "".join((*findings, *reading.delivery.notes))
    assert SECRET not in said, "a name in a finding"
    for answer in acknowledgements(reading.header, outcome, NOW, rejected=reading.rejected):
        message = parse(answer)
        msa = message.first("MSA")
        assert msa is not None, "an answer without MSA"
        assert msa.field(1) in {f"{mode}{verdict}" for mode in "AC" for verdict in "AER"}, "no code of an answer"


def _assert_lossless(raw: bytes) -> None:
    if recognise(raw[:HEAD_BYTES]) is Format.HL7:
        batch = split_batch(raw)
        assert sum(map(len, batch.messages)) <= len(raw) + 1, "messages out of nothing"
