"""`python -m tests.performance`: measures, and prints one table. It never judges by time: the exit code tells of sums alone."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from chassis.runtime.interpreter import tune_interpreter

from tests.performance.balances import asking_while_posting
from tests.performance.consuming import consuming
from tests.performance.end_to_end import end_to_end
from tests.performance.erp_lanes import erp_lanes
from tests.performance.event_store import saving
from tests.performance.figures import Figure, show, sums_agree
from tests.performance.intake_beside_bulk import intake_bulk
from tests.performance.intake_load import intake_fhir, intake_hl7
from tests.performance.master_data import master_data
from tests.performance.payment_calls import payment_calls
from tests.performance.reading import reading
from tests.performance.rebuilding import rebuilding
from tests.performance.relaying import relaying
from tests.performance.sizes import FULL, QUICK, Sizes
from tests.performance.webhook_answers import webhook_answers
from tests.performance.webhook_storm import webhook_storm
from tests.performance.webhooks import webhook_to_journal
from tests.performance.world import World
from tests.performance.writing import writing

Measure = Callable[[World], Sequence[Figure]]

# In this order: what needs no suite, what needs it running, what needs its stores at rest, what has a suite of its own.
MEASURES: dict[str, Measure] = {
    "read": lambda world: reading(world.folder, world.sizes.read, world.sizes.stream_megabytes),
    "write": lambda world: writing(world.sizes.write),
    "master-data": lambda world: master_data(world.sizes),
    "save": lambda world: [saving(world.folder, world.sizes.batches)],
    "consume": lambda world: consuming(world.folder, world.sizes),
    "remittance": lambda world: [end_to_end(world)],
    "webhook": lambda world: [webhook_to_journal(world)],
    "balance": lambda world: [asking_while_posting(world)],
    "relay": lambda world: [relaying(world)],
    "rebuild": lambda world: [rebuilding(world)],
    "intake-hl7": lambda world: intake_hl7(world.folder, world.sizes),
    "intake-fhir": lambda world: intake_fhir(world.folder, world.sizes),
    "payment-calls": lambda world: payment_calls(world.folder, world.sizes, world.say),
    "webhook-answers": lambda world: webhook_answers(world.folder, world.sizes),
    "webhook-storm": lambda world: webhook_storm(world.folder, world.sizes),
    "erp-lanes": lambda world: erp_lanes(world.folder, world.sizes),
    "intake-bulk": lambda world: intake_bulk(world.folder, world.sizes),
}
NEEDS_A_REMITTANCE = {"webhook", "balance"}


def measure(names: Collection[str], sizes: Sizes, say: Callable[[str], None]) -> list[Figure]:
    """The figures of these rows. Everything is stopped and removed afterwards."""
    wanted = [name for name in MEASURES if name in names or (name == "remittance" and NEEDS_A_REMITTANCE & set(names))]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="throughline-bench-") as folder, World(Path(folder), sizes, say) as world:
        for name in wanted:
            say(name)
            tune_interpreter()
            figures.extend(MEASURES[name](world))
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, or the same as JSON; 1 where a sum is not exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="this row alone; may be given again")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, not how fast it is")
    parser.add_argument("--json", action="store_true", help="the same as data")
    given = parser.parse_args(arguments)
    figures = measure(given.only or list(MEASURES), QUICK if given.quick else FULL, _say)
    if given.json:
        sys.stdout.write(json.dumps([figure.as_data() for figure in figures], indent=2) + "\n")
    else:
        show(figures)
    return 0 if sums_agree(figures) else 1


def _say(text: str) -> None:
    sys.stderr.write(f"… {text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
