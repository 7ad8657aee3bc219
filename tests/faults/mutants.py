"""`python -m tests.faults.mutants`: builds known faults in on purpose, one at a time, and shows which test notices each.

A mutant is a copy of one package with a few lines changed; the copy comes first on the path of the test's process. The
tests must be green without a mutant, or their failure would prove nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEST_SECONDS_MAX = 300
CONSUMERS = "libs/chassis/tests/test_messaging_consumers.py"
CONTRACT = "libs/chassis/tests/test_eventstore_contract.py"
MONEY = "libs/canonical/tests/test_money.py"
STORY = "tests/faults/test_simulation.py::test_a_story_with_every_fault_ends_as_without_any"
TESTS_FAILED = 1


class MutantDoesNotFit(RuntimeError):
    """The lines that a mutant changes are no longer there, or are there twice: bring it up to date."""


@dataclass(frozen=True)
class Patch:
    """One text of one file of the package, and what stands in its place."""

    file: str
    before: str
    after: str

    def apply(self, package: Path) -> None:
        path = package / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.before) != 1:
            raise MutantDoesNotFit(f"{self.file}: found {text.count(self.before)} times: {self.before.strip()!r}")
        path.write_text(text.replace(self.before, self.after), encoding="utf-8")


@dataclass(frozen=True)
class Mutant:
    """A deliberate fault: `source` is the folder of the package, relative to the repository."""

    name: str
    source: str
    patches: tuple[Patch, ...]
    tests: tuple[str, ...]


CHASSIS = "libs/chassis/src/chassis"
MUTANTS: Sequence[Mutant] = (
    Mutant(
        "ack before commit",
        CHASSIS,
        (
            Patch(
                "messaging/nats_consumers.py",
                "        try:\n            handled = await runner.run(",
                "        await acknowledge(messages)\n        try:\n            handled = await runner.run(",
            ),
        ),
        (f"{CONSUMERS}::test_nothing_is_acknowledged_before_it_is_saved",),
    ),
    Mutant(
        "FastStream's default ack policy",
        CHASSIS,
        (Patch("messaging/nats_consumers.py", "            ack_policy=AckPolicy.MANUAL,\n", ""),),
        (f"{CONSUMERS}::test_a_batch_in_hand_at_the_stop_comes_again_to_the_next_process",),
    ),
    Mutant(
        "inbox key missing",
        CHASSIS,
        (
            Patch(
                "eventstore/schema.py",
                "CREATE TABLE inbox (\n    id uuid PRIMARY KEY,",
                "CREATE TABLE inbox (\n    id uuid NOT NULL,",
            ),
        ),
        (f"{CONTRACT}::test_a_message_is_answered_once",),
    ),
    Mutant(
        "float money",
        "libs/canonical/src/canonical",
        (
            Patch(
                "money.py",
                " = int(whole) * 100 + int(cents)\n",
                ' = int(float(f"{whole}.{cents}") * 100)\n',
            ),
        ),
        (f"{MONEY}::test_money_comes_back_from_its_wire_form", f"{STORY}[1]"),
    ),
    Mutant(
        "relay position kept in memory",
        CHASSIS,
        (
            Patch(
                "messaging/relay.py",
                "        self._position = tail.last_position or recorded\n",
                "",
            ),
        ),
        (f"{STORY}[1]",),
    ),
    Mutant(
        "answered messages are handled again",
        CHASSIS,
        (Patch("messaging/consumer.py", "            if known is None:\n", "            if known is None or True:\n"),),
        (f"{STORY}[1]",),
    ),
    Mutant(
        "ERP not asked before posting",
        "services/ledger-adapter/src/ledger_adapter",
        (
            Patch(
                "application/posting.py",
                "                held = found.get(entry.head.external_number)\n",
                "                held = None\n",
            ),
        ),
        (f"{STORY}[1]",),
    ),
    Mutant(
        "claims sent without looking whether they were",
        "services/claims/src/claims",
        (
            Patch(
                "application/sending.py",
                "        found = transport.probe(name)\n",
                "        found = None\n",
            ),
        ),
        (f"{STORY}[2]",),
    ),
)


@dataclass(frozen=True)
class Verdict:
    """What the tests said of one mutant."""

    mutant: Mutant
    killed: bool
    note: str
    seconds: float


def main() -> int:
    """0 where every mutant was noticed, 1 where one survived, 2 where nothing could be shown."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only mutants whose name contains one of these")
    parser.add_argument("--trust-tests", action="store_true", help="do not run the tests without a mutant first")
    arguments = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if _is_chosen(mutant, arguments.names)]
    if not arguments.trust_tests and not _green_without_mutants(chosen):
        return 2
    verdicts = [_judge(mutant) for mutant in chosen]
    _print_table(verdicts)
    return 0 if all(verdict.killed for verdict in verdicts) else 1


def _is_chosen(mutant: Mutant, names: Iterable[str]) -> bool:
    wanted = list(names)
    return not wanted or any(name in mutant.name for name in wanted)


def _green_without_mutants(mutants: Iterable[Mutant]) -> bool:
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    print(f"without a mutant: {len(tests)} tests")
    code, tail = _pytest(tests, os.environ)
    if code:
        print(f"red without any mutant, so nothing can be shown:\n{tail}", file=sys.stderr)
    return code == 0


def _judge(mutant: Mutant) -> Verdict:
    started = time.monotonic()
    print(f"{mutant.name}: {', '.join(mutant.tests)}", flush=True)
    try:
        survived = _survived(mutant)
    except MutantDoesNotFit as misfit:
        return Verdict(mutant, False, str(misfit), time.monotonic() - started)
    return Verdict(mutant, not survived, f"not noticed by {survived}" if survived else "", time.monotonic() - started)


def _survived(mutant: Mutant) -> list[str]:
    """The tests that did not notice the mutant."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        package = Path(folder) / Path(mutant.source).name
        shutil.copytree(ROOT / mutant.source, package, ignore=shutil.ignore_patterns("__pycache__"))
        for patch in mutant.patches:
            patch.apply(package)
        environment = os.environ | {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        _refuse_original(package, environment)
        return [test for test in mutant.tests if not _notices(test, environment)]


def _refuse_original(package: Path, environment: dict[str, str]) -> None:
    """Raises MutantDoesNotFit where Python would still import the package that is installed."""
    command = [sys.executable, "-c", f"import {package.name}; print({package.name}.__file__)"]
    found = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    if not found.stdout.startswith(str(package)):
        raise MutantDoesNotFit(f"{package.name} is imported from {found.stdout.strip()}")


def _notices(test: str, environment: dict[str, str]) -> bool:
    code, tail = _pytest([test], environment)
    if code not in (0, TESTS_FAILED):
        print(f"{test} did not run (pytest says {code}):\n{tail}", file=sys.stderr)
    return code == TESTS_FAILED


def _pytest(tests: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        found = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=TEST_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        return TESTS_FAILED, "the test hung"
    return found.returncode, found.stdout[-3000:]


def _print_table(verdicts: Sequence[Verdict]) -> None:
    width = max(len(verdict.mutant.name) for verdict in verdicts)
    for verdict in verdicts:
        word = "killed" if verdict.killed else "SURVIVED"
        print(f"{verdict.mutant.name:{width}}  {word:8}  {verdict.seconds:5.1f} s  {verdict.note}".rstrip())
    killed = sum(verdict.killed for verdict in verdicts)
    print(f"{killed} of {len(verdicts)} mutants killed")


if __name__ == "__main__":
    raise SystemExit(main())
