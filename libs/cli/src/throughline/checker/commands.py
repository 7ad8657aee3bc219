"""`throughline check`: says of each invariant whether it holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated

import typer

from throughline.checker.running import WAIT_SECONDS, Examined, examine
from throughline.connection import StateOption, state_folder
from throughline.outcome import Exit, ends_with_a_code
from throughline.screen import Column, JsonOption, say, show_json, show_table

WORDS = {True: "holds", False: "FAILS", None: "skipped"}


@ends_with_a_code
def check(
    state: StateOption = None,
    as_json: JsonOption = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until nothing is under way any more.")
    ] = WAIT_SECONDS,
) -> Exit:
    """Recompute every promise from the raw stores, the streams and the ERP, and say of each whether it holds.

    The checker shares no code with the services. Of a suite that is stopped, the servers are started for the time of
    the check, and stopped again.

    The JSON is an object: `holds`, `settled`, `seconds`, `started`, and `invariants`, each with name, title, holds (true,
    false, or null where it was skipped, which is no failure), value (what was counted) and failures (exact places, at
    most 20, then how many more).

    Exit code: 0 nothing failed, 1 an invariant does not hold, 3 something cannot be read.
    """
    began = time.monotonic()
    examined = examine(state_folder(state), wait_seconds=wait)
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        invariants = [result.as_json() for result in examined.results]
        about = {"settled": examined.gathered.is_still, "seconds": seconds, "started": examined.started}
        show_json({"holds": examined.holds, **about, "invariants": invariants})
    else:
        _show(examined, seconds)
    return Exit.OK if examined.holds else Exit.REFUSED


def _show(examined: Examined, seconds: float) -> None:
    columns = [Column("invariant"), Column("promise", flexible=True), Column("holds"), Column("counted", flexible=True)]
    results = examined.results
    show_table(columns, [[r.name, r.title, WORDS[r.holds], counted(r.value)] for r in results])
    for result in results:
        if result.failures:
            say(f"{result.name} {result.title}: FAILS", "bold red")
            for failure in result.failures:
                say(f"  {failure}")
    if examined.started:
        say(f"The suite was stopped: {', '.join(examined.started)} ran for the time of the check.")
    if not examined.gathered.is_still:
        say("Work was going on while this was read; run it again when the suite is idle.", "yellow")
    events = sum(store.log.count for store in examined.gathered.world.stores.values())
    failed = [result.name for result in results if result.holds is False]
    verdict = f"Does not hold: {', '.join(failed)}" if failed else "Everything that was looked at holds"
    say(f"{verdict}. {events} events, {seconds:.1f} s.", "bold red" if failed else "bold green")


def counted(value: Mapping[str, object]) -> str:
    """What was counted, in one line; lists and tables are for the JSON."""
    plain = {name: item for name, item in value.items() if not isinstance(item, dict | list)}
    return ", ".join(f"{name.replace('_', ' ')} {item}" for name, item in plain.items())
