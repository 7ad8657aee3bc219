"""A large remittance from the dropped file to the confirmed journal, on the running suite."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from canonical.money import Money
from sandbox.world.file_drop import INTAKE_INBOUND, Exchange, drop

from tests.performance.bare_rows import bare_insert_seconds, transaction_marks
from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.seeding import Owed
from tests.performance.stopwatch import peak_memory_mb
from tests.performance.world import World

SECONDS_MAX = 400.0
BAR = Bar(500, 2_000)
HOPS = (
    ("received by intake", "intake", "chassis.inbound-message.accepted"),
    ("accepted by payments", "payments", "payments.remittance-chunk.accepted"),
    ("adjudicated by claims", "claims", "claims.claim.adjudicated"),
    ("patients charged by payments", "payments", "payments.patient-account.responsibility-assigned"),
    ("posted to the subledger", "ledger", "ledger.subledger-posting.drafted"),
    ("journal confirmed by the ERP (Tryton)", "ledger", "ledger.journal-entry.confirmed"),
)


@dataclass(frozen=True, slots=True)
class Paid:
    """One remittance that went all the way; `hops` are seconds after the file was dropped."""

    remittance_id: UUID
    seconds: float
    hops: Mapping[str, float]
    cpu: Mapping[str, float]


def end_to_end(world: World) -> Figure:
    """The row: claims a second from the drop to the last effect."""
    owed = world.owed("alone")
    world.running  # noqa: B018 (starts it, outside the measurement)
    marks = transaction_marks(world)
    paid = pay(world, owed)
    pids = world.process_ids()
    peaks = {service: peak_memory_mb(pid) for service, pid in pids.items()}
    bare = bare_insert_seconds(world, marks)
    return Figure(
        row="remittance",
        work=f"835 of {owed.claim_count:,} claims dropped → adjudicated, cash and journal at the ERP",
        value=owed.claim_count / paid.seconds,
        unit="claims/s",
        bar=BAR,
        baseline=Baseline("batched COPY of the same rows and events into bare tables", owed.claim_count / bare),
        memory_mb=max(peaks.values()),
        details=(
            f"{paid.seconds:.1f} s in all; hops end after:",
            *(f"{seconds:7.2f} s  {hop}" for hop, seconds in paid.hops.items()),
            "CPU: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in paid.cpu.items()),
            f"{sum(paid.cpu.values()) / owed.claim_count * 1e6:,.0f} µs of CPU a claim in all",
            "peak memory: " + ", ".join(f"{service} {peak:.0f} MB" for service, peak in peaks.items()),
        ),
        sums=sums_of(world, owed, paid.remittance_id),
    )


def pay(world: World, owed: Owed) -> Paid:
    """Drops the remittance and waits until nothing of it is left to do."""
    before = world.cpu_used()
    inbound = Exchange(world.running.exchange).folder(INTAKE_INBOUND)
    dropped = time.time()
    drop(inbound, f"{owed.remittance.trace_number}.835", owed.remittance.content)
    remittance_id = await_everything(world, owed)
    hops = _hops(world, dropped)
    cpu = {name: used - before[name] for name, used in world.cpu_used().items()}
    return Paid(remittance_id, max(hops.values()), hops, cpu)


def await_everything(world: World, owed: Owed) -> UUID:
    """Waits for the journal of the remittance, and for what the patients are left with."""
    trace = owed.remittance.trace_number
    find = "SELECT remittance_id FROM remittances WHERE trace_number = %s"
    world.wait_for("the remittance", lambda: bool(world.ask("payments", find, trace)), SECONDS_MAX)
    remittance_id = world.ask("payments", find, trace)[0][0]
    assert isinstance(remittance_id, UUID)
    confirmed = "SELECT 1 FROM journals WHERE group_id = %s AND state = 'confirmed'"
    world.wait_for("its journal", lambda: bool(world.ask("ledger", confirmed, remittance_id)), SECONDS_MAX)
    charged = sum(bool(each.decision.patient_responsibility) for each in owed.remittance.claims)
    lines = "SELECT count(*) FROM account_activity WHERE effective_date = %s AND claim_id = ANY(%s)"
    claims = [row[0] for row in world.ask("claims", _CLAIMS, remittance_id)]
    day = owed.remittance.payment_date
    world.wait_for(
        "the patients' share", lambda: world.ask("payments", lines, day, claims) == [(charged,)], SECONDS_MAX
    )
    return remittance_id


_CLAIMS = "SELECT claim_id FROM adjudications WHERE remittance_id = %s"
_LATEST = "SELECT max(recorded_at) FROM stored_events WHERE topic = %s"


def _hops(world: World, dropped: float) -> dict[str, float]:
    """When the last event of each kind was written, by the database's own clock."""
    hops = {}
    for hop, service, topic in HOPS:
        latest = world.ask(service, _LATEST, topic)[0][0]
        assert isinstance(latest, datetime), f"no {topic}"
        hops[hop] = latest.timestamp() - dropped
    return hops


def sums_of(world: World, owed: Owed, remittance_id: UUID) -> tuple[Sums, ...]:
    """What the payer said, against what every service made of it."""
    adjudicated = world.ask(
        "claims",
        "SELECT count(*), sum(paid_minor)::bigint, sum(patient_minor)::bigint FROM adjudications WHERE remittance_id = %s",
        remittance_id,
    )[0]
    cash = world.ask(
        "ledger",
        "SELECT sum(amount_minor)::bigint FROM subledger_lines WHERE group_id = %s AND account = 'eft-clearing'",
        remittance_id,
    )[0][0]
    journal = world.ask("ledger", "SELECT lines FROM journals WHERE group_id = %s", remittance_id)[0][0]
    assert isinstance(journal, list)
    booked = [Money.parse_wire(line["amount"]) for line in journal]
    clearing = [Money.parse_wire(line["amount"]) for line in journal if line["account"] == "eft-clearing"]
    paid, left = str(owed.paid.minor), str(owed.patient_responsibility.minor)
    return (
        Sums("claims adjudicated", str(owed.claim_count), str(adjudicated[0])),
        Sums("paid, as claims keeps it", paid, str(adjudicated[1])),
        Sums("left to patients, as claims keeps it", left, str(adjudicated[2])),
        Sums("cash in the subledger", paid, str(cash)),
        Sums("cash in the journal", paid, str(Money.total(clearing).minor)),
        Sums("debits less credits of the journal", "0", str(Money.total(booked).minor)),
    )
