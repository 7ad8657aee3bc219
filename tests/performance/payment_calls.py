"""How long posting a payment and asking for a balance take, each so many a second: idle, and while a large remittance posts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from random import Random

from sandbox.world.file_drop import INTAKE_INBOUND, Exchange, drop

from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.intake_load import own_folder
from tests.performance.payment_calling import AMOUNT_MINOR, BEGINS, Answered, CallPlan
from tests.performance.seeding import Owed
from tests.performance.sizes import Sizes
from tests.performance.world import World

RATE = 200.0
BARS = {"GetBalance": Bar(50, 10), "PostPayment": Bar(100, 50)}
ENDING_SECONDS_MAX = 60.0
BEGINS_SECONDS_MAX = 400.0
POLL_SECONDS, REST_SECONDS, SECONDS_MIN = 0.5, 3.0, 2.0
ACCOUNTS = "SELECT account_id FROM patient_accounts WHERE responsibility_minor > 0 ORDER BY account_id LIMIT 2000"
POSTED = "SELECT count(*), coalesce(sum(amount_minor), 0)::bigint FROM payments WHERE channel = 'front-desk'"
CHARGED = "SELECT count(*) FROM patient_accounts"


def payment_calls(folder: Path, sizes: Sizes, say: Callable[[str], None]) -> list[Figure]:
    """Both rows, of a suite of their own: some patients owe from a first remittance, and a large second one posts.

    An ERP is another machine's load: here the ledger writes files for one.
    """
    own = replace(sizes, remittance=sizes.calls_accounts, beside=sizes.calls_beside)
    with World(own_folder(folder, "payment-calls"), own, say, with_erp=False) as world:
        first = Charging(world, world.owed("alone"))
        first.drop()
        first.wait(BEGINS_SECONDS_MAX)
        time.sleep(REST_SECONDS)
        calling = Calling(world)
        idle = calling.during("idle", lambda: time.sleep(sizes.calls_seconds))
        second = Charging(world, world.owed("beside"))
        second.drop()
        beside = calling.during("beside", lambda: second.wait(sizes.calls_seconds))
        posted = world.ask("payments", POSTED)[0]
    count = idle["PostPayment"].count + beside["PostPayment"].count
    sums = (
        Sums("payments posted", str(count), str(posted[0])),
        Sums("cents posted", str(count * AMOUNT_MINOR), str(posted[1])),
    )
    claims = f"{sizes.calls_beside:,}"
    return [
        Figure(
            row="payment-calls",
            work=f"{name} {RATE:.0f} times a second while {claims} claims post (p99)",
            value=beside[name].p99_ms,
            unit="ms",
            bar=bar,
            baseline=Baseline("the same on the idle suite (p99)", idle[name].p99_ms),
            details=(
                _told("idle", idle[name]),
                _told(f"while patients are charged, {second.rate:,.0f} of them a second", beside[name]),
            ),
            sums=sums,
        )
        for name, bar in BARS.items()
    ]


class Calling:
    """Calls in a process of its own, for as long as something takes."""

    def __init__(self, world: World) -> None:
        self._suite = world.running.folder
        self._file = self._suite / "accounts.txt"
        accounts = [str(row[0]) for row in world.ask("payments", ACCOUNTS)]
        assert accounts, "somebody owes something"
        Random(1).shuffle(accounts)
        self._file.write_text("\n".join(accounts), encoding="ascii")

    def during(self, run: str, work: Callable[[], object]) -> dict[str, Answered]:
        """What was answered meanwhile, by the name of the call."""
        plan = CallPlan(str(self._suite), str(self._file), RATE, f"payment-calls-{run}")
        command = [sys.executable, "-m", "tests.performance.payment_calling", json.dumps(asdict(plan))]
        caller = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert caller.stdout is not None, "it is a pipe"
        try:
            assert caller.stdout.readline().strip() == BEGINS, "it can call"
            work()
            out, _ = caller.communicate("", ENDING_SECONDS_MAX)
        finally:
            caller.kill()
        assert caller.returncode == 0, "every call is answered"
        return {name: Answered(**each) for name, each in json.loads(out).items()}


class Charging:
    """A remittance that is dropped, from the first patients that it charges on: before, payments has little to do with it."""

    def __init__(self, world: World, owed: Owed) -> None:
        self._inbound = Exchange(world.running.exchange).folder(INTAKE_INBOUND)
        self._world = world
        self._owed = owed
        self._before = self._charged
        self.rate = 0.0

    def drop(self) -> None:
        """Drops it, and waits until patients are charged."""
        drop(self._inbound, f"{self._owed.remittance.trace_number}.835", self._owed.remittance.content)
        self._world.wait_for("the first patient", lambda: self._charged > self._before, BEGINS_SECONDS_MAX)

    def wait(self, seconds_max: float) -> None:
        """Until every patient is charged, but two seconds at least; or the time is up."""
        begins, began = self._charged, time.monotonic()
        charged = sum(bool(each.decision.patient_responsibility) for each in self._owed.remittance.claims)
        time.sleep(min(SECONDS_MIN, seconds_max))
        while time.monotonic() < began + seconds_max and self._charged < self._before + charged:
            time.sleep(POLL_SECONDS)
        self.rate = (self._charged - begins) / (time.monotonic() - began)

    @property
    def _charged(self) -> int:
        found = self._world.ask("payments", CHARGED)[0][0]
        assert isinstance(found, int)
        return found


def _told(what: str, answered: Answered) -> str:
    return (
        f"{what}: p50 {answered.p50_ms:.1f}, p99 {answered.p99_ms:.1f}, at most {answered.max_ms:.0f} ms; "
        f"{answered.count:,} answered, {answered.again} asked again"
    )
