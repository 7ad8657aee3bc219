"""How long an interactive submit takes, from send to durable answer, while a bulk file is being taken; to the same on an idle replica.

A bundle over FHIR and a message over HL7 are sent four times a second each, first alone and then beside 835s, a charge
batch or an `$import`, each on a replica of its own that runs in halves on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from sandbox.world.bulk import generate_remittance

from tests.performance.figures import Bar, Figure, Sums
from tests.performance.intake_alone import IntakeAlone, Sent, finished
from tests.performance.intake_bulk_files import charge_batch, patient_lines
from tests.performance.intake_load import WARM_SEED, own_folder, told
from tests.performance.intake_traffic import TODAY, fhir_conversations, hl7_conversations
from tests.performance.sizes import Sizes

BAR = Bar(2.0, 1.2)
RATE = 4.0
CONNECTIONS = 8
WIRES = {"fhir": fhir_conversations, "hl7": hl7_conversations}
IMPORTS_RUNNING = b"SELECT count(*) FROM bulk_imports WHERE state = 'running'"
TAKEN = ("200", "201", "AA")


@dataclass(frozen=True, slots=True)
class Bulk:
    """One kind of bulk: how it begins, and whether any of it is left."""

    name: str
    work: str
    begin: Callable[[IntakeAlone], None]
    is_left: Callable[[IntakeAlone], bool]


def intake_bulk(folder: Path, sizes: Sizes) -> list[Figure]:
    """For each kind of bulk, how many times as long at the median and at the 95th percentile."""
    return [figure for bulk in _kinds(sizes) for figure in _beside(folder, sizes, bulk)]


def _kinds(sizes: Sizes) -> list[Bulk]:
    remittances = f"{sizes.bulk_remittances} 835s of {sizes.bulk_claims:,} claims"
    return [
        Bulk("835", remittances, partial(_drop_remittances, sizes=sizes), _has_files),
        Bulk("csv", f"a charge batch of {sizes.bulk_rows:,} rows", partial(_drop_batch, sizes=sizes), _has_files),
        Bulk("import", f"an $import of {sizes.bulk_lines:,} lines", partial(_import, sizes=sizes), _has_imports),
    ]


def _beside(folder: Path, sizes: Sizes, bulk: Bulk) -> list[Figure]:
    with IntakeAlone(own_folder(folder, f"intake-beside-{bulk.name}"), in_halves=True) as intake:
        _interactive(intake, 5.0, WARM_SEED)
        idle = _interactive(intake, sizes.interactive_seconds, 1)
        bulk.begin(intake)
        beside = _interactive(intake, sizes.interactive_seconds, 500)
        left = "still being taken" if bulk.is_left(intake) else "taken"
        memory = intake.peak_memory_mb
    details = tuple(told(f"{wire}, {what}", sent[wire]) for wire in WIRES for what, sent in _both(idle, beside))
    return [
        Figure(
            row="intake-bulk",
            work=f"an interactive submit beside {bulk.work}, to idle, at the {percent}th percentile",
            value=max(getattr(beside[wire], at) / getattr(idle[wire], at) for wire in WIRES),
            unit="times",
            bar=BAR,
            memory_mb=memory,
            details=(*details, f"the bulk at the end of that: {left}") if percent == 50 else (),
            sums=tuple(
                Sums(f"{wire} taken", str(sent.sent), str(sent.answered(*TAKEN))) for wire, sent in beside.items()
            ),
        )
        for percent, at in ((50, "p50_ms"), (95, "p95_ms"))
    ]


def _both(idle: Mapping[str, Sent], beside: Mapping[str, Sent]) -> tuple[tuple[str, Mapping[str, Sent]], ...]:
    return ("idle", idle), ("beside bulk", beside)


def _interactive(intake: IntakeAlone, seconds: float, first_seed: int) -> dict[str, Sent]:
    """Sends over both wires at once, so seldom that an idle replica never queues them."""
    count = round(RATE * seconds)
    senders = {
        wire: intake.start_sending(wire, conversations(count, first_seed), CONNECTIONS, rate=RATE)
        for wire, conversations in WIRES.items()
    }
    return {wire: finished(sender) for wire, sender in senders.items()}


def _drop_remittances(intake: IntakeAlone, sizes: Sizes) -> None:
    for seed in range(1, sizes.bulk_remittances + 1):
        intake.drop(f"bulk-{seed}.835", generate_remittance(sizes.bulk_claims, TODAY, seed=seed).content)


def _drop_batch(intake: IntakeAlone, sizes: Sizes) -> None:
    intake.drop("bulk.csv", charge_batch(sizes.bulk_rows, TODAY))


def _import(intake: IntakeAlone, sizes: Sizes) -> None:
    folder = intake.stack.exchange / "fhir-import"
    folder.mkdir(exist_ok=True)
    (folder / "bulk.ndjson").write_bytes(patient_lines(sizes.bulk_lines))
    manifest = {
        "inputFormat": "application/fhir+ndjson",
        "inputSource": "ehr-north",
        "input": [{"type": "Patient", "url": "bulk.ndjson"}],
    }
    headers = {"Authorization": f"Bearer {intake.token()}", "Prefer": "respond-async"}
    url = f"http://{intake.stack.address('intake', 'http')}/fhir/$import"
    answer = httpx.post(url, json=manifest, headers=headers, trust_env=False)
    assert answer.status_code == 202, answer.text


def _has_files(intake: IntakeAlone) -> bool:
    return bool(intake.dropped)


def _has_imports(intake: IntakeAlone) -> bool:
    return intake.count(IMPORTS_RUNNING) > 0
