"""How many messages one intake replica on one core takes, durably; and what it does with more."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.performance.bare_rows import PLAIN_TABLES, copy_again_seconds, read_model_names
from tests.performance.figures import Bar, Baseline, Figure, Sums, Unit
from tests.performance.intake_alone import IntakeAlone, Sent
from tests.performance.intake_traffic import Conversation, fhir_conversations, hl7_conversations
from tests.performance.sizes import Sizes
from tests.performance.stopwatch import seconds_of

HL7_BAR, FHIR_BAR = Bar(500, 1_000), Bar(300, 600)
MEMORY_BAR_MB = 512
CONNECTIONS = {"hl7": 90, "fhir": 160}
FLOODING_CONNECTIONS = 190
PUSHED_BACK_CONNECTIONS = 400
WARM_SEED, FLOOD_SEED = 9_000, 5_000
STORED = b"SELECT count(*) FROM inbound_messages"
ACCEPTED = b"SELECT count(*) FROM inbound_messages WHERE state = 'accepted'"
Conversations = Callable[[int, int], list[Conversation]]


def intake_hl7(folder: Path, sizes: Sizes) -> list[Figure]:
    """Messages a second over MLLP, and what becomes of a flood."""
    return _loaded(folder, "hl7", hl7_conversations, sizes.hl7_messages, "messages/s", HL7_BAR)


def intake_fhir(folder: Path, sizes: Sizes) -> list[Figure]:
    """Bundles of about ten resources a second, and what becomes of a flood."""
    return _loaded(folder, "fhir", fhir_conversations, sizes.fhir_bundles, "bundles/s", FHIR_BAR)


def _loaded(folder: Path, wire: str, conversations: Conversations, count: int, unit: Unit, bar: Bar) -> list[Figure]:
    """Closed-loop, then at the rate of the bar whenever answers come, then ten times as much as it takes."""
    sent = conversations(count, 1)
    with IntakeAlone(own_folder(folder, f"intake-{wire}")) as intake:
        warm = conversations(max(20, count // 20), WARM_SEED)
        intake.send(wire, warm, CONNECTIONS[wire])
        measured = intake.send(wire, sent, CONNECTIONS[wire])
        stored = intake.count(STORED)
        bare = _bare_seconds(intake) * _length(sent) / stored
        paced = conversations(count // 2, WARM_SEED // 2)
        at_rate = intake.send(wire, paced, CONNECTIONS["hl7"] * 2, rate=bar.first)
        flood = _flooded(intake, wire, conversations(count, FLOOD_SEED), unit)
    rate = sum(measured.answers.values()) / measured.seconds
    figure = Figure(
        row=f"intake-{wire}",
        work=f"{_length(sent):,} {unit.removesuffix('/s')} taken durably by one replica on one core",
        value=rate,
        unit=unit,
        bar=bar,
        baseline=Baseline("COPY of the same rows, nothing read or decided", _length(sent) / bare),
        memory_mb=measured.memory_mb,
        memory_bar_mb=MEMORY_BAR_MB,
        details=(
            told("closed loop", measured),
            told(f"sent at {bar.first:.0f} a second", at_rate),
            _bare_parse(wire, sent),
        ),
        sums=(Sums("stored", str(_length(sent) + _length(warm)), str(stored)),),
    )
    return [figure, flood]


def _flooded(intake: IntakeAlone, wire: str, conversations: Sequence[Conversation], unit: Unit) -> Figure:
    """Many senders that do not wait: what was acknowledged is stored, once; who is told to come again is told when."""
    before = intake.count(ACCEPTED)
    connections = FLOODING_CONNECTIONS if wire == "hl7" else PUSHED_BACK_CONNECTIONS
    flood = intake.send(wire, conversations, connections, flood=wire == "hl7", again=True)
    again = intake.send(wire, conversations[:20], 1)
    taken = flood.answered("AA", "200", "201")
    return Figure(
        row=f"intake-{wire}",
        work=f"a flood from {connections} connections: {flood.sent:,} sent",
        value=sum(flood.answers.values()) / flood.seconds,
        unit=unit,
        memory_mb=flood.memory_mb,
        memory_bar_mb=MEMORY_BAR_MB,
        details=(told("flood", flood), told("one sender afterwards", again)),
        sums=(
            Sums("acknowledged and stored", str(taken), str(intake.count(ACCEPTED) - before)),
            Sums("told to come again, with a time", str(flood.answered("429", "503")), str(flood.retry_afters)),
        ),
    )


def own_folder(folder: Path, name: str) -> Path:
    """A folder of its own for one replica."""
    own = folder / name
    own.mkdir()
    return own


def _length(conversations: Sequence[Conversation]) -> int:
    return sum(map(len, conversations))


def told(what: str, sent: Sent) -> str:
    answers = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(sent.answers.items()))
    told = f"{what}: p50 {sent.p50_ms:.0f}, p95 {sent.p95_ms:.0f}, p99 {sent.p99_ms:.0f} ms; {answers}"
    if not sent.cpu_seconds:
        return told
    return f"{told}; {sent.cpu_ms_each:.2f} ms of the processor each, {1000 / sent.cpu_ms_each:,.0f}/s of one core"


def _bare_seconds(intake: IntakeAlone) -> float:
    """Seconds to write every row of intake's database again."""
    with intake.connect() as connection:
        names = (*PLAIN_TABLES, *read_model_names(connection))
        return sum(copy_again_seconds(connection, table) for table in names)


def _bare_parse(wire: str, conversations: Sequence[Conversation]) -> str:
    messages = [message for each in conversations for message in each][:2_000]

    def parse() -> None:
        for message in messages:
            if wire == "fhir":
                json.loads(message)
            else:
                [line.split(b"|") for line in message.split(b"\r")]

    what = "json.loads" if wire == "fhir" else "split into segments and fields"
    return f"bare parse, {what}: {len(messages) / seconds_of(parse):,.0f}/s"
